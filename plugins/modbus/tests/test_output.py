"""What a value becomes on the wire, and rows that cannot be written."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from gateway_modbus.output import OutOfRange, Output, faults
from gateway_modbus.point import ModbusPoint
from gateway_modbus.register import Order
from gateway_modbus.source import Modbus

from gateway import Control, Definition, Kind, LinkPoint
from gateway.testing import configured

LATCH = {"model": "latch"}
SETPOINT = {"model": "setpoint"}


def point(columns: dict[str, Any], control: dict[str, Any] | None, kind: Kind) -> LinkPoint:
    command = None if control is None else Control.model_validate(control)
    address = ModbusPoint.model_validate(columns)
    return LinkPoint(7, Definition("p", kind, command=command), address)


def output(columns: dict[str, Any], control: dict[str, Any], kind: Kind) -> Output:
    one = point(columns, control, kind)
    assert isinstance(one.address, ModbusPoint)
    found = Output.of(one, one.address, 1, one.address.order or Order.ABCD)
    assert found is not None, list(faults(one, one.address, 1))
    return found


# Columns, number as the device counts, request; IEEE 754 and two's complement by hand.
WRITTEN: list[tuple[dict[str, Any], float, str]] = [
    ({"table": "coil", "register": 172}, 1, "05 00AC FF00"),
    ({"table": "coil", "register": 172}, 0, "05 00AC 0000"),
    ({"table": "coil", "register": 2, "write_function": "multiple"}, 1, "0F 0002 0001 01 01"),
    ({"table": "discrete", "register": 9, "write_register": 3}, 1, "05 0003 FF00"),
    ({"table": "input", "register": 9, "write_register": 3}, 5, "06 0003 0005"),
    ({"register": 1}, 3, "06 0001 0003"),
    ({"register": 1, "write_function": "multiple"}, 3, "10 0001 0001 02 0003"),
    ({"register": 1, "type": "int16"}, -2, "06 0001 FFFE"),
    ({"register": 1, "type": "int16", "order": "BADC"}, -2, "06 0001 FEFF"),
    ({"register": 1}, 2.5, "06 0001 0002"),
    ({"register": 1}, 3.5, "06 0001 0004"),
    ({"register": 1}, 65535.4, "06 0001 FFFF"),
    ({"register": 1}, -0.5, "06 0001 0000"),
    ({"register": 1, "type": "bcd16"}, 1234, "06 0001 1234"),
    ({"register": 1, "type": "float32"}, 12.5, "10 0001 0002 04 4148 0000"),
    ({"register": 1, "type": "float32", "order": "CDAB"}, 12.5, "10 0001 0002 04 0000 4148"),
    ({"register": 1, "type": "float32", "order": "BADC"}, 12.5, "10 0001 0002 04 4841 0000"),
    ({"register": 1, "type": "float32", "order": "DCBA"}, 12.5, "10 0001 0002 04 0000 4841"),
    ({"register": 1, "type": "int32"}, -3, "10 0001 0002 04 FFFF FFFD"),
    ({"register": 1, "type": "uint32", "order": "CDAB"}, 65536, "10 0001 0002 04 0000 0001"),
    ({"register": 1, "type": "bcd32"}, 12345678, "10 0001 0002 04 1234 5678"),
    ({"register": 1, "type": "uint64"}, 2**40 + 3, "10 0001 0004 08 0000 0100 0000 0003"),
    ({"register": 1, "type": "float64"}, 1.0, "10 0001 0004 08 3FF0 0000 0000 0000"),
    ({"register": 1, "type": "float64", "order": "CDAB"}, 1.0,
     "10 0001 0004 08 0000 0000 0000 3FF0"),
    ({"register": 8, "type": "bit", "bit": 4}, 1, "16 0008 FFEF 0010"),
    ({"register": 8, "type": "bit", "bit": 4}, 0, "16 0008 FFEF 0000"),
    # With the bytes swapped, bit 4 of the value stands in bit 12 of the register.
    ({"register": 8, "type": "bit", "bit": 4, "order": "BADC"}, 1, "16 0008 EFFF 1000"),
    ({"register": 8, "type": "bit", "bit": 15, "write_bit": 0}, 1, "16 0008 FFFE 0001"),
    ({"table": "discrete", "register": 8, "write_table": "holding", "write_register": 5,
      "write_bit": 1}, 1, "16 0005 FFFD 0002"),
    ({"table": "discrete", "register": 8, "write_table": "holding", "write_register": 5}, 1,
     "06 0005 0001"),
    ({"register": 1, "type": "float32", "write_register": 7, "write_type": "int16"}, -1,
     "06 0007 FFFF"),
]  # fmt: skip


@pytest.mark.parametrize(("columns", "number", "pdu"), WRITTEN)
def test_written(columns: dict[str, Any], number: float, pdu: str) -> None:
    """A number is written by the function and in the bytes that its columns say."""
    bits = "bit" in (columns.get("type"), columns.get("table")) or columns.get("table") in (
        "coil",
        "discrete",
    )
    found = output(columns, LATCH if bits else SETPOINT, Kind.STATUS if bits else Kind.ANALOG)

    assert found.write(number).pdu.hex() == bytes.fromhex(pdu).hex()


TOO_MUCH: list[tuple[str, float]] = [
    ("uint16", 65536),
    ("uint16", 65535.5),
    ("uint16", -0.6),
    ("uint16", math.nan),
    ("uint16", math.inf),
    ("int16", -32769),
    ("int16", 32768),
    ("int32", 2**31),
    ("uint32", 2**32),
    ("uint32", -1),
    ("int64", 2**63),
    ("uint64", 2**64),
    ("uint64", -1),
    ("bcd16", 10_000),
    ("bcd32", 1e8),
    ("bcd32", -1),
    ("float32", 3.5e38),
    ("float32", -3.5e38),
    ("float32", math.nan),
    ("float64", math.inf),
    ("float64", math.nan),
]


@pytest.mark.parametrize(("kind", "number"), TOO_MUCH)
def test_out_of_range(kind: str, number: float) -> None:
    """What the registers cannot hold is refused, and not clipped."""
    found = output({"register": 1, "type": kind}, SETPOINT, Kind.ANALOG)

    with pytest.raises(OutOfRange, match="the register would be"):
        found.write(number)


FAULTS = [
    ("table", "status,latch,,discrete", "table discrete cannot be written"),
    ("table", "analog,setpoint,,input", "table input cannot be written"),
    ("write_table", "analog,setpoint,,input", "allowed: coil, holding"),
    ("poll", "analog,setpoint,forward,1s", "Modbus devices know no select"),
    ("unit", "analog,setpoint,,0", "unit 0 is a broadcast"),
    ("poll", "analog,,,0s", "a period is longer than 0s"),
    ("poll", "analog,,,sometimes", "allowed: never or text such as 1s"),
    ("poll", "analog,,,never", "has no command"),
    ("write_register", "analog,,,3", "nobody may command it"),
    ("write_function", "analog,setpoint,,mask", "is for a bit of a register"),
    ("write_type", "analog,setpoint,,bit", "a bit holds 0 or 1"),
    ("write_type", "status,latch,,float64", "runs to 65538"),
    ("write_bit", "status,latch,,3", ""),
    ("trip_register", "status,latch,,3", "trip_register is of model trip_close"),
    ("trip_register", "status,trip_close,,65535", "both written"),
    ("poll", "status,trip_close,,1s", "needs trip_register"),
    ("write_on", "status,latch,,70000", "cannot be written as uint16"),
    ("write_on", "status,latch,,0", "1 and 0 are both written as 0"),
    ("write_on", "analog,setpoint,,5", "for status and double points"),
]


@pytest.mark.parametrize(("column", "row", "sentence"), FAULTS)
def test_rows(column: str, row: str, sentence: str, tmp_path: Path) -> None:
    """A row that cannot be written is named by its line and column, before anything connects."""
    meter = Modbus(name="meter", host="127.0.0.1")
    names = f"name,kind,command.model,command.select,meter.{column},meter.register\n"
    text = f"{names}p,{row},65535\n"

    if not sentence:
        configured([meter], [], text, tmp_path)
        return
    with pytest.raises(ValueError, match=sentence) as found:
        configured([meter], [], text, tmp_path)
    assert "points.csv:2:" in str(found.value)


FUNCTIONS = [
    ("bit", "single", "would overwrite the other bits"),
    ("bit", "multiple", "would overwrite the other bits"),
    ("float32", "single", "float32 has 2"),
    ("uint16", "read-modify-write", "is for a bit of a register"),
]


@pytest.mark.parametrize(("kind", "function", "sentence"), FUNCTIONS)
def test_functions(kind: str, function: str, sentence: str) -> None:
    """A function that cannot write the register is refused with those that can."""
    of_bit = kind == "bit"
    one = point(
        {"register": 1, "type": kind, "write_function": function},
        LATCH if of_bit else SETPOINT,
        Kind.STATUS if of_bit else Kind.ANALOG,
    )
    assert isinstance(one.address, ModbusPoint)

    [(field, found)] = faults(one, one.address, 1)
    assert field == "write_function"
    assert sentence in found
    assert "allowed: " in found
