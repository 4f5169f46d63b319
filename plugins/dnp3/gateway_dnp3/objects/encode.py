"""Columns as object headers, as many rows as there is room for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway_dnp3.objects.columns import Columns
from gateway_dnp3.objects.decode import record, shift
from gateway_dnp3.objects.error import ObjectError, Reason
from gateway_dnp3.objects.header import header
from gateway_dnp3.objects.layout import COUNTERS, LAYOUTS, OVERRANGE, Layout, Time, Use
from gateway_dnp3.objects.qualifier import Qualifier

OVER_RANGE = 0x20
MAX_INDEX = 0xFFFF
MAX_TIME = (1 << 48) - 1
MAX_DELAY = 0xFFFF

_RANGE_SIZES = {Qualifier.RANGE_8: 5, Qualifier.RANGE_16: 7}
_COMMON_TIME = 10


def encode(columns: Columns, budget: int) -> tuple[bytes, int]:
    """Return the object headers of as many first rows as fit into `budget` octets, and how many.

    Static objects become ranges, one header for each run of indexes one after the other; events
    become lists with an index before each.
    Relative times follow the common time of occurrence that is written before them.
    Raises ObjectError for an index above 65535, for a row without the time that the variation
    carries, and for a variation that holds no measurement.
    """
    layout = LAYOUTS.get((columns.group, columns.variation))
    if layout is None or layout.use is not Use.MEASUREMENT:
        raise _refusal(columns, "no measurement", "those of g1 to g102", Reason.UNKNOWN)
    columns = columns[: max(0, budget) * 8 // max(1, layout.bits or 8 * (layout.size or 1))]
    if not len(columns):
        return b"", 0
    if columns.index.min() < 0 or columns.index.max() > MAX_INDEX:
        wrong = columns.index[(columns.index < 0) | (columns.index > MAX_INDEX)]
        raise _refusal(columns, f"index {wrong[0]}", f"0 to {MAX_INDEX}")
    if layout.time is not Time.NONE:
        _check_times(columns)
    if layout.time is Time.RELATIVE:
        return _join(_relative(columns, layout, budget))
    if layout.event:
        return _listed(columns, layout, budget)
    return _join(_ranges(columns, layout, budget))


def _join(parts: Iterator[tuple[bytes, int]]) -> tuple[bytes, int]:
    octets, rows = [], 0
    for part, count in parts:
        octets.append(part)
        rows += count
    return b"".join(octets), rows


def _ranges(columns: Columns, layout: Layout, budget: int) -> Iterator[tuple[bytes, int]]:
    """Yield a header for each run of indexes, the last one cut to the budget."""
    index = columns.index
    stops = np.append(np.flatnonzero(index[1:] != index[:-1] + 1) + 1, len(index)).tolist()
    objects = b"" if layout.bits else _objects(columns, layout, 0).tobytes()
    size = layout.size or 0
    begin = 0
    for stop in stops:
        first = int(index[begin])
        last = first + stop - begin - 1
        qualifier = Qualifier.RANGE_8 if last <= 0xFF else Qualifier.RANGE_16
        room = budget - _RANGE_SIZES[qualifier]
        count = min(stop - begin, room * 8 // layout.bits if layout.bits else room // size)
        if count <= 0:
            return
        if layout.bits:
            data = _pack(columns.value[begin : begin + count], layout.bits)
        else:
            data = objects[begin * size : (begin + count) * size]
        octets = header(
            columns.group, columns.variation, qualifier, start=first, count=count, data=data
        )
        budget -= len(octets)
        yield octets, count
        if begin + count < stop:
            return
        begin = stop


def _listed(columns: Columns, layout: Layout, budget: int) -> tuple[bytes, int]:
    """Return one header whose objects have an index before each."""
    size = layout.size or 0
    count = min(len(columns), max(0, budget - 4) // (1 + size))
    small = columns[: min(count, 0xFF)]
    if count and small.index.max() <= 0xFF and (count <= 0xFF):
        qualifier, prefix, columns = Qualifier.INDEX_8, 1, small
    else:
        qualifier, prefix = Qualifier.INDEX_16, 2
        columns = columns[: max(0, budget - 5) // (2 + size)]
    if not len(columns):
        return b"", 0
    data = _objects(columns, layout, prefix).tobytes()
    octets = header(columns.group, columns.variation, qualifier, count=len(columns), data=data)
    return octets, len(columns)


def _relative(columns: Columns, layout: Layout, budget: int) -> Iterator[tuple[bytes, int]]:
    """Yield each common time of occurrence with the rows that it reaches."""
    while len(columns):
        base = int(columns.time[0])
        delay = columns.time - base
        far = np.flatnonzero((delay < 0) | (delay > MAX_DELAY))
        near = columns[: int(far[0])] if len(far) else columns
        octets, rows = _listed(near, layout, budget - _COMMON_TIME)
        if not rows:
            return
        common = header(
            51,
            1 if columns.synchronised else 2,
            Qualifier.COUNT_8,
            count=1,
            data=base.to_bytes(6, "little"),
        )
        budget -= _COMMON_TIME + len(octets)
        yield common + octets, rows
        if rows < len(near):
            return
        columns = columns[rows:]


def _objects(columns: Columns, layout: Layout, prefix: int) -> NDArray[Any]:
    """Return the rows as they stand in the fragment."""
    rows = np.empty(len(columns), record(columns.group, columns.variation, prefix))
    if prefix:
        rows["index"] = columns.index
    flags = columns.flags
    if layout.state:
        rows["flags"] = (flags & (~layout.state & 0xFF)) | _state(columns.value, layout.state)
    else:
        value, beyond = _fit(columns, layout.number)
        rows["value"] = value
        if layout.flags:
            if columns.group in OVERRANGE and beyond is not None:
                flags = flags | (beyond.view(np.uint8) * np.uint8(OVER_RANGE))
            rows["flags"] = flags
    if layout.time is Time.ABSOLUTE:
        rows["low"] = columns.time & 0xFFFFFFFF
        rows["high"] = columns.time >> 32
    elif layout.time is Time.RELATIVE:
        rows["low"] = columns.time - columns.time[0]
    return rows


def _fit(columns: Columns, number: str) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Return the values in their format, and which of them it cannot hold."""
    value = columns.value
    if number == "<f8":
        return value, None
    if number == "<f4":
        limit = float(np.finfo(np.float32).max)
        beyond = (np.abs(value) > limit) & np.isfinite(value)
        return np.where(beyond, np.copysign(limit, value), value), beyond
    info = np.iinfo(np.dtype(number))
    if columns.group in COUNTERS:
        whole = np.rint(np.nan_to_num(value, posinf=0, neginf=0)) % (float(info.max) + 1)
        return whole, None
    whole = np.rint(np.where(np.isnan(value), 0, value))
    beyond = ~((value >= info.min - 0.5) & (value <= info.max + 0.5))
    return np.clip(whole, info.min, info.max), beyond


