"""Measurements of an object header as columns."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway_dnp3.objects.columns import NO_TIME, ONLINE, Columns
from gateway_dnp3.objects.error import Reason
from gateway_dnp3.objects.header import ObjectHeader
from gateway_dnp3.objects.layout import LAYOUTS, Layout, Time, Use
from gateway_dnp3.objects.qualifier import FORMS

MAX_INDEX = 0x7FFFFFFF
"""The largest index that a column holds; the standard's own limit is 65535."""


def decode(header: ObjectHeader) -> Columns:
    """Return the measurements of a header; raise ObjectError where it holds none."""
    return decode_all([header])


def decode_all(headers: Sequence[ObjectHeader]) -> Columns:
    """Return the measurements of one or more headers of one group, variation and qualifier.

    An outstation that keeps the order of events of several kinds writes many headers of few rows;
    together they cost what one header costs. Raises ObjectError where they hold no measurement.
    """
    first = headers[0]
    layout = LAYOUTS.get((first.group, first.variation))
    if layout is None or layout.use is not Use.MEASUREMENT:
        raise first.error("no measurement", layout.use.value if layout else "none", Reason.UNKNOWN)
    prefix = FORMS[first.qualifier].prefix
    if first.start is None and (not prefix or layout.bits):
        raise first.error(f"qualifier 0x{first.qualifier:02X}", "one that gives an index")
    if layout.bits:
        return _packed(headers, layout)
    for one in headers:
        one.expect(layout.size or 0)
    data = first.data if len(headers) == 1 else b"".join(one.data for one in headers)
    rows = np.frombuffer(data, record(first.group, first.variation, prefix))
    index = _prefixes(first, rows["index"]) if prefix else _ranges(headers)
    flags = rows["flags"] if layout.flags else np.full(len(rows), ONLINE, np.uint8)
    if not layout.state:
        value = rows["value"].astype(np.float64)
        flags = np.ascontiguousarray(flags)
    else:
        value = (flags >> shift(layout.state)).astype(np.float64)
        flags = flags & np.uint8(~layout.state & 0xFF)
    return Columns(
        first.group,
        first.variation,
        index,
        value,
        flags,
        _times(rows, layout.time),
        layout.time is Time.RELATIVE,
    )


@lru_cache(maxsize=512)
def record(group: int, variation: int, prefix: int) -> np.dtype[Any]:
    """Return the numpy layout of one object of a measurement with its index before it."""
    layout = LAYOUTS[group, variation]
    fields = [("index", f"<u{prefix}")] if prefix else []
    if layout.flags:
        fields.append(("flags", "u1"))
    if layout.number:
        fields.append(("value", layout.number))
    if layout.time is Time.RELATIVE:
        fields.append(("low", "<u2"))
    elif layout.time is Time.ABSOLUTE:
        fields += [("low", "<u4"), ("high", "<u2")]
    return np.dtype(fields)


def shift(state: int) -> int:
    """Return how far the state bits stand from the right."""
    return 6 if state == 0xC0 else 7


def _ranges(headers: Sequence[ObjectHeader]) -> NDArray[np.int32]:
    last = max(one.stop or 0 for one in headers)
    if last > MAX_INDEX:
        raise headers[0].error(f"index {last}", f"up to {MAX_INDEX}")
    if len(headers) == 1:
        start = headers[0].start or 0
        return np.arange(start, start + headers[0].count, dtype=np.int32)
    counts = np.array([one.count for one in headers])
    starts = np.array([one.start or 0 for one in headers])
    before = np.cumsum(counts) - counts
    index: NDArray[np.int32] = np.arange(counts.sum(), dtype=np.int32)
    index += np.repeat(starts - before, counts).astype(np.int32)
    return index


def _prefixes(header: ObjectHeader, given: NDArray[Any]) -> NDArray[np.int32]:
    index = given.astype(np.int32)
    if given.itemsize == 4 and len(index) and index.min() < 0:
        raise header.error(f"index {int(given.max())}", f"up to {MAX_INDEX}")
    return index


def _times(rows: NDArray[Any], time: Time) -> NDArray[np.int64]:
    if time is Time.NONE:
        return np.full(len(rows), NO_TIME, np.int64)
    low: NDArray[np.int64] = rows["low"].astype(np.int64)
    if time is Time.ABSOLUTE:
        low += rows["high"].astype(np.int64) << 32
    return low


def _packed(headers: Sequence[ObjectHeader], layout: Layout) -> Columns:
    index = _ranges(headers)
    bits = np.concatenate(
        [
            np.unpackbits(
                np.frombuffer(one.data, np.uint8), count=one.count * layout.bits, bitorder="little"
            )
            for one in headers
        ]
    )
    value = bits if layout.bits == 1 else bits[0::2] + 2 * bits[1::2]
    return Columns(
        headers[0].group,
        headers[0].variation,
        index,
        value.astype(np.float64),
        np.full(len(index), ONLINE, np.uint8),
        np.full(len(index), NO_TIME, np.int64),
    )
