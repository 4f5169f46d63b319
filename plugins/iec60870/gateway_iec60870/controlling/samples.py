"""Measurements of ASDUs as samples of points."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gateway import Batch, LinkPoint, Quality
from gateway_iec60870.asdu import (
    NO_TIME,
    TIME_INVALID,
    Asdu,
    Cause,
    Columns,
    Sizes,
    TypeId,
    decode_all,
)
from gateway_iec60870.controlling.places import NOBODY, BitPlaces, Places, place, places_of
from gateway_iec60870.controlling.point import (
    WORDS,
    Family,
    address_of,
    family_of,
    family_of_type,
)
from gateway_iec60870.quality import quality_of
from gateway_iec60870.zone import Zone

EVENTS = frozenset((Cause.SPONTANEOUS, Cause.RETURN_REMOTE, Cause.RETURN_LOCAL))
"""Causes of what has happened; everything else says how it is."""
MOST_PARTS = 8
"""Batches that one call makes at the most: where events and others alternate more often than
that, all of them are taken for events, and what has not changed is told once more."""
_NS_PER_MS = 1_000_000
_TIMED = int(Quality.DEVICE_TIME)
_UNSURE = int(Quality.CLOCK_NOT_SYNCHRONISED)


class Part(NamedTuple):
    """Rows of points; `order` is the ASDU of each row, `event` whether it has happened."""

    point: NDArray[np.int32]
    value: NDArray[np.float64]
    quality: NDArray[np.uint16]
    time: NDArray[np.int64]
    order: NDArray[np.intp]
    event: NDArray[np.bool_]

    def take(self, rows: NDArray[Any]) -> Part:
        """Return the rows that a mask or an index array selects."""
        return Part(*[column[rows] for column in self])


class Samples:
    """Knows which points stand where.

    stranger: is told of objects that no row names: how many, and where the first of them is: the
              type, the common address, the object address.
    """

    def __init__(
        self,
        points: Sequence[LinkPoint],
        ca: int | None,
        sizes: Sizes,
        zone: Zone,
        stranger: Callable[[int, int, int, int], None] = lambda *_: None,
    ) -> None:
        """`ca` is the common address of points that name none."""
        self.by_station: dict[int, list[int]] = {}
        self._sizes = sizes
        self._zone = zone
        self._stranger = stranger
        single: dict[Family, dict[int, int]] = {family: {} for family in Family}
        bits: dict[int, list[tuple[int, int]]] = {}
        for point in points:
            address = address_of(point)
            where = ca if address.ca is None else address.ca
            if where is None:
                continue
            ids = self.by_station.setdefault(where, [])
            if address.ioa is None:
                continue
            ids.append(point.id)
            at = place(where, address.ioa)
            if address.bit is None:
                single[family_of(point)][at] = point.id
            else:
                bits.setdefault(at, []).append((address.bit, point.id))
        self._places = {family: Places(found) for family, found in single.items()}
        self._bits = BitPlaces(bits)

    def of(self, asdus: Sequence[Asdu], now: int) -> list[tuple[Batch, bool]]:
        """Return batches in the order of the ASDUs, and whether they are events.

        asdus: measurements, of any types; now: the time of receipt in ns since 1970 UTC.
        """
        indexes: dict[int, list[int]] = {}
        for index, asdu in enumerate(asdus):
            indexes.setdefault(asdu.type, []).append(index)
        addresses = np.array([asdu.address for asdu in asdus], np.int64)
        events = np.array([asdu.cause in EVENTS for asdu in asdus], np.bool_)
        tests = np.array([asdu.test for asdu in asdus], np.bool_)
        parts: list[Part] = []
        for type_id, found in indexes.items():
            columns, owner = decode_all([asdus[index] for index in found], self._sizes)
            order = np.array(found, np.intp)[owner]
            quality = self._quality(columns)
            if tests.any():
                quality[tests[order]] |= np.uint16(Quality.TEST)
            time, quality = self._times(columns, quality, now)
            places = places_of(addresses[order], columns.object)
            parts += self._parts(type_id, columns, places, quality, time, order, events[order])
        return _batches([part for part in parts if len(part.point)])

    def _parts(
        self,
        type_id: int,
        columns: Columns,
        places: NDArray[np.int64],
        quality: NDArray[np.uint16],
        time: NDArray[np.int64],
        order: NDArray[np.intp],
        event: NDArray[np.bool_],
    ) -> list[Part]:
        points = self._places[family_of_type(type_id)].find(places)
        known = points != NOBODY
        whole = Part(points, columns.value, quality, time, order, event)
        parts = [whole if known.all() else whole.take(known)]
        if type_id in WORDS and len(self._bits):
            rows, bit, ids = self._bits.find(places)
            value = (columns.value[rows].astype(np.int64) >> bit & 1).astype(np.float64)
            # A word is sent when one of its bits has changed: the others have not happened.
            none = np.zeros(len(rows), np.bool_)
            parts.append(Part(ids, value, quality[rows], time[rows], order[rows], none))
            known[rows] = True
        if not known.all():
            first = int(np.argmin(known))
            where = int(places[first])
            at = int(columns.object[first])
            count = len(known) - int(np.count_nonzero(known))
            self._stranger(count, type_id, (where - at) >> 24, at)
        return parts

    @staticmethod
    def _quality(columns: Columns) -> NDArray[np.uint16]:
        return quality_of(columns.type, columns.flags, columns.extra)

    def _times(
        self, columns: Columns, quality: NDArray[np.uint16], now: int
    ) -> tuple[NDArray[np.int64], NDArray[np.uint16]]:
        """Return the times in ns since 1970 UTC, and what the quality says of them."""
        if columns.time_size == 0:
            return np.full(len(columns), now, np.int64), quality
        if columns.time_size == 3:
            ms = self._zone.utc_of_hour(columns.time, columns.clock, now // _NS_PER_MS)
        else:
            ms = self._zone.utc(columns.time, columns.clock)
        said = np.where(columns.clock & np.uint8(TIME_INVALID) != 0, _TIMED | _UNSURE, _TIMED)
        timed = ms != NO_TIME
        if timed.all():
            return ms * _NS_PER_MS, quality | said.astype(np.uint16)
        time = np.where(timed, ms * _NS_PER_MS, now)
        return time, quality | np.where(timed, said, 0).astype(np.uint16)


def _batches(parts: list[Part]) -> list[tuple[Batch, bool]]:
    if not parts:
        return []
    rows = parts[0]
    if len(parts) > 1:
        rows = Part(*map(np.concatenate, zip(*parts, strict=True)))
        rows = rows.take(np.argsort(rows.order, kind="stable"))
    batch = Batch(rows.point, rows.value, rows.quality, rows.time)
    event = rows.event
    cuts = np.flatnonzero(event[1:] != event[:-1]) + 1
    if not len(cuts):
        return [(batch, bool(event[0]))]
    if len(cuts) >= MOST_PARTS:
        return [(batch, True)]
    edges = [0, *cuts.tolist(), len(event)]
    return [(batch.take(slice(first, last)), bool(event[first])) for first, last in pairwise(edges)]


def type_text(type_id: int) -> str:
    """Return the name of a type, or its number where it has none."""
    try:
        return TypeId(type_id).name
    except ValueError:
        return f"type {type_id}"
