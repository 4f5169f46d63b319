"""The header of a fragment."""

from __future__ import annotations

import pytest
from gateway_dnp3.app import (
    NAMING,
    NO_ANSWER,
    RESPONSES,
    AppControl,
    Fragment,
    FragmentError,
    FunctionCode,
    Iin,
    parse,
)


@pytest.mark.parametrize("octet", range(256))
def test_an_application_control_is_its_octet(octet: int) -> None:
    """FIR, FIN, CON and UNS are the four high bits, the sequence the four low ones."""
    control = AppControl.decode(octet)
    assert control.encode() == octet
    assert [control.fir, control.fin, control.con, control.uns] == [
        bool(octet & bit) for bit in (0x80, 0x40, 0x20, 0x10)
    ]
    assert control.sequence == octet % 16


def test_a_sequence_has_four_bits() -> None:
    """A sequence beyond 15 is refused, not cut."""
    with pytest.raises(FragmentError, match="0 to 15"):
        AppControl(sequence=16).encode()


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"", "0 octets"),
        (b"\xc0", "1 octets"),
        (b"\xc0\x22", "function code 34"),
        (b"\xc0\x84\0\0", "function code 132"),
        (b"\xc0\x81", "RESPONSE of 2 octets"),
        (b"\xc0\x82\0", "UNSOLICITED_RESPONSE of 3 octets"),
    ],
)
def test_what_is_no_fragment_is_refused(octets: bytes, words: str) -> None:
    """The error says at which octet, what was found and what is allowed."""
    with pytest.raises(FragmentError, match=words) as caught:
        parse(octets)
    assert 0 <= caught.value.offset <= len(octets)
    assert caught.value.allowed


def test_the_functions_of_the_standard() -> None:
    """0 to 33 are requests, 129 to 131 responses (IEEE 1815 table 4-1)."""
    assert {int(one) for one in FunctionCode} == {*range(34), 129, 130, 131}
    assert {int(one) for one in RESPONSES} == {129, 130, 131}
    assert {int(one) for one in NO_ANSWER} == {0, 6, 8, 10, 12, 33}
    assert {int(one) for one in NAMING} == {1, 7, 8, 9, 10, 11, 12, 15, 20, 21, 22}


@pytest.mark.parametrize("function", FunctionCode)
def test_a_fragment_is_its_octets(function: FunctionCode) -> None:
    """Every function is read and written, with indications where it is a response."""
    answer = function in RESPONSES
    octets = bytes((0xD5, function)) + (b"\x90\x08" if answer else b"") + b"\x3c\x02\x06"
    read = parse(octets)
    assert read.control == AppControl(True, True, False, True, 5)
    assert read.iin == (
        Iin.DEVICE_RESTART | Iin.NEED_TIME | Iin.EVENT_BUFFER_OVERFLOW if answer else None
    )
    assert read.objects == b"\x3c\x02\x06"
    assert read.encode() == octets


def test_makers_of_fragments() -> None:
    """A request, a confirmation and a response are what the standard draws."""
    assert Fragment.request(FunctionCode.READ, b"\x3c\x02\x06", 3).encode().hex() == "c3013c0206"
    assert Fragment.confirm(4, unsolicited=True).encode().hex() == "d400"
    assert Fragment.confirm(4).encode().hex() == "c400"
    assert Fragment.response(Iin.DEVICE_RESTART).encode().hex() == "c0818000"
    unsolicited = Fragment.response(Iin.NONE, con=True, unsolicited=True, sequence=2)
    assert unsolicited.encode().hex() == "f2820000"
    middle = Fragment.response(Iin.NONE, fir=False, fin=False, con=True, sequence=1)
    assert middle.encode().hex() == "21810000"


@pytest.mark.parametrize(
    "fragment",
    [
        Fragment(AppControl(), FunctionCode.READ, Iin.NONE),
        Fragment(AppControl(), FunctionCode.RESPONSE, None),
    ],
)
def test_indications_belong_to_responses(fragment: Fragment) -> None:
    """A request with indications and a response without are refused."""
    with pytest.raises(FragmentError, match="responses have them"):
        fragment.encode()
