"""Device attributes (g0): what the outstation says of itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway_dnp3.objects import (
    ALL_ATTRIBUTES,
    LIST_OF_ATTRIBUTES,
    Attribute,
    Kind,
    ObjectError,
    ObjectHeader,
    Qualifier,
    Reason,
    encode_attributes,
)
from gateway_dnp3.outstation.database import Database
from gateway_dnp3.outstation.family import PointType

LONGEST = 255
_T = PointType

# type: (support of events or None, highest index, number)
_COUNTS = {
    _T.ANALOG_OUTPUT: (219, 220, 221),
    _T.BINARY_OUTPUT: (222, 223, 224),
    _T.COUNTER: (227, 228, 229),
    _T.ANALOG_INPUT: (231, 232, 233),
    _T.DOUBLE_BIT_INPUT: (234, 235, 236),
    _T.BINARY_INPUT: (237, 238, 239),
}


class Attributes:
    """The attributes of the standard's set 0.

    texts: by variation, such as 252 manufacturer; what is empty is left out.
    """

    def __init__(
        self, database: Database, texts: Mapping[int, str], *, fragment: int, controls: int
    ) -> None:
        values: dict[int, str | int] = {216: controls, 225: 0, 226: 0, 230: 0}
        for family_counts in _COUNTS.values():
            values |= dict.fromkeys((family_counts[0], family_counts[2]), 0)
        for table, count in database.counts():
            kind = table.family.type
            if kind is _T.FROZEN_COUNTER:
                values[226] = 1
            if kind in _COUNTS:
                events, highest, number = _COUNTS[kind]
                values |= {events: 1, highest: int(table.index[-1]), number: count}
        values |= {240: fragment, 241: fragment}
        values |= {number: text for number, text in texts.items() if text}
        self._values = dict(sorted(values.items()))

    def read(self, header: ObjectHeader) -> Iterator[bytes]:
        """Yield the objects that a header of a READ asks for; raises ObjectError."""
        if header.qualifier is not Qualifier.ALL and header.start not in (0, None):
            raise header.error(f"set {header.start}", "set 0", Reason.UNKNOWN)
        if header.variation == LIST_OF_ATTRIBUTES:
            listed = tuple((number, False) for number in self._values)
            yield encode_attributes([Attribute(0, LIST_OF_ATTRIBUTES, listed, Kind.LIST)])
        elif header.variation == ALL_ATTRIBUTES:
            for number in self._values:
                yield self._object(number)
        elif header.variation in self._values:
            yield self._object(header.variation)
        else:
            known = ", ".join(map(str, self._values))
            raise header.error("no such attribute", known, Reason.UNKNOWN)

    def _object(self, number: int) -> bytes:
        value = self._values[number]
        kind = Kind.UINT
        if isinstance(value, str):
            kind = Kind.VSTR
            value = value.encode("latin-1", "replace")[:LONGEST].decode("latin-1")
        elif number in (219, 222, 225, 226, 227, 230, 231, 234, 237):
            kind = Kind.INT
        try:
            return encode_attributes([Attribute(0, number, value, kind)])
        except ObjectError:  # pragma: no cover - texts are cut and numbers are ours
            return b""
