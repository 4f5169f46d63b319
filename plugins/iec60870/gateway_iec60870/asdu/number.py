"""The number of a setpoint or a parameter (101 clauses 7.2.6.6 to 7.2.6.8 and 7.2.6.13)."""

from __future__ import annotations

import math
from struct import Struct

from gateway_iec60870.asdu.error import AsduError
from gateway_iec60870.asdu.layout import Element

STEPS = 32768
"""Steps of a normalised value in 1."""

_FORMS = {
    Element.NVA: Struct("<h"),
    Element.SVA: Struct("<h"),
    Element.R32: Struct("<f"),
    Element.BSI: Struct("<I"),
}

_RANGES = {
    Element.NVA: "-1 to 1",
    Element.SVA: "-32768 to 32767",
    Element.R32: "a finite number of 32 bits",
    Element.BSI: "a whole number, 0 to 4294967295",
}


def read_number(element: Element, octets: bytes) -> tuple[float, int]:
    """Return the number at the begin of the octets, and how many octets it has."""
    form = _FORMS[element]
    (value,) = form.unpack_from(octets)
    return (value / STEPS if element is Element.NVA else value), form.size


def write_number(element: Element, value: float, offset: int) -> bytes:
    """Return the octets of a number that shall stand at `offset`.

    One between two steps is rounded to the nearer one, and a normalised 1 is 1-2^-15.
    Raises AsduError for one that the octets cannot say: nothing commanded is changed on its way.
    """
    try:
        return _FORMS[element].pack(_fitted(element, value))
    except (ValueError, OverflowError):
        raise AsduError(offset, f"value {value:.10g}", _RANGES[element]) from None


def _fitted(element: Element, value: float) -> float:
    """Return the number to pack; raise ValueError or OverflowError where there is none."""
    if element is Element.R32:
        if not math.isfinite(value):
            raise ValueError
        return value
    if element is Element.BSI:
        low, high, whole = 0, 0xFFFFFFFF, int(value)
        if whole != value:
            raise ValueError
    elif element is Element.SVA:
        low, high, whole = -STEPS, STEPS - 1, round(value)
    else:
        low, high, whole = -STEPS, STEPS, round(value * STEPS)
    if not low <= whole <= high:
        raise ValueError
    return min(whole, STEPS - 1) if element is Element.NVA else whole
