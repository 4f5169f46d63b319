"""Commands: C_SC, C_DC, C_RC, C_SE and C_BO, with and without time tag (101 clause 7.3.2)."""

from __future__ import annotations

from dataclasses import dataclass

from gateway_iec60870.asdu.asdu import Asdu, object_address, one_object
from gateway_iec60870.asdu.civil import NO_TIME, read_one, write_one
from gateway_iec60870.asdu.error import AsduError
from gateway_iec60870.asdu.layout import LAYOUTS, Element, Time, Use
from gateway_iec60870.asdu.number import read_number, write_number
from gateway_iec60870.asdu.sizes import Sizes


@dataclass(frozen=True, slots=True)
class Command:
    """One command (types 45 to 51 and 58 to 64).

    `value`: single 0 or 1; double 1 (off) or 2 (on); step 1 (lower) or 2 (higher), where the
    standard permits no 0 and 3, which are read and written all the same; normalised -1 to
    1-2^-15; scaled a 16-bit number; a float; a bitstring 0 to 2^32-1.
    `select` is S/E. `qualifier` is QU, 0 to 31, of the first three (1 short pulse, 2 long pulse,
    3 persistent) and QL, 0 to 127, of setpoints; a bitstring has neither.
    `time` and `clock` are as in Columns, and only with the types 58 to 64.
    """

    type: int
    object: int
    value: float
    select: bool = False
    qualifier: int = 0
    time: int = NO_TIME
    clock: int = 0


_STATES = {Element.SCO: 0x01, Element.DCO: 0x03, Element.RCO: 0x03}
"""Elements whose value stands in the octet of the qualifier, and its bits there."""


def command(asdu: Asdu, sizes: Sizes) -> Command:
    """Return the command of an ASDU; raise AsduError where it holds none, or several."""
    ioa, octets = one_object(asdu, sizes, Use.COMMAND)
    layout = LAYOUTS[asdu.type]
    time, clock = NO_TIME, 0
    if layout.time is Time.CP56:
        time, clock = read_one(octets, len(octets) - Time.CP56.value)
    if layout.element in _STATES:
        most = _STATES[layout.element]
        octet = octets[0]
        return Command(asdu.type, ioa, octet & most, octet >= 0x80, octet >> 2 & 0x1F, time, clock)
    value, size = read_number(layout.element, octets)
    if layout.element is Element.BSI:
        return Command(asdu.type, ioa, value, time=time, clock=clock)
    octet = octets[size]
    return Command(asdu.type, ioa, value, octet >= 0x80, octet & 0x7F, time, clock)


def encode_command(command: Command, sizes: Sizes) -> bytes:
    """Return the object of a command, the body of an ASDU of its type.

    Raises AsduError for what the type cannot say, a time with a type that has none and a type
    that has one without; numbers are rounded to the steps of the type.
    """
    layout = LAYOUTS.get(command.type)
    if layout is None or layout.use is not Use.COMMAND:
        raise AsduError(0, f"type {command.type}, no command", "45 to 51 and 58 to 64")
    octets = object_address(command.object, sizes)
    at = sizes.head + sizes.object
    element = layout.element
    if element in _STATES:
        most = _STATES[element]
        if command.value not in range(most + 1):
            raise AsduError(at, f"value {command.value}", f"0 to {most}")
        octets += bytes([int(command.value) | _qualifier(command, 5, at) << 2])
    elif element is Element.BSI:
        if command.select or command.qualifier:
            raise AsduError(at, "a bitstring with a qualifier", "none")
        octets += write_number(element, command.value, at)
    else:
        octets += write_number(element, command.value, at)
        octets += bytes([_qualifier(command, 7, at)])
    if layout.time is Time.CP56:
        return octets + write_one(command.time, command.clock)
    if command.time != NO_TIME:
        raise AsduError(at, f"a time with type {command.type}", "one with 58 to 64")
    return octets


def _qualifier(command: Command, bits: int, at: int) -> int:
    """Return QU or QL with S/E over its bits."""
    if not 0 <= command.qualifier < 1 << bits:
        raise AsduError(at, f"qualifier {command.qualifier}", f"0 to {(1 << bits) - 1}")
    return command.qualifier | command.select << bits
