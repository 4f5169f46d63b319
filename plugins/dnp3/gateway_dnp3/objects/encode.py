"""Columns as object headers, as many rows as there is room for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from struct import Struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway_dnp3.objects.columns import Columns
from gateway_dnp3.objects.decode import record, shift
from gateway_dnp3.objects.error import ObjectError, Reason
from gateway_dnp3.objects.header import header
from gateway_dnp3.objects.layout import COUNTERS, LAYOUTS, OVERRANGE, Layout, Time, Use
from gateway_dnp3.objects.qualifier import FORMS, Qualifier

OVER_RANGE = 0x20
MAX_INDEX = 0xFFFF
MAX_TIME = (1 << 48) - 1
MAX_DELAY = 0xFFFF

_COMMON_TIME = 10
_INDEX_16 = Struct("<BBBH")


def encode(columns: Columns, budget: int, qualifier: Qualifier | None = None) -> tuple[bytes, int]:
    """Return the object headers of as many first rows as fit into `budget` octets, and how many.

    Static objects become ranges, one header for each run of indexes one after the other; events
    become lists with an index before each, 0x17 where that is enough and 0x28 where it is not.
    A `qualifier` is taken in place of these, whether it makes ranges or lists.
    For relative variations the common time of occurrence is written before them, unless the
    columns are relative themselves.
    Raises ObjectError for an index above 65535, for a row without the time that the variation
    carries, and for a variation that holds no measurement.
    """
    layout = _layout(columns)
    columns = columns[: max(0, budget) * 8 // (layout.bits or 8 * (layout.size or 1))]
    if not len(columns):
        return b"", 0
    _check(columns, layout)
    if layout.time is Time.RELATIVE and not columns.relative:
        return _join(_relative(columns, layout, budget, qualifier))
    listed = layout.event if qualifier is None else not FORMS[qualifier].range
    if listed and not layout.bits:
        return _listed(columns, layout, budget, qualifier)
    return _join(_ranges(columns, layout, budget, qualifier))


def encode_events(
    parts: Sequence[Columns], order: NDArray[np.integer[Any]], budget: int
) -> tuple[bytes, int]:
    """Return events of several kinds in their order: as many as fit into `budget`, and how many.

    `order` says for each event which part it comes from; each part's rows are in order themselves.
    A header is written for each run of one kind. Raises ObjectError as `encode` does.
    """
    order = order[: max(0, budget) // 3]
    if not len(order):
        return b"", 0
    parts = [part[: int(np.count_nonzero(order == k))] for k, part in enumerate(parts)]
    layouts = [_layout(part) for part in parts]
    octets = [b""] * len(parts)
    for k, (events, layout) in enumerate(zip(parts, layouts, strict=True)):
        if len(events):
            _check(events, layout)
            if layout.time is not Time.RELATIVE:
                octets[k] = _objects(events, layout, 2).tobytes()
    stops = np.append(np.flatnonzero(order[1:] != order[:-1]) + 1, len(order))
    taken = [0] * len(parts)
    found: list[bytes] = []
    begin = 0
    for stop, k in zip(stops.tolist(), order[stops - 1].tolist(), strict=True):
        count, first = stop - begin, taken[k]
        if layouts[k].time is Time.RELATIVE:
            run = parts[k][first : first + count]
            part, rows = _join(_relative(run, layouts[k], budget, Qualifier.INDEX_16))
        else:
            size = 2 + (layouts[k].size or 0)
            rows = max(0, min(count, (budget - 5) // size))
            part = octets[k][first * size : (first + rows) * size]
            if rows:
                kind = parts[k].group, parts[k].variation, Qualifier.INDEX_16
                part = _INDEX_16.pack(*kind, rows) + part
        found.append(part)
        budget -= len(part)
        taken[k] += rows
        if rows < count:
            break
        begin = stop
    return b"".join(found), sum(taken)


def _layout(columns: Columns) -> Layout:
    layout = LAYOUTS.get((columns.group, columns.variation))
    if layout is None or layout.use is not Use.MEASUREMENT:
        raise _refusal(columns, "no measurement", "those of g1 to g102", Reason.UNKNOWN)
    return layout


def _check(columns: Columns, layout: Layout) -> None:
    """Refuse indexes and times that the octets cannot say."""
    if columns.index.min() < 0 or columns.index.max() > MAX_INDEX:
        wrong = columns.index[(columns.index < 0) | (columns.index > MAX_INDEX)]
        raise _refusal(columns, f"index {wrong[0]}", f"0 to {MAX_INDEX}")
    limit = MAX_DELAY if columns.relative else MAX_TIME
    if layout.time is not Time.NONE and (columns.time.min() < 0 or columns.time.max() > limit):
        beyond = columns.time[(columns.time < 0) | (columns.time > limit)]
        raise _refusal(columns, f"time {beyond[0]}", f"0 to {limit} ms")


def _join(parts: Iterator[tuple[bytes, int]]) -> tuple[bytes, int]:
    octets, rows = [], 0
    for part, count in parts:
        octets.append(part)
        rows += count
    return b"".join(octets), rows


def _ranges(
    columns: Columns, layout: Layout, budget: int, wish: Qualifier | None
) -> Iterator[tuple[bytes, int]]:
    """Yield a header for each run of indexes, the last one cut to the budget."""
    index = columns.index
    stops = np.append(np.flatnonzero(index[1:] != index[:-1] + 1) + 1, len(index)).tolist()
    objects = b"" if layout.bits else _objects(columns, layout, 0).tobytes()
    size = layout.size or 0
    begin = 0
    for stop in stops:
        first = int(index[begin])
        last = first + stop - begin - 1
        fits = Qualifier.RANGE_8 if last <= 0xFF else Qualifier.RANGE_16
        qualifier = fits if wish is None else wish
        room = budget - 3 - 2 * FORMS[qualifier].range
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


def _listed(
    columns: Columns, layout: Layout, budget: int, wish: Qualifier | None
) -> tuple[bytes, int]:
    """Return one header whose objects have an index before each."""
    qualifier = _small(columns, layout, budget) if wish is None else wish
    form = FORMS[qualifier]
    if not form.prefix or qualifier is Qualifier.FREE:
        raise _refusal(columns, f"qualifier 0x{qualifier:02X}", "one that gives an index")
    room = budget - 3 - form.quantity
    limit = (1 << 8 * form.quantity) - 1
    columns = columns[: max(0, min(limit, room // (form.prefix + (layout.size or 0))))]
    if not len(columns):
        return b"", 0
    if form.prefix == 1 and columns.index.max() > 0xFF:
        raise _refusal(columns, f"index {columns.index.max()}", "0 to 255 in one octet")
    data = _objects(columns, layout, form.prefix).tobytes()
    octets = header(columns.group, columns.variation, qualifier, count=len(columns), data=data)
    return octets, len(columns)


def _small(columns: Columns, layout: Layout, budget: int) -> Qualifier:
    """Return the shorter list where it holds as many rows."""
    count = min(len(columns), max(0, budget - 4) // (1 + (layout.size or 0)))
    small = count <= 0xFF and (not count or columns.index[:count].max() <= 0xFF)
    return Qualifier.INDEX_8 if small else Qualifier.INDEX_16


def _relative(
    columns: Columns, layout: Layout, budget: int, wish: Qualifier | None
) -> Iterator[tuple[bytes, int]]:
    """Yield each common time of occurrence with the rows that it reaches."""
    while len(columns):
        base = int(columns.time[0])
        delay = columns.time - base
        far = np.flatnonzero((delay < 0) | (delay > MAX_DELAY))
        near = columns[: int(far[0])] if len(far) else columns
        octets, rows = _listed(near, layout, budget - _COMMON_TIME, wish)
        if not rows:
            return
        variation = 1 if columns.synchronised else 2
        time = base.to_bytes(6, "little")
        octets = header(51, variation, Qualifier.COUNT_8, count=1, data=time) + octets
        budget -= len(octets)
        yield octets, rows
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
        rows["low"] = columns.time if columns.relative else columns.time - columns.time[0]
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
        states: NDArray[np.uint8] = (np.nan_to_num(value) != 0).astype(np.uint8)
        return np.left_shift(states, shift(state), dtype=np.uint8)
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


def _refusal(
    columns: Columns, found: str, allowed: str, reason: Reason = Reason.MALFORMED
) -> ObjectError:
    return ObjectError(
        0, f"g{columns.group}v{columns.variation}: {found}", f"allowed: {allowed}", reason
    )
