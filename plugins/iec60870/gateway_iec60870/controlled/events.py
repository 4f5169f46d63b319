"""Samples as spontaneous ASDUs, with their time, in their order."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gateway import Batch, Quality
from gateway_iec60870.asdu import NO_TIME, Asdu, Cause, Columns, encode_events
from gateway_iec60870.asdu.civil import TIME_INVALID
from gateway_iec60870.controlled.database import Database
from gateway_iec60870.controlled.layout import Slots
from gateway_iec60870.controlled.manners import Manners
from gateway_iec60870.controlled.values import Values

NS_PER_MS = 1_000_000
_UNTIMED = 21
"""The highest type without a time tag of seven octets; those with one of three are even."""

Part = tuple[Columns, NDArray[np.intp]]


class Events:
    """Makes ASDUs of deliveries.

    Samples stand in the order of the delivery. Those that follow each other with the very same
    time, as after one scan of a device, stand by type, so that they share ASDUs; the samples of one
    point keep their order in any case.
    """

    def __init__(self, database: Database, manners: Manners) -> None:
        self._database = database
        self._manners = manners
        layout = database.layout
        # All that share a head: common address, type; below, the test bit besides.
        heads = np.stack([layout.ca.astype(np.int64), layout.timed.astype(np.int64)], axis=1)
        self._heads, kind = np.unique(heads.reshape(-1, 2), axis=0, return_inverse=True)
        self._kind = kind.reshape(-1).astype(np.int32) * 2
        self._known: dict[tuple[int, int, int], bytes] = {}

    def asdus(self, batch: Batch) -> tuple[list[bytes], int]:
        """Return ASDUs with the events of a delivery, and how many of its samples are none."""
        layout = self._database.layout
        slots = layout.slot[batch.point]
        chosen = layout.eventful[slots]
        if not chosen.all():
            batch, slots = batch.take(chosen), slots[chosen]
            if not len(slots):
                return [], len(chosen)
        shown = self._database.values(slots, batch.value, batch.quality)
        kinds = self._kind[slots] + shown.test
        # The test bit aside: a sample of a point never passes another one of it.
        order = _order(kinds >> 1, batch.time)
        if order is not None:
            batch, slots, kinds = batch.take(order), slots[order], kinds[order]
            shown = shown.take(order)
        time, clock = self._manners.zone.civil(batch.time // NS_PER_MS)
        unsure = (batch.quality & int(Quality.CLOCK_NOT_SYNCHRONISED)) != 0
        clock[unsure] |= np.uint8(TIME_INVALID)
        stations = self._heads[kinds >> 1, 0] * 2 + (kinds & 1)
        asdus = encode_events(
            list(self._parts(kinds, slots, shown, time, clock)),
            self._manners.sizes,
            cause=Cause.SPONTANEOUS,
            address=int(stations[0]) >> 1,
            test=bool(stations[0] & 1),
        )
        if (stations != stations[0]).any():
            asdus = list(self._addressed(asdus, stations))
        return asdus, len(chosen) - len(slots)

    def _parts(
        self,
        kinds: NDArray[np.int32],
        slots: Slots,
        shown: Values,
        time: NDArray[np.int64],
        clock: NDArray[np.uint8],
    ) -> Iterator[Part]:
        """Yield the rows of each kind, and where they stand."""
        first = int(kinds[0])
        alike = bool((kinds == first).all())  # as most often, which is worth a shorter way
        for kind in [first] if alike else np.unique(kinds).tolist():
            rows = np.arange(len(kinds)) if alike else np.flatnonzero(kinds == kind)
            timed = int(self._heads[kind >> 1, 1])
            yield self._columns(timed, rows, slots, shown, time, clock), rows

    def _addressed(self, asdus: list[bytes], stations: NDArray[np.int64]) -> Iterator[bytes]:
        """Yield ASDUs with the common address and the test bit of their own rows.

        stations: of each row, in the order of the ASDUs, twice its common address and the test bit.
        An ASDU in whose rows they change is cut there.
        """
        sizes = self._manners.sizes
        cuts = np.flatnonzero(stations[1:] != stations[:-1]) + 1
        ends = [*cuts.tolist(), len(stations)][::-1]
        row = 0
        for asdu in asdus:
            first, last = row, row + asdu[1]
            width = (len(asdu) - sizes.head) // asdu[1]
            while row < last:
                if row == ends[-1]:
                    ends.pop()
                stop = min(last, ends[-1])
                station = int(stations[row])
                begin, end = (sizes.head + (one - first) * width for one in (row, stop))
                yield self._head(asdu[0], stop - row, station) + asdu[begin:end]
                row = stop

    def _head(self, kind: int, count: int, station: int) -> bytes:
        key = kind, count, station
        head = self._known.get(key)
        if head is None:
            one = Asdu(kind, Cause.SPONTANEOUS, station >> 1, b"", count, test=bool(station & 1))
            head = self._known[key] = one.encode(self._manners.sizes)
        return head

    def _columns(
        self,
        kind: int,
        rows: NDArray[np.intp],
        slots: Slots,
        shown: Values,
        time: NDArray[np.int64],
        clock: NDArray[np.uint8],
    ) -> Columns:
        untimed = kind <= _UNTIMED and kind & 1
        return Columns(
            kind,
            self._database.layout.ioa[slots[rows]],
            shown.value[rows],
            shown.flags[rows],
            np.full(len(rows), NO_TIME, np.int64) if untimed else time[rows],
            np.zeros(len(rows), np.uint8) if untimed else clock[rows],
            shown.extra[rows],
        )


def _order(kinds: NDArray[np.int32], time: NDArray[np.int64]) -> NDArray[np.intp] | None:
    """Return the order in which rows of the same time stand by kind; None where they do."""
    changes = kinds[1:] != kinds[:-1]
    if not changes.any():
        return None
    run = np.zeros(len(kinds), np.int64)
    np.cumsum(time[1:] != time[:-1], out=run[1:])
    return np.lexsort((kinds, run))
