"""What a client wrote as the value of a command, or why it is none (OPC 10000-4, 5.11.4)."""

# mypy: disable-error-code="attr-defined,name-defined,arg-type,no-untyped-call"
# asyncua.ua re-exports its names by stars and types its constructors by wire types.

from __future__ import annotations

import math
from typing import Any, NamedTuple

from asyncua import ua

from gateway import Definition, Kind
from gateway_opcua.variable import data_type

WHOLE = 2**53
"""The largest whole number that the gateway, which counts in doubles, tells from its neighbours."""
OFF, ON = 1, 2
"""IEC 61850-7-3 Dbpos."""


class Found(NamedTuple):
    """The value of a command: NaN where there is none, then with a StatusCode and a sentence."""

    value: float
    code: int = 0
    detail: str = ""


def written(definition: Definition, wanted: Any) -> Found:
    """Return what an element of a Write asks for."""
    codes = ua.StatusCodes
    given = wanted.Value
    if wanted.IndexRange:
        return _none(codes.BadWriteNotSupported, "the value is no array: no index range is allowed")
    status = given.StatusCode
    if status is not None and status.value:
        return _none(codes.BadWriteNotSupported, f"found the status {status.name}, allowed: none")
    if given.SourceTimestamp is not None or given.ServerTimestamp is not None:
        return _none(codes.BadWriteNotSupported, "found a time stamp, allowed: none")
    return commanded(definition, given.Value)


def commanded(definition: Definition, variant: Any) -> Found:
    """Return what a variant asks of a point, whose data type it must have."""
    codes = ua.StatusCodes
    wanted = data_type(definition)
    if variant is None or variant.VariantType != ua.VariantType(wanted) or variant.is_array:
        found = "no value" if variant is None else described(variant)
        return _none(codes.BadTypeMismatch, f"found {found}, allowed: {wanted.name.capitalize()}")
    value = variant.Value
    if definition.kind is Kind.DOUBLE:
        if value not in (OFF, ON):
            return _none(codes.BadOutOfRange, f"found {value}, allowed: {OFF} (off) or {ON} (on)")
        return Found(float(value == ON))
    if isinstance(value, int) and abs(value) > WHOLE:
        return _none(codes.BadOutOfRange, f"found {value}, allowed: up to {WHOLE}")
    if not math.isfinite(value):
        return _none(codes.BadOutOfRange, f"found {value}, allowed: a finite number")
    return Found(float(value))


def described(variant: Any) -> str:
    """Return what a variant is, for people."""
    name = getattr(variant.VariantType, "name", str(variant.VariantType))
    return f"an array of {name}" if variant.is_array else name


def _none(code: int, detail: str) -> Found:
    return Found(math.nan, code, detail)
