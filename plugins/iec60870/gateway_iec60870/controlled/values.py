"""The gateway's values as those of an information object: range, quality, what never was."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gateway import Quality
from gateway_iec60870.asdu import TypeId
from gateway_iec60870.controlled.layout import Layout, Slots
from gateway_iec60870.quality import CounterFlag, Flag, flags_of, transient_of


class Values(NamedTuple):
    """What some objects show, as columns; `flags` and `extra` as in Columns, `test` by row."""

    value: NDArray[np.float64]
    flags: NDArray[np.uint8]
    extra: NDArray[np.uint32]
    test: NDArray[np.bool_]

    def take(self, rows: NDArray[np.intp]) -> Values:
        """Return the rows that an index array selects."""
        return Values(self.value[rows], self.flags[rows], self.extra[rows], self.test[rows])


_T = TypeId
_FLOAT = float(np.finfo(np.float32).max)
_RANGES: dict[int, tuple[float, float, bool]] = {
    _T.M_ST_NA_1: (-64, 63, True),
    _T.M_BO_NA_1: (0, 2**32 - 1, True),
    _T.M_ME_NA_1: (-1.0, 1.0 - 2.0**-15, False),
    _T.M_ME_NB_1: (-32768, 32767, True),
    _T.M_ME_NC_1: (-_FLOAT, _FLOAT, False),
    _T.M_IT_NA_1: (-(2**31), 2**31 - 1, True),
}
"""By type, the lowest and the highest value, and whether they are whole numbers (101 7.2.6)."""
_NEVER = int(Flag.IV | Flag.NT)


def values_of(
    layout: Layout, slots: Slots, value: NDArray[np.float64], quality: NDArray[np.uint16]
) -> Values:
    """Return what slots show of values in the points' units."""
    if layout.shaped:
        # 1 is off and 2 is on of a double point.
        value = np.where(layout.narrowed[slots], value == 2.0, value)
        value = np.where(layout.widened[slots], value + 1.0, value)
    if layout.scaled:
        value = (value - layout.offset[slots]) / layout.scale[slots]
    kinds = layout.type[slots]
    test = (quality & int(Quality.TEST)) != 0
    present = np.flatnonzero(np.bincount(kinds)).tolist()
    if len(present) == 1:
        return Values(*_shown(present[0], value, quality), test)
    shown = np.empty(len(slots), np.float64)
    flags = np.zeros(len(slots), np.uint8)
    extra = np.zeros(len(slots), np.uint32)
    for kind in present:
        mine = kinds == kind
        shown[mine], flags[mine], extra[mine] = _shown(kind, value[mine], quality[mine])
    return Values(shown, flags, extra, test)


def beyond(kind: int, value: NDArray[np.float64], flags: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return values that a type can say; what it cannot is marked in `flags` (OV; totals IV)."""
    bounds = _RANGES.get(kind)
    if bounds is None:
        return value
    low, high, whole = bounds
    if whole:
        value = np.rint(value)
    # A fraction of 1 is as near as a normalised value gets to it.
    reach = 1.0 if kind == _T.M_ME_NA_1 else high
    outside = (value < low) | (value > reach)
    if outside.any():
        flags[outside] |= np.uint8(CounterFlag.IV if kind == _T.M_IT_NA_1 else Flag.OV)
    return np.clip(value, low, high)


def _shown(
    kind: int, value: NDArray[np.float64], quality: NDArray[np.uint16]
) -> tuple[NDArray[np.float64], NDArray[np.uint8], NDArray[np.uint32]]:
    flags = flags_of(kind, quality)
    never = np.isnan(value)
    if never.any():
        value = np.where(never, 0.0, value)
        flags[never] = int(CounterFlag.IV) if kind == _T.M_IT_NA_1 else _NEVER
    return beyond(kind, value, flags), flags, transient_of(kind, quality)
