"""From deliveries to frames to whoever wants them."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Protocol

from gateway import SinkContext, seconds_text
from gateway_c37118.server.alignment import Alignment
from gateway_c37118.server.answers import Answers
from gateway_c37118.server.frames import Frames
from gateway_c37118.server.instants import SECOND

LONGEST_SLEEP = 1.0
"""Seconds after which it is looked at the wall clock again, which somebody may have set."""
CHANGED = 60.0
"""Seconds for which STAT says that the configuration has changed (table 7)."""
LOOK = 1.0
"""Seconds from one look at the counters to the next."""
CLEAN = 60
"""Looks without late samples after which they count as over."""


class Receiver(Protocol):
    """Whoever gets data frames while `on`."""

    on: bool

    def put(self, frame: bytes) -> None:
        """Take a frame; never waits."""

    def forget(self) -> None:
        """Forget data that have not gone yet."""


class Hub:
    """The one place where frames are made, and handed to all receivers."""

    def __init__(
        self,
        ctx: SinkContext,
        alignment: Alignment,
        frames: Frames,
        answers: Answers,
        *,
        wait: float,
        changed: bool,
        rate: float,
    ) -> None:
        self.ctx = ctx
        self.answers = answers
        self.receivers: set[Receiver] = set()
        self.counts: list[Counter[str]] = [alignment.counts, answers.counts]
        self.octets_per_second = frames.layout.size * rate
        self._alignment = alignment
        self._frames = frames
        self._wait = wait
        self._changed = changed
        self._known: Counter[str] = Counter()
        self._unfit = 0
        self._clean = CLEAN

    async def receive(self) -> None:
        """Take deliveries, and send frames as soon as they are complete."""
        async for delivery in self.ctx.batches():
            if delivery.historical:
                self._alignment.shed(delivery.seq, len(delivery.batch))
            else:
                self._alignment.take(delivery.seq, delivery.batch, self.ctx.now())
            self._send()

    async def pace(self) -> None:
        """Send frames that have waited for long enough."""
        while True:
            wait = (self._alignment.deadline - self.ctx.now()) / SECOND
            if wait > 0:
                await asyncio.sleep(min(wait, LONGEST_SLEEP))
            self._send()

    def _send(self) -> None:
        ctx = self.ctx
        on = [receiver for receiver in self.receivers if receiver.on]
        for aligned in self._alignment.due(ctx.now()):
            frame = self._frames.pack(aligned)
            ctx.count("frames")
            if on:
                if ctx.tracing:
                    ctx.trace("tx", frame, f"to {len(on)}")
                for receiver in on:
                    receiver.put(frame)
                ctx.count("frames_sent", len(on))
        for over in self._alignment.acknowledged():
            # What nobody wants is replaced by what comes later.
            rest = over.rows - over.shed
            ctx.delivered(over.seq, coalesced=over.coalesced if on else rest, shed=over.shed)

    async def announce(self) -> None:
        """Say in STAT, for a minute, that the configuration is another one."""
        if self._changed:
            self._frames.changing = True
            await asyncio.sleep(CHANGED)
            self._frames.changing = False

    async def count(self) -> None:
        """Hand counters on to the operator every second."""
        async for _ in self.ctx.every(LOOK):
            self.look()

    def look(self) -> None:
        """Hand on what has been counted since the last look, and say what an engineer must know."""
        counts: Counter[str] = Counter()
        for one in self.counts:
            counts.update(one)
        counts["values_unfit"] = self._frames.unfit
        for name, number in (counts - self._known).items():
            self.ctx.count(name, number)
        if self._frames.unfit and not self._unfit:
            self.ctx.log.warning(
                "%s: values are too large for integers, and go as absent: a larger scale is needed",
                self.ctx.name,
            )
        self._unfit = self._frames.unfit
        self._tell_late(counts["late_samples"] > self._known["late_samples"])
        self._known = counts

    def _tell_late(self, late: bool) -> None:
        name, log = self.ctx.name, self.ctx.log
        if late:
            if self._clean >= CLEAN:
                log.warning(
                    "%s: samples come %d ms after their instant, when their frame has gone: "
                    "`wait` is %s",
                    name,
                    self._alignment.latest // 1_000_000,
                    seconds_text(self._wait),
                )
            self._clean = 0
        elif self._clean < CLEAN:
            self._clean += 1
            if self._clean == CLEAN:
                log.info("%s: samples are in time again", name)
        self._alignment.latest = 0
