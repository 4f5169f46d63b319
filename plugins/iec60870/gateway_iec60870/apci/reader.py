"""APDUs out of a TCP stream (IEC 60870-5-104:2006, 5.1)."""

from __future__ import annotations

from gateway_iec60870.apci.error import ApciError
from gateway_iec60870.apci.frame import (
    APCI,
    CONTROL,
    HEAD,
    LONGEST,
    MOST,
    START,
    Frame,
    IFrame,
    check_head,
    control,
)


class Reader:
    """Cuts a stream into APDUs, however it comes; holds at most 254 octets.

    error: what ended it: after octets that are no APDU nothing can be read any more, since
           nothing says where the next one begins. None while all is well.
    """

    __slots__ = ("_held", "_offset", "error")

    def __init__(self) -> None:
        self._held = b""
        self._offset = 0  # of the first octet held, in the stream
        self.error: ApciError | None = None

    @property
    def held(self) -> int:
        """Octets of a frame that is not complete yet."""
        return len(self._held)

    def feed(self, data: bytes) -> list[Frame]:
        """Take octets and return the frames that are complete now, those before an error too."""
        frames: list[Frame] = []
        if self.error is not None:
            return frames
        buffer = self._held + data if self._held else data
        try:
            at = _cut(buffer, self._offset, frames)
        except ApciError as error:
            self.error = error
            self._held = b""
        else:
            self._held = buffer[at:]
            self._offset += at
        return frames


def _cut(buffer: bytes, offset: int, frames: list[Frame]) -> int:
    """Add the complete frames and return where the first one that is not complete begins."""
    # 50,000 times a second on a busy link: names are local, I frames take the shortest way.
    unpack, add, end = HEAD.unpack_from, frames.append, len(buffer)
    at = 0
    while end - at >= APCI:
        start, length, first, second = unpack(buffer, at)
        after = at + 2 + length
        if start != START or length < CONTROL or length > MOST or after > end:
            break
        if not first & 1 and length > CONTROL:
            add(IFrame(first >> 1, second >> 1, buffer[at + APCI : after]))
        else:
            add(control(length, first, second, offset + at, buffer[at:after]))
        at = after
    check_head(buffer[at : at + LONGEST], offset + at)
    return at
