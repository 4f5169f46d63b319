"""Frames as octets, written by hand from 60870-5-1 clause 6.2.4.2 and 60870-5-2, tables 1 to 4."""

from __future__ import annotations

import pytest
from gateway_iec60870.ft12 import (
    SINGLE,
    Control,
    Frame,
    FrameError,
    Function,
    Reader,
    broadcast,
    encode,
    line_idle,
    longest,
)
from gateway_iec60870.ft12.control import CONTROLS
from hypothesis import given
from hypothesis import strategies as st

F = Function
INTERROGATION = bytes.fromhex("64 01 06 01 0000 14")  # C_IC_NA_1, activation, station
POINT = bytes.fromhex("01 01 03 01 0700 01")  # M_SP_NA_1, spontaneous, object 7 is on

HAND_MADE = [
    # octets of the address, octets, frame, line of a trace; the sums were added by hand
    (1, "10 49 01 4A 16", Frame(Control(F.REQUEST_STATUS), 1), "to 1 REQUEST_STATUS"),
    (1, "10 0B 01 0C 16", Frame(Control(F.STATUS), 1), "from 1 STATUS"),
    (1, "10 40 01 41 16", Frame(Control(F.RESET_REMOTE_LINK), 1), "to 1 RESET_REMOTE_LINK"),
    (1, "10 00 01 01 16", Frame(Control(F.ACK), 1), "from 1 ACK"),
    (1, "E5", SINGLE, "single character E5"),
    (
        1,
        "10 7B 01 7C 16",
        Frame(Control(F.REQUEST_CLASS_2, False, True, True), 1),
        "to 1 REQUEST_CLASS_2 FCB FCV",
    ),
    (
        1,
        "10 5A 01 5B 16",
        Frame(Control(F.REQUEST_CLASS_1, False, False, True), 1),
        "to 1 REQUEST_CLASS_1 FCV",
    ),
    (1, "10 29 01 2A 16", Frame(Control(F.NO_DATA, False, True), 1), "from 1 NO_DATA ACD"),
    (1, "10 11 FE 0F 16", Frame(Control(F.NACK, False, False, True), 254), "from 254 NACK DFC"),
    (
        1,
        "68 09 09 68 73 01 64 01 06 01 00 00 14 F4 16",
        Frame(Control(F.USER_DATA, False, True, True), 1, INTERROGATION),
        "to 1 USER_DATA FCB FCV, 7 octets",
    ),
    (
        1,
        "68 09 09 68 08 01 01 01 03 01 07 00 01 17 16",
        Frame(Control(F.RESPOND), 1, POINT),
        "from 1 RESPOND, 7 octets",
    ),
    (
        1,
        "68 09 09 68 44 FF 64 01 06 01 00 00 14 C3 16",
        Frame(Control(F.USER_DATA_NO_REPLY), 255, INTERROGATION),
        "to 255 USER_DATA_NO_REPLY, 7 octets",
    ),
    (
        2,
        "10 F2 34 12 38 16",
        Frame(Control(F.TEST_LINK, True, True, True), 0x1234),
        "to 4660 TEST_LINK FCB FCV DIR",
    ),
    (
        0,
        "68 08 08 68 F3 01 01 03 01 07 00 01 01 16",
        Frame(Control(F.USER_DATA, True, True, True), 0, POINT),
        "to 0 USER_DATA FCB FCV DIR, 7 octets",
    ),
    (0, "10 80 80 16", Frame(Control(F.ACK, True), 0), "from 0 ACK DIR"),
    (1, "10 0E 01 0F 16", Frame(Control(F.NOT_FUNCTIONING), 1), "from 1 NOT_FUNCTIONING"),
    (1, "10 47 01 48 16", Frame(Control(0x47), 1), "to 1 function 0x47"),
]


@pytest.mark.parametrize(("size", "octets", "frame", "text"), HAND_MADE)
def test_hand_made(size: int, octets: str, frame: Frame, text: str) -> None:
    """A frame has these octets, and is read from them whole, octet by octet, and with more behind
    it; a trace shows it in words."""
    data = bytes.fromhex(octets)

    assert encode(frame, size) == data
    assert str(frame) == text
    assert Reader(size).feed(data) == [frame]
    assert Reader(size).feed(data + data) == [frame, frame]
    reader = Reader(size)
    assert [one for octet in data for one in reader.feed(bytes((octet,)))] == [frame]
    assert not reader.waiting


