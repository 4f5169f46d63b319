"""The registers that the gateway shows as a slave: made from the image when somebody reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from gateway import Image, Kind, LinkError, Quality
from gateway_modbus import frame
from gateway_modbus.number import is_float, limits_of, words_of
from gateway_modbus.outcome import (
    DEVICE_FAILURE,
    GATEWAY_TARGET,
    ILLEGAL_ADDRESS,
    ILLEGAL_FUNCTION,
    ILLEGAL_VALUE,
)
from gateway_modbus.register import TABLE_OF_FUNCTION, Order, RegisterType, Table


class WhenInvalid(StrEnum):
    """What a master reads where a point's quality is invalid, as Modbus itself has no quality.

    last:      the last value, 0 if there never was one.
    nan:       NaN in floats, the last value elsewhere.
    sentinel:  NaN in floats; in integers SunSpec's *not implemented*: the least signed, the
               greatest unsigned number; bits and BCD keep the last value.
    exception: the whole read is refused with exception 4.
    """

    LAST = "last"
    NAN = "nan"
    SENTINEL = "sentinel"
    EXCEPTION = "exception"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the slave shows a point: register = (value - offset) / scale."""

    point: int
    name: str
    unit: int
    table: Table
    register: int
    type: RegisterType
    order: Order
    bit: int
    scale: float
    offset: float
    kind: Kind = Kind.ANALOG

    @property
    def mask(self) -> int:
        """A bit of a register, as the register holds it."""
        bit = 1 << self.bit
        return (bit << 8 | bit >> 8) & 0xFFFF if self.order.swaps_bytes else bit


class Column:
    """Places of one type and order in one table, by register."""

    def __init__(self, kind: RegisterType, order: Order, places: list[Place]) -> None:
        self.kind = kind
        self.order = order
        self.point = np.array([place.point for place in places], np.intp)
        self.register = np.array([place.register for place in places], np.int64)
        self.bit = np.array([place.bit for place in places], np.uint16)
        self.scale = np.array([place.scale for place in places])
        self.offset = np.array([place.offset for place in places])
        signed = kind.value.startswith("int")
        self.sentinel = np.nan if is_float(kind) else limits_of(kind)[0 if signed else 1]
        self.has_sentinel = kind.value[:3] in ("int", "uin")

    def values(self, image: Image, rows: slice, when: WhenInvalid) -> npt.NDArray[np.float64]:
        """Return the register's numbers; raises Unreadable."""
        points = self.point[rows]
        values: npt.NDArray[np.float64] = image.value[points] - self.offset[rows]
        values /= self.scale[rows]
        invalid = (image.quality[points] & Quality.VALIDITY) == Quality.INVALID
        if when is WhenInvalid.LAST or not invalid.any():
            return values
        if when is WhenInvalid.EXCEPTION:
            raise Unreadable
        if is_float(self.kind) or (when is WhenInvalid.SENTINEL and self.has_sentinel):
            values[invalid] = self.sentinel
        return values


class Unreadable(Exception):  # noqa: N818 - a state of a point, not an error of ours
    """An invalid point is in the span, and such reads are to be refused."""


