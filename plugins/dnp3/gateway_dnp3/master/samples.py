"""Columns of an outstation as samples of points."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from gateway import Batch, LinkPoint, Quality
from gateway_dnp3.app import Iin
from gateway_dnp3.master.parcels import Parcel
from gateway_dnp3.master.point import GROUPS, PointType, address_of, type_of
from gateway_dnp3.objects import Columns
from gateway_dnp3.objects.layout import EVENTS
from gateway_dnp3.quality import quality_of

NOBODY = -1
_TYPES = {group: kind for kind, groups in GROUPS.items() for group in groups}
_BITS = np.arange(16)


class Samples:
    """Knows which point stands at which index of which outstation."""

    def __init__(self, points: Sequence[LinkPoint], outstation: int | None) -> None:
        places: dict[tuple[int, PointType], dict[int, int]] = {}
        self.by_outstation: dict[int, list[int]] = {}
        for point in points:
            address = address_of(point)
            where = outstation if address.outstation is None else address.outstation
            if where is None:
                continue
            ids = self.by_outstation.setdefault(where, [])
            if address.index is not None:
                ids.append(point.id)
                places.setdefault((where, type_of(point)), {})[address.index] = point.id
        self._ids = {place: _lookup(found) for place, found in places.items()}
        self._told: dict[int, Iin] = {}

    def of(self, outstation: int, parcel: Parcel, now: int) -> Iterator[tuple[Batch, bool]]:
        """Yield batches in the order of the fragment, and whether they are events.

        now: the time of receipt in ns, for what has no time of its own.
        """
        unset = bool(parcel.iin & Iin.NEED_TIME)
        for events, columns in groupby(parcel.columns, key=lambda one: one.group in EVENTS):
            batches = [self._batch(outstation, one, now, unset) for one in columns]
            found = [batch for batch in batches if batch is not None and len(batch)]
            if found:
                yield Batch.concat(found), events
        if self._told.get(outstation) != parcel.iin:
            self._told[outstation] = parcel.iin
            indications = Columns.of(80, 1, _BITS, (int(parcel.iin) >> _BITS) & 1)
            batch = self._batch(outstation, indications, now, False)
            if batch is not None and len(batch):
                yield batch, False

    def forget(self, outstation: int) -> None:
        """Tell the indications of an outstation again, changed or not."""
        self._told.pop(outstation, None)

    def _batch(self, outstation: int, columns: Columns, now: int, unset: bool) -> Batch | None:
        kind = _TYPES.get(columns.group)
        ids = None if kind is None else self._ids.get((outstation, kind))
        if ids is None:
            return None
        # The last place is nobody's, and all indexes beyond the last point's.
        points = ids[np.minimum(columns.index, len(ids) - 1)]
        timed = columns.time >= 0
        batch = Batch(
            points,
            columns.value,
            quality_of(columns),
            np.where(timed, columns.time * 1_000_000, now),
        )
        if unset:
            # Who asks for the time does not know it.
            batch.quality[timed] |= np.uint16(Quality.CLOCK_NOT_SYNCHRONISED)
        known = points != NOBODY
        return batch if known.all() else batch.take(known)


def _lookup(places: dict[int, int]) -> NDArray[np.int32]:
    ids = np.full(max(places) + 2, NOBODY, np.int32)
    ids[list(places)] = list(places.values())
    return ids
