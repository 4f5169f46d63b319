"""Where samples of a waveform and samples of points meet, until a recording is complete."""

from __future__ import annotations

import asyncio
from dataclasses import replace
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
STALLED = 3_000_000_000
"""ns without samples, and without results of them, after which a recording waits no more."""


class Counting(Protocol):
    """Who counts: the link's context."""

    def count(self, what: str, n: int = 1) -> None: ...


class Desk:
    """The state of one connection; everything in it is bounded.

    Samples may stand at any time, as a recording that is played again does: only whether they come
    is measured by our clock.
    """

    def __init__(
        self,
        captures: Captures,
        watch: Watch,
        track: Track,
        ended: asyncio.Queue[Material],
        memory: int,
        now: int,
    ) -> None:
        """ended: what is to be written.
        memory: ns of samples that are kept where no recording is under way.
        """
        self.ring = Ring()
        self.captures = captures
        self.watch = watch
        self.track = track
        self.ended = ended
        self._memory = memory
        self._heard = now

    def hear(self, ctx: Counting, block: Waveform, now: int) -> None:
        """Take a block; where it is another waveform, what is under way ends before it."""
        self._heard = now
        if not self.ring.fits(block):
            self.close(ctx, self.captures.all())
        taken = self.ring.take(block)
        if taken is not Taken.KEPT:
            ctx.count("waveforms_again" if taken is Taken.AGAIN else "waveforms_anew")
        before = self.ring.newest - self._memory
        needed = self.captures.needed
        before = before if needed is None else min(before, needed)
        self.ring.forget(before)
        self.track.forget(before)

    def evaluate(self, ctx: Counting, batch: Batch, now: int) -> None:
        """Take samples of points: edges of status channels, and what triggers.

        A trigger whose time cannot be right, because its clock says so or it is yet to come,
        stands at the newest sample, with which it was received.
        """
        early = self.track.feed(batch)
        if early:
            ctx.count("edges_forgotten", early)
        for fired in self.watch.feed(batch):
            ctx.count("triggers")
            if not fired.own and (fired.unsure or fired.time > now + AHEAD):
                ctx.count("triggers_unsure")
                fired = replace(fired, time=self.ring.newest or now, unsure=True)
            else:
                fired = replace(fired, unsure=False)
            if fired.time < self.ring.oldest:
                ctx.count("triggers_late")
            elif not self.captures.fire(fired):
                ctx.count("triggers_shed")

    def look(self, ctx: Counting, now: int) -> None:
        """Hand over what has ended, and all where samples come no more."""
        stalled = now - self._heard >= STALLED + self.captures.late
        newest = self.ring.newest
        self.close(ctx, self.captures.all() if stalled else self.captures.due(newest))

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
