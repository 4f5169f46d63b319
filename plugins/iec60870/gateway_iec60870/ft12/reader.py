"""Frames out of a stream of octets that may begin anywhere, break off, or be damaged.

The single character has no check of its own, and any octet of a damaged frame can look like it.
So after a fault it is not taken until silence, or a whole frame of variable length, or two of fixed
length in a row have shown where frames begin (60870-5-1, FT1.2, rules R4 and R6: after an error the
line must fall idle).
"""

from __future__ import annotations

import re
from collections import Counter

from gateway_iec60870.ft12.address import check_octets
from gateway_iec60870.ft12.frame import (
    END,
    ENVELOPE,
    FIXED,
    LONGEST,
    SINGLE,
    SINGLE_CHARACTER,
    VARIABLE,
    Frame,
    FrameError,
    opened,
)

_HEAD = 4  # octets that say how long a frame of variable length is
_NEXT = (b"", b"\x10", b"\x68", b"\xe5")  # what may follow a single character
_LOST = 2  # frames of fixed length until it is believed again where frames begin
_START = re.compile(b"[\x10\x68]")


class Reader:
    """Finds the frames in what it is fed, however it is cut; never holds more than 260 octets.

    What is no frame is left octet by octet: the search goes on inside it.
    octets:  of the link address.
    errors:  by name, `garbage` (octets left behind), `length` (L that cannot be, or differs from
             its repetition), `checksum`, `end` (no 16 at the end), `form` (a function with an ASDU
             that has none, or the reverse), `single` (a single character that may be part of
             something else), `truncated` (a frame that broke off).
    """

    __slots__ = ("_doubt", "_held", "_octets", "errors")

    def __init__(self, octets: int) -> None:
        check_octets(octets, 0)
        self._octets = octets
        self._held = b""
        self._doubt = 0  # whether the next octet begins a frame: 0 for sure
        self.errors: Counter[str] = Counter()

    @property
    def held(self) -> int:
        """Octets of a frame that is not complete yet."""
        return len(self._held)

    @property
    def waiting(self) -> bool:
        """Whether silence is of use: something is incomplete, or frames are out of step."""
        return bool(self._held) or self._doubt > 0

    def feed(self, data: bytes) -> list[Frame]:
        """Take octets and return the frames that are complete now."""
        buffer = self._held + data if self._held else bytes(data)
        frames: list[Frame] = []
        at, end = 0, len(buffer)
        while at < end:
            first = buffer[at]
            if first == SINGLE_CHARACTER and not self._doubt and buffer[at + 1 : at + 2] in _NEXT:
                frames.append(SINGLE)
                at += 1
                continue
            whole, fault = self._size(buffer, at, end)
            if whole > end - at:
                break
            if not fault:
                head = 1 if first == FIXED else _HEAD
                inside = buffer[at + head : at + whole - 2]
                if sum(inside) & 0xFF != buffer[at + whole - 2]:
                    fault = "checksum"
                elif buffer[at + whole - 1] != END:
                    fault = "end"
                else:
                    at += whole
                    self._doubt = max(0, self._doubt - (1 if first == FIXED else _LOST))
                    self._take(inside, frames)
                    continue
            self.errors[fault] += fault != "garbage"
            at = self._leave(buffer, at, end)
        self._held = buffer[at:]
        return frames

    def flush(self) -> list[Frame]:
        """Take note that the line has fallen silent: what is not complete never will be.

        Returns the frames that stood inside it.
        """
        frames: list[Frame] = []
        while self._held:
            self.errors["truncated"] += 1
            held, self._held = self._held, b""
            at = self._leave(held, 0, len(held))
            frames += self.feed(held[at:])
        self._doubt = 0
        return frames

    def _size(self, buffer: bytes, at: int, end: int) -> tuple[int, str]:
        """Return the octets of the frame that begins here, and what is wrong with it."""
        first = buffer[at]
        if first == FIXED:
            return 4 + self._octets, ""
        if first != VARIABLE:
            return 0, "single" if first == SINGLE_CHARACTER else "garbage"
        if end - at < _HEAD:
            return LONGEST, ""
        _, length, again, start = buffer[at : at + _HEAD]
        if length != again or start != VARIABLE or length < 1 + self._octets:
            return 0, "length"
        return length + ENVELOPE, ""

    def _leave(self, buffer: bytes, at: int, end: int) -> int:
        """Leave an octet behind, and all after it with which no frame begins."""
        self._doubt = _LOST
        found = _START.search(buffer, at + 1)
        start = found.start() if found else end
        self.errors["garbage"] += start - at
        return start

    def _take(self, inside: bytes, frames: list[Frame]) -> None:
        try:
            frames.append(opened(inside, self._octets))
        except FrameError:
            self.errors["form"] += 1