class Sheet:
    """One table of one unit: which registers are there, and how they are made."""

    def __init__(self, places: list[Place]) -> None:
        self.first = min(place.register for place in places)
        end = max(place.register + place.type.width for place in places)
        self.mapped = np.zeros(end - self.first, np.bool_)
        groups: dict[tuple[RegisterType, Order], list[Place]] = {}
        for place in sorted(places, key=lambda place: (place.register, place.bit)):
            self.mapped[place.register - self.first :][: place.type.width] = True
            groups.setdefault((place.type, place.order), []).append(place)
        self.columns = [Column(*home, group) for home, group in groups.items()]

    def has(self, start: int, count: int) -> bool:
        """Return whether every register of a span is mapped."""
        mapped = self.mapped[max(start - self.first, 0) : start - self.first + count]
        return start >= self.first and len(mapped) == count and bool(mapped.all())

    def read(
        self, image: Image, start: int, count: int, when: WhenInvalid, of_bits: bool
    ) -> npt.NDArray[np.uint16] | None:
        """Return the registers or bits of a span, or None where one is not mapped."""
        if not self.has(start, count):
            return None
        out = np.zeros(count, np.uint16)
        for column in self.columns:
            width = column.kind.width
            low = int(np.searchsorted(column.register, start - width + 1))
            high = int(np.searchsorted(column.register, start + count))
            if low == high:
                continue
            rows = slice(low, high)
            values = column.values(image, rows, when)
            at = (column.register[rows] - start)[:, None] + np.arange(width)
            if column.kind is RegisterType.BIT and not of_bits:
                # Several bits of a register are several rows.
                shifted = words_of(values, column.kind, Order.ABCD)[:, 0] << column.bit[rows]
                if column.order.swaps_bytes:
                    shifted = shifted.byteswap()
                np.bitwise_or.at(out, at[:, 0], shifted)
                continue
            words = words_of(values, column.kind, column.order)
            inside = (at >= 0) & (at < count)
            out[at[inside]] = words[inside]
        return out


class Bank:
    """All units and tables: the device behind the listener."""

    def __init__(
        self,
        places: Iterable[Place],
        image: Image,
        when_invalid: WhenInvalid,
        *,
        silent: bool,
        count: Callable[[str], None],
    ) -> None:
        self._image = image
        self._when = when_invalid
        self._silent = silent
        self._count = count
        homes: dict[tuple[int, Table], list[Place]] = {}
        places = list(places)
        for _, sentence in clashes(places):
            raise LinkError(sentence)
        for place in places:
            homes.setdefault((place.unit, place.table), []).append(place)
        self._sheets = {home: Sheet(group) for home, group in homes.items()}
        self.units = frozenset(unit for unit, _ in homes)

    def shows(self, unit: int, table: Table, start: int, count: int) -> bool:
        """Return whether every register of a span is some point's."""
        sheet = self._sheets.get((unit, table))
        return sheet is not None and sheet.has(start, count)

    def answer(self, unit: int, pdu: bytes) -> bytes | None:
        """See `Device.answer`."""
        function = pdu[0]
        if unit not in self.units:
            self._count("unknown_units")
            return None if self._silent else frame.exception(function, GATEWAY_TARGET)
        table = TABLE_OF_FUNCTION.get(function)
        if table is None:
            return self._refuse(function, ILLEGAL_FUNCTION)
        span = frame.read_of(pdu)
        if span is None:
            return self._refuse(function, ILLEGAL_VALUE)
        sheet = self._sheets.get((unit, table))
        try:
            words = (
                None if sheet is None else sheet.read(self._image, *span, self._when, table.of_bits)
            )
        except Unreadable:
            return self._refuse(function, DEVICE_FAILURE)
        if words is None:
            return self._refuse(function, ILLEGAL_ADDRESS)
        return frame.read_answer(function, words)

    def _refuse(self, function: int, code: int) -> bytes:
        self._count("exceptions")
        return frame.exception(function, code)


def clashes(places: Iterable[Place]) -> Iterator[tuple[Place, str]]:
    """Yield each place that claims a register, or a bit of one, which another has, and a
    sentence that names both."""
    taken: dict[tuple[int, Table, int, int], Place] = {}
    for place in places:
        bits = place.type is RegisterType.BIT and not place.table.of_bits
        claims = [
            (place.unit, place.table, register, bit)
            for register in range(place.register, place.register + place.type.width)
            for bit in ((place.bit,) if bits else range(16))
        ]
        other = next((taken[claim] for claim in claims if claim in taken), None)
        if other is not None:
            yield (
                place,
                f"{place.name} and {other.name} both claim {place.table} {place.register} "
                f"of unit {place.unit}",
            )
        taken.update(dict.fromkeys(claims, place))
