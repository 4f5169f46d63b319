"""Frames of the link layer as values and as octets (IEEE 1815-2012, 9.2.4)."""

from __future__ import annotations

from struct import Struct
from struct import error as StructError  # noqa: N812 - an exception
from typing import NamedTuple

from gateway import checksum
from gateway_dnp3.link.control import CONTROLS, WITH_DATA, Control, Function
from gateway_dnp3.link.error import FrameError

START = b"\x05\x64"
HEADER = 10  # octets of the header block on the wire, its check included
FIXED = 5  # what LEN counts besides the user data: control and addresses
DATA = 250  # most octets of user data
LONGEST = 292  # octets of a frame on the wire

_HEAD = Struct("<2sBBHH")
_BLOCK = 16
_CHECK = 2


class Frame(NamedTuple):
    """One frame; `data` is the user data, 0..250 octets."""

    control: Control
    destination: int
    source: int
    data: bytes = b""

    def __str__(self) -> str:
        """Return the frame as a line of a trace."""
        control = self.control
        function = control.function
        name = function.name if isinstance(function, Function) else f"function {function:#04x}"
        bits = ("FCB", "FCV") if control.prm else ("RES", "DFC")
        words = [
            "master" if control.dir else "outstation",
            f"{self.source} → {self.destination}",
            name,
            *(bit for bit, on in zip(bits, (control.fcb, control.fcv), strict=True) if on),
        ]
        return " ".join(words) + (f", {len(self.data)} octets" if self.data else "")


def encode(frame: Frame) -> bytes:
    """Return the octets of a frame, with its checks.

    Raises FrameError for an address outside 0..65535 or more than 250 octets of user data.
    """
    control, destination, source, data = frame
    if len(data) > DATA:
        raise FrameError(f"{len(data)} octets of user data, not 0..{DATA},", HEADER)
    try:
        head = _HEAD.pack(START, FIXED + len(data), control.octet, destination, source)
    except StructError:
        wrong, offset = (source, 6) if 0 <= destination <= 0xFFFF else (destination, 4)
        raise FrameError(f"address {wrong}, not 0..65535,", offset) from None
    return checksum.seal_dnp(head + data)


def size(length: int) -> int:
    """Return the octets of the whole frame whose LEN this is, 5..255."""
    data = length - FIXED
    return HEADER + data + -(-data // _BLOCK) * _CHECK


def opened_frame(opened: bytes) -> Frame:
    """Return the frame of octets whose checks were verified and taken out; raises FrameError."""
    _, length, octet, destination, source = _HEAD.unpack_from(opened)
    control = CONTROLS[octet]
    function = control.function
    if isinstance(function, Function) and (function in WITH_DATA) != (length > FIXED):
        allowed = "6..255" if function in WITH_DATA else "5"
        raise FrameError(f"LEN {length} of {function.name}, not {allowed},", 2)
    return Frame(control, destination, source, opened[_HEAD.size :])