def _state(value: NDArray[np.float64], state: int) -> NDArray[np.uint8]:
    """Return values as the state bits of the flags; what is no state is 0, or indeterminate."""
    if state == 0x80:
        return (np.nan_to_num(value) != 0).view(np.uint8) << np.uint8(shift(state))
    return _double(value) << np.uint8(shift(state))


def _double(value: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.where((value >= 0) & (value <= 3), value, 3).astype(np.uint8)


def _pack(value: NDArray[np.float64], bits: int) -> bytes:
    if bits == 1:
        states = np.nan_to_num(value) != 0
    else:
        double = _double(value)
        states = np.empty(2 * len(value), np.bool_)
        states[0::2] = double & 1
        states[1::2] = double >> 1
    return np.packbits(states, bitorder="little").tobytes()


def _check_times(columns: Columns) -> None:
    wrong = columns.time[(columns.time < 0) | (columns.time > MAX_TIME)]
    if len(wrong):
        raise _refusal(columns, f"time {wrong[0]}", f"0 to {MAX_TIME} ms since 1970")


def _refusal(
    columns: Columns, found: str, allowed: str, reason: Reason = Reason.MALFORMED
) -> ObjectError:
    return ObjectError(
        0, f"g{columns.group}v{columns.variation}: {found}", f"allowed: {allowed}", reason
    )
