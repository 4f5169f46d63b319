"""The points of an outstation: what they are now, and which events become of their samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gateway_dnp3.objects import NO_TIME, ONLINE, Columns
from gateway_dnp3.outstation.events import RECORD, Records
from gateway_dnp3.outstation.family import BY_CODE, FAMILIES, Family, PointType

RESTART = 0x02
"""The flag of a value that was never there since the start."""


class Values(NamedTuple):
    """Measurements of some points as columns; `time` is in ms since 1970 UTC, or NO_TIME."""

    value: NDArray[np.float64]
    flags: NDArray[np.uint8]
    time: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class OutstationPoint:
    """One point of an outstation.

    event_class: 1 to 3; 0 for a point without events.
    static, event: variations; 0 for the default of the type.
    deadband:    how far a value moves from the last event before there is another one.
    latest:      whether a newer event takes the place of one that was not sent yet.
    """

    type: PointType
    index: int
    event_class: int = 1
    static: int = 0
    event: int = 0
    deadband: float = 0.0
    latest: bool = False


class Table:
    """The points of one type, by index; `slot` says which of all points each row is."""

    def __init__(self, family: Family, points: Sequence[tuple[int, OutstationPoint]]) -> None:
        rows = sorted(points, key=lambda row: row[1].index)
        self.family = family
        self.slot = np.array([slot for slot, _ in rows], np.int32)
        self.index = np.array([point.index for _, point in rows], np.int32)
        self.variation = np.array(
            [point.static or family.statics[0] for _, point in rows], np.uint8
        )

    def __len__(self) -> int:
        return len(self.slot)

    def slot_of(self, index: int) -> int | None:
        """Return the slot of an index, None where there is no such point."""
        rows = self.find(np.array([index], np.int64))
        return int(self.slot[rows[0]]) if len(rows) else None

    def find(self, indexes: NDArray[np.int64]) -> NDArray[np.intp]:
        """Return the rows of those indexes that are there, in the order asked for."""
        at = np.searchsorted(self.index, indexes)
        known = at < len(self.index)
        known[known] = self.index[at[known]] == indexes[known]
        return at[known]


class Database:
    """What a master can read and what it is told.

    points: their place in the sequence is the slot that rows of values name.
    read:   returns the present values of some slots.
    wall:   returns the time in ms since 1970 UTC.
    """

    def __init__(
        self,
        points: Sequence[OutstationPoint],
        read: Callable[[NDArray[np.int32]], Values],
        wall: Callable[[], int],
    ) -> None:
        count = len(points)
        self._read = read
        self._wall = wall
        self.tables: dict[int, Table] = {}
        for family in BY_CODE:
            mine = [(n, p) for n, p in enumerate(points) if p.type is family.type]
            if mine:
                self.tables[family.code] = Table(family, mine)
        self.code = np.array([FAMILIES[p.type].code for p in points], np.uint8)
        self.index = np.array([p.index for p in points], np.int32)
        self.event_class = np.array([p.event_class for p in points], np.uint8)
        self.variation = np.array(
            [p.event or (FAMILIES[p.type].events or (0,))[0] for p in points], np.uint8
        )
        self.deadband = np.array([p.deadband for p in points], np.float64)
        self.latest = np.array([p.latest for p in points], np.bool_)
        self._base = np.zeros(count, np.float64)
        self._reported = np.full(count, np.nan)
        self._reported_flags = np.zeros(count, np.uint8)
        self._frozen = Values(
            np.zeros(count),
            np.full(count, RESTART, np.uint8),
            np.full(count, NO_TIME, np.int64),
        )
        self._banded = bool((self.deadband > 0).any())
        self._add_frozen()

    def __len__(self) -> int:
        return len(self.index)

    def _add_frozen(self) -> None:
        counters = self.tables.get(FAMILIES[PointType.COUNTER].code)
        if counters is not None:
            family = FAMILIES[PointType.FROZEN_COUNTER]
            rows = [
                (slot, OutstationPoint(PointType.FROZEN_COUNTER, index))
                for slot, index in zip(counters.slot.tolist(), counters.index.tolist(), strict=True)
            ]
            self.tables[family.code] = Table(family, rows)
            self.tables = dict(sorted(self.tables.items()))

    # What is now

    def values(self, table: Table, rows: Any) -> Values:
        """Return the present values of some rows of a table."""
        slots = table.slot[rows]
        if table.family.type is PointType.FROZEN_COUNTER:
            frozen = self._frozen
            return Values(frozen.value[slots], frozen.flags[slots], frozen.time[slots])
        values = self._read(slots)
        if table.family.type is PointType.COUNTER:
            return values._replace(value=values.value - self._base[slots])
        return values

    def static(self, table: Table, rows: Any, variation: int = 0) -> Iterator[Columns]:
        """Yield the present values of some rows, as columns of one variation each."""
        index = table.index[rows]
        if not len(index):
            return
        values = self.values(table, rows)
        wanted = (
            table.variation[rows] if not variation else np.full(len(index), variation, np.uint8)
        )
        family = table.family
        if family.packed:
            # Without flags only where they say nothing (annex A, packed formats).
            fine = values.flags == ONLINE
            wanted = np.where((wanted == family.packed) & ~fine, family.statics[0], wanted)
        edges = np.flatnonzero(wanted[1:] != wanted[:-1]) + 1
        begin = 0
        for stop in (*edges.tolist(), len(index)):
            part = slice(begin, stop)
            yield Columns.of(
                family.static,
                int(wanted[begin]),
                index[part],
                values.value[part],
                values.flags[part],
                np.maximum(values.time[part], 0),
            )
            begin = stop

    def everything(self) -> Iterator[Columns]:
        """Yield class 0: all points, in their default variations."""
        for table in self.tables.values():
            yield from self.static(table, slice(None))

    # What becomes of samples

    def records(
        self, slots: NDArray[np.int32], values: Values, synchronised: NDArray[np.bool_]
    ) -> tuple[NDArray[np.bool_], Records]:
        """Return which samples become events, and those events, without their order.

        Samples of one point stand in the order in which they came.
        """
        value = values.value
        counters = self.code[slots] == FAMILIES[PointType.COUNTER].code
        if counters.any():
            value = np.where(counters, value - self._base[slots], value)
        chosen = self.event_class[slots] > 0
        if self._banded:
            chosen &= self._beyond(slots, value, values.flags)
        slots = slots[chosen]
        rows: Records = np.empty(len(slots), RECORD)
        rows["slot"] = slots
        rows["index"] = self.index[slots]
        rows["value"] = value[chosen]
        rows["flags"] = values.flags[chosen]
        rows["time"] = np.maximum(values.time[chosen], 0)
        rows["synchronised"] = synchronised[chosen]
        return chosen, rows

    def _beyond(
        self, slots: NDArray[np.int32], value: NDArray[np.float64], flags: NDArray[np.uint8]
    ) -> NDArray[np.bool_]:
        """Return which samples lie outside the deadband around the last event of their point.

        A point may stand there several times: the first sample of each is judged, then the next.
        """
        passes = np.zeros(len(slots), np.bool_)
        left = np.arange(len(slots))
        while len(left):
            _, first = np.unique(slots[left], return_index=True)
            now = left[first]
            at = slots[now]
            inside = np.abs(value[now] - self._reported[at]) <= self.deadband[at]
            inside &= (self.deadband[at] > 0) & (flags[now] == self._reported_flags[at])
            moved = now[~inside]
            passes[moved] = True
            self._reported[slots[moved]] = value[moved]
            self._reported_flags[slots[moved]] = flags[moved]
            left = np.delete(left, first)
        return passes

    # What masters change

    def set_deadband(self, slot: int, width: float) -> None:
        """Set the deadband of an analog input until the next start."""
        self.deadband[slot] = width
        self._banded = bool((self.deadband > 0).any())

    def freeze(self, table: Table, rows: Any, *, clear: bool) -> None:
        """Copy counters into their frozen counters, and let them count from 0 if `clear`."""
        slots = table.slot[rows]
        values = self.values(table, rows)
        frozen = self._frozen
        frozen.value[slots] = values.value
        frozen.flags[slots] = values.flags
        frozen.time[slots] = self._wall()
        if clear:
            self._base[slots] += values.value

    def counts(self) -> Iterable[tuple[Table, int]]:
        """Yield each table with the number of its points."""
        return ((table, len(table)) for table in self.tables.values())