@pytest.mark.parametrize(
    ("function", "octet"),
    [
        # 60870-5-2: PRM is bit 7, the code bits 1..4; primary stations' codes
        (F.RESET_REMOTE_LINK, 0x40), (F.RESET_USER_PROCESS, 0x41), (F.TEST_LINK, 0x42),
        (F.USER_DATA, 0x43), (F.USER_DATA_NO_REPLY, 0x44), (F.ACCESS_DEMAND, 0x48),
        (F.REQUEST_STATUS, 0x49), (F.REQUEST_CLASS_1, 0x4A), (F.REQUEST_CLASS_2, 0x4B),
        # and secondary stations' codes
        (F.ACK, 0x00), (F.NACK, 0x01), (F.RESPOND, 0x08), (F.NO_DATA, 0x09), (F.STATUS, 0x0B),
        (F.NOT_FUNCTIONING, 0x0E), (F.NOT_IMPLEMENTED, 0x0F),
    ],
)  # fmt: skip
def test_functions(function: Function, octet: int) -> None:
    """Each function has the code of the standard's tables."""
    assert Control(function).octet == octet
    assert CONTROLS[octet].function is function


def test_control_fields() -> None:
    """Every octet is a control field, and the reverse; the bits are called by who speaks."""
    assert [control.octet for control in CONTROLS] == list(range(256))
    primary, secondary = CONTROLS[0xF3], CONTROLS[0xB0]
    assert (primary.prm, primary.acd, primary.dfc) == (True, False, False)
    assert (secondary.prm, secondary.acd, secondary.dfc) == (False, True, True)


def test_addresses() -> None:
    """Of L = 255 the ASDU has what control field and address leave; all stations are FF or FFFF."""
    assert [longest(octets) for octets in (0, 1, 2)] == [254, 253, 252]
    assert [broadcast(octets) for octets in (0, 1, 2)] == [None, 255, 65535]


def test_line_idle() -> None:
    """33 bits at 9600 bit/s take 3.4375 ms."""
    assert line_idle(9600) == 0.0034375


@pytest.mark.parametrize("octets", [0, 1, 2])
def test_longest(octets: int) -> None:
    """The longest ASDU makes L 255, one octet more is refused."""
    control = Control(F.RESPOND)
    data = encode(Frame(control, 0, bytes(longest(octets))), octets)
    assert data[:4] == b"\x68\xff\xff\x68"
    assert len(data) == 261
    with pytest.raises(FrameError) as error:
        encode(Frame(control, 0, bytes(longest(octets) + 1)), octets)
    most = longest(octets)
    assert str(error.value) == f"an ASDU of {most + 1} octets, not 1..{most}"


@pytest.mark.parametrize(
    ("address", "octets", "sentence"),
    [
        (1, 0, "link address 1, not 0..0"),
        (256, 1, "link address 256, not 0..255"),
        (65536, 2, "link address 65536, not 0..65535"),
        (-1, 1, "link address -1, not 0..255"),
    ],
)
def test_addresses_that_do_not_fit(address: int, octets: int, sentence: str) -> None:
    """An address that the line's frames cannot carry is refused with what they can."""
    with pytest.raises(FrameError) as error:
        encode(Frame(Control(F.ACK), address), octets)
    assert str(error.value) == sentence


@given(
    st.integers(0, 2).flatmap(
        lambda octets: st.tuples(
            st.just(octets),
            st.integers(0, 255),
            st.integers(0, 256**octets - 1),
            st.binary(min_size=1, max_size=254 - octets),
        )
    )
)
def test_any_frame(case: tuple[int, int, int, bytes]) -> None:
    """Whatever a frame says, it is read as it was written."""
    octets, octet, address, asdu = case
    control = CONTROLS[octet]
    with_asdu = control.function in (F.USER_DATA, F.USER_DATA_NO_REPLY, F.RESPOND)
    frame = Frame(control, address, asdu if with_asdu else b"")
    assert Reader(octets).feed(encode(frame, octets)) == [frame]
