"""The monitored items of one subscription, as columns: sampling, filter, queue (OPC 10000-4, 5.13).

One row per item, called a slot.
A delivery is compared with all items in a few numpy calls, however many items there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from gateway_opcua.item import Item, Mode, Trigger
from gateway_opcua.notification import Changes
from gateway_opcua.status import OVERFLOW, StatusColumn

Slots: TypeAlias = npt.NDArray[np.int64]
Values: TypeAlias = npt.NDArray[np.float64]
Times: TypeAlias = npt.NDArray[np.int64]

_LEAST_ROOM = 4_096


_SLOT = np.dtype(
    [
        ("used", "?"),
        ("point", "i4"),
        ("handle", "u4"),
        ("type", "u1"),
        ("stamps", "u1"),
        ("queue", "i8"),
        ("discard_oldest", "?"),
        ("mode", "u1"),
        ("trigger", "u1"),
        ("deadband", "f8"),
        ("sampling", "i8"),
        ("tick", "i8"),
        ("primed", "?"),
        ("value", "f8"),
        ("status", "u4"),
        ("time", "i8"),
        ("held", "?"),
        ("held_value", "f8"),
        ("held_status", "u4"),
        ("held_time", "i8"),
    ]
)


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    slot: Slots
    value: Values
    status: StatusColumn
    time: Times

    def take(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> _Rows:
        return _Rows(self.slot[rows], self.value[rows], self.status[rows], self.time[rows])

    @classmethod
    def join(cls, parts: Sequence[_Rows]) -> _Rows:
        if len(parts) == 1:
            return parts[0]
        return cls(
            np.concatenate([part.slot for part in parts]),
            np.concatenate([part.value for part in parts]),
            np.concatenate([part.status for part in parts]),
            np.concatenate([part.time for part in parts]),
        )


_NO_ROWS = _Rows(
    np.zeros(0, np.int64), np.zeros(0, np.float64), np.zeros(0, np.uint32), np.zeros(0, np.int64)
)


class Items:
    """All items of a subscription, their last samples and what waits for the next publish."""

    def __init__(self) -> None:
        self._table = np.zeros(0, _SLOT)
        self._columns = {name: self._table[name] for name in _SLOT.names or ()}
        self._free: list[int] = []
        self._start = np.zeros(1, np.int64)
        self._slots = np.zeros(0, np.int64)
        self._indexed = True
        self._pending: list[_Rows] = []
        self._waiting = 0
        self._room = _LEAST_ROOM
        self._holding = False
        self.discarded = 0
        """Values that full queues have let go, shown by Overflow bits; for who counts to reset."""

    @property
    def used(self) -> int:
        """How many items there are."""
        return len(self._table) - len(self._free)

    def add(self, item: Item) -> int:
        """Take up an item and return its slot."""
        if not self._free:
            self._grow()
        slot = self._free.pop()
        self._columns["used"][slot] = True
        for name in ("tick", "held", "primed"):
            self._columns[name][slot] = -1 if name == "tick" else False
        self._set(slot, item)
        self._indexed = False
        return slot

    def change(self, slot: int, item: Item) -> None:
        """Give a slot other settings (ModifyMonitoredItems); what is queued stays."""
        self._set(slot, item)
        self._squeeze()

    def remove(self, slots: Iterable[int]) -> None:
        """Forget items, with what is queued for them."""
        gone = np.fromiter(slots, np.int64)
        if not len(gone):
            return
        self._columns["used"][gone] = False
        self._columns["held"][gone] = False
        self._free.extend(gone.tolist())
        self._indexed = False
        lost = np.zeros(len(self._table), np.bool_)
        lost[gone] = True
        self._keep(lambda rows: ~lost[rows.slot])
        self._measure()

    def set_mode(self, slot: int, mode: Mode) -> None:
        """Set the monitoring mode; Disabled also empties the queue (OPC 10000-4, 5.13.4)."""
        self._columns["mode"][slot] = mode
        if mode is Mode.DISABLED:
            self._columns["held"][slot] = False
            self._columns["primed"][slot] = False
            self._keep(lambda rows: rows.slot != slot)

    def offer(
        self,
        point: npt.NDArray[np.int32],
        value: Values,
        status: StatusColumn,
        time: Times,
        now: int,
    ) -> None:
        """Take samples in their order; `now` is monotonic, in ns."""
        self._sample_held(now)
        source, slot = self._expand(point)
        if not len(slot):
            return
        rows = _Rows(slot, value[source], status[source], time[source])
        for part in self._rounds(rows):
            self._sample(part, now)
        if self._waiting > self._room:
            self._squeeze()

    def prime(self, slot: int, value: float, status: int, time: int, now: int) -> None:
        """Queue an item's first value, which is reported whatever the filter says."""
        row = _Rows(
            np.array([slot], np.int64),
            np.array([value], np.float64),
            np.array([status], np.uint32),
            np.array([time], np.int64),
        )
        self._columns["primed"][slot] = False
        self._sample(row, now)

    def ready(self, now: int) -> bool:
        """Return whether a publish has something to say."""
        self._sample_held(now)
        mode = self._columns["mode"]
        return any(bool((mode[part.slot] == Mode.REPORTING).any()) for part in self._pending)

    def take(self, most: int, now: int) -> Changes:
        """Return at most `most` queued changes, oldest first, and forget them."""
        self._sample_held(now)
        self._squeeze()
        columns = self._columns
        rows = _NO_ROWS
        if self._pending:
            rows = self._pending[0]
            out = columns["mode"][rows.slot] == Mode.REPORTING
            out &= np.cumsum(out) <= most
            rest = rows.take(~out)
            rows = rows.take(out)
            self._pending = [rest] if len(rest.slot) else []
            self._waiting = len(rest.slot)
        return Changes(
            columns["handle"][rows.slot],
            columns["type"][rows.slot],
            columns["stamps"][rows.slot],
            rows.value,
            rows.status,
            rows.time,
        )

    def _set(self, slot: int, item: Item) -> None:
        for name in Item.__slots__:
            self._columns[name][slot] = getattr(item, name)
        self._measure()

    def _grow(self) -> None:
        size = len(self._table)
        more = max(64, size)
        self._table = np.concatenate([self._table, np.zeros(more, _SLOT)])
        self._columns = {name: self._table[name] for name in _SLOT.names or ()}
        self._free = list(range(size + more - 1, size - 1, -1))

    def _measure(self) -> None:
        used = self._columns["used"]
        self._room = max(_LEAST_ROOM, 2 * int(self._columns["queue"][used].sum()))

    def _index(self) -> None:
        slots = np.flatnonzero(self._columns["used"])
        point = self._columns["point"][slots]
        self._slots = slots[np.argsort(point, kind="stable")]
        count = np.bincount(point, minlength=1)
        self._start = np.concatenate([[0], np.cumsum(count)])
        self._indexed = True

    def _expand(self, point: npt.NDArray[np.int32]) -> tuple[npt.NDArray[np.intp], Slots]:
        """Return for each item that monitors one of the points: its row and its slot."""
        if not self._indexed:
            self._index()
        known = np.flatnonzero(point < len(self._start) - 1)
        first = self._start[point[known]]
        count = self._start[point[known] + 1] - first
        source = np.repeat(known, count)
        within = np.arange(len(source)) - np.repeat(np.cumsum(count) - count, count)
        return source, self._slots[np.repeat(first, count) + within]

    def _rounds(self, rows: _Rows) -> Iterable[_Rows]:
        """Split rows so that no part has a slot twice and the order of each slot is kept."""
        last = np.empty(len(self._table), np.int64)
        order = np.arange(len(rows.slot))
        last[rows.slot] = order
        if np.array_equal(last[rows.slot], order):
            return [rows]
        by_slot = np.argsort(rows.slot, kind="stable")
        turn = np.empty(len(order), np.int64)
        turn[by_slot] = _position(rows.slot[by_slot])
        return [rows.take(turn == n) for n in range(int(turn.max()) + 1)]

    def _sample(self, rows: _Rows, now: int) -> None:
        """Take one sample of each of different items, or hold it until its next interval."""
        columns = self._columns
        slot = rows.slot
        on = columns["mode"][slot] != Mode.DISABLED
        if not on.all():
            rows = rows.take(on)
            slot = rows.slot
        interval = columns["sampling"][slot]
        if interval.any():
            tick = now // np.maximum(interval, 1)
            early = (interval > 0) & (columns["tick"][slot] == tick) & columns["primed"][slot]
            columns["tick"][slot] = tick
            if early.any():
                held = rows.take(early)
                columns["held"][held.slot] = True
                columns["held_value"][held.slot] = held.value
                columns["held_status"][held.slot] = held.status
                columns["held_time"][held.slot] = held.time
                self._holding = True
                rows = rows.take(~early)
        self._filter(rows)

    def _sample_held(self, now: int) -> None:
        """Sample what was held back and whose interval has come."""
        if not self._holding:
            return
        columns = self._columns
        held = np.flatnonzero(columns["held"])
        tick = now // np.maximum(columns["sampling"][held], 1)
        due = columns["tick"][held] != tick
        slot = held[due]
        self._holding = len(slot) < len(held)
        columns["held"][slot] = False
        columns["tick"][slot] = tick[due]
        self._filter(
            _Rows(
                slot,
                columns["held_value"][slot],
                columns["held_status"][slot],
                columns["held_time"][slot],
            )
        )

    def _filter(self, rows: _Rows) -> None:
        """Queue the samples that differ from the last ones queued, by trigger and deadband."""
        columns, slot = self._columns, rows.slot
        last = columns["value"][slot]
        with np.errstate(invalid="ignore"):
            moved = (rows.value != last) & ~(np.abs(rows.value - last) <= columns["deadband"][slot])
        moved &= ~(np.isnan(rows.value) & np.isnan(last))
        trigger = columns["trigger"][slot]
        changed = rows.status != columns["status"][slot]
        changed |= moved & (trigger >= Trigger.STATUS_VALUE)
        changed |= (rows.time != columns["time"][slot]) & (
            trigger == Trigger.STATUS_VALUE_TIMESTAMP
        )
        changed |= ~columns["primed"][slot]
        if not changed.all():
            rows = rows.take(changed)
            slot = rows.slot
        if not len(slot):
            return
        columns["primed"][slot] = True
        columns["value"][slot] = rows.value
        columns["status"][slot] = rows.status
        columns["time"][slot] = rows.time
        self._pending.append(rows)
        self._waiting += len(slot)

    def _keep(self, wanted: Callable[[_Rows], npt.NDArray[np.bool_]]) -> None:
        parts = [part.take(wanted(part)) for part in self._pending]
        self._pending = [part for part in parts if len(part.slot)]
        self._waiting = sum(len(part.slot) for part in self._pending)

    def _squeeze(self) -> None:
        """Cut every item's queue to its size and mark what was lost (OPC 10000-4, 5.13.1.5)."""
        if not self._pending:
            return
        rows = _Rows.join(self._pending)
        by_slot = np.argsort(rows.slot, kind="stable")
        slot = rows.slot[by_slot]
        place = _position(slot)
        length = np.bincount(slot, minlength=len(self._table))[slot]
        queue = self._columns["queue"][slot]
        over = length - queue
        if (over > 0).any():
            oldest = self._columns["discard_oldest"][slot] | (queue == 1)
            newest = place == length - 1
            kept = (over <= 0) | np.where(oldest, place >= over, (place < queue - 1) | newest)
            marked = (over > 0) & (queue > 1) & np.where(oldest, place == over, newest)
            self.discarded += int(np.count_nonzero(~kept & (queue > 1)))
            status = rows.status.copy()
            status[by_slot[marked]] |= OVERFLOW
            rows = _Rows(rows.slot, rows.value, status, rows.time).take(np.sort(by_slot[kept]))
        self._pending = [rows]
        self._waiting = len(rows.slot)


def _position(ordered: Slots) -> Slots:
    """Return each element's place among its equals; equals stand together."""
    place = np.arange(len(ordered))
    first = np.ones(len(ordered), np.bool_)
    first[1:] = ordered[1:] != ordered[:-1]
    starts = np.flatnonzero(first)
    counts = np.diff(np.append(starts, len(ordered)))
    result: Slots = place - np.repeat(starts, counts)
    return result
