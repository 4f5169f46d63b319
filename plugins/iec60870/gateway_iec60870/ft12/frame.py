"""Frames of the format class FT1.2 as values and as octets (60870-5-1 clause 6.2.4.2).

    fixed length      10 C A CS 16
    variable length   68 L L 68 C A ASDU CS 16      L counts C, A and the ASDU
    single character  E5                            an acknowledgement, or no data

CS is the sum of C, A and the ASDU, modulo 256; A has 0, 1 or 2 octets, as a line has agreed.
"""

from __future__ import annotations

from typing import NamedTuple

from gateway_iec60870.ft12.address import LONGEST_LENGTH
from gateway_iec60870.ft12.control import CONTROLS, WITH_DATA, Control, Function

FIXED = 0x10
VARIABLE = 0x68
SINGLE_CHARACTER = 0xE5
END = 0x16
ENVELOPE = 6  # octets of a frame of variable length that L does not count
LONGEST = LONGEST_LENGTH + ENVELOPE  # octets of the longest frame


class FrameError(ValueError):
    """No frame can be like this; the sentence says what was found and what is allowed."""


class Frame(NamedTuple):
    """One frame.

    control: None for the single character, which has neither an address nor an ASDU.
    address: of the secondary station of the exchange, whoever speaks; 0 where the line has none.
    asdu:    0..254 octets, fewer by those of the address.
    """

    control: Control | None
    address: int = 0
    asdu: bytes = b""

    def __str__(self) -> str:
        """Return the frame as a line of a trace."""
        control = self.control
        if control is None:
            return "single character E5"
        function = control.function
        name = function.name if isinstance(function, Function) else f"function {function:#04x}"
        bits = ("FCB", "FCV") if control.prm else ("ACD", "DFC")
        words = [
            f"{'to' if control.prm else 'from'} {self.address}",
            name,
            *(bit for bit, on in zip(bits, (control.fcb, control.fcv), strict=True) if on),
            *["DIR"] * control.dir,
        ]
        return " ".join(words) + (f", {len(self.asdu)} octets" if self.asdu else "")


SINGLE = Frame(None)
"""The single character E5."""


def encode(frame: Frame, octets: int) -> bytes:
    """Return the octets of a frame whose link address has so many of them, 0..2.

    Raises FrameError for an address that does not fit, and for too long an ASDU.
    """
    control, address, asdu = frame
    if control is None:
        return bytes((SINGLE_CHARACTER,))
    if not 0 <= address < 1 << 8 * octets:
        raise FrameError(f"link address {address}, not 0..{(1 << 8 * octets) - 1}")
    data = bytes((control.octet,)) + address.to_bytes(octets, "little") + asdu
    tail = bytes((sum(data) & 0xFF, END))
    if not asdu:
        return bytes((FIXED,)) + data + tail
    length = len(data)
    if length > LONGEST_LENGTH:
        most = LONGEST_LENGTH - 1 - octets
        raise FrameError(f"an ASDU of {len(asdu)} octets, not 1..{most}")
    return bytes((VARIABLE, length, length, VARIABLE)) + data + tail


def opened(data: bytes, octets: int) -> Frame:
    """Return the frame of what stands between start and checksum: C, A and the ASDU.

    Raises FrameError where the function needs an ASDU and has none, or the reverse.
    """
    control = CONTROLS[data[0]]
    function = control.function
    asdu = data[1 + octets :]
    if isinstance(function, Function) and (function in WITH_DATA) != bool(asdu):
        allowed = f"1..{LONGEST_LENGTH - 1 - octets}" if function in WITH_DATA else "0"
        raise FrameError(f"{len(asdu)} octets of ASDU with {function.name}, not {allowed}")
    return Frame(control, int.from_bytes(data[1 : 1 + octets], "little"), asdu)
