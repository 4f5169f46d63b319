"""The last frames of one link, and what they did."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import NamedTuple

LONGEST = 65_535
"""Octets that are kept of a frame; those behind are counted only."""
OVERHEAD = 192
"""Bytes of memory that a frame takes besides its octets, with CPython 3.11 on x86-64.

A tuple of six, a time, the header of the octets, and a place in a queue.
"""
DID = 256
"""The same of what a source emitted after it; of four points that nothing else names some more."""
MOST_DID = 16
"""Emissions that are kept of one frame."""
FIRST = 4
"""Points of an emission that are named."""
BURST = 64
"""Frames before the last one that came that an emission may be of."""

_Kept = tuple[int, str, bytes, int, str, str]
_KeptDid = tuple[int, int, int, int, tuple[int, ...], bool]


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

    __slots__ = (
        "_did", "_did_of", "_dids", "_frames", "_heard", "_now", "_room", "gone", "last", "size",
    )  # fmt: skip

    def __init__(self, size: int, now: Callable[[], int]) -> None:
        """`size` bytes of memory, overhead included; `now` gives the wall clock in ns."""
        self.size = size
        self.last = 0
        self.gone = 0
        self._room = size
        self._now = now
        self._heard = 0
        self._frames: deque[_Kept] = deque()
        self._did: deque[_KeptDid] = deque()
        self._did_of = 0
        self._dids = 0

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

    def did(
        self,
        frame: int,
        samples: int,
        taken: int,
        points: tuple[int, ...],
        *,
        time: int = 0,
        lost: bool = False,
    ) -> None:
        """Note what came of a frame, 0 for none; see `Did`.

        time: when it had come, ns; then it may be one before `frame` that came in the same burst.
        """
        if frame != self._did_of:
            self._did_of, self._dids = frame, 0
        self._dids += 1
        if not frame or self._dids > MOST_DID:
            return
        self._did.append((frame, time, samples, taken, points, lost))
        self._room -= DID
        if self._room < 0:
            self._push_out()

    def after(self, number: int, most: int) -> list[Frame]:
        """Return the frames behind that one, oldest first: what is left of the next `most`.

        What stood between `number` and the first that is returned was pushed out.
        """
        first = self.last - len(self._frames) + 1
        begin = max(first, number + 1)
        end = min(self.last, begin + most - 1)
        if begin > end:
            return []
        # Those beside them tell which frame of a burst did something.
        low, high = max(first, begin - BURST), min(self.last, end + BURST)
        kept = self._between(low, high)
        did: dict[int, tuple[Did, ...]] = {}
        for of, time, samples, taken, points, lost in reversed(self._did):
            if of < begin:
                break
            at = low + _earliest(kept, of - low, time) if time and of <= high else of
            did[at] = (Did(samples, taken, points, lost), *did.get(at, ()))
        shown = islice(enumerate(kept, low), begin - low, end - low + 1)
        return [Frame(n, *frame, did.get(n, ())) for n, frame in shown]

    def _between(self, low: int, high: int) -> list[_Kept]:
        """Return frames by their numbers, both included, from the nearer end."""
        behind = self.last - high
        if behind < len(self._frames) // 2:
            found = list(islice(reversed(self._frames), behind, self.last - low + 1))
            found.reverse()
            return found
        first = self.last - len(self._frames) + 1
        return list(islice(self._frames, low - first, high - first + 1))

    def _push_out(self) -> None:
        while self._room < 0 and self._frames:
            self._room += len(self._frames.popleft()[2]) + OVERHEAD
            self.gone += 1
            first = self.last - len(self._frames) + 1
            while self._did and self._did[0][0] < first:
                self._did.popleft()
                self._room += DID


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
