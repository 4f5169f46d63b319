"""What the master has not confirmed yet: events in their order, by class and type.

A queue for each class, type and variation; what a response takes is a prefix of each queue that it
reads, in the order in which the events came. What was taken stays until the master confirms it.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

RECORD = np.dtype(
    [
        ("order", np.int64),
        ("value", np.float64),
        ("time", np.int64),
        ("slot", np.int32),
        ("index", np.int32),
        ("flags", np.uint8),
        ("synchronised", np.bool_),
        ("live", np.bool_),
    ]
)
"""One event. `order` counts all events of an outstation; `time` is in ms since 1970 UTC."""

CROWDED = 900
"""Open deliveries above which the master has to read what is oldest, or loses it."""

Records = NDArray[Any]


class Key(NamedTuple):
    """Which queue: class 1 to 3, the code of the type, the variation of its event group."""

    event_class: int
    code: int
    variation: int


class _Queue:
    """Events in order: those before `sent` wait for the confirmation, the others to be sent."""

    __slots__ = ("dead", "head", "rows", "sent", "tail")

    def __init__(self) -> None:
        self.rows: Records = np.zeros(64, RECORD)
        self.head = self.sent = self.tail = 0
        self.dead = 0

    @property
    def unsent(self) -> int:
        return self.tail - self.sent - self.dead

    def add(self, rows: Records) -> None:
        room = len(self.rows) - self.tail
        if len(rows) > room:
            used = self.tail - self.head
            size = len(self.rows)
            while size < 2 * (used + len(rows)):
                size *= 2
            grown: Records = np.zeros(size, RECORD)
            grown[:used] = self.rows[self.head : self.tail]
            self.rows = grown
            self.sent -= self.head
            self.head, self.tail = 0, used
        self.rows[self.tail : self.tail + len(rows)] = rows
        self.tail += len(rows)

    def first(self, count: int, before: int) -> Records:
        """Return the first unsent rows that live, `count` at most, up to an order."""
        rows = self.rows[self.sent : self.tail]
        if self.dead:
            rows = rows[np.flatnonzero(rows["live"])[:count]]
        rows = rows[:count]
        return rows[: int(np.searchsorted(rows["order"], before))] if len(rows) else rows

    def take(self, order: int) -> None:
        """Mark all rows up to this one as sent."""
        rows = self.rows[self.sent : self.tail]
        count = int(np.searchsorted(rows["order"], order, "right"))
        if self.dead:
            self.dead -= count - int(np.count_nonzero(rows["live"][:count]))
        self.sent += count

    def put_back(self) -> None:
        rows = self.rows[self.head : self.sent]
        self.dead += len(rows) - int(np.count_nonzero(rows["live"]))
        self.sent = self.head

    def drop(self, stop: int) -> Records:
        """Remove the rows before a position, and return those that lived."""
        rows = self.rows[self.head : stop]
        self.head = stop
        lived: Records = rows[rows["live"]].copy()
        return lived

    def kill(self, orders: NDArray[np.int64]) -> NDArray[np.int64]:
        """Mark unsent rows as replaced, and return which of the orders they were."""
        rows = self.rows[self.sent : self.tail]
        at = np.searchsorted(rows["order"], orders)
        inside = at < len(rows)
        at, orders = at[inside], orders[inside]
        hit = (rows["order"][at] == orders) & rows["live"][at]
        rows["live"][at[hit]] = False
        self.dead += int(np.count_nonzero(hit))
        killed: NDArray[np.int64] = orders[hit]
        return killed


@dataclass(slots=True)
class _Delivery:
    """Events that came together; `key` is handed back when none of them is left."""

    key: int
    end: int
    left: int
    replaced: int = 0
    shed: int = 0


class Finished(NamedTuple):
    """A delivery of which nothing is left; how many never reached the master, and why."""

    key: int
    replaced: int
    shed: int


class EventBuffer:
    """The events of one master.

    slots:    how many points there are; rows name theirs by its slot.
    limit:    most events, above which the oldest of the fullest class are shed; None for no limit
              of its own.
    most:     events above which those that the master passes over are shed, too; None for no such.
    finished: told of each delivery that has ended, in the order in which they came.
    """

    def __init__(
        self,
        slots: int,
        limit: int | None,
        finished: Callable[[Finished], None],
        most: int | None = None,
    ) -> None:
        self._queues: dict[Key, _Queue] = {}
        self._finished = finished
        self._limit = limit
        self._most = most
        self._deliveries: deque[_Delivery] = deque()
        self._latest = np.full(slots, -1, np.int64)
        self.order = 0
        self.shed: Counter[int] = Counter()

    def add(self, key: int, code: Any, event_class: Any, variation: Any, rows: Records,
            latest: Any, replaced: int = 0) -> None:  # fmt: skip
        """Take a delivery; one row each in `code`, `event_class`, `variation` and `latest`.

        latest:   whether the event takes the place of the point's event that is not sent yet.
        replaced: how many of the delivery were left already.
        """
        count = len(rows)
        rows["order"] = np.arange(self.order, self.order + count)
        rows["live"] = True
        self.order += count
        self._deliveries.append(_Delivery(key, self.order, count, replaced))
        if count:
            self._replace(rows, latest)
            which = (event_class.astype(np.int64) << 16) | (code.astype(np.int64) << 8) | variation
            for one in np.unique(which).tolist():
                place = Key(one >> 16, one >> 8 & 0xFF, one & 0xFF)
                self._queues.setdefault(place, _Queue()).add(rows[which == one])
        self._make_room()
        self._end()

    def _replace(self, rows: Records, latest: Any) -> None:
        """Let new values of points take the place of those that were not sent."""
        slots = rows["slot"]
        if latest.any():
            before = self._latest[slots[latest]]
            before = np.unique(before[before >= 0])
            if len(before):
                gone = [queue.kill(before) for queue in self._queues.values()]
                for order, each in self._of(np.sort(np.concatenate(gone))):
                    order.left -= each
                    order.replaced += each
            self._latest[slots[latest]] = rows["order"][latest]

    @property
    def open(self) -> int:
        """Deliveries of which something is left."""
        return len(self._deliveries)

    def __len__(self) -> int:
        return sum(queue.tail - queue.sent - queue.dead for queue in self._queues.values())

    @property
    def classes(self) -> int:
        """A mask of the classes that have events to be sent: bit 1 for class 1 …"""
        mask = 0
        for key, queue in self._queues.items():
            if queue.unsent:
                mask |= 1 << key.event_class
        return mask

    def waiting(self, event_class: int) -> int:
        """How many events of a class are to be sent."""
        return sum(
            queue.unsent for key, queue in self._queues.items() if key.event_class == event_class
        )

    def first(
        self, count: int, keep: Callable[[Key], bool], before: int
    ) -> tuple[Records, list[Key], NDArray[np.intp]]:
        """Return the first unsent events of some queues, in order: rows, queues, and which each
        row is of."""
        keys = [key for key, queue in self._queues.items() if queue.unsent and keep(key)]
        parts = [self._queues[key].first(count, before) for key in keys]
        if not parts:
            return np.zeros(0, RECORD), [], np.zeros(0, np.intp)
        rows = np.concatenate(parts)
        which = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        if len(parts) > 1:
            order = np.argsort(rows["order"], kind="stable")[:count]
            rows, which = rows[order], which[order]
        return rows, keys, which

    def take(self, key: Key, order: int) -> None:
        """Mark the events of a queue up to this order as sent."""
        self._queues[key].take(order)

    def put_back(self) -> None:
        """What was sent and not confirmed is to be sent again."""
        for queue in self._queues.values():
            if queue.sent != queue.head:
                queue.put_back()

    def confirm(self) -> int:
        """Drop what was sent; returns how many events the master has now."""
        gone = [q.drop(q.sent) for q in self._queues.values() if q.sent != q.head]
        count = self._settle(gone)
        self._end()
        if count and (self.open > CROWDED or (self._most is not None and len(self) > self._most)):
            self._leave_unread(max(int(rows["order"].max()) for rows in gone if len(rows)))
        return count

    def _leave_unread(self, newest: int) -> None:
        """Shed old events that the master passes over while it reads newer ones of other classes.

        Otherwise a class that is never read would in the end hold up those that are.
        """
        before = min(self._deliveries[len(self._deliveries) // 2].end, newest)
        for key, queue in self._queues.items():
            queue.take(before - 1)
            rows = queue.drop(queue.sent)
            if len(rows):
                self.shed[key.event_class] += self._settle([rows], shed=True)
        self._end()

    def _settle(self, gone: list[Records], *, shed: bool = False) -> int:
        if not gone:
            return 0
        rows = np.concatenate(gone)
        orders = np.sort(rows["order"])
        for delivery, count in self._of(orders):
            delivery.left -= count
            if shed:
                delivery.shed += count
        mine = self._latest[rows["slot"]] == rows["order"]
        self._latest[rows["slot"][mine]] = -1
        return len(orders)

    def _of(self, orders: NDArray[np.int64]) -> Iterable[tuple[_Delivery, int]]:
        """Yield the deliveries of some events, whose orders are sorted, and how many of each."""
        done = 0
        for delivery in self._deliveries:
            if done == len(orders):
                return
            stop = int(np.searchsorted(orders, delivery.end))
            if stop > done:
                yield delivery, stop - done
                done = stop

    def _make_room(self) -> None:
        if self._limit is None or (excess := len(self) - self._limit) <= 0:
            return
        while excess > 0:
            fullest = max((1, 2, 3), key=self.waiting)
            rows, keys, which = self.first(excess, partial(_is_of, fullest), self.order)
            if not len(rows):
                return
            for number, key in enumerate(keys):
                mine = rows["order"][which == number]
                queue = self._queues[key]
                if len(mine) and queue.sent == queue.head:
                    queue.take(int(mine[-1]))
                    self._settle([queue.drop(queue.sent)], shed=True)
                elif len(mine):
                    # A response with events of this queue is on its way: they stay until it ends.
                    self._cut(queue, int(mine[-1]))
            self.shed[fullest] += len(rows)
            excess -= len(rows)

    def _cut(self, queue: _Queue, order: int) -> None:
        rows = queue.rows[queue.sent : queue.tail]
        count = int(np.searchsorted(rows["order"], order, "right"))
        live = rows[:count]["live"]
        self._settle([rows[:count][live].copy()], shed=True)
        queue.dead += int(np.count_nonzero(live))
        rows["live"][:count] = False

    def _end(self) -> None:
        while self._deliveries and not self._deliveries[0].left:
            one = self._deliveries.popleft()
            self._finished(Finished(one.key, one.replaced, one.shed))


def _is_of(event_class: int, key: Key) -> bool:
    return key.event_class == event_class
