"""Frames of IEC 60870-5-1, FT1.2, in octets by hand, with a link address of one octet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

LINK = 7
DIR, PRM, FCB, FCV = 0x80, 0x40, 0x20, 0x10
ACD = 0x20
RESET, TEST, DATA, STATUS_ASKED, CLASS_1, CLASS_2 = 0, 2, 3, 9, 10, 11
"""Functions of a primary station (60870-5-2 tables 1 and 3)."""
ACK, RESPOND, NO_DATA, STATUS, NOT_FUNCTIONING = 0, 8, 9, 11, 14
"""Functions of a secondary station (tables 2 and 4)."""
SINGLE = b"\xe5"


class Frame(NamedTuple):
    """What came: the control field, -1 of the single character, and the ASDU."""

    control: int
    asdu: bytes = b""

    @property
    def code(self) -> int:
        return self.control & 0x0F

    @property
    def primary(self) -> bool:
        return self.control >= 0 and bool(self.control & PRM)


def frame(control: int, asdu: bytes = b"") -> bytes:
    body = bytes((control, LINK)) + asdu
    tail = bytes((sum(body) & 0xFF, 0x16))
    if not asdu:
        return b"\x10" + body + tail
    return bytes((0x68, len(body), len(body), 0x68)) + body + tail


class Frames:
    """Octets that come, in whatever pieces, to frames."""

    def __init__(self) -> None:
        self._octets = b""

    def feed(self, data: bytes) -> Iterator[Frame]:
        self._octets += data
        while self._octets:
            start = self._octets[0]
            if start == SINGLE[0]:
                self._octets = self._octets[1:]
                yield Frame(-1)
                continue
            assert start in (0x10, 0x68), f"a frame begins with {start:#x}"
            head = 1 if start == 0x10 else 4
            if len(self._octets) < head:
                return
            length = 2 if start == 0x10 else self._octets[1]
            if head == 4:
                assert self._octets[1:4] == bytes((length, length, 0x68)), self._octets[:4].hex()
            size = head + length + 2
            if len(self._octets) < size:
                return
            body = self._octets[head : head + length]
            assert self._octets[head + length : size] == bytes((sum(body) & 0xFF, 0x16))
            assert body[1] == LINK, f"a frame for {body[1]}"
            self._octets = self._octets[size:]
            yield Frame(body[0], body[2:])
