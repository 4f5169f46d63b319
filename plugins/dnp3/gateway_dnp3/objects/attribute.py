"""Device attributes (g0): what a device says of itself (IEEE 1815 annex A)."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from gateway_dnp3.objects.error import ObjectError, Reason
from gateway_dnp3.objects.header import LONG_LIST, ObjectHeader, header
from gateway_dnp3.objects.qualifier import FORMS, Qualifier

ALL_ATTRIBUTES = 254
"""The variation that a request asks all attributes with."""

LIST_OF_ATTRIBUTES = 255
"""The variation that lists which attributes there are."""


class Kind(IntEnum):
    """The data type of an attribute."""

    VSTR = 1
    UINT = 2
    INT = 3
    FLT = 4
    OSTR = 5
    BSTR = 6
    TIME = 7
    LIST = 254
    LONG_LIST = 255


AttributeList = tuple[tuple[int, bool], ...]
"""Variations, and whether each may be written."""

Value = str | int | float | bytes | AttributeList


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute. `index` is the set, 0 for those of the standard.

    VSTR is text; UINT, INT and TIME (ms since 1970 UTC) are int; FLT is float;
    OSTR, BSTR and a data type that is not known (`kind` is the octet) are bytes.
    """

    index: int
    variation: int
    value: Value
    kind: int = Kind.VSTR


NAMES = {
    196: "configuration id",
    197: "configuration version",
    198: "configuration build date",
    199: "configuration last change date",
    200: "configuration signature",
    201: "configuration signature algorithm",
    202: "master resource ids",
    203: "device location altitude",
    204: "device location longitude",
    205: "device location latitude",
    206: "secondary operator name",
    207: "primary operator name",
    208: "system name",
    209: "secure authentication version",
    210: "security statistics per association",
    211: "support of user-specific attributes",
    212: "master-defined data set prototypes",
    213: "outstation-defined data set prototypes",
    214: "master-defined data sets",
    215: "outstation-defined data sets",
    216: "binary outputs per request",
    217: "timing accuracy",
    218: "duration of timing accuracy",
    219: "support of analog output events",
    220: "highest analog output index",
    221: "number of analog outputs",
    222: "support of binary output events",
    223: "highest binary output index",
    224: "number of binary outputs",
    225: "support of frozen counter events",
    226: "support of frozen counters",
    227: "support of counter events",
    228: "highest counter index",
    229: "number of counters",
    230: "support of frozen analog inputs",
    231: "support of analog input events",
    232: "highest analog input index",
    233: "number of analog inputs",
    234: "support of double-bit input events",
    235: "highest double-bit input index",
    236: "number of double-bit inputs",
    237: "support of binary input events",
    238: "highest binary input index",
    239: "number of binary inputs",
    240: "largest fragment sent",
    241: "largest fragment received",
    242: "software version",
    243: "hardware version",
    244: "name of the owner",
    245: "location",
    246: "id",
    247: "name",
    248: "serial number",
    249: "subset and conformance",
    250: "product name and model",
    252: "manufacturer",
}
"""What the attributes of the standard say."""

_FLOATS = {4: "<f", 8: "<d"}


def attributes(header: ObjectHeader) -> list[Attribute]:
    """Return the attributes of a header; raise ObjectError where it holds none."""
    if header.group:
        raise header.error("no attribute", "g0", Reason.UNKNOWN)
    prefix = header.prefix
    if header.qualifier is Qualifier.FREE or len(header.data) < header.count * (prefix + 2):
        raise header.error(f"{len(header.data)} octets", f"{header.count} attributes")
    found = []
    at = 0
    for row in range(header.count):
        index = int.from_bytes(header.data[at : at + prefix], "little")
        if header.start is not None:
            index = header.start + row
        kind, length = header.data[at + prefix], header.data[at + prefix + 1]
        begin = at + prefix + 2
        at = begin + length + (256 if kind == LONG_LIST else 0)
        value = _value(header, kind, bytes(header.data[begin:at]))
        found.append(Attribute(index, header.variation, value, kind))
    return found


def _value(header: ObjectHeader, kind: int, octets: bytes) -> Value:
    if kind == Kind.VSTR:
        return octets.decode("latin-1")
    if kind in (Kind.UINT, Kind.INT, Kind.TIME):
        return int.from_bytes(octets, "little", signed=kind == Kind.INT)
    if kind == Kind.FLT:
        if len(octets) not in _FLOATS:
            raise header.error(f"a float of {len(octets)} octets", "4 or 8")
        return float(struct.unpack(_FLOATS[len(octets)], octets)[0])
    if kind in (Kind.LIST, Kind.LONG_LIST):
        if len(octets) % 2:
            raise header.error(f"a list of {len(octets)} octets", "pairs")
        pairs = zip(octets[0::2], octets[1::2], strict=True)
        return tuple((variation, bool(properties & 1)) for variation, properties in pairs)
    return octets


def encode_attributes(
    given: Sequence[Attribute], qualifier: Qualifier = Qualifier.RANGE_8
) -> bytes:
    """Return attributes with a header each; numbers take as many octets as they need.

    Raises ObjectError for a value that is not of its kind, or longer than 255 octets.
    """
    return b"".join(_headed(given, qualifier))


def _headed(given: Sequence[Attribute], qualifier: Qualifier) -> Iterator[bytes]:
    prefix = FORMS[qualifier].prefix
    for one in given:
        try:
            octets = one.index.to_bytes(prefix, "little") if prefix else b""
            octets += _octets(one)
        except (OverflowError, ValueError, TypeError, AttributeError, struct.error):
            raise ObjectError(
                0,
                f"g0v{one.variation}: {one.value!r} as data type {one.kind}",
                "allowed: a value of that type, of 255 octets at most",
            ) from None
        yield header(0, one.variation, qualifier, start=one.index, count=1, data=octets)


def _octets(one: Attribute) -> bytes:
    kind = one.kind
    value: Value = one.value
    if isinstance(value, bytes):
        body = value
    elif isinstance(value, tuple):
        body = bytes(octet for variation, may_write in value for octet in (variation, may_write))
        kind = Kind.LONG_LIST if len(body) > 0xFF else Kind.LIST
    elif isinstance(value, str):
        body = value.encode("latin-1")
    elif kind == Kind.FLT:
        body = _float(value)
    else:
        body = _integer(int(value), kind)
    length = len(body) - (256 if kind == Kind.LONG_LIST else 0)
    return bytes((kind, length)) + body


def _float(value: float) -> bytes:
    """Return a single where it says the same, otherwise a double."""
    try:
        single = struct.pack("<f", value)
    except OverflowError:
        return struct.pack("<d", value)
    same = struct.unpack("<f", single)[0] == value or value != value
    return single if same else struct.pack("<d", value)


def _integer(value: int, kind: int) -> bytes:
    if kind == Kind.TIME:
        return value.to_bytes(6, "little")
    signed = kind == Kind.INT
    for size in (1, 2, 4, 8):
        try:
            return value.to_bytes(size, "little", signed=signed)
        except OverflowError:
            continue
    raise OverflowError(value)
