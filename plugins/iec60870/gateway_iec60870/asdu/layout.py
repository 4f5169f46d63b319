"""One table of what is known: how the objects of each type are laid out (101 clause 7.3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from gateway_iec60870.asdu.type_id import TypeId


class Use(Enum):
    """Which function of this package reads the objects of a type."""

    MEASUREMENT = "decode"
    COMMAND = "command"
    SYSTEM = "system"
    PARAMETER = "parameter"
    FILE = "file"


class Time(Enum):
    """The time tag of an object; the value is its size in octets."""

    NONE = 0
    CP24 = 3
    CP56 = 7


class Element(Enum):
    """What an object says besides its time tag (101 clause 7.2.6)."""

    SIQ = "single point with quality"
    DIQ = "double point with quality"
    VTI = "step position"
    BSI = "bitstring of 32 bits"
    NVA = "normalised value"
    SVA = "scaled value"
    R32 = "short floating point"
    BCR = "binary counter reading"
    SEP = "event of protection equipment"
    SPE = "start events of protection equipment"
    OCI = "output circuit information of protection equipment"
    SCD = "16 single points with change detection"
    NVA_ONLY = "normalised value without quality"
    SCO = "single command"
    DCO = "double command"
    RCO = "regulating step command"
    OTHER = "values of its own"


@dataclass(frozen=True, slots=True)
class Layout:
    """How one object of a type stands in an ASDU.

    `size` is in octets, without the object address and with the time tag, and None where the
    object itself says how long it is.
    `sequence` says that the standard lets several objects share one address (SQ=1).
    """

    use: Use
    element: Element
    size: int | None
    time: Time = Time.NONE
    sequence: bool = False


_ELEMENTS = {
    Element.SIQ: 1,
    Element.DIQ: 1,
    Element.VTI: 2,
    Element.BSI: 5,
    Element.NVA: 3,
    Element.SVA: 3,
    Element.R32: 5,
    Element.BCR: 5,
    Element.SEP: 3,
    Element.SPE: 4,
    Element.OCI: 4,
    Element.SCD: 5,
    Element.NVA_ONLY: 2,
}
"""Octets of an element of a measurement with its quality, and the elapsed time where it has one."""

# element: types without time tag, with CP24 and with CP56; 0 where the standard has none
_MEASUREMENTS = {
    Element.SIQ: (1, 2, 30),
    Element.DIQ: (3, 4, 31),
    Element.VTI: (5, 6, 32),
    Element.BSI: (7, 8, 33),
    Element.NVA: (9, 10, 34),
    Element.SVA: (11, 12, 35),
    Element.R32: (13, 14, 36),
    Element.BCR: (15, 16, 37),
    Element.SEP: (0, 17, 38),
    Element.SPE: (0, 18, 39),
    Element.OCI: (0, 19, 40),
    Element.SCD: (20, 0, 0),
    Element.NVA_ONLY: (21, 0, 0),
}

# element: types without time tag and with CP56, octets without the time tag
_COMMANDS = {
    Element.SCO: (45, 58, 1),
    Element.DCO: (46, 59, 1),
    Element.RCO: (47, 60, 1),
    Element.NVA: (48, 61, 3),
    Element.SVA: (49, 62, 3),
    Element.R32: (50, 63, 5),
    Element.BSI: (51, 64, 4),
}

# type: use, octets with the time tag
_OTHERS = {
    70: (Use.SYSTEM, 1),
    100: (Use.SYSTEM, 1),
    101: (Use.SYSTEM, 1),
    102: (Use.SYSTEM, 0),
    103: (Use.SYSTEM, 7),
    104: (Use.SYSTEM, 2),
    105: (Use.SYSTEM, 1),
    106: (Use.SYSTEM, 2),
    107: (Use.SYSTEM, 9),
    113: (Use.PARAMETER, 1),
    120: (Use.FILE, 6),
    121: (Use.FILE, 7),
    122: (Use.FILE, 4),
    123: (Use.FILE, 5),
    124: (Use.FILE, 4),
    125: (Use.FILE, None),
    126: (Use.FILE, 13),
    127: (Use.FILE, 16),
}

# type: the number before the qualifier, octets
_PARAMETERS = {110: (Element.NVA, 3), 111: (Element.SVA, 3), 112: (Element.R32, 5)}

_TIMED = {103: Time.CP56, 107: Time.CP56, 126: Time.CP56}


def _table() -> Iterator[tuple[int, Layout]]:
    for element, types in _MEASUREMENTS.items():
        for kind, time in zip(types, Time, strict=True):
            octets = _ELEMENTS[element] + time.value
            yield kind, Layout(Use.MEASUREMENT, element, octets, time, time is Time.NONE)
    for element, (plain, tagged, octets) in _COMMANDS.items():
        yield plain, Layout(Use.COMMAND, element, octets)
        yield tagged, Layout(Use.COMMAND, element, octets + Time.CP56.value, Time.CP56)
    for kind, (element, octets) in _PARAMETERS.items():
        yield kind, Layout(Use.PARAMETER, element, octets)
    for kind, (use, size) in _OTHERS.items():
        time = _TIMED.get(kind, Time.NONE)
        yield kind, Layout(use, Element.OTHER, size, time, kind == TypeId.F_DR_TA_1)


_BY_TYPE = dict(_table())

LAYOUTS: dict[int, Layout] = {int(kind): _BY_TYPE[kind] for kind in TypeId}
"""Every type that is known."""


def layout(kind: int) -> Layout | None:
    """Return how the objects of a type are laid out, None where it is not known."""
    return LAYOUTS.get(kind)
