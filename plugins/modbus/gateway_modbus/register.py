"""Where a value stands in a Modbus device: table, register, type, order."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Protocol

from pydantic import BeforeValidator, Field

REGISTERS = 65536


class Table(StrEnum):
    """The four tables of a device, and the function code that reads each (V1.1b3 section 6)."""

    COIL = "coil"
    DISCRETE = "discrete"
    HOLDING = "holding"
    INPUT = "input"

    function: int
    of_bits: bool

    def __init__(self, name: str) -> None:
        self.function = ("", "coil", "discrete", "holding", "input").index(name)
        self.of_bits = self.function <= 2


TABLE_OF_FUNCTION = {table.function: table for table in Table}


class RegisterType(StrEnum):
    """How the registers of a point are read as a number."""

    BIT = "bit"
    INT16 = "int16"
    UINT16 = "uint16"
    INT32 = "int32"
    UINT32 = "uint32"
    INT64 = "int64"
    UINT64 = "uint64"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    BCD16 = "bcd16"
    BCD32 = "bcd32"

    width: int
    """How many registers a value takes."""

    def __init__(self, name: str) -> None:
        self.width = {"32": 2, "64": 4}.get(name[-2:], 1)


class Order(StrEnum):
    """Order of the bytes on the wire, A the most significant byte of a 32-bit value.

    ABCD is the order of the standard; CDAB has the words reversed, BADC the bytes in each word,
    DCBA both. 64-bit values extend the pattern to four words.
    """

    ABCD = "ABCD"
    DCBA = "DCBA"
    BADC = "BADC"
    CDAB = "CDAB"

    swaps_bytes: bool
    swaps_words: bool

    def __init__(self, name: str) -> None:
        self.swaps_bytes = name in ("DCBA", "BADC")
        self.swaps_words = name in ("DCBA", "CDAB")


def _register(value: Any) -> Any:
    """Refuse the Modicon notation with a sentence instead of an upper limit."""
    try:
        number = int(value)
    except (TypeError, ValueError):
        return value
    if number >= REGISTERS:
        raise ValueError(
            f"{number} is not a register address, which is 0..65535 as in the frame; for a number "
            "such as 400001 write table holding and register 0"
        )
    return number


Register = Annotated[
    int,
    BeforeValidator(_register),
    Field(
        ge=0,
        lt=REGISTERS,
        description="address as in the frame, counted from 0; manuals often count from 1 "
        "or write 40001 for holding register 0",
    ),
]
UnitId = Annotated[int, Field(ge=0, le=255)]


class Place(Protocol):
    """What `check_place` looks at."""

    @property
    def table(self) -> Table: ...
    @property
    def address(self) -> int: ...
    @property
    def type(self) -> RegisterType: ...
    @property
    def bit(self) -> int | None: ...


def default_type(data: Any) -> Any:
    """Give `type` its default, which depends on the table; for a validator in mode `before`."""
    if isinstance(data, dict) and data.get("type") is None:
        of_bits = data.get("table") in (Table.COIL, Table.DISCRETE)
        return {**data, "type": RegisterType.BIT if of_bits else RegisterType.UINT16}
    return data


def check_place(place: Place) -> None:
    """Raise ValueError where table, type, bit and register do not go together."""
    if place.table.of_bits and place.type is not RegisterType.BIT:
        raise ValueError(f"a {place.table} is a bit, so type {place.type} cannot be; leave it out")
    if place.table.of_bits and place.bit is not None:
        raise ValueError(f"bit {place.bit} is of a register; a {place.table} has its own address")
    if place.bit is not None and place.type is not RegisterType.BIT:
        raise ValueError(f"bit {place.bit} goes with type bit, not with type {place.type}")
    last = place.address + place.type.width - 1
    if last >= REGISTERS:
        raise ValueError(
            f"{place.type} at register {place.address} runs to {last}; the last register is 65535"
        )
