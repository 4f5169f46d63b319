"""The last frames of one link, and what they did."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from struct import Struct
from typing import NamedTuple

from gateway.kernel.trace import DONE, FRAME, POINTS, WAS_DONE, TraceMemory

LONGEST = 65_535
"""Octets that are kept of a frame; those behind are counted only."""
FIRST = POINTS
"""Points of an emission that are named."""
BURST = 64
"""Frames before the last one that came that an emission may be of."""
SEGMENTS = 8
"""Parts of a ring's memory: the oldest goes as a whole."""
LEAST = 1024
"""Bytes of the smallest segment."""
MARK = 0x3F
"""Bits of a number that are 0 where a frame is found at once."""
TEXTS = 0.25
"""Part of a segment's size above which its notes and peers end it."""

_FRAME = Struct("=qBHII")
_DONE = Struct("=qBBHIIq4i")
"""The records of `gw_trace` in csrc/kernel.h."""
_DIRECTIONS = ("tx", "rx")


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


class _Done(NamedTuple):
    """What was emitted, and the frame and the time that it was said to be of."""

    frame: int
    time: int
    did: Did


class _Segment:
    """A piece of memory, and what is to be known of what stands there.

    before: frames before its first one.
    end:    where nothing stands any more, once another one is written.
    marks:  number of a frame, and where it begins.
    said:   numbers of notes with peers; `texts` is how long they are.
    """

    __slots__ = ("before", "buffer", "end", "marks", "said", "texts")

    def __init__(self, size: int, before: int) -> None:
        self.buffer = bytearray(size)
        self.begin(before)

    def begin(self, before: int) -> None:
        """Forget what stands there."""
        self.before = before
        self.end = self.texts = 0
        self.marks: list[tuple[int, int]] = []
        self.said: dict[tuple[str, str], int] = {}

    def read(self, low: int, high: int, done: list[_Done]) -> Iterator[Frame]:
        """Yield the frames from one at or before `low` to `high`, and add what they did."""
        number, at = self.before, 0
        for marked, begins in reversed(self.marks):
            if marked <= low:
                number, at = marked - 1, begins
                break
        said = list(self.said)
        while at < self.end:
            if self.buffer[at + 8] == WAS_DONE:
                time, _, lost, n, samples, taken, of, *four = _DONE.unpack_from(self.buffer, at)
                at += DONE
                done.append(_Done(of, time, Did(samples, taken, tuple(four[:n]), bool(lost))))
                continue
            number += 1
            if number > high:
                return
            time, kind, index, kept, length = _FRAME.unpack_from(self.buffer, at)
            at += FRAME
            octets = bytes(self.buffer[at : at + kept])
            at += kept
            yield Frame(number, time, _DIRECTIONS[kind], octets, length, *said[index])


class Ring:
    """Keeps the last frames within a bound; on the event loop only.

    All links pass here with each frame. What is kept is copied into memory that is there already:
    objects that live on would push everything else out of the processor's caches.

    gone: how many frames the bound has pushed out.
    """

    def __init__(self, size: int, now: Callable[[], int]) -> None:
        """`size` bytes of memory; `now` gives the wall clock in ns."""
        self.size = size
        self.gone = 0
        self._segments: deque[_Segment] = deque()
        self._each = max(LEAST, size // SEGMENTS)
        self._most = max(1, size // self._each)
        self._memory = TraceMemory(min(LONGEST, self._each - FRAME), now)
        self._turn()

    def add(self, direction: str, frame: bytes, note: str = "", peer: str = "") -> None:
        """Keep a frame; see `LinkContext.trace`."""
        if type(frame) is not bytes:
            frame = bytes(frame)
        if note is not self._note or peer is not self._peer:
            self._say(note, peer)
        number = self._memory.frame(direction, frame, self._text)
        if not number:
            self._turn()
            self._say(note, peer)
            number = self._memory.frame(direction, frame, self._text)
        if not number & MARK:
            # It begins where the last one ends that was written.
            begin = self._memory.end - FRAME - min(len(frame), LONGEST, self._each - FRAME)
            self._segment.marks.append((number, begin))

    def did(
        self,
        samples: int,
        taken: int,
        points: bytes,
        time: int = 0,
        frame: int = 0,
        lost: bool = False,
    ) -> None:
        """Note what came of a frame, `frame` or the last one; see `Did`.

        points: ids, as octets of int32.
        time:   when the frame had come, ns: then it may be one before that came in the same burst.
        """
        if not self._memory.done(samples, taken, points, time, frame, lost):
            self._turn()
            self._memory.done(samples, taken, points, time, frame, lost)

    def _turn(self) -> None:
        """Go on in the memory that is written next, in the place of the oldest where there is no
        room for more."""
        before = self._memory.frames
        if self._segments:
            self._segments[-1].end = self._memory.end
        if len(self._segments) < self._most:
            self._segments.append(_Segment(self._each, before))
        else:
            oldest = self._segments.popleft()
            oldest.begin(before)
            self._segments.append(oldest)
            self.gone = self._segments[0].before
        self._segment = self._segments[-1]
        self._note: str | None = None
        self._peer: str | None = None
        self._text = 0
        self._memory.turn(self._segment.buffer)

    def _say(self, note: str, peer: str) -> None:
        """Have the segment know what is said besides a frame."""
        if self._segment.texts > TEXTS * self._each:
            self._turn()
        said = self._segment.said
        self._text = said.setdefault((str(note), str(peer)), len(said))
        if self._text == len(said) - 1:
            self._segment.texts += len(note) + len(peer)
        self._note, self._peer = note, peer

    @property
    def last(self) -> int:
        """Number of the last frame, 0 for none."""
        return self._memory.frames

    def __len__(self) -> int:
        return self.last - self.gone

    def after(self, number: int, most: int) -> list[Frame]:
        """Return the frames behind that one, oldest first: what is left of the next `most`.

        What stood between `number` and the first that is returned was pushed out.
        """
        begin = max(self.gone, number) + 1
        end = min(self.last, begin + most - 1)
        if begin > end:
            return []
        self._segment.end = self._memory.end
        # Those beside them tell which frame of a burst did something.
        low, high = max(self.gone + 1, begin - BURST), end + BURST
        frames: list[Frame] = []
        done: list[_Done] = []
        ends = [segment.before for segment in self._segments]
        for segment, last in zip(self._segments, (*ends[1:], self.last), strict=True):
            if segment.before < high and last >= low:
                frames += segment.read(low, high, done)
        low = frames[0].number
        did: dict[int, tuple[Did, ...]] = {}
        for of, time, one in done:
            if low <= of < low + len(frames):
                # What is not heard of any more may be for want of an answer: of any frame.
                at = of - low if one.lost else _cause(frames, of - low, time)
                if at is not None:
                    did[low + at] = (*did.get(low + at, ()), one)
        shown = frames[begin - low : end - low + 1]
        return [frame._replace(did=did.get(frame.number, ())) for frame in shown]


def _cause(frames: Sequence[Frame], at: int, time: int) -> int | None:
    """Return the index of the frame that came, of the burst that ends at `at`; None for none.

    What had come by `time` was shown a moment later: its own time is not before it.
    """
    found = None
    for index in range(at, max(-1, at - BURST), -1):
        frame = frames[index]
        if frame.direction != "rx":
            continue
        if found is None:
            found = index
        if not time or frame.time < time:
            break
        found = index
    return found
