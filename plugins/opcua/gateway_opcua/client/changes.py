"""Values off the wire as columns: MonitoredItemNotifications and DataValues (OPC 10000-6, 5.2)."""

# mypy: disable-error-code="attr-defined,name-defined,arg-type,no-untyped-call"
# asyncua.ua re-exports its names by stars and types its constructors by wire types.

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import variant_from_binary

from gateway_opcua.client.source import Stamp
from gateway_opcua.notification import FILETIME_EPOCH
from gateway_opcua.status import SEVERITY_BAD

BAD_TYPE_MISMATCH = 0x8074_0000

_VALUE, _STATUS, _SOURCE, _SERVER, _SOURCE_PS, _SERVER_PS = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
_BOOLEAN, _DATETIME = 1, 13
_ARRAY = 0x80
_KNOWN = 0x3F
"""All bits that a mask may have."""
_NUMBERS = {
    1: "B",
    2: "b",
    3: "B",
    4: "h",
    5: "H",
    6: "i",
    7: "I",
    8: "q",
    9: "Q",
    10: "f",
    11: "d",
    13: "q",
}
"""Built-in types whose values are numbers, as the module `struct` knows them; 13 is DateTime."""
_AHEAD = 4
"""Equal records from which on a run of them is worth numpy's fixed cost."""
_LATEST = (2**63 - 1) // 100
"""The last DateTime since 1970 that is a time here, in 100 ns: the year 2262."""


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """Values as columns of one length.

    handle:  the client's handle of the monitored item; 0, 1, 2 … of the values of a Read.
    value:   as a number; NaN where there is none. A DateTime is in seconds since the Unix epoch.
    status:  StatusCode; of a value that is no number BadTypeMismatch, if it was not bad already.
    time:    ns since the Unix epoch; 0 where the server gives none.
    boolean: whether the value is a Boolean.
    strange: what the values are that are no numbers, by handle.
    """

    handle: npt.NDArray[np.uint32]
    value: npt.NDArray[np.float64]
    status: npt.NDArray[np.uint32]
    time: npt.NDArray[np.int64]
    boolean: npt.NDArray[np.bool_]
    strange: dict[int, str]

    def __len__(self) -> int:
        return len(self.handle)


def _order(stamp: Stamp) -> tuple[str, ...]:
    return {Stamp.SOURCE: ("source", "server"), Stamp.SERVER: ("server",)}.get(stamp, ())


class _Layout:
    """Where the fields of a record are whose mask and type are known."""

    def __init__(self, mask: int, kind: int, handles: bool) -> None:
        array = bool(kind & _ARRAY)
        names = ["handle"] * handles + ["mask"]
        codes = "I" * handles + "B"
        if mask & _VALUE:
            names += ["type", *(["length"] * array), "value"]
            codes += "B" + "i" * array + _NUMBERS[kind & 0x3F]
        for bit, name, code in (
            (_STATUS, "status", "I"),
            (_SOURCE, "source", "q"),
            (_SOURCE_PS, "source_ps", "H"),
            (_SERVER, "server", "q"),
            (_SERVER_PS, "server_ps", "H"),
        ):
            if mask & bit:
                names.append(name)
                codes += code
        self.mask, self.type = mask, kind
        self.array = array
        self.boolean = kind & 0x3F == _BOOLEAN
        self.datetime = kind & 0x3F == _DATETIME
        self.one = struct.Struct(f"<{codes}")
        self.size = self.one.size
        self.place = {name: place for place, name in enumerate(names)}
        fields = [(name, f"<{code}") for name, code in zip(names, codes, strict=True)]
        self.many = np.dtype([(n, c.replace("<B", "u1").replace("<b", "i1")) for n, c in fields])
        # The mask stands behind the handle, and the type behind the mask.
        self.at = 4 * handles
        self.key = bytes((mask, kind)) if mask & _VALUE else bytes((mask,))
        self.value = self.place.get("value", -1)
        self.status = self.place.get("status", -1)
        self.times = {
            stamp: tuple(
                (self.place[name], self.place.get(f"{name}_ps", -1))
                for name in _order(stamp)
                if name in self.place
            )
            for stamp in Stamp
        }


