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
_Item = _Kept | _Cut | _KeptDid
"""They are told apart by their lengths."""


class _Chunk(NamedTuple):
    """What was shown one after the other, as the octets of `marshal`."""

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
        self._young: list[_Item] = []
        young, note_down, settle = self._young, self._young.append, self._settle

        def add(direction: str, frame: bytes, note: str = "", peer: str = "") -> None:
            if type(frame) is not bytes:
                frame = bytes(frame)
            if len(frame) <= LARGE:
                note_down((now(), direction, frame, note, peer))
                if len(young) < YOUNG:
                    return
            else:
                note_down(_cut(now(), direction, frame, note, peer))
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
        return self.last - self.gone

    @property
    def last(self) -> int:
        """Number of the last frame, 0 for none."""
        return self._last + _frames(self._young)

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
        for first, items in self._between(low, end + BURST):
            low = min(low, first)
            for one in items:
                if len(one) == 6:
                    of = one[0] or low + len(kept) - 1
                    dids.append((of, *one[1:]))
                else:
                    if not kept:
                        low = first
                    kept.append(one)
        return _told(kept, dids, low, begin, end)

    def _between(self, low: int, high: int) -> Iterator[tuple[int, list[_Item]]]:
        """Yield what is kept around these numbers, with the number of the first frame of each."""
        found: list[_Chunk] = []
        for chunk in reversed(self._chunks):
            if chunk.first + chunk.frames <= low and found and chunk.frames:
                break
            if chunk.first <= high:
                found.append(chunk)
            if chunk.first <= low and chunk.frames:
                break
        for chunk in reversed(found):
            # It is what `_settle` has written.
            yield chunk.first, marshal.loads(chunk.octets)  # noqa: S302
        yield self._last + 1, self._young

    def _settle(self) -> None:
        """Make a chunk of what is young, and push out what has no room."""
        frames = _frames(self._young)
        if not frames:
            # A source that emits long after its last frame pushes no frame out.
            self._dids += len(self._young)
            if self._dids > MOST_DID:
                self._young.clear()
                return
        else:
            self._dids = 0
        try:
            octets = marshal.dumps(self._young, VERSION)
        except ValueError:
            octets = marshal.dumps([tuple(map(_plain, one)) for one in self._young], VERSION)
        self._young.clear()
        self._chunks.append(_Chunk(self._last + 1, frames, octets))
        self._last += frames
        self._room -= len(octets) + CHUNK
        while self._room < 0:
            chunk = self._chunks.popleft()
            self._room += len(chunk.octets) + CHUNK
            self.gone += chunk.frames


def _frames(items: Iterable[_Item]) -> int:
    return sum([len(one) != 6 for one in items])


def _cut(time: int, direction: str, frame: bytes, note: str, peer: str) -> _Kept | _Cut:
    if len(frame) <= LONGEST:
        return time, direction, frame, note, peer
    return time, direction, frame[:LONGEST], note, peer, len(frame), None


def _plain(value: Any) -> Any:
    """Return what `marshal` takes: a word of an enumeration is a text, too."""
    if isinstance(value, str):
        return str(value)
    return int(value) if isinstance(value, int) else value


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
