"""What kind of OPC UA variable a point is: data type, type definition, properties."""

# mypy: disable-error-code="attr-defined,name-defined,arg-type,no-untyped-call"
# asyncua.ua re-exports its names by stars and types its constructors by wire types.

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any

from asyncua import ua

from gateway import Definition, Kind, SelectRule
from gateway_opcua.status import SEVERITY_BAD
from gateway_opcua.unit import NAMESPACE, unit

READ = 1 << ua.AccessLevel.CurrentRead
WRITE = 1 << ua.AccessLevel.CurrentWrite

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class DataType(IntEnum):
    """Built-in types of OPC 10000-6, 5.1.2, that points use; the number stands in the encoding."""

    BOOLEAN = 1
    UINT32 = 7
    INT64 = 8
    DOUBLE = 11


DOUBLE_POINT = ("intermediate", "off", "on", "bad")
"""IEC 61850-7-3 Dbpos, by value."""


@dataclass(frozen=True, slots=True)
class Property:
    """A property of a variable."""

    name: str
    variant: ua.Variant
    data_type: int


@dataclass(frozen=True, slots=True)
class Variable:
    """How a point is shown (OPC 10000-8, 5.3); `type_definition` is a numeric id in namespace 0."""

    data_type: DataType
    type_definition: int
    properties: tuple[Property, ...]


def data_type(definition: Definition) -> DataType:
    """Return the data type of a point's value.

    A counter is Int64 while its scale keeps it whole, else Double:
    a signed type shows a counter that counts back, and 2**53 (the gateway's limit) fits.
    A double-point is UInt32, because MultiStateDiscreteType asks for an unsigned number.
    """
    match definition.kind:
        case Kind.STATUS:
            return DataType.BOOLEAN
        case Kind.DOUBLE:
            return DataType.UINT32
        case Kind.COUNTER:
            whole = float(definition.scale).is_integer() and float(definition.offset).is_integer()
            return DataType.INT64 if whole else DataType.DOUBLE
        case Kind.ANALOG:
            return DataType.DOUBLE


def writable(definition: Definition) -> bool:
    """Return whether the value can be written: it commands, and no select must come first."""
    return definition.command is not None and definition.command.select is SelectRule.NONE


def variable(definition: Definition) -> Variable:
    """Return how the point is shown; a property is there only where the point list says it."""
    kind = data_type(definition)
    if definition.kind is Kind.STATUS:
        return Variable(
            kind,
            ua.ObjectIds.TwoStateDiscreteType,
            (_text("FalseState", "off"), _text("TrueState", "on")),
        )
    if definition.kind is Kind.DOUBLE:
        words = [ua.LocalizedText(word) for word in DOUBLE_POINT]
        states = Property(
            "EnumStrings",
            ua.Variant(words, ua.VariantType.LocalizedText),
            ua.ObjectIds.LocalizedText,
        )
        return Variable(kind, ua.ObjectIds.MultiStateDiscreteType, (states,))
    ranged = math.isfinite(definition.low) and math.isfinite(definition.high)
    properties = []
    if ranged:
        properties.append(_range(definition.low, definition.high))
    if definition.unit:
        properties.append(_unit(definition.unit))
    shown = {
        (False, False): ua.ObjectIds.DataItemType,
        (True, False): ua.ObjectIds.AnalogItemType,
        (False, True): ua.ObjectIds.AnalogUnitType,
        (True, True): ua.ObjectIds.AnalogUnitRangeType,
    }[ranged, bool(definition.unit)]
    return Variable(kind, shown, tuple(properties))


def property_names(definition: Definition) -> tuple[str, ...]:
    """Return the names of the properties that `variable` would make, without making them."""
    match definition.kind:
        case Kind.STATUS:
            return ("FalseState", "TrueState")
        case Kind.DOUBLE:
            return ("EnumStrings",)
        case _:
            ranged = math.isfinite(definition.low) and math.isfinite(definition.high)
            return ("EURange",) * ranged + ("EngineeringUnits",) * bool(definition.unit)


def _text(name: str, word: str) -> Property:
    text = ua.Variant(ua.LocalizedText(word), ua.VariantType.LocalizedText)
    return Property(name, text, ua.ObjectIds.LocalizedText)


def _range(low: float, high: float) -> Property:
    bounds = ua.Variant(ua.Range(Low=low, High=high), ua.VariantType.ExtensionObject)
    return Property("EURange", bounds, ua.ObjectIds.Range)


def _unit(text: str) -> Property:
    number, name, description = unit(text)
    information = ua.EUInformation(
        NamespaceUri=NAMESPACE if number >= 0 else "",
        UnitId=number,
        DisplayName=ua.LocalizedText(name),
        Description=ua.LocalizedText(description),
    )
    return Property(
        "EngineeringUnits",
        ua.Variant(information, ua.VariantType.ExtensionObject),
        ua.ObjectIds.EUInformation,
    )


def utc(time: int) -> datetime:
    """Return a time in ns since the Unix epoch as a datetime (to 1 µs)."""
    return _EPOCH + timedelta(microseconds=time // 1000)


def data_value(kind: DataType, value: float, status: int, time: int, now: int) -> ua.DataValue:
    """Return one sample as a DataValue: null where the status is Bad, times in ns."""
    held: Any = None
    if not status & SEVERITY_BAD:
        held = (
            value
            if kind is DataType.DOUBLE
            else bool(value)
            if kind is DataType.BOOLEAN
            else int(value)
        )
    return ua.DataValue(
        Value=ua.Variant(held, ua.VariantType(kind) if held is not None else ua.VariantType.Null),
        StatusCode=ua.StatusCode(status),
        SourceTimestamp=utc(time) if time > 0 else None,
        ServerTimestamp=utc(now),
    )