@cache
def _layout(mask: int, kind: int, handles: bool) -> _Layout | None:
    """Return the layout of such records; None where the value is no number, or the mask unknown."""
    if mask > _KNOWN:
        return None
    if mask & _VALUE and kind & ~_ARRAY not in _NUMBERS:
        return None
    return _Layout(mask, kind if mask & _VALUE else 0, handles)


class _Columns:
    """Columns that grow by runs and by single records, in their order."""

    def __init__(self, stamp: Stamp) -> None:
        self._stamp = stamp
        self._parts: list[tuple[npt.NDArray[Any], ...]] = []
        self._rows: list[tuple[int, float, int, int, bool]] = []
        self.strange: dict[int, str] = {}

    def row(self, handle: int, value: float, status: int, time: int, boolean: bool) -> None:
        self._rows.append((handle, value, status, time, boolean))

    def run(self, layout: _Layout, rows: npt.NDArray[np.void], first: int) -> None:
        self._flush()
        n, place = len(rows), layout.place
        handle = rows["handle"] if "handle" in place else np.arange(first, first + n)
        status = rows["status"] if "status" in place else np.zeros(n, np.uint32)
        value = np.full(n, np.nan)
        if "value" in place:
            value = rows["value"].astype(np.float64)
            if layout.datetime:
                value = np.where(rows["value"] == 0, np.nan, (value - FILETIME_EPOCH) / 1e7)
            elif layout.boolean:
                value = (value != 0).astype(np.float64)
            value = np.where(status & SEVERITY_BAD, np.nan, value)
        time = np.zeros(n, np.int64)
        for name in _order(self._stamp):
            if name in place:
                ticks = rows[name]
                good = (ticks > FILETIME_EPOCH) & (ticks - FILETIME_EPOCH < _LATEST)
                found = np.where(good, ticks - FILETIME_EPOCH, 0) * 100
                if f"{name}_ps" in place:
                    found += np.where(good, np.minimum(rows[f"{name}_ps"], 9999) // 100, 0)
                time = np.where(time == 0, found, time)
        self._parts.append((handle, value, status, time, np.full(n, layout.boolean)))

    def _flush(self) -> None:
        if self._rows:
            self._parts.append(tuple(np.array(column) for column in zip(*self._rows, strict=True)))
            self._rows = []

    def done(self) -> Changes:
        self._flush()
        if not self._parts:
            self._parts.append((np.empty(0),) * 5)
        types = (np.uint32, np.float64, np.uint32, np.int64, np.bool_)
        columns: list[npt.NDArray[Any]] = [
            np.concatenate([part[place] for part in self._parts]).astype(kind)
            for place, kind in enumerate(types)
        ]
        handle, value, status, time, boolean = columns
        return Changes(handle, value, status, time, boolean, self.strange)


def decode(data: bytes, stamp: Stamp, *, handles: bool = True) -> tuple[Changes, int]:
    """Return the values of an array, and where it ends in `data`, at whose start it stands.

    handles: whether they are MonitoredItemNotifications; else they are DataValues.
    Records of one layout that stand together cost 0.2 µs each, types that alternate 5 µs,
    anything that is no number some 50 µs.
    Raises ValueError where the bytes are no such array.
    """
    try:
        return _decode(data, stamp, handles)
    except (struct.error, IndexError) as error:
        raise ValueError(f"an array of values that ends too early: {error}") from error


def _decode(data: bytes, stamp: Stamp, handles: bool) -> tuple[Changes, int]:
    (left,) = struct.unpack_from("<i", data)
    columns = _Columns(stamp)
    offset, done, head = 4, 0, 4 * handles
    while left > 0:
        mask = data[offset + head]
        kind = data[offset + head + 1] if mask & _VALUE else 0
        layout = _layout(mask, kind, handles)
        if layout is None:
            offset = _odd(data, offset, columns, stamp, handles, done)
            taken = 1
        elif not layout.array and _alike(data, offset, layout, left):
            taken = _length(data, offset, layout, left)
            rows = np.frombuffer(data, layout.many, taken, offset)
            columns.run(layout, rows, done)
            offset += taken * layout.size
        else:
            fields = layout.one.unpack_from(data, offset)
            if layout.array and fields[layout.place["length"]] != 1:
                offset = _odd(data, offset, columns, stamp, handles, done)
            else:
                columns.row(*_single(layout, fields, stamp, done))
                offset += layout.size
            taken = 1
        left -= taken
        done += taken
    return columns.done(), offset


def _alike(data: bytes, offset: int, layout: _Layout, left: int) -> bool:
    """Return whether a few records from here on have one layout, and are there at all."""
    size, key = layout.size, layout.key
    at = offset + layout.at + size
    if not data.startswith(key, at) or left < _AHEAD or len(data) - offset < _AHEAD * size:
        return False
    return all(data.startswith(key, at + n * size) for n in range(1, _AHEAD - 1))


def _length(data: bytes, offset: int, layout: _Layout, left: int) -> int:
    """Return how many records from here on have this layout."""
    most = min(left, (len(data) - offset) // layout.size)
    octets, at, size = np.frombuffer(data, np.uint8), offset + layout.at, layout.size
    same = octets[at : at + most * size : size] == layout.mask
    if layout.mask & _VALUE:
        same &= octets[at + 1 : at + 1 + most * size : size][: len(same)] == layout.type
    return most if same.all() else int(same.argmin())


def _single(
    layout: _Layout, fields: tuple[Any, ...], stamp: Stamp, number: int
) -> tuple[int, float, int, int, bool]:
    handle = fields[0] if layout.at else number
    status = fields[layout.status] if layout.status >= 0 else 0
    value = math.nan
    if layout.value >= 0 and not status & SEVERITY_BAD:
        value = float(fields[layout.value])
        if layout.datetime:
            value = (value - FILETIME_EPOCH) / 1e7 if value else math.nan
        elif layout.boolean:
            value = float(value != 0)
    time = 0
    for place, picoseconds in layout.times[stamp]:
        ticks = fields[place] - FILETIME_EPOCH
        if 0 < ticks < _LATEST:
            time = ticks * 100
            if picoseconds >= 0:
                time += min(fields[picoseconds], 9999) // 100
            break
    return handle, value, status, time, layout.boolean


def _odd(
    data: bytes, offset: int, columns: _Columns, stamp: Stamp, handles: bool, number: int
) -> int:
    """Take a record whose value is no single number; returns where the next one begins.

    asyncua reads the variant; it has the fields behind it in another order than the standard.
    """
    handle = number
    if handles:
        (handle,) = struct.unpack_from("<I", data, offset)
        offset += 4
    mask = data[offset]
    if mask > _KNOWN:
        raise ValueError(f"a DataValue with the encoding mask 0x{mask:02x}")
    buffer = Buffer(data, offset + 1)
    variant = None
    if mask & _VALUE:
        try:
            variant = variant_from_binary(buffer)
        except Exception as error:  # whatever asyncua stumbles over
            raise ValueError(f"a value that cannot be read: {error!r}") from error
    rest = _layout(mask & ~_VALUE, 0, handles=False)
    assert rest is not None  # noqa: S101 - without a value all masks have a layout
    # the mask that the layout begins with stands before the value
    fields = rest.one.unpack_from(bytes(1) + data[buffer.cur_pos : buffer.cur_pos + rest.size - 1])
    _, value, status, time, _ = _single(rest, fields, stamp, handle)
    if not status & SEVERITY_BAD and variant is not None and variant.Value is not None:
        name = getattr(variant.VariantType, "name", "?")
        size = len(variant.Value) if variant.is_array else 0
        columns.strange[handle] = f"an array of {size} {name}" if variant.is_array else f"a {name}"
        status = BAD_TYPE_MISMATCH
    columns.row(handle, value, status, time, False)
    return buffer.cur_pos + rest.size - 1
