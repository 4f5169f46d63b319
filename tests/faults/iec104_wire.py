"""Frames of IEC 60870-5-104:2006 clause 5, in octets by hand."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple

STARTDT_ACT, STARTDT_CON = 0x07, 0x0B
STOPDT_ACT, STOPDT_CON = 0x13, 0x23
TESTFR_ACT, TESTFR_CON = 0x43, 0x83
K, W = 12, 8
MODULO = 32768


class Breach(Enum):
    """What a partner does against the rules, whereupon the gateway must close the connection."""

    TWICE = auto()
    """The same I frame comes twice."""
    LEFT_OUT = auto()
    """An I frame is missing."""
    AHEAD = auto()
    """N(R) acknowledges what was never sent."""


class Frame(NamedTuple):
    """What came: `function` is that of a U frame, `asdu` is of an I frame; numbers are -1 where
    there are none."""

    function: int
    send: int
    receive: int
    asdu: bytes


def u(function: int) -> bytes:
    return bytes((0x68, 4, function, 0, 0, 0))


def s(receive: int) -> bytes:
    return struct.pack("<BBHH", 0x68, 4, 1, receive % MODULO << 1)


def i(send: int, receive: int, asdu: bytes) -> bytes:
    numbers = send % MODULO << 1, receive % MODULO << 1
    return struct.pack("<BBHH", 0x68, 4 + len(asdu), *numbers) + asdu


class Frames:
    """Octets that come, in whatever pieces, to frames."""

    def __init__(self) -> None:
        self._octets = b""

    def feed(self, data: bytes) -> Iterator[Frame]:
        self._octets += data
        while len(self._octets) >= 2 and len(self._octets) >= 2 + self._octets[1]:
            start, length = self._octets[:2]
            assert start == 0x68, f"a frame begins with {start:#x}"
            assert 4 <= length <= 253, f"a frame of {length} octets"
            whole, self._octets = self._octets[2 : 2 + length], self._octets[2 + length :]
            yield _frame(whole)


def _frame(octets: bytes) -> Frame:
    send, receive = struct.unpack_from("<HH", octets)
    if not send & 1:
        return Frame(0, send >> 1, receive >> 1, octets[4:])
    assert len(octets) == 4, octets.hex(" ")
    if send & 2:
        return Frame(send & 0xFF, -1, -1, b"")
    return Frame(0, -1, receive >> 1, b"")
