"""APDUs as values and as octets (IEC 60870-5-104:2006, 5.1, 5.3)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from struct import Struct
from typing import NamedTuple

from gateway_iec60870.apci.error import ApciError

START = 0x68
APCI = 6  # octets of an APDU before its ASDU
LONGEST = 255  # octets of an APDU: 253 counted by its length octet, and two before
LONGEST_ASDU = 249
MODULO = 32768  # N(S) and N(R) are 15 bits

HEAD = Struct("<BBHH")  # START, length, N(S) << 1, N(R) << 1
CONTROL = 4  # octets that are counted besides the ASDU: the control field
MOST = 253  # what the length octet may say
SUPERVISORY = 0x01  # the first octet of the control field of an S frame


class Function(IntEnum):
    """The function of a U frame; the value is the first octet of its control field (5.3)."""

    STARTDT_ACT = 0x07
    STARTDT_CON = 0x0B
    STOPDT_ACT = 0x13
    STOPDT_CON = 0x23
    TESTFR_ACT = 0x43
    TESTFR_CON = 0x83

    def __str__(self) -> str:
        """Return the name as the standard writes it: `STARTDT act`."""
        name, _, kind = self.name.partition("_")
        return f"{name} {kind.lower()}"


class IFrame(NamedTuple):
    """A numbered information transfer; `send` is N(S), `receive` N(R), 0..32767."""

    send: int
    receive: int
    asdu: bytes

    def __str__(self) -> str:
        """Return the frame as a line of a trace."""
        return f"I N(S) {self.send} N(R) {self.receive}, ASDU of {len(self.asdu)} octets"


class SFrame(NamedTuple):
    """A numbered supervisory function: all before N(R) has come; `receive` is N(R)."""

    receive: int

    def __str__(self) -> str:
        """Return the frame as a line of a trace."""
        return f"S N(R) {self.receive}"


class UFrame(NamedTuple):
    """An unnumbered control function."""

    function: Function

    def __str__(self) -> str:
        """Return the frame as a line of a trace."""
        return f"U {self.function}"


Frame = IFrame | SFrame | UFrame


FUNCTIONS = {int(function): UFrame(function) for function in Function}
"""The U frames by the first octet of their control field."""


def encode(frame: Frame) -> bytes:
    """Return the octets of an APDU.

    Raises ValueError for numbers outside 0..32767 and an ASDU that has not 1..249 octets.
    """
    if isinstance(frame, UFrame):
        return HEAD.pack(START, CONTROL, frame.function, 0)
    if not 0 <= frame.receive < MODULO:
        raise ValueError(f"N(R) {frame.receive}, not 0..{MODULO - 1}")
    if isinstance(frame, SFrame):
        return HEAD.pack(START, CONTROL, SUPERVISORY, frame.receive << 1)
    if not 0 <= frame.send < MODULO:
        raise ValueError(f"N(S) {frame.send}, not 0..{MODULO - 1}")
    if not 1 <= len(frame.asdu) <= LONGEST_ASDU:
        raise ValueError(f"ASDU of {len(frame.asdu)} octets, not 1..{LONGEST_ASDU}")
    length = CONTROL + len(frame.asdu)
    return HEAD.pack(START, length, frame.send << 1, frame.receive << 1) + frame.asdu


def decode(data: bytes) -> Frame:
    """Return the APDU that these octets are, all of them; raises ApciError.

    Bits that the standard fixes to 0 and that say nothing are not looked at.
    """
    check_head(data, 0)
    if len(data) < APCI or len(data) != 2 + data[1]:
        allowed = 2 + data[1] if len(data) > 1 else APCI
        raise ApciError(f"{len(data)} octets, not {allowed},", 0, data)
    _, length, first, second = HEAD.unpack_from(data)
    if not first & 1 and length > CONTROL:
        return IFrame(first >> 1, second >> 1, data[APCI:])
    return control(length, first, second, 0, data)


def check_asdus(asdus: Sequence[bytes]) -> None:
    """Raise ValueError if one of them does not fit an APDU."""
    for size in (min(map(len, asdus), default=1), max(map(len, asdus), default=1)):
        if not 1 <= size <= LONGEST_ASDU:
            raise ValueError(f"ASDU of {size} octets, not 1..{LONGEST_ASDU}")


def check_head(data: bytes, offset: int) -> None:
    """Raise ApciError if the first two octets, or those that are there, can begin no APDU.

    offset: of the first one in the stream.
    """
    if data and data[0] != START:
        raise ApciError(f"start octet {data[0]:#04x}, not {START:#04x},", offset, data[:LONGEST])
    if len(data) > 1 and not CONTROL <= data[1] <= MOST:
        what = f"length {data[1]}, not {CONTROL}..{MOST},"
        raise ApciError(what, offset + 1, data[:LONGEST])


def control(length: int, first: int, second: int, offset: int, data: bytes) -> SFrame | UFrame:
    """Return the frame of a control field that is not an I frame with an ASDU.

    first, second: its two halves, little endian.
    offset, data:  where the frame begins in the stream, and its octets, for an error.
    """
    octet = first & 0xFF
    if not octet & 1:
        raise ApciError("an I frame without an ASDU: length 4, not 5..253,", offset + 1, data)
    if length != CONTROL:
        kind = "S" if octet & 3 == SUPERVISORY else "U"
        what = f"length {length} of a frame in {kind} format, not {CONTROL},"
        raise ApciError(what, offset + 1, data)
    if octet == SUPERVISORY:
        return SFrame(second >> 1)
    frame = FUNCTIONS.get(octet)
    if frame is None:
        allowed = ", ".join(f"{one:#04x}" for one in (SUPERVISORY, *FUNCTIONS))
        what = f"control field {octet:#04x}, not an even octet (I frame) or one of {allowed},"
        raise ApciError(what, offset + 2, data)
    return frame
