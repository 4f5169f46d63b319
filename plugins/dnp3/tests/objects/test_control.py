"""Commands."""

from __future__ import annotations

import pytest
from gateway_dnp3.objects import (
    AnalogOutput,
    Command,
    CommandStatus,
    Crob,
    ObjectError,
    Operation,
    Qualifier,
    TripClose,
    commands,
    control_code,
    encode_commands,
    split,
)


def read(octets: bytes) -> list[list[Command]]:
    return [commands(header) for header in split(octets)]


@pytest.mark.parametrize(
    ("octet", "operation", "trip_close", "clear"),
    [
        (0x00, Operation.NUL, TripClose.NUL, False),
        (0x01, Operation.PULSE_ON, TripClose.NUL, False),
        (0x03, Operation.LATCH_ON, TripClose.NUL, False),
        (0x04, Operation.LATCH_OFF, TripClose.NUL, False),
        (0x41, Operation.PULSE_ON, TripClose.CLOSE, False),
        (0x81, Operation.PULSE_ON, TripClose.TRIP, False),
        (0x22, Operation.PULSE_OFF, TripClose.NUL, True),
    ],
)
def test_a_control_code_is_its_parts(
    octet: int, operation: Operation, trip_close: TripClose, clear: bool
) -> None:
    """The codes that device profiles list: 0x41 closes, 0x81 trips, 0x03 and 0x04 latch."""
    assert control_code(operation, trip_close, clear=clear) == octet
    crob = Crob(0, octet)
    assert (crob.operation, crob.trip_close, crob.clear) == (operation, trip_close, clear)


def test_reserved_codes_stay_as_they_are() -> None:
    """An answer repeats an octet that it does not know."""
    assert Crob(0, 0xEA).operation is None
    assert Crob(0, 0xEA).trip_close is TripClose.RESERVED
    assert control_code(Operation.PULSE_ON, queue=True) == 0x11


def test_status_of_a_command() -> None:
    """What the standard reserves is UNDEFINED."""
    assert CommandStatus.of(7) is CommandStatus.LOCAL
    assert CommandStatus.of(126) is CommandStatus.NON_PARTICIPATING
    assert CommandStatus.of(19) is CommandStatus.UNDEFINED
    assert CommandStatus.of(255) is CommandStatus.UNDEFINED


MIXED: list[Command] = [
    Crob(1, 3),
    Crob(300, 0x41, 2, 100, 4294967295, 4),
    AnalogOutput(5, 1, -2147483648, 0),
    AnalogOutput(6, 2, -32768, 1),
    AnalogOutput(7, 2, 32767, 2),
    AnalogOutput(8, 3, 0.5, 3),
    AnalogOutput(9, 4, 0.1, 4),
    Crob(1, 3, variation=2),
]


@pytest.mark.parametrize("qualifier", [None, Qualifier.INDEX_16, Qualifier.INDEX_32])
def test_commands_come_back(qualifier: Qualifier | None) -> None:
    """Neighbours of one variation share a header, and the order stays."""
    found = read(encode_commands(MIXED, qualifier))
    assert [len(some) for some in found] == [2, 1, 2, 1, 1, 1]
    assert [command for some in found for command in some] == MIXED


def test_commands_may_be_a_range() -> None:
    """0x00 takes commands of neighbouring points."""
    octets = encode_commands([AnalogOutput(5, 2, 7), AnalogOutput(6, 2, 8)], Qualifier.RANGE_8)
    assert octets.hex() == "2902000506" + "070000" + "080000"
    assert read(octets) == [[AnalogOutput(5, 2, 7), AnalogOutput(6, 2, 8)]]


def test_many_commands_have_a_wide_count() -> None:
    """256 commands do not fit into a count of one octet."""
    octets = encode_commands([Crob(1, 3)] * 256)
    assert octets[:5].hex() == "0c01280001"
    assert len(read(octets)[0]) == 256


@pytest.mark.parametrize(
    ("command", "qualifier"),
    [
        (Crob(0, 256), None),
        (Crob(0, 3, on_time=-1), None),
        (Crob(0, 3, count=256), None),
        (AnalogOutput(0, 1, 2**31), None),
        (AnalogOutput(0, 2, 40000), None),
        (AnalogOutput(0, 1, float("nan")), None),
        (AnalogOutput(0, 1, float("inf")), None),
        (AnalogOutput(0, 3, 1e39), None),
        (AnalogOutput(0, 5, 1), None),
        (Crob(65536, 3), None),
        (Crob(256, 3), Qualifier.INDEX_8),
        (Crob(-1, 3), None),
    ],
)
def test_a_command_that_cannot_be_said_is_refused(
    command: Command, qualifier: Qualifier | None
) -> None:
    """A setpoint is never clamped: it is refused."""
    with pytest.raises(ObjectError, match="allowed"):
        encode_commands([command], qualifier)


@pytest.mark.parametrize("text", ["01 02 00 00 00 81", "0C 03 07 01 01", "0C 01 07 01" + 11 * "00"])
def test_what_is_no_command_is_refused(text: str) -> None:
    """Measurements, pattern masks, and commands without an index."""
    with pytest.raises(ObjectError):
        read(bytes.fromhex(text))
