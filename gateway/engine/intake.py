"""Where samples enter: the kernel judges them, and what changed goes to journal and feeds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import numpy as np

from gateway.engine.feed import Feed
from gateway.journal.journal import Journal
from gateway.kernel import Plan, Points, Rows
from gateway.model.batch import Batch, Mask
from gateway.model.quality import Quality

WINDOW = 0.002
"""Seconds for which samples gather into one batch: what a live sample waits at most."""
CAPACITY = 65_536
"""Most samples in one batch."""


class Watch(Protocol):
    """Who waits for points to change: `gateway.command.Watch`."""

    @property
    def idle(self) -> bool: ...

    def changed(self, points: Iterable[int]) -> None: ...


class Intake:
    """The one door to the image, the journal and the feeds; on the event loop."""

    def __init__(self, points: Points, journal: Journal) -> None:
        self._points = points
        self._journal = journal
        self._feeds: list[Feed] = []
        self._must_keep = np.zeros(len(points), np.bool_)
        self._rows = Rows(CAPACITY)
        self._loop = asyncio.get_running_loop()
        self._scheduled: asyncio.TimerHandle | None = None
        self._custody: asyncio.Future[None] | None = None
        self._watch: Watch | None = None
        self.samples = 0
        """Samples taken since the start."""
        self.taken = 0
        """Samples that the last `judge` took."""
        self.time_quality = 0
        """Flags of every sample whose time is the gateway's own."""

    def attach(self, feed: Feed, every: Mask) -> None:
        """Let a feed have what is taken from now on; `every` are the points it must have all of."""
        self._feeds.append(feed)
        self._must_keep |= every

    def listen(self, watch: Watch) -> None:
        """Let a watch hear of the points that are taken."""
        self._watch = watch

    @property
    def crowded(self) -> bool:
        """Whether `room` would wait."""
        return not self._journal.has_room

    async def room(self) -> None:
        """Wait until the gateway may take samples; at once, unless the policy is to wait."""
        await self._journal.room()

    def decode(self, plan: Plan, data: bytes, time: int) -> int:
        """Take what changed in a raw block; returns how many samples that was."""
        rows = self._rows
        if rows.free < plan.size:
            self.flush()
        taken = self._points.decode(plan, data, time, self.time_quality, rows)
        if taken and self._scheduled is None:
            self._schedule()
        return taken

    def judge(self, batch: Batch, *, every: bool) -> asyncio.Future[None] | None:
        """Take what changed of a batch; returns the future of its custody, None if none did."""
        taken = 0
        for start in range(0, len(batch), CAPACITY):
            part = batch if len(batch) <= CAPACITY else batch.take(slice(start, start + CAPACITY))
            if self._rows.free < len(part):
                self.flush()
            taken += self._points.judge(part, every, self._rows)
        self.taken = taken
        if not taken:
            return None
        if self._scheduled is None:
            self._schedule()
        if self._custody is None:
            self._custody = self._loop.create_future()
        return self._custody

    def put(self, point: int, mark: int, value: float, quality: int, time: int) -> None:
        """Take a sample as it stands, and have these marks on its point; see `Points.put`."""
        if not self._rows.free:
            self.flush()
        self._points.put(point, mark, value, quality, time, self._rows)
        if self._scheduled is None:
            self._schedule()

    def _schedule(self) -> None:
        self._scheduled = self._loop.call_later(WINDOW, self.flush)

    def flush(self) -> None:
        """Hand what gathered to the journal and the feeds."""
        if self._scheduled is not None:
            self._scheduled.cancel()
            self._scheduled = None
        batch = self._rows.drain()
        custody, self._custody = self._custody, None
        if batch is None:
            return
        self.samples += len(batch)
        must = self._must_keep[batch.point]
        seq = None
        if must.any():
            seq = self._journal.append(batch if must.all() else batch.take(must))
        for feed in self._feeds:
            feed.push(seq, batch)
        if self._watch is not None and not self._watch.idle:
            self._watch.changed(batch.point.tolist())
        if custody is not None:
            if seq is None:
                custody.set_result(None)
            else:
                self._journal.custody().add_done_callback(_follow(custody))


def _follow(custody: asyncio.Future[None]) -> Callable[[asyncio.Future[None]], None]:
    def done(journalled: asyncio.Future[None]) -> None:
        error = journalled.exception()
        if custody.done():
            return
        if error is None:
            custody.set_result(None)
        else:
            custody.set_exception(error)

    return done


def received(batch: Batch, now: int, time_quality: int) -> Batch:
    """Give rows without a time of their own the time of receipt, and say so in their quality."""
    own = (batch.quality & Quality.DEVICE_TIME) != 0
    if own.all():
        return batch
    time = np.where(own | (batch.time != 0), batch.time, now)
    quality = np.where(own, batch.quality, batch.quality | time_quality).astype(np.uint16)
    return Batch(batch.point, batch.value, quality, time)


def lost(points: Sequence[int], quality: int, now: int) -> Batch:
    """Make the batch that marks points as stale: no value, so that the last one stays."""
    return Batch.of(points, np.nan, quality, now)
