"""Measurements of ASDUs as columns."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway_iec60870.asdu.asdu import Asdu
from gateway_iec60870.asdu.civil import CP24_FIELDS, CP56_FIELDS, NO_TIME, read
from gateway_iec60870.asdu.columns import Columns
from gateway_iec60870.asdu.error import AsduError
from gateway_iec60870.asdu.layout import LAYOUTS, Element, Layout, Time, Use
from gateway_iec60870.asdu.sizes import Sizes

SCALE = 32768.0
"""A normalised value counts 2^-15 (101 clause 7.2.6.6)."""

SIQ_FLAGS, QDS_FLAGS, QDP_FLAGS, BCR_FLAGS = 0xF0, 0xF1, 0xF8, 0xE0
OVERFLOW, INVALID = 0x01, 0x80

# element: fields in the order of the wire, bits of the flags that are quality
FIELDS: dict[Element, tuple[list[tuple[str, str]], int]] = {
    Element.SIQ: ([("flags", "u1")], SIQ_FLAGS),
    Element.DIQ: ([("flags", "u1")], SIQ_FLAGS),
    Element.VTI: ([("value", "u1"), ("flags", "u1")], QDS_FLAGS),
    Element.BSI: ([("value", "<u4"), ("flags", "u1")], QDS_FLAGS),
    Element.NVA: ([("value", "<i2"), ("flags", "u1")], QDS_FLAGS),
    Element.SVA: ([("value", "<i2"), ("flags", "u1")], QDS_FLAGS),
    Element.R32: ([("value", "<f4"), ("flags", "u1")], QDS_FLAGS),
    Element.BCR: ([("value", "<i4"), ("flags", "u1")], BCR_FLAGS),
    Element.SEP: ([("flags", "u1"), ("extra", "<u2")], QDP_FLAGS),
    Element.SPE: ([("value", "u1"), ("flags", "u1"), ("extra", "<u2")], QDP_FLAGS),
    Element.OCI: ([("value", "u1"), ("flags", "u1"), ("extra", "<u2")], QDP_FLAGS),
    Element.SCD: ([("value", "<u2"), ("extra", "<u2"), ("flags", "u1")], QDS_FLAGS),
    Element.NVA_ONLY: ([("value", "<i2")], 0),
}

STATES = {Element.SIQ: 0x01, Element.DIQ: 0x03, Element.SEP: 0x03}
"""Elements whose value stands in the octet of the flags, and its bits there."""


def decode(asdu: Asdu, sizes: Sizes) -> Columns:
    """Return the measurements of an ASDU; raise AsduError where it holds none."""
    return decode_all((asdu,), sizes)[0]


def decode_all(asdus: Sequence[Asdu], sizes: Sizes) -> tuple[Columns, NDArray[np.int32]]:
    """Return the measurements of ASDUs of one type, and for each row the index of its ASDU.

    The rows are in the order of the ASDUs, which cost together about what one of them costs.
    Raises AsduError for a type that is no measurement, and ValueError for several types or none.
    """
    kinds = {one.type for one in asdus}
    if len(kinds) != 1:
        raise ValueError(f"found ASDUs of the types {sorted(kinds)}, allowed: one type")
    (kind,) = kinds
    layout = measurement(kind)
    counts = [one.count for one in asdus]
    if counts.count(1) == len(counts):
        # With one object each it does not matter which of them are sequences.
        rows = _objects(asdus, sizes, kind)
        owner = np.arange(len(counts), dtype=np.int32)
        return _columns(kind, layout, rows, _addresses(rows, sizes)), owner
    owner = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    sequences = [one for one in asdus if one.sequence]
    if not sequences:
        rows = _objects(asdus, sizes, kind)
        return _columns(kind, layout, rows, _addresses(rows, sizes)), owner
    found, at = _sequences(sequences, sizes, kind)
    if len(sequences) == len(asdus):
        return _columns(kind, layout, found, at), owner
    rows = _objects([one for one in asdus if not one.sequence], sizes, kind)
    both = np.empty(len(owner), record(kind, 0))
    ioa = np.empty(len(owner), np.int32)
    mask = np.repeat([one.sequence for one in asdus], counts)
    both[mask], ioa[mask] = found, at
    for name in both.dtype.names or ():
        both[name][~mask] = rows[name]
    ioa[~mask] = _addresses(rows, sizes)
    return _columns(kind, layout, both, ioa), owner


def measurement(kind: int) -> Layout:
    """Return the layout of a type that is a measurement; raise AsduError for another."""
    layout = LAYOUTS.get(kind)
    if layout is None or layout.use is not Use.MEASUREMENT:
        raise AsduError(0, f"type {kind}, no measurement", "1 to 21 and 30 to 40")
    return layout


@lru_cache(maxsize=256)
def record(kind: int, octets: int) -> np.dtype[Any]:
    """Return the numpy layout of one object of a measurement with its address of some octets."""
    layout = LAYOUTS[kind]
    fields = {
        0: [],
        1: [("low", "u1")],
        2: [("low", "<u2")],
        3: [("low", "<u2"), ("high", "u1")],
    }[octets] + FIELDS[layout.element][0]
    if layout.time is not Time.NONE:
        fields += CP24_FIELDS if layout.time is Time.CP24 else CP56_FIELDS
    return np.dtype(fields)


def _frombuffer(data: bytes, form: np.dtype[Any], count: int) -> NDArray[Any]:
    if len(data) != count * form.itemsize:
        raise AsduError(0, f"{len(data)} octets", f"{count} objects of {form.itemsize}")
    return np.frombuffer(data, form)


def _objects(asdus: Sequence[Asdu], sizes: Sizes, kind: int) -> NDArray[Any]:
    """Return the objects of ASDUs in which each has its address."""
    data = b"".join([one.body for one in asdus])
    return _frombuffer(data, record(kind, sizes.object), sum([one.count for one in asdus]))


def _addresses(rows: NDArray[Any], sizes: Sizes) -> NDArray[np.int32]:
    ioa: NDArray[np.int32] = rows["low"].astype(np.int32)
    if sizes.object == 3:
        ioa |= rows["high"].astype(np.int32) << 16
    return ioa


def _sequences(
    asdus: Sequence[Asdu], sizes: Sizes, kind: int
) -> tuple[NDArray[Any], NDArray[np.int32]]:
    """Return the objects of ASDUs in which the first has an address, and their addresses."""
    octets = sizes.object
    counts = np.array([one.count for one in asdus])
    data = b"".join([one.body[octets:] for one in asdus])
    rows = _frombuffer(data, record(kind, 0), int(counts.sum()))
    firsts = np.array([int.from_bytes(one.body[:octets], "little") for one in asdus])
    before = np.cumsum(counts) - counts
    ioa = np.arange(len(rows), dtype=np.int32)
    ioa += np.repeat(firsts - before, counts).astype(np.int32)
    return rows, ioa


def _columns(kind: int, layout: Layout, rows: NDArray[Any], ioa: NDArray[np.int32]) -> Columns:
    element = layout.element
    quality = FIELDS[element][1]
    names = rows.dtype.names or ()
    raw = rows["flags"] if quality else np.zeros(len(rows), np.uint8)
    number = raw & np.uint8(STATES[element]) if element in STATES else rows["value"]
    extra = rows["extra"] if "extra" in names else np.zeros(len(rows), np.uint32)
    if element is Element.VTI:
        number, extra = (number << 1).view(np.int8) >> 1, number >> 7
    elif element is Element.OCI:
        number = number & np.uint8(0x0F)
    elif element is Element.BCR:
        extra = raw & np.uint8(0x1F)
    with np.errstate(invalid="ignore"):  # a signalling NaN becomes a quiet one
        value = number.astype(np.float64)
    if element is Element.NVA or element is Element.NVA_ONLY:
        value /= SCALE
    if layout.time is Time.NONE:
        time = np.full(len(rows), NO_TIME, np.int64)
        clock = np.zeros(len(rows), np.uint8)
    else:
        time, clock = read(rows)
    flags = raw & np.uint8(quality)
    return Columns(kind, ioa, value, flags, time, clock, extra.astype(np.uint32))
