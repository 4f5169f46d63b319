"""Columns as ASDUs, as few as the octets allow."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway_iec60870.asdu.asdu import MOST_OBJECTS, Asdu
from gateway_iec60870.asdu.civil import write
from gateway_iec60870.asdu.columns import Columns
from gateway_iec60870.asdu.decode import (
    FIELDS,
    INVALID,
    OVERFLOW,
    SCALE,
    STATES,
    measurement,
    record,
)
from gateway_iec60870.asdu.error import AsduError
from gateway_iec60870.asdu.layout import Element, Time
from gateway_iec60870.asdu.sizes import Sizes

_RANGES = {
    Element.VTI: (-64, 63),
    Element.BSI: (0, 0xFFFFFFFF),
    Element.NVA: (-32768, 32768),
    Element.NVA_ONLY: (-32768, 32768),
    Element.SVA: (-32768, 32767),
    Element.SPE: (0, 0xFF),
    Element.OCI: (0, 0x0F),
    Element.SCD: (0, 0xFFFF),
}
"""What the octets say in whole steps; a normalised 1 is the last step before it."""

LARGEST = float(np.finfo(np.float32).max)


def encode(
    columns: Columns,
    sizes: Sizes,
    *,
    cause: int,
    address: int,
    test: bool = False,
    originator: int = 0,
    packed: bool = True,
) -> list[Asdu]:
    """Return the rows in their order, in as few ASDUs as `sizes` and 127 objects allow.

    With `packed`, neighbours whose addresses follow each other become a sequence (SQ=1) where
    that reaches as far as objects with an address each, and the type has no time tag.
    A value beyond the octets is the nearest one with OV; what has no OV, and what is not a number,
    has IV. A time beyond them is as `civil.write` says.
    Raises AsduError for a type that is no measurement and for an address beyond the octets.
    """
    rows = objects(columns, sizes)
    width = rows.shape[1]
    size = width - sizes.object
    room = sizes.longest - sizes.head
    most = min(MOST_OBJECTS, room // width)
    most_packed = min(MOST_OBJECTS, (room - sizes.object) // size)
    octets = rows.tobytes()
    bare = b""
    ends = np.zeros(0, np.int64)
    packed = packed and measurement(columns.type).sequence
    if packed:
        bare = rows[:, sizes.object :].tobytes()
        ends = _ends(columns.object)
    found = []
    begin, stop = 0, len(rows)
    while begin < stop:
        end = min(begin + most, stop)
        sequence = False
        if packed:
            reach = min(begin + most_packed, int(ends[begin]))
            if reach >= end and reach - begin > 1:
                end, sequence = reach, True
        if sequence:
            address_of_first = octets[begin * width : begin * width + sizes.object]
            body = address_of_first + bare[begin * size : end * size]
        else:
            body = octets[begin * width : end * width]
        one = Asdu(
            columns.type, cause, address, body, end - begin,
            sequence, test=test, originator=originator,
        )  # fmt: skip
        found.append(one)
        begin = end
    return found


def objects(columns: Columns, sizes: Sizes) -> NDArray[np.uint8]:
    """Return the octets of each row's object with its address, a row of octets for each."""
    layout = measurement(columns.type)
    at = columns.object
    if len(at) and (at.min() < 0 or at.max() > sizes.last):
        wrong = at[(at < 0) | (at > sizes.last)][0]
        raise AsduError(sizes.head, f"object {wrong}", f"0 to {sizes.last}")
    rows = np.empty(len(at), record(columns.type, sizes.object))
    rows["low"] = at & 0xFFFF
    if sizes.object == 3:
        rows["high"] = at >> 16
    _write_element(rows, columns, layout.element)
    if layout.time is not Time.NONE:
        write(rows, columns.time, columns.clock)
    return rows.view(np.uint8).reshape(len(at), rows.itemsize)


def _write_element(rows: NDArray[Any], columns: Columns, element: Element) -> None:
    """Write value, flags and what else the element has."""
    quality = FIELDS[element][1]
    value, wrong = _value(columns.value, element)
    flags = columns.flags & np.uint8(quality)
    if wrong.any():
        over = OVERFLOW if quality & OVERFLOW else INVALID
        bits = np.where(np.isnan(columns.value), INVALID, over)
        flags |= np.where(wrong, bits & quality, 0).astype(np.uint8)
    if element in STATES:
        flags |= value.astype(np.uint8)
    elif element is Element.VTI:
        rows["value"] = (value & 0x7F) | ((columns.extra != 0) << 7)
    else:
        with np.errstate(invalid="ignore"):  # a signalling NaN becomes a quiet one
            rows["value"] = value
    if element is Element.BCR:
        flags |= (columns.extra & 0x1F).astype(np.uint8)
    elif "extra" in (rows.dtype.names or ()):
        rows["extra"] = np.minimum(columns.extra, 0xFFFF)
    if quality:
        rows["flags"] = flags


def _value(value: NDArray[np.float64], element: Element) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return the values as the octets say them, and which of them these cannot say."""
    if element is Element.R32:
        beyond = (np.abs(value) > LARGEST) & np.isfinite(value)
        return np.where(beyond, np.copysign(LARGEST, value), value), beyond
    if element is Element.SIQ:
        unknown = np.isnan(value)
        return (value != 0) & ~unknown, unknown
    if element in STATES:
        whole = np.rint(value)
        wrong = ~((whole >= 0) & (whole <= 3))
        return np.where(wrong, 3, whole).astype(np.int64), wrong
    if element is Element.BCR:
        wrong = ~np.isfinite(value)
        return (np.where(wrong, 0, np.rint(value)) % 2**32).astype(np.int64), wrong
    low, high = _RANGES[element]
    scale = SCALE if high == SCALE else 1.0
    whole = np.rint(np.clip(value, (low - 1) / scale, (high + 1) / scale) * scale)
    wrong = ~((whole >= low) & (whole <= high))
    if wrong.any():
        whole = np.clip(np.nan_to_num(whole), low, high)
    if high == SCALE:
        whole = np.minimum(whole, high - 1)
    return whole.astype(np.int64), wrong


def _ends(ioa: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return for each row where the run of addresses ends in which it stands."""
    stops = np.append(np.flatnonzero(ioa[1:] != ioa[:-1] + 1) + 1, len(ioa))
    return np.repeat(stops, np.diff(stops, prepend=0))
