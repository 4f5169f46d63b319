"""Frames out of a stream of octets that may begin anywhere, break off, or be damaged."""

from __future__ import annotations

from collections import Counter

from gateway import checksum
from gateway_dnp3.link.error import FrameError
from gateway_dnp3.link.frame import FIXED, HEADER, START, Frame, opened_frame, size


class Reader:
    """Finds the frames in what it is fed, however it is cut; never holds more than 291 octets.

    What is no frame is left octet by octet: the search goes on inside it.
    errors: by name, `garbage` (octets left behind), `header_check`, `length` (LEN that cannot be,
            or not with this function), `data_check`, `truncated` (a frame that broke off).
    """

    __slots__ = ("_held", "errors")

    def __init__(self) -> None:
        self._held = b""
        self.errors: Counter[str] = Counter()

    @property
    def held(self) -> int:
        """Octets of a frame that is not complete yet."""
        return len(self._held)

    def feed(self, data: bytes) -> list[Frame]:
        """Take octets and return the frames that are complete now."""
        buffer = self._held + data if self._held else bytes(data)
        frames: list[Frame] = []
        at, end = 0, len(buffer)
        while True:
            start = buffer.find(START, at)
            if start < 0:
                # The last octet may be the first of a start.
                start = end - buffer.endswith(START[:1], at)
            if start > at:
                self.errors["garbage"] += start - at
            at = start
            if end - at < HEADER:
                break
            whole = size(buffer[at + 2])
            if at + whole <= end and buffer[at + 2] >= FIXED:
                opened = checksum.open_dnp(buffer[at : at + whole])
                if opened is not None and self._take(opened, frames):
                    at += whole
                    continue
            fault = self._fault(buffer, at, opened := None)
            at += 1
        self._held = buffer[at:]
        return frames
