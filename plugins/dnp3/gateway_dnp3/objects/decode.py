"""Measurements of an object header as columns."""

from __future__ import annotations

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
    layout = LAYOUTS.get((header.group, header.variation))
    if layout is None or layout.use is not Use.MEASUREMENT:
        raise header.error("no measurement", layout.use.value if layout else "none", Reason.UNKNOWN)
    if layout.bits:
        return _packed(header, layout)
    prefix = FORMS[header.qualifier].prefix
    if header.start is None and not prefix:
        raise header.error(f"qualifier 0x{header.qualifier:02X}", "one that gives an index")
    rows = np.frombuffer(header.data, record(header.group, header.variation, prefix))
    index = _range(header) if header.start is not None else _prefixes(header, rows["index"])
    flags = rows["flags"] if layout.flags else np.full(len(rows), ONLINE, np.uint8)
    if not layout.state:
        value = rows["value"].astype(np.float64)
        flags = np.ascontiguousarray(flags)
    else:
        value = (flags >> shift(layout.state)).astype(np.float64)
        flags = flags & np.uint8(~layout.state & 0xFF)
    return Columns(
        header.group,
        header.variation,
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


def _range(header: ObjectHeader) -> NDArray[np.int32]:
    start = header.start or 0
    if start + header.count - 1 > MAX_INDEX:
        raise header.error(f"index {start + header.count - 1}", f"up to {MAX_INDEX}")
    return np.arange(start, start + header.count, dtype=np.int32)


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


def _packed(header: ObjectHeader, layout: Layout) -> Columns:
    if header.start is None:
        raise header.error(f"qualifier 0x{header.qualifier:02X}", "a range")
    index = _range(header)
    octets = np.frombuffer(header.data, np.uint8)
    bits = np.unpackbits(octets, count=header.count * layout.bits, bitorder="little")
    value = bits if layout.bits == 1 else bits[0::2] + 2 * bits[1::2]
    return Columns(
        header.group,
        header.variation,
        index,
        value.astype(np.float64),
        np.full(header.count, ONLINE, np.uint8),
        np.full(header.count, NO_TIME, np.int64),
    )
