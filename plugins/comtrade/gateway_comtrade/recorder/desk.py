"""Where samples of a waveform and samples of points meet, until a recording is complete."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Protocol

from gateway import Batch
from gateway.waveform import Waveform
from gateway_comtrade.recorder.assemble import Material
from gateway_comtrade.recorder.captures import Capture, Captures
from gateway_comtrade.recorder.ring import Ring, Taken
from gateway_comtrade.recorder.track import Track
from gateway_comtrade.recorder.trigger import Watch

AHEAD = 1_000_000_000
"""ns by which a device's clock may be ahead of ours."""


class Counting(Protocol):
    """Who counts: the link's context."""

    def count(self, what: str, n: int = 1) -> None: ...


@dataclass(frozen=True, slots=True)
class Desk:
    """The state of one connection; everything in it is bounded.

    ended:  what is to be written.
    memory: ns of samples that are kept where no recording is under way.
    """

    ring: Ring
    captures: Captures
    watch: Watch
    track: Track
    ended: asyncio.Queue[Material]
    memory: int

    def hear(self, ctx: Counting, block: Waveform) -> None:
        """Take a block; where it is another waveform, what is under way ends before it."""
        if not self.ring.fits(block):
            self.close(ctx, self.captures.all())
        taken = self.ring.take(block)
        if taken is not Taken.KEPT:
            ctx.count("waveforms_again" if taken is Taken.AGAIN else "waveforms_anew")
        before = self.ring.newest - self.memory
        needed = self.captures.needed
        before = before if needed is None else min(before, needed)
        self.ring.forget(before)
        self.track.forget(before)

    def evaluate(self, ctx: Counting, batch: Batch, now: int) -> None:
        """Take samples of points: edges of status channels, and what triggers.

        A trigger whose time cannot be right, because its clock says so or it is yet to come,
        stands at `now`, when it was received.
        """
        early = self.track.feed(batch)
        if early:
            ctx.count("edges_forgotten", early)
        for fired in self.watch.feed(batch):
            ctx.count("triggers")
            if fired.unsure or fired.time > now + AHEAD:
                ctx.count("triggers_unsure")
                fired = replace(fired, time=now, unsure=True)
            if fired.time < self.ring.oldest:
                ctx.count("triggers_late")
            elif not self.captures.fire(fired):
                ctx.count("triggers_shed")

    def look(self, ctx: Counting, now: int) -> None:
        """Hand over what has ended."""
        self.close(ctx, self.captures.due(self.ring.newest, now))

    def close(self, ctx: Counting, captures: list[Capture]) -> None:
        """Hand over these, with the samples that there are."""
        labels = [one.label for one in self.track.channels]
        for capture in captures:
            blocks = self.ring.between(capture.start, capture.end)
            if not blocks:
                ctx.count("recordings_empty")
                continue
            base, edges = self.track.snapshot()
            try:
                self.ended.put_nowait(Material(capture, blocks, labels, base, edges))
            except asyncio.QueueFull:
                ctx.count("recordings_shed")
