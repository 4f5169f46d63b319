"""The last frames of one link, and what they did."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import NamedTuple

LONGEST = 65_535
"""Octets that are kept of a frame; those behind are counted only."""
OVERHEAD = 256
"""Bytes of memory that a frame takes besides its octets; with them a size bounds the number, too.

Measured with CPython 3.11 on x86-64: a tuple, two integers and the header of the bytes are 176,
what a source emitted after it another 80 for every other frame, and the allocator rounds up.
"""
FIRST = 4
"""Points of an emission that are named."""
BURST = 64
"""Frames before the last one that came that an emission may be of."""

_Kept = tuple[int, str, bytes, int, str, str]


class Did(NamedTuple):
    """What a source emitted after a frame.

    samples: rows that it handed over.
    taken:   how many of them the gateway took: they had changed.
    points:  ids of the first ones, at most `FIRST`.
    lost:    whether it said that nothing is heard of these points.
    """

    samples: int
    taken: int
    points: tuple[int, ...]
    lost: bool = False


class Frame(NamedTuple):
    """A frame as it is kept.

    number:    of the link's frames, from 1.
    time:      when the link showed it, ns since the Unix epoch.
    direction: `tx` or `rx`.
    octets:    the first `LONGEST` of them.
    length:    of the whole frame.
    note:      what the link said besides.
    peer:      whom it was sent to, or who sent it; may be empty.
    did:       what the source emitted after it, oldest first.
    """

    number: int
    time: int
    direction: str
    octets: bytes
    length: int
    note: str = ""
    peer: str = ""
    did: tuple[Did, ...] = ()


class Ring:
    """Keeps the last frames within a bound; on the event loop only.

    last: number of the last frame.
    gone: how many the bound has pushed out.
    """

    __slots__ = ("_did", "_frames", "_heard", "_now", "_room", "gone", "last", "size")

    def __init__(self, size: int, now: Callable[[], int]) -> None:
        """`size` bytes of memory, overhead included; `now` gives the wall clock in ns."""
        self.size = size
        self.last = 0
        self.gone = 0
        self._room = size
        self._now = now
        self._heard = 0
        self._frames: deque[_Kept] = deque()
        self._did: deque[tuple[int, int, Did]] = deque(maxlen=max(1, size // OVERHEAD))

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def heard(self) -> int:
        """Number of the last frame that came, 0 for none."""
        return self._heard

    def add(self, direction: str, frame: bytes, note: str = "", peer: str = "") -> None:
        """Keep a frame; see `LinkContext.trace`."""
        length = len(frame)
        if length > LONGEST:
            frame = frame[:LONGEST]
        if type(frame) is not bytes:
            frame = bytes(frame)
        self.last = number = self.last + 1
        if direction == "rx":
            self._heard = number
        self._frames.append((self._now(), direction, frame, length, note, peer))
        self._room -= len(frame) + OVERHEAD
        if self._room < 0:
            self._push_out()

    def did(self, number: int, did: Did, time: int = 0) -> None:
        """Note what came of a frame; 0 is none.

        time: when it had come, ns; then it may be one before `number` that came in the same burst.
        """
        if number:
            self._did.append((number, time, did))

    def after(self, number: int, most: int) -> list[Frame]:
        """Return the frames behind that one, oldest first: what is left of the next `most`.

        What stood between `number` and the first that is returned was pushed out.
        """
        first = self.last - len(self._frames) + 1
        start = max(0, number + 1 - first)
        kept = list(islice(self._frames, start, start + most))
        if not kept:
            return []
        begin = first + start
        of: dict[int, tuple[Did, ...]] = {}
        for one, time, did in self._did:
            if begin <= one < begin + BURST + len(kept):
                at = _earliest(kept, one - begin, time) + begin if time else one
                of[at] = (*of.get(at, ()), did)
        return [Frame(n, *frame, of.get(n, ())) for n, frame in enumerate(kept, begin)]

    def _push_out(self) -> None:
        while self._room < 0 and self._frames:
            self._room += len(self._frames.popleft()[2]) + OVERHEAD
            self.gone += 1


def _earliest(kept: Sequence[_Kept], at: int, time: int) -> int:
    """Return the index of the first frame that came since `time`, of the burst that ends at `at`.

    What had come by then was shown a moment later: its own time is not before `time`.
    """
    found = at
    for index in range(min(at, len(kept) - 1), max(-1, at - BURST), -1):
        shown, direction, *_ = kept[index]
        if shown < time:
            break
        if direction == "rx":
            found = index
    return found
