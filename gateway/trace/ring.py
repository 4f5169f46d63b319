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

YOUNG = 64
"""Frames and emissions that are only noted before they are counted."""
LARGE = 2000
"""Octets of a frame that is counted at once."""

_Kept = tuple[int, str, bytes, str, str]
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

    All links pass here with each frame: `add` and `did` only note what they are given, and the rest
    is done for many at once, or when somebody looks.
    """

    def __init__(self, size: int, now: Callable[[], int]) -> None:
        """`size` bytes of memory, overhead included; `now` gives the wall clock in ns."""
        self.size = size
        self._last = 0
        self._gone = 0
        self._room = size
        self._frames: deque[_Kept] = deque()
        self._did: deque[_KeptDid] = deque()
        self._dids = 0
        self._lengths: dict[int, int] = {}
        self._young: list[_Kept | _KeptDid] = []
        young, note_down, settle = self._young, self._young.append, self._settle

        def add(direction: str, frame: bytes, note: str = "", peer: str = "") -> None:
            if type(frame) is not bytes:
                frame = bytes(frame)
            note_down((now(), direction, frame, note, peer))
            if len(young) >= YOUNG or len(frame) > LARGE:
                settle()

        def did(
            samples: int,
            taken: int,
            points: tuple[int, ...],
            time: int = 0,
            frame: int = 0,
            lost: bool = False,
        ) -> None:
            note_down((frame, time, samples, taken, points, lost))
            if len(young) >= YOUNG:
                settle()

        self.add = add
        """Keep a frame; see `LinkContext.trace`."""
        self.did = did
        """Note what came of a frame, `frame` or the last one; see `Did`.

        time: when it had come, ns: then it may be one before that came in the same burst.
        """

    def __len__(self) -> int:
        self._settle()
        return len(self._frames)

    @property
    def last(self) -> int:
        """Number of the last frame, 0 for none."""
        self._settle()
        return self._last

    @property
    def gone(self) -> int:
        """How many frames the bound has pushed out."""
        self._settle()
        return self._gone

    def after(self, number: int, most: int) -> list[Frame]:
        """Return the frames behind that one, oldest first: what is left of the next `most`.

        What stood between `number` and the first that is returned was pushed out.
        """
        self._settle()
        first = self._last - len(self._frames) + 1
        begin = max(first, number + 1)
        end = min(self._last, begin + most - 1)
        if begin > end:
            return []
        # Those beside them tell which frame of a burst did something.
        low, high = max(first, begin - BURST), min(self._last, end + BURST)
        kept = self._between(low, high)
        did: dict[int, tuple[Did, ...]] = {}
        for of, time, samples, taken, points, lost in reversed(self._did):
            if of < begin - BURST:
                break
            if of > high:
                continue
            # What is not heard of any more may be for want of an answer: of any frame.
            at = of - low if lost else _cause(kept, of - low, time)
            if at is not None:
                did[low + at] = (Did(samples, taken, points, lost), *did.get(low + at, ()))
        return [
            Frame(n, time, direction, octets, self._lengths.get(n, len(octets)), note, peer,
                  did.get(n, ()))
            for n, (time, direction, octets, note, peer) in islice(
                enumerate(kept, low), begin - low, end - low + 1
            )
        ]  # fmt: skip

    def _between(self, low: int, high: int) -> list[_Kept]:
        """Return frames by their numbers, both included, from the nearer end."""
        behind = self._last - high
        if behind < len(self._frames) // 2:
            found = list(islice(reversed(self._frames), behind, self._last - low + 1))
            found.reverse()
            return found
        first = self._last - len(self._frames) + 1
        return list(islice(self._frames, low - first, high - first + 1))

    def _settle(self) -> None:
        """Count what is young, and push out what has no room."""
        young = self._young
        frames = [one for one in young if len(one) == 5]
        room = self._room - OVERHEAD * len(frames) - sum([len(one[2]) for one in frames])
        if len(frames) < len(young):
            room -= DID * self._take_dids()
        elif frames:
            self._dids = 0
        young.clear()
        self._last += len(frames)
        # A frame of this length is counted at once: it is the last one.
        if frames and len(frames[-1][2]) > LONGEST:
            time, direction, octets, note, peer = frames[-1]
            self._lengths[self._last] = len(octets)
            frames[-1] = (time, direction, octets[:LONGEST], note, peer)
            room += len(octets) - LONGEST
        self._frames.extend(frames)
        self._room = room if room >= 0 else self._push_out(room)

    def _take_dids(self) -> int:
        """Note what young frames did; returns how many that were."""
        last, dids, before = self._last, self._dids, len(self._did)
        for one in self._young:
            if len(one) == 5:
                last += 1
                dids = 0
            elif dids < MOST_DID and last:
                dids += 1
                frame, time, samples, taken, points, lost = one
                self._did.append((frame or last, time, samples, taken, points, lost))
        self._dids = dids
        return len(self._did) - before

    def _push_out(self, room: int) -> int:
        """Let the oldest go until there is room for the others; returns what is left of it."""
        pop, did = self._frames.popleft, self._did
        first = self._last - len(self._frames) + 1
        while room < 0 and self._frames:
            room += len(pop()[2]) + OVERHEAD
            first += 1
            while did and did[0][0] < first:
                did.popleft()
                room += DID
        self._gone = first - 1
        if self._lengths:
            self._lengths = {n: length for n, length in self._lengths.items() if n >= first}
        return room


def _cause(kept: Sequence[_Kept], at: int, time: int) -> int | None:
    """Return the index of the frame that came, of the burst that ends at `at`; None for none.

    What had come by `time` was shown a moment later: its own time is not before it.
    """
    found = None
    for index in range(at, max(-1, at - BURST), -1):
        shown, direction, *_ = kept[index]
        if direction != "rx":
            continue
        if found is None:
            found = index
        if not time or shown < time:
            break
        found = index
    return found
