"""Frames of the link layer as values and as octets (IEEE 1815-2012, 9.2.4)."""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from gateway import checksum
from gateway_dnp3.link.control import CONTROLS, WITH_DATA, Control, Function
from gateway_dnp3.link.error import FrameError

START = b"\x05\x64"
HEADER = 10  # octets of the header block on the wire, its check included
FIXED = 5  # what LEN counts besides the user data: control and addresses
DATA = 250  # most octets of user data
LONGEST = 292

_HEAD = Struct("<2sBBHH")
_BLOCK, _CHECK = 16, 2


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
    for address, offset in ((destination, 4), (source, 6)):
        if not 0 <= address <= 0xFFFF:
            raise FrameError(f"address {address}, not 0..65535,", offset)
    head = _HEAD.pack(START, FIXED + len(data), control.octet, destination, source)
    return checksum.seal_dnp(head + data)


def size(length: int) -> int:
    """Return the octets of the whole frame whose LEN this is, 5..255."""
    data = length - FIXED
    return HEADER + data + -(-data // _BLOCK) * _CHECK


def decode(octets: bytes) -> Frame:
    """Return the frame that these octets are, no fewer and no more; raises FrameError."""
    if len(octets) < HEADER:
        raise FrameError(f"{len(octets)} octets, a frame has {HEADER}..{LONGEST},", len(octets))
    if octets[:2] != START:
        raise FrameError(f"{octets[:2].hex(' ')} instead of 05 64", 0)
    if checksum.open_dnp(octets[:HEADER]) is None:
        raise FrameError("the header's check is wrong", HEADER - _CHECK)
    length = octets[2]
    if length < FIXED or size(length) != len(octets):
        raise FrameError(f"LEN {length} with {len(octets)} octets", 2)
    opened = checksum.open_dnp(octets)
    if opened is None:
        raise FrameError("the check of a block of data is wrong", HEADER)
    return opened_frame(opened)


def opened_frame(opened: bytes) -> Frame:
    """Return the frame of octets whose checks were verified and taken out; raises FrameError."""
    _, length, octet, destination, source = _HEAD.unpack_from(opened)
    control = CONTROLS[octet]
    function = control.function
    if isinstance(function, Function) and (function in WITH_DATA) != (length > FIXED):
        allowed = "6..255" if function in WITH_DATA else "5"
        raise FrameError(f"LEN {length} of {function.name}, not {allowed},", 2)
    return Frame(control, destination, source, opened[_HEAD.size :])
