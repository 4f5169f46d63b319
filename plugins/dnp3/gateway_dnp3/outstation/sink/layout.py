"""The points of the gateway as those of an outstation: rows of columns both ways."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gateway import Batch, Image, Keep, Kind, LinkPoint, Quality
from gateway_dnp3.outstation.database import RESTART, OutstationPoint, Values
from gateway_dnp3.outstation.family import BY_CODE, FAMILIES, PointType
from gateway_dnp3.outstation.sink.point import (
    STATES,
    ControlType,
    DnpOutstationPoint,
    Type,
    address_of,
    output_of,
    type_of,
)
from gateway_dnp3.quality import flags_of

NS_PER_MS = 1_000_000
_OUTPUT_TYPES = {
    ControlType.CROB: PointType.BINARY_OUTPUT,
    ControlType.ANALOG_OUTPUT: PointType.ANALOG_OUTPUT,
}


class Layout:
    """Which point of the gateway stands at which slot of the outstation's database.

    points:  the outstation's points, one for each slot: those of the rows first, then the status
             of each output that no row shows, without events.
    outputs: by type and index, the point that the master commands there.
    """

    def __init__(self, points: Sequence[LinkPoint], event_class: int, keep: Sequence[Keep]) -> None:
        """`keep` is what the link must have of each point, in the order of the points."""
        self.outputs: dict[tuple[ControlType, int], LinkPoint] = {}
        self.indications: list[tuple[int, int]] = []
        self.points: list[OutstationPoint] = []
        rows: list[tuple[LinkPoint, PointType]] = []
        for point, rule in zip(points, keep, strict=True):
            address, kind = address_of(point), type_of(point)
            if kind is Type.IIN:
                self.indications.append((point.id, 1 << address.index))
                continue
            rows.append((point, kind.shown))
            self.points.append(_shown(point, address, kind.shown, event_class, rule))
        shown = {(one.type, one.index) for one in self.points}
        for point in points:
            output = output_of(point)
            if output is None:
                continue
            self.outputs[output] = point
            kind_of_output, index = _OUTPUT_TYPES[output[0]], output[1]
            if (kind_of_output, index) not in shown:
                rows.append((point, kind_of_output))
                self.points.append(OutstationPoint(kind_of_output, index, event_class=0))
        self._columns(rows)

    def _columns(self, rows: Sequence[tuple[LinkPoint, PointType]]) -> None:
        self._point = np.array([point.id for point, _ in rows], np.int32)
        self._code = np.array([FAMILIES[kind].code for _, kind in rows], np.uint8)
        self._scale = np.array([_scale(point)[0] for point, _ in rows], np.float64)
        self._offset = np.array([_scale(point)[1] for point, _ in rows], np.float64)
        self._scaled = bool((self._scale != 1.0).any() or self._offset.any())
        double = PointType.DOUBLE_BIT_INPUT
        self._narrowed = np.array(
            [p.kind is Kind.DOUBLE and kind is not double for p, kind in rows], np.bool_
        )
        self._widened = np.array(
            [p.kind is Kind.STATUS and kind is double for p, kind in rows], np.bool_
        )
        self._shaped = bool(self._narrowed.any() or self._widened.any())
        highest = int(self._point.max(initial=-1))
        self._slot = np.full(highest + 1, -1, np.int32)
        # The first slot of a point has its events; that of its output has none.
        self._slot[self._point[::-1]] = np.arange(len(rows), dtype=np.int32)[::-1]

    def now(self, image: Image, slots: NDArray[np.int32]) -> Values:
        """Return what some slots show."""
        points = self._point[slots]
        return self._values(slots, image.value[points], image.quality[points], image.time[points])

    def samples(self, batch: Batch) -> tuple[NDArray[np.int32], Values, NDArray[np.bool_]]:
        """Return slots, values, and whether the time is good, of those samples that have a slot."""
        known = batch.point < len(self._slot)
        slots = self._slot[np.where(known, batch.point, 0)]
        known &= slots >= 0
        if not known.all():
            batch, slots = batch.take(known), slots[known]
        values = self._values(slots, batch.value, batch.quality, batch.time)
        return slots, values, (batch.quality & Quality.CLOCK_NOT_SYNCHRONISED) == 0

    def _values(
        self,
        slots: NDArray[np.int32],
        value: NDArray[np.float64],
        quality: NDArray[np.uint16],
        time: NDArray[np.int64],
    ) -> Values:
        if self._shaped:
            # 1 is off and 2 is on of a double point.
            value = np.where(self._narrowed[slots], value == 2.0, value)
            value = np.where(self._widened[slots], value + 1.0, value)
        if self._scaled:
            value = (value - self._offset[slots]) / self._scale[slots]
        codes = self._code[slots]
        flags = np.zeros(len(slots), np.uint8)
        for code in np.unique(codes).tolist():
            mine = codes == code
            flags[mine] = flags_of(BY_CODE[code].static, quality[mine])
        never = np.isnan(value)
        if never.any():
            value = np.where(never, 0.0, value)
            flags[never] = RESTART
        return Values(value, flags, time // NS_PER_MS)


def _shown(
    point: LinkPoint, address: DnpOutstationPoint, kind: PointType, event_class: int, rule: Keep
) -> OutstationPoint:
    return OutstationPoint(
        kind,
        address.index,
        event_class if address.event_class is None else address.event_class,
        address.static_variation or 0,
        address.event_variation or 0,
        address.deadband,
        rule is Keep.LATEST,
    )


def _scale(point: LinkPoint) -> tuple[float, float]:
    address = address_of(point)
    return (1.0, 0.0) if point.kind in STATES else (address.scale, address.offset)
