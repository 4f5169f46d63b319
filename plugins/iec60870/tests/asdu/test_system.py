"""Interrogations, clock, tests, reset, delay, end of initialisation, parameters: by the figures."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from gateway_iec60870 import asdu as codec
from gateway_iec60870.asdu import (
    GENERAL,
    IEC104,
    LAYOUTS,
    PATTERN,
    STATION,
    Activation,
    Asdu,
    AsduError,
    ClockSynchronisation,
    CounterInterrogation,
    DelayAcquisition,
    EndOfInitialisation,
    Interrogation,
    Parameter,
    ReadRequest,
    Reset,
    Sizes,
    System,
    TimedTest,
    Use,
    encode_parameter,
    encode_system,
    parameter,
    parse,
    system,
)

sys.path.insert(0, str(Path(__file__).parent))
from asdu_published import PARAMETERS, SYSTEM, asdu


def test_the_tables_have_every_type() -> None:
    """No type of system information or parameter is left out."""
    uses = {Use.SYSTEM: SYSTEM, Use.PARAMETER: PARAMETERS}
    for use, table in uses.items():
        known = {kind for kind, one in LAYOUTS.items() if one.use is use}
        assert {given.type for _, given in table} == known
    assert (STATION, GENERAL, PATTERN) == (20, 5, 0x55AA)


@pytest.mark.parametrize(("octets", "given"), SYSTEM)
def test_system_information(octets: str, given: System) -> None:
    """One object, read as it stands, and written to the same octets."""
    assert system(parse(asdu(given.type, octets, cause=6), IEC104), IEC104) == given
    assert encode_system(given, IEC104) == bytes.fromhex(octets)


@pytest.mark.parametrize(("octets", "given"), PARAMETERS)
def test_parameters(octets: str, given: Parameter | Activation) -> None:
    """One object, read as it stands, and written to the same octets."""
    assert parameter(parse(asdu(given.type, octets, cause=6), IEC104), IEC104) == given
    assert encode_parameter(given, IEC104) == bytes.fromhex(octets)


@pytest.mark.parametrize(("octets", "given"), [*SYSTEM, *PARAMETERS])
def test_cut_short_or_followed(octets: str, given: System | Parameter | Activation) -> None:
    """Each octet less and each octet more is refused."""
    whole = asdu(given.type, octets, cause=6)
    for length in range(len(whole)):
        with pytest.raises(AsduError) as caught:
            parse(whole[:length], IEC104)
        assert caught.value.offset == length
    with pytest.raises(AsduError):
        parse(whole + b"\0", IEC104)


def test_an_interrogation_of_the_smallest_sizes() -> None:
    """One octet each: the qualifier stands after the object address 0."""
    sizes = Sizes(1, 1, 1)
    octets = bytes.fromhex("64 01 06 05 00 14")
    assert system(parse(octets, sizes), sizes) == Interrogation()
    assert Asdu(100, 6, 5, encode_system(Interrogation(), sizes)).encode(sizes) == octets


@pytest.mark.parametrize("count", [0, 2])
def test_an_asdu_with_none_or_several(count: int) -> None:
    """They come alone."""
    found = parse(asdu(100, "00 00 00 14" * count, count), IEC104)
    with pytest.raises(AsduError, match=f"octet 1 of the ASDU: found {count} objects, allowed: 1"):
        system(found, IEC104)
    found = parse(asdu(113, "00 00 00 14" * count, count), IEC104)
    with pytest.raises(AsduError, match=f"octet 1 of the ASDU: found {count} objects, allowed: 1"):
        parameter(found, IEC104)


@pytest.mark.parametrize("kind", [1, 45, 200])
def test_what_is_of_another_use(kind: int) -> None:
    """Refused, with the types that are of it."""
    with pytest.raises(AsduError, match=f"type {kind}, allowed: system: 70, 100, 101, 102"):
        system(Asdu(kind, 6, 1, bytes(4)), IEC104)
    with pytest.raises(AsduError, match=f"type {kind}, allowed: parameter: 110, 111, 112, 113"):
        parameter(Asdu(kind, 6, 1, bytes(4)), IEC104)
    with pytest.raises(AsduError, match=f"type {kind}, no parameter with a value, allowed: 110"):
        encode_parameter(Parameter(kind, 5, 0), IEC104)


def test_an_activation_is_no_parameter_with_a_value() -> None:
    """It has a class of its own."""
    with pytest.raises(AsduError, match="type 113, no parameter with a value, allowed: 110 to 112"):
        encode_parameter(Parameter(113, 5, 0), IEC104)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (Interrogation(256), "octet 9 .* qualifier 256, allowed: 0 to 255"),
        (Interrogation(20, 1 << 24), "octet 6 .* object 16777216, allowed: 0 to 16777215"),
        (CounterInterrogation(64), "request 64, allowed: 0 to 63"),
        (CounterInterrogation(5, 4), "freeze 4, allowed: 0 to 3"),
        (ReadRequest(-1), "object -1, allowed: 0 to 16777215"),
        (ClockSynchronisation(-1), "time -1, allowed: 0 to 3155759999999 ms"),
        (codec.Test(65536), "pattern 65536, allowed: 0 to 65535"),
        (TimedTest(65536, 0), "counter 65536, allowed: 0 to 65535"),
        (TimedTest(0, -1), "time -1, allowed"),
        (Reset(-1), "qualifier -1, allowed: 0 to 255"),
        (DelayAcquisition(65536), "ms 65536, allowed: 0 to 65535"),
        (EndOfInitialisation(128), "cause 128, allowed: 0 to 127"),
    ],
)
def test_system_information_that_cannot_be_said(given: System, text: str) -> None:
    """Every field has its bits."""
    with pytest.raises(AsduError, match=text):
        encode_system(given, IEC104)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (Parameter(110, 5, 1.1), "octet 9 .* value 1.1, allowed: -1 to 1"),
        (Parameter(111, 5, 40000), "value 40000, allowed: -32768 to 32767"),
        (Parameter(112, 5, float("nan")), "value nan, allowed: a finite number"),
        (Parameter(112, 5, 1, 256), "qualifier 256, allowed: 0 to 255"),
        (Activation(5, -1), "qualifier -1, allowed: 0 to 255"),
        (Activation(1 << 24), "object 16777216, allowed"),
    ],
)
def test_parameters_that_cannot_be_said(given: Parameter | Activation, text: str) -> None:
    """Every field has its bits."""
    with pytest.raises(AsduError, match=text):
        encode_parameter(given, IEC104)
