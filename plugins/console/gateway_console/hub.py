"""What streams are made of: a bounded ring of what happened, and who listens to it.

Points are watched while somebody listens to them, and a little longer, so that a stream that broke
off can be gone on with; at all other times samples do not come here at all.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gateway import Batch, Image

Mask = npt.NDArray[np.bool_]
MOST_NOTES = 1_000
"""Most changes of links that wait for one listener."""
UNWATCHED = np.iinfo(np.int64).max


class Event(NamedTuple):
    """Something that happened, in the order of `number`.

    kind: samples, image (the last sample of each point, at the beginning) or link.
    text: what the first stream that sent it wrote, for the others that have the very same event.
    """

    number: int
    kind: str
    body: Any
    coalesced: int = 0
    text: list[bytes] | None = None

    @property
    def rows(self) -> int:
        return len(self.body) if isinstance(self.body, Batch) else 0


@dataclass(slots=True, eq=False)
class Listener:
    """One stream; its queue is bounded, and beyond the bound only the latest of a point waits.

    gap: whether something between the client's last event and now is lost to it.
    """

    mask: Mask
    links: bool
    most: int
    gap: bool = False
    closed: bool = False
    coalesced: int = 0
    queue: deque[Event] = field(default_factory=deque)
    rows: int = 0
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, event: Event) -> None:
        """Take an event of which this stream is to have all."""
        if event.kind == "link":
            if not self.links:
                return
            if sum(one.kind == "link" for one in self.queue) >= MOST_NOTES:
                self.coalesced += 1
                return
            self.queue.append(event)
        else:
            self.queue.append(event)
            self.rows += event.rows
            if self.rows > self.most:
                self._coalesce()
        self.wake.set()

    def _coalesce(self) -> None:
        """Keep the latest sample of each point, behind the changes of links."""
        waiting = [one for one in self.queue if one.rows]
        notes = [one for one in self.queue if not one.rows]
        whole = Batch.concat([one.body for one in waiting])
        _, last = np.unique(whole.point[::-1], return_index=True)
        kept = np.sort(len(whole) - 1 - last)
        gone = len(whole) - len(kept) + sum(one.coalesced for one in waiting)
        self.coalesced += len(whole) - len(kept)
        newest = Event(waiting[-1].number, "samples", whole.take(kept), gone)
        self.queue = deque(sorted([*notes, newest], key=lambda one: one.number))
        self.rows = len(kept)

    async def next(self, timeout: float) -> list[Event]:
        """Return what waits, within `timeout` seconds; nothing where nothing happened, or the
        stream was closed.
        """
        if not self.queue and not self.closed:
            self.wake.clear()
            try:
                async with asyncio.timeout(timeout):
                    await self.wake.wait()
            except TimeoutError:
                return []
        found, self.queue, self.rows = list(self.queue), deque(), 0
        return found

    def close(self) -> None:
        self.closed = True
        self.wake.set()


class Hub:
    """The ring and the listeners of one console, on the event loop.

    ids:    of the points that there are.
    watch:  the context's: which points' samples come here at all.
    clock:  monotonic, in seconds.
    run:    a text that no other run of this gateway has; it begins every event's id.
    rows:   samples that the ring keeps, and most that wait for one listener.
    linger: seconds for which points are watched on after the last listener left.
    """

    def __init__(
        self,
        image: Image,
        ids: Sequence[int],
        watch: Callable[[Iterable[int]], None],
        clock: Callable[[], float],
        *,
        run: str,
        rows: int,
        linger: float,
    ) -> None:
        self._image = image
        self._watch = watch
        self._clock = clock
        self._most = max(rows, len(ids))
        self._linger = linger
        self.run = run
        self.number = 0
        self._size = max(ids, default=-1) + 1
        self._since = np.full(self._size, UNWATCHED, np.int64)
        """Number of the event from which on a point has been watched."""
        self._left: deque[tuple[float, Mask]] = deque(maxlen=1_000)
        self._ring: deque[Event] = deque()
        self._ring_rows = 0
        self._forgotten = 0
        """Number of the last event that the ring does not have any more."""
        self.listeners: set[Listener] = set()

    def publish(self, batch: Batch) -> None:
        """Tell of samples."""
        if len(batch):
            self._tell("samples", batch)

    def note(self, link: Any) -> None:
        """Tell of a link whose state changed."""
        if self.listeners or self._ring:
            self._tell("link", link)

    def _tell(self, kind: str, body: Any) -> None:
        self.number += 1
        event = Event(self.number, kind, body)
        self._ring.append(event)
        self._ring_rows += event.rows + 1
        while self._ring_rows > self._most:
            gone = self._ring.popleft()
            self._ring_rows -= gone.rows + 1
            self._forgotten = gone.number
        self._hand(event, self.listeners)

    def _hand(self, event: Event, listeners: Iterable[Listener]) -> None:
        """Give each listener what it is to have; those of the same points get the same event."""
        if event.kind == "link":
            for listener in listeners:
                listener.put(event)
            return
        made: dict[int, Event] = {}
        for listener in listeners:
            mine = made.get(id(listener.mask))
            if mine is None:
                body = event.body.take(listener.mask[event.body.point])
                mine = made[id(listener.mask)] = event._replace(body=body, text=[])
            if mine.rows:
                listener.put(mine)

    def _shared(self, mask: Mask) -> Mask:
        """Return the mask of another listener to the same points, where there is one."""
        for other in {id(one.mask): one.mask for one in self.listeners}.values():
            if np.array_equal(other, mask):
                return other
        return mask

    def join(self, mask: Mask, *, links: bool, last: tuple[str, int] | None = None) -> Listener:
        """Begin a stream of the points of a mask; `last` is the id of the client's last event.

        It begins with what has happened since then; where that is not known, and where there is
        no such event, with an image.
        """
        listener = Listener(self._shared(mask), links, self._most)
        resumed = last is not None and self._knows(mask, *last)
        listener.gap = last is not None and not resumed
        self.listeners.add(listener)
        self._since[mask & (self._since == UNWATCHED)] = self.number
        self.narrow(force=True)
        if resumed and last is not None:
            for event in self._ring:
                if event.number > last[1]:
                    self._hand(event, (listener,))
        else:
            listener.queue.append(Event(self.number, "image", self._pictured(mask)))
            listener.wake.set()
        return listener

    def leave(self, listener: Listener) -> None:
        """End a stream; its points are watched a little longer."""
        if listener in self.listeners:
            self.listeners.discard(listener)
            self._left.append((self._clock() + self._linger, listener.mask))
            self.narrow()

    def narrow(self, *, force: bool = False) -> None:
        """Stop watching what nobody has listened to for a while; called now and then."""
        now = self._clock()
        before = len(self._left)
        while self._left and self._left[0][0] <= now:
            self._left.popleft()
        if not force and len(self._left) == before:
            return
        wanted = np.zeros(self._size, np.bool_)
        for mask in [one.mask for one in self.listeners] + [mask for _, mask in self._left]:
            wanted |= mask
        self._since[~wanted] = UNWATCHED
        self._watch(np.flatnonzero(wanted).tolist())
        if not wanted.any() and not self.listeners:
            self._ring.clear()
            self._ring_rows, self._forgotten = 0, self.number

    def close(self) -> None:
        """End all streams."""
        for listener in list(self.listeners):
            listener.close()

    def _knows(self, mask: Mask, run: str, number: int) -> bool:
        """Say whether all that happened to these points behind an event is in the ring."""
        if run != self.run or not self._forgotten <= number <= self.number:
            return False
        return bool((self._since[mask] <= number).all())

    def _pictured(self, mask: Mask) -> Batch:
        points = np.flatnonzero(mask).astype(np.int32)
        image = self._image
        return Batch(points, image.value[points], image.quality[points], image.time[points])
