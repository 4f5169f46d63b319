"""Numbers as a server's built-in types hold them: what a command writes or passes."""

# mypy: disable-error-code="attr-defined,name-defined,arg-type,no-untyped-call"
# asyncua.ua re-exports its names by stars and types its constructors by wire types.

from __future__ import annotations

import math

from asyncua import ua

from gateway_opcua.client.point import ValueType

TYPES = {
    kind: ua.VariantType[name]
    for kind, name in zip(
        ValueType,
        (
            "Boolean",
            "SByte",
            "Byte",
            "Int16",
            "UInt16",
            "Int32",
            "UInt32",
            "Int64",
            "UInt64",
            "Float",
            "Double",
        ),
        strict=True,
    )
}
NUMBERS = {variant: kind for kind, variant in TYPES.items()}

_RANGES = {
    ValueType.BOOLEAN: (0, 1),
    ValueType.SBYTE: (-(2**7), 2**7 - 1),
    ValueType.BYTE: (0, 2**8 - 1),
    ValueType.INT16: (-(2**15), 2**15 - 1),
    ValueType.UINT16: (0, 2**16 - 1),
    ValueType.INT32: (-(2**31), 2**31 - 1),
    ValueType.UINT32: (0, 2**32 - 1),
    ValueType.INT64: (-(2**53), 2**53),
    ValueType.UINT64: (0, 2**53),
}
"""OPC 10000-6, 5.1.2; of the 64-bit types what a double tells from its neighbours."""
_LARGEST_FLOAT = 3.402_823_466_385_288_6e38
_NEAR = 1e-9
"""Part of a number by which scaling may have moved it from the whole number that was meant."""


class OutOfRange(Exception):  # noqa: N818 - a status
    """The type cannot hold the number: nothing is to be sent."""


def variant(kind: ValueType, number: float, *, array: bool = False) -> ua.Variant:
    """Return a number as the type holds it, in an array of one where `array`.

    Raises OutOfRange with a sentence.
    """
    held = _held(kind, number)
    return ua.Variant([held] if array else held, TYPES[kind])


def _held(kind: ValueType, number: float) -> bool | int | float:
    if kind in (ValueType.FLOAT, ValueType.DOUBLE):
        most = _LARGEST_FLOAT if kind is ValueType.FLOAT else math.inf
        if not math.isfinite(number) or abs(number) > most:
            raise OutOfRange(f"found {number:g}, which a {kind} of the server cannot hold")
        return number
    low, high = _RANGES[kind]
    if not math.isfinite(number):
        raise OutOfRange(f"found {number:g}, allowed: {low} to {high} ({kind})")
    whole = round(number)
    if abs(number - whole) > _NEAR * max(1.0, abs(number)):
        raise OutOfRange(f"found {number:.17g}, allowed: whole numbers ({kind})")
    if not low <= whole <= high:
        raise OutOfRange(f"found {whole}, allowed: {low} to {high} ({kind})")
    return bool(whole) if kind is ValueType.BOOLEAN else whole
