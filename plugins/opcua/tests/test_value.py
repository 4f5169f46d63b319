"""What is written to a point as the value of a command."""

# mypy: disable-error-code="attr-defined,arg-type"

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pytest
from asyncua import ua
from gateway_opcua.value import written

from gateway import Control, Definition, Kind

T = ua.VariantType
NAN, INF = float("nan"), float("inf")
POINTS = {
    "status": Definition("s", Kind.STATUS, command=Control(model="latch")),
    "double": Definition("d", Kind.DOUBLE, command=Control(model="trip_close")),
    "analog": Definition("a", Kind.ANALOG, command=Control(model="setpoint")),
    "counter": Definition("c", Kind.COUNTER, command=Control(model="setpoint")),
}


def asked(kind: str, value: ua.DataValue, index: str | None = None) -> Any:
    """Return what a WriteValue asks for: the value, or the name of the StatusCode."""
    wanted = ua.WriteValue(AttributeId=ua.AttributeIds.Value, IndexRange=index, Value=value)
    found = written(POINTS[kind], wanted)
    assert math.isnan(found.value) is bool(found.code) is bool(found.detail)
    return ua.StatusCode(found.code).name if found.code else found.value


def plain(value: Any, kind: T) -> ua.DataValue:
    return ua.DataValue(ua.Variant(value, kind), StatusCode=None)


@pytest.mark.parametrize(
    ("kind", "value", "type_", "expected"),
    [
        ("status", True, T.Boolean, 1.0),
        ("status", False, T.Boolean, 0.0),
        # IEC 61850-7-3 Dbpos, as the variable shows it: 1 is off, 2 is on
        ("double", 1, T.UInt32, 0.0),
        ("double", 2, T.UInt32, 1.0),
        ("double", 0, T.UInt32, "BadOutOfRange"),
        ("double", 3, T.UInt32, "BadOutOfRange"),
        ("analog", -12.5, T.Double, -12.5),
        ("analog", NAN, T.Double, "BadOutOfRange"),
        ("analog", INF, T.Double, "BadOutOfRange"),
        ("counter", -7, T.Int64, -7.0),
        ("counter", 2**53, T.Int64, 2.0**53),
        ("counter", 2**53 + 1, T.Int64, "BadOutOfRange"),
        # the value must have the type of the variable (OPC 10000-4, 5.11.4)
        ("status", 1, T.Byte, "BadTypeMismatch"),
        ("status", "true", T.String, "BadTypeMismatch"),
        ("double", True, T.Boolean, "BadTypeMismatch"),
        ("double", 2, T.Int32, "BadTypeMismatch"),
        ("analog", 3.0, T.Float, "BadTypeMismatch"),
        ("analog", 3, T.Int16, "BadTypeMismatch"),
        ("analog", None, T.Null, "BadTypeMismatch"),
        ("analog", [1.0], T.Double, "BadTypeMismatch"),
        ("analog", [], T.Double, "BadTypeMismatch"),
        ("counter", 7, T.UInt64, "BadTypeMismatch"),
    ],
)
def test_a_value_is_of_the_variables_type(kind: str, value: Any, type_: T, expected: Any) -> None:
    """The value in the gateway's terms, or the code that the standard has for what is wrong."""
    assert asked(kind, plain(value, type_)) == expected


def test_only_a_value_can_be_written() -> None:
    """Status, time stamps and index ranges are not: BadWriteNotSupported (OPC 10000-4, 5.11.4)."""
    value, now = ua.Variant(1.0, T.Double), datetime(2026, 1, 1, tzinfo=UTC)
    bad = ua.StatusCode(ua.StatusCodes.BadOutOfService)
    for given in (
        ua.DataValue(value, StatusCode=bad),
        ua.DataValue(value, SourceTimestamp=now),
        ua.DataValue(value, ServerTimestamp=now),
        ua.DataValue(StatusCode=bad),
    ):
        assert asked("analog", given) == "BadWriteNotSupported"
    assert asked("analog", plain(1.0, T.Double), "0:1") == "BadWriteNotSupported"
    assert asked("analog", ua.DataValue(value, StatusCode=ua.StatusCode())) == 1.0
