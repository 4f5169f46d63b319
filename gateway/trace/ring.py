"""The last frames of one link, and what they did."""

from __future__ import annotations

import marshal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

LONGEST = 65_535
"""Octets that are kept of a frame; those behind are counted only."""
CHUNK = 200
"""Bytes of memory that a chunk takes besides its own, with CPython 3.11 on x86-64."""
VERSION = 4
"""Of `marshal`; it notes an object that is there twice once only."""
MOST_DID = 16
"""Emissions that are kept of one frame, about."""
FIRST = 4
"""Points of an emission that are named."""
BURST = 64
"""Frames before the last one that came that an emission may be of."""

YOUNG = 64
"""Frames and emissions that become one chunk."""
LARGE = 2000
"""Octets of a frame that ends a chunk."""

_Kept = tuple[int, str, bytes, str, str]
_Cut = tuple[int, str, bytes, str, str, int, None]
_KeptDid = tuple[int, int, int, int, tuple[int, ...], bool]


class _Chunk(NamedTuple):
    """Frames that were shown one after the other, and what they did, as octets of `marshal`."""

    first: int
    frames: int
    octets: bytes


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

    All links pass here with each frame: `add` and `did` only note what they are given. When there
    is enough it becomes one chunk of octets: thousands of small objects that live long would cost
    the gateway many times that, in caches and in the collector of garbage.
    """

    def __init__(self, size: int, now: Callable[[], int]) -> None:
        """`size` bytes of memory, overhead included; `now` gives the wall clock in ns."""
        self.size = size
        self.gone = 0
        """How many frames the bound has pushed out."""
        self._last = 0
        self._room = size
        self._dids = 0
        self._chunks: deque[_Chunk] = deque()
        self._young: list[_Kept | _Cut] = []
        self._young_did: list[_KeptDid] = []
        young, keep, settle = self._young, self._young.append, self._settle
        did_young, keep_did = self._young_did, self._young_did.append

        def add(direction: str, frame: bytes, note: str = "", peer: str = "") -> None:
            if type(frame) is not bytes:
                frame = bytes(frame)
            if len(frame) <= LARGE:
                keep((now(), direction, frame, note, peer))
                if len(young) < YOUNG:
                    return
            else:
                keep(_cut(now(), direction, frame, note, peer))
            settle()

        def did(
            samples: int,
            taken: int,
            points: tuple[int, ...],
            time: int = 0,
            frame: int = 0,
            lost: bool = False,
        ) -> None:
            keep_did((frame or self._last + len(young), time, samples, taken, points, lost))
            if len(did_young) > YOUNG:
                settle()

        self.add = add
        """Keep a frame; see `LinkContext.trace`."""
        self.did = did
        """Note what came of a frame, `frame` or the last one; see `Did`.

        time: when it had come, ns: then it may be one before that came in the same burst.
        """

    def __len__(self) -> int:
        return self.last - self.gone

    @property
    def last(self) -> int:
        """Number of the last frame, 0 for none."""
        return self._last + len(self._young)

    def after(self, number: int, most: int) -> list[Frame]:
        """Return the frames behind that one, oldest first: what is left of the next `most`.

        What stood between `number` and the first that is returned was pushed out.
        """
        begin = max(self.gone, number) + 1
        end = min(self.last, begin + most - 1)
        # Those beside them tell which frame of a burst did something.
        low = max(self.gone + 1, begin - BURST)
        kept: list[_Kept | _Cut] = []
        dids: list[_KeptDid] = []
        for first, frames, did in self._between(low, end + BURST):
            if not kept:
                low = first
            kept += frames
            dids += did
        return _told(kept, dids, low, begin, end)

    def _between(
        self, low: int, high: int
    ) -> Iterator[tuple[int, list[_Kept | _Cut], list[_KeptDid]]]:
        """Yield what is kept around these numbers, each with the number of its first frame."""
        found: list[_Chunk] = []
        for chunk in reversed(self._chunks):
            if chunk.first <= high:
                found.append(chunk)
            if chunk.first <= low and chunk.frames:
                break
        for chunk in reversed(found):
            # It is what `_settle` has written.
            frames, did = marshal.loads(chunk.octets)  # noqa: S302
            yield chunk.first, frames, did
        yield self._last + 1, self._young, self._young_did

    def _settle(self) -> None:
        """Make a chunk of what is young, and push out what has no room."""
        frames = len(self._young)
        # A source that emits long after its last frame pushes no frame out.
        self._dids = 0 if frames else self._dids + len(self._young_did)
        if self._dids <= MOST_DID:
            young = (self._young, self._young_did)
            try:
                octets = marshal.dumps(young, VERSION)
            except ValueError:
                plain = [[tuple(map(_plain, one)) for one in some] for some in young]
                octets = marshal.dumps(plain, VERSION)
            self._chunks.append(_Chunk(self._last + 1, frames, octets))
            self._last += frames
            self._room -= len(octets) + CHUNK
        self._young.clear()
        self._young_did.clear()
        while self._room < 0:
            chunk = self._chunks.popleft()
            self._room += len(chunk.octets) + CHUNK
            self.gone += chunk.frames


def _cut(time: int, direction: str, frame: bytes, note: str, peer: str) -> _Kept | _Cut:
    if len(frame) <= LONGEST:
        return time, direction, frame, note, peer
    return time, direction, frame[:LONGEST], note, peer, len(frame), None


def _plain(value: Any) -> Any:
    """Return what `marshal` takes: a word of an enumeration is a text, too."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, tuple):
        return tuple(map(_plain, value))
    return value if value is None or isinstance(value, bytes | bool) else int(value)


def _told(
    kept: Sequence[_Kept | _Cut], dids: Iterable[_KeptDid], low: int, begin: int, end: int
) -> list[Frame]:
    """Return frames with what they did; `low` is the number of the first one that is known."""
    did: dict[int, tuple[Did, ...]] = {}
    for of, time, samples, taken, points, lost in dids:
        if not low <= of < low + len(kept):
            continue
        # What is not heard of any more may be for want of an answer: of any frame.
        at = of - low if lost else _cause(kept, of - low, time)
        if at is not None and len(did.get(low + at, ())) < MOST_DID:
            did[low + at] = (*did.get(low + at, ()), Did(samples, taken, points, lost))
    shown = []
    for n, one in enumerate(kept[max(0, begin - low) : end - low + 1], max(low, begin)):
        time, direction, octets, note, peer = one[:5]
        length = one[5] if len(one) == 7 else len(octets)
        shown.append(Frame(n, time, direction, octets, length, note, peer, did.get(n, ())))
    return shown


def _cause(kept: Sequence[_Kept | _Cut], at: int, time: int) -> int | None:
    """Return the index of the frame that came, of the burst that ends at `at`; None for none.

    What had come by `time` was shown a moment later: its own time is not before it.
    """
    found = None
    for index in range(at, max(-1, at - BURST), -1):
        shown, direction = kept[index][:2]
        if direction != "rx":
            continue
        if found is None:
            found = index
        if not time or shown < time:
            break
        found = index
    return found
