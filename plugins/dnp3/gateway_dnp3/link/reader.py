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
            opened = checksum.open_dnp(buffer[at : at + HEADER])
            if opened is None:
                fault = "header_check"
            elif opened[2] < FIXED:
                fault = "length"
            else:
                whole = size(opened[2])
                if end - at < whole:
                    break
                if whole > HEADER:
                    opened = checksum.open_dnp(buffer[at : at + whole])
                if opened is not None:
                    at += whole
                    self._take(opened, frames)
                    continue
                fault = "data_check"
            self.errors[fault] += 1
            self.errors["garbage"] += 1
            at += 1
        self._held = buffer[at:]
        return frames

    def flush(self) -> list[Frame]:
        """Give up what is not complete, because the line fell silent; return what was inside it."""
        frames: list[Frame] = []
        while self._held:
            self.errors["truncated"] += self._held.startswith(START)
            self.errors["garbage"] += 1
            rest, self._held = self._held[1:], b""
            frames += self.feed(rest)
        return frames

    def _take(self, opened: bytes, frames: list[Frame]) -> None:
        try:
            frames.append(opened_frame(opened))
        except FrameError:
            self.errors["length"] += 1
