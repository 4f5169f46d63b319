"""What clients monitor: the gateway is asked for these points and no others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import numpy as np

from gateway import Batch, SinkContext
from gateway_opcua.items import Items
from gateway_opcua.reading import Reading


class Monitor:
    """Stands between the link's deliveries and the subscriptions of all clients."""

    def __init__(
        self,
        ctx: SinkContext,
        reading: Reading,
        most_items: int,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.reading = reading
        self.now = ctx.now
        self.clock = clock
        self.most_items = most_items
        self.items = 0
        self._ctx = ctx
        self._users = np.zeros(1 + max((p.id for p in ctx.points), default=0), np.int32)
        self._subscriptions: dict[int, Items] = {}

    def watch(self, items: Items, points: Iterable[int]) -> None:
        """Count new items of a subscription, and ask for points that nobody watched."""
        self._subscriptions[id(items)] = items
        self._add(points, 1)

    def unwatch(self, items: Items, points: Iterable[int]) -> None:
        """Take items of a subscription away again."""
        self._add(points, -1)
        if not items.used:
            self._subscriptions.pop(id(items), None)

    def deliver(self, batch: Batch) -> None:
        """Offer samples to every subscription."""
        status = self.reading.status(batch.point, batch.value, batch.quality, batch.time)
        now = self.clock()
        for items in list(self._subscriptions.values()):
            items.offer(batch.point, batch.value, status, batch.time, now)
            self.tally(items)

    def tally(self, items: Items) -> None:
        """Count what full queues of a subscription have let go."""
        if items.discarded:
            self._ctx.count("overflows", items.discarded)
            items.discarded = 0

    def _add(self, points: Iterable[int], change: int) -> None:
        ids = np.fromiter(points, np.int64)
        if not len(ids):
            return
        before = self._users > 0
        np.add.at(self._users, ids, change)
        self.items += change * len(ids)
        watched = self._users > 0
        if not np.array_equal(before, watched):
            self._ctx.watch(np.flatnonzero(watched).tolist())
