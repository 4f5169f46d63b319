"""Commands as the figures draw them, and what is never sent."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from gateway_iec60870.asdu import (
    IEC104,
    LAYOUTS,
    NO_TIME,
    Asdu,
    AsduError,
    Command,
    Use,
    command,
    encode_command,
    parse,
)

sys.path.insert(0, str(Path(__file__).parent))
from asdu_published import COMMANDS, TIME, asdu

FIELDS = ("kind", "element", "value", "select", "qualifier", "time", "clock")


def test_the_table_has_every_type() -> None:
    """No command is left out."""
    known = {kind for kind, one in LAYOUTS.items() if one.use is Use.COMMAND}
    assert {kind for kind, *_ in COMMANDS} == known


@pytest.mark.parametrize(FIELDS, COMMANDS)
def test_a_command(
    kind: int, element: str, value: float, select: bool, qualifier: int, time: int, clock: int
) -> None:
    """One object, read as it stands, and written to the same octets."""
    octets = asdu(kind, f"05 01 02 {element}", cause=6)
    found = command(parse(octets, IEC104), IEC104)
    assert found == Command(kind, 0x020105, value, select, qualifier, time, clock)
    assert Asdu(kind, 6, 10, encode_command(found, IEC104)).encode(IEC104) == octets


@pytest.mark.parametrize(("kind", "element"), [one[:2] for one in COMMANDS])
def test_a_command_cut_short_or_followed(kind: int, element: str) -> None:
    """Each octet less and each octet more is refused."""
    octets = asdu(kind, f"05 01 02 {element}", cause=6)
    for length in range(len(octets)):
        with pytest.raises(AsduError) as caught:
            parse(octets[:length], IEC104)
        assert caught.value.offset == length
    with pytest.raises(AsduError):
        parse(octets + b"\0", IEC104)


def test_the_reserved_bit_of_a_single_command() -> None:
    """Bit 2 of SCO is not read."""
    found = command(parse(asdu(45, "05 00 00 03"), IEC104), IEC104)
    assert (found.value, found.qualifier) == (1, 0)


def test_a_time_that_is_none() -> None:
    """A command with an impossible time has none, and says that it is invalid."""
    found = command(parse(asdu(58, "05 00 00 01 00 00 00 00 00 00 00"), IEC104), IEC104)
    assert (found.time, found.clock) == (NO_TIME, 0x80)


@pytest.mark.parametrize("count", [0, 2])
def test_an_asdu_with_none_or_several(count: int) -> None:
    """Commands come alone (101 clause 7.3.2: SQ = 0, one object)."""
    found = parse(asdu(45, "05 00 00 01" * count, count), IEC104)
    with pytest.raises(AsduError, match=f"octet 1 of the ASDU: found {count} objects, allowed: 1"):
        command(found, IEC104)


@pytest.mark.parametrize("kind", [1, 100, 110, 120, 200])
def test_what_is_no_command(kind: int) -> None:
    """Refused, with the types that are."""
    with pytest.raises(AsduError, match=rf"type {kind}, allowed: command: 45, 46, 47"):
        command(Asdu(kind, 6, 1, bytes(4)), IEC104)
    with pytest.raises(AsduError, match=f"type {kind}, no command, allowed: 45 to 51 and"):
        encode_command(Command(kind, 1, 1), IEC104)


def test_a_body_that_was_never_checked() -> None:
    """An Asdu that no `parse` has made is not read beyond its octets."""
    with pytest.raises(AsduError, match="3 octets of objects, allowed: 4 for 1 of C_SC_NA_1"):
        command(Asdu(45, 6, 1, bytes(3)), IEC104)


@pytest.mark.parametrize(
    ("given", "octets"),
    [
        (Command(48, 5, 1.0), "05 00 00 FF 7F 00"),
        (Command(48, 5, 0.99999), "05 00 00 FF 7F 00"),
        (Command(48, 5, 0.500001), "05 00 00 00 40 00"),
        (Command(49, 5, 12.4), "05 00 00 0C 00 00"),
        (Command(50, 5, 0.1), "05 00 00 CD CC CC 3D 00"),
        (Command(45, 5, 1.0), "05 00 00 01"),
        (Command(51, 5, 7.0), "05 00 00 07 00 00 00"),
    ],
)
def test_rounding(given: Command, octets: str) -> None:
    """A number between two steps is the nearer one, and full scale the last step."""
    assert encode_command(given, IEC104) == bytes.fromhex(octets)


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("given", "offset", "text"),
    [
        (Command(45, 5, 2), 9, "value 2, allowed: 0 to 1"),
        (Command(45, 5, -1), 9, "value -1, allowed: 0 to 1"),
        (Command(45, 5, 0.5), 9, "value 0.5, allowed: 0 to 1"),
        (Command(45, 5, NAN), 9, "value nan, allowed: 0 to 1"),
        (Command(46, 5, 4), 9, "value 4, allowed: 0 to 3"),
        (Command(47, 5, 4), 9, "value 4, allowed: 0 to 3"),
        (Command(48, 5, 1.001), 9, "value 1.001, allowed: -1 to 1"),
        (Command(48, 5, -1.001), 9, "value -1.001, allowed: -1 to 1"),
        (Command(48, 5, NAN), 9, "value nan, allowed: -1 to 1"),
        (Command(48, 5, INF), 9, "value inf, allowed: -1 to 1"),
        (Command(49, 5, 32768), 9, "value 32768, allowed: -32768 to 32767"),
        (Command(49, 5, -32769), 9, "value -32769, allowed: -32768 to 32767"),
        (Command(50, 5, 1e39), 9, "value 1e[+]39, allowed: a finite number of 32 bits"),
        (Command(50, 5, NAN), 9, "value nan, allowed: a finite number"),
        (Command(50, 5, -INF), 9, "value -inf, allowed: a finite number"),
        (Command(51, 5, 1 << 32), 9, "allowed: a whole number, 0 to 4294967295"),
        (Command(51, 5, -1), 9, "value -1, allowed: a whole number"),
        (Command(51, 5, 1.5), 9, "value 1.5, allowed: a whole number"),
        (Command(51, 5, INF), 9, "value inf, allowed: a whole number"),
        (Command(51, 5, 1, select=True), 9, "a bitstring with a qualifier, allowed: none"),
        (Command(51, 5, 1, qualifier=1), 9, "a bitstring with a qualifier, allowed: none"),
        (Command(45, 5, 1, qualifier=32), 9, "qualifier 32, allowed: 0 to 31"),
        (Command(48, 5, 1, qualifier=128), 9, "qualifier 128, allowed: 0 to 127"),
        (Command(48, 5, 1, qualifier=-1), 9, "qualifier -1, allowed: 0 to 127"),
        (Command(45, 1 << 24, 1), 6, "object 16777216, allowed: 0 to 16777215"),
        (Command(45, -1, 1), 6, "object -1, allowed: 0 to 16777215"),
        (Command(45, 5, 1, time=TIME), 9, "a time with type 45, allowed: one with 58 to 64"),
        (Command(58, 5, 1), 0, "time -1, allowed: 0 to 3155759999999 ms"),
    ],
)
def test_a_command_that_cannot_be_said(given: Command, offset: int, text: str) -> None:
    """It is refused and never changed into another one."""
    with pytest.raises(AsduError, match=text) as caught:
        encode_command(given, IEC104)
    assert caught.value.offset == offset
