"""Where masters arrive: one socket or line for all outstations that are reached there."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from weakref import WeakKeyDictionary

from gateway.channel import Channel, ChannelClosed, Listener
from gateway_dnp3.channel import Line, Tracer, UdpListener
from gateway_dnp3.outstation.association import Association

FIRST_WORD = 30.0
"""Seconds within which whoever connects says something to an outstation that is here."""

Door = Listener | UdpListener | Channel
Opener = Callable[[], Awaitable[Door]]


class PlaceTaken(Exception):  # noqa: N818 - it says what is the matter
    """Two outstations want one place, and not in the same way."""


class Reception:
    """One door, and the associations that wait behind it.

    counts: `refused` (connections that nobody here expects), `silent` (of whom nothing came), and
            those of the listener and the lines.
    """

    def __init__(self, name: str, terms: Hashable, opener: Opener) -> None:
        self.name = name
        self.terms = terms
        self.counts: Counter[str] = Counter()
        self.where: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._opener = opener
        self._guests: dict[Association, Tracer | None] = {}
        self._lines: dict[Line, dict[Association, asyncio.Task[None]]] = {}
        self._group: asyncio.TaskGroup | None = None
        self._door: Door | None = None
        self._task: asyncio.Task[None] | None = None

    # Who is here

    @property
    def empty(self) -> bool:
        return not self._guests

    def join(self, association: Association, tracer: Tracer | None) -> None:
        """Expect a master; raises PlaceTaken where it is expected already."""
        wanted = association.link.local, association.link.remote
        for other in self._guests:
            if (other.link.local, other.link.remote) == wanted:
                raise PlaceTaken(
                    f"outstation {wanted[0]} for master {wanted[1]} is at {self.name} twice"
                )
        self._guests[association] = tracer
        for line in self._lines:
            self._seat(line, association, at_once=False)

    async def leave(self, association: Association) -> None:
        """Expect it no more, and end the connection that it has."""
        del self._guests[association]
        tasks = []
        for line, seats in self._lines.items():
            task = seats.pop(association, None)
            if task is not None:
                task.cancel()
                tasks.append(task)
                line.remove(association.link.local, association.link.remote)
                if not any(other.on(line) for other in seats) and line.channel.connection:
                    await line.channel.close("the outstation has stopped")
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def first(self) -> Association | None:
        """Who has been here longest."""
        return next(iter(self._guests), None)

    @property
    def all_counts(self) -> Counter[str]:
        """What happened at the door and on the lines, those that are open included."""
        counts = Counter(self.counts)
        if self._door is not None and not isinstance(self._door, Channel):
            counts += self._door.counts
        for line in self._lines:
            counts += line.counts
        return counts

    # The door

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=f"reception {self.name}")

    async def ended(self) -> None:
        """Wait until the door closes by itself; raises ChannelClosed with the reason."""
        assert self._task is not None  # noqa: S101 - it is started at once
        await asyncio.shield(self._task)
        raise ChannelClosed(f"{self.name} has closed")

    async def stop(self) -> None:
        """Close the door and every connection."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        try:
            door = self._door = await self._opener()
        except Exception as error:
            self.where.set_exception(error)
            # Whoever waits for it hears of it; nobody may be waiting any more.
            self.where.exception()
            raise
        try:
            async with asyncio.TaskGroup() as self._group:
                if isinstance(door, Channel):
                    self.where.set_result(door.name)
                    await self._carry(door, at_once=True)
                    raise ChannelClosed(f"{self.name} has closed")
                self.where.set_result(f"{self.name.rpartition(':')[0]}:{door.port}")
                while True:
                    self._group.create_task(self._receive(await door.accept()))
        except* ChannelClosed as group:
            raise ChannelClosed(str(group.exceptions[0])) from None
        finally:
            self._group = None
            await door.close()

    async def _receive(self, channel: Channel) -> None:
        if not any(guest.admits(channel) for guest in self._guests):
            self.counts["refused"] += 1
            await channel.close("nobody expects it here")
            return
        with contextlib.suppress(ChannelClosed):
            await self._carry(channel, at_once=channel.connection)

    async def _carry(self, channel: Channel, *, at_once: bool) -> None:
        """Carry what a channel brings, until it ends."""
        line = Line(channel, _Tracers(self._guests))
        expected = [guest for guest in self._guests if guest.admits(channel)]
        self._lines[line] = {}
        for guest in expected:
            alone = at_once and (len(expected) == 1 or not channel.connection)
            self._seat(line, guest, at_once=alone)
        try:
            async with asyncio.TaskGroup() as tasks:
                watch = tasks.create_task(self._watch(line))
                try:
                    await line.run()
                finally:
                    watch.cancel()
        except* ChannelClosed as group:
            raise ChannelClosed(str(group.exceptions[0])) from None
        finally:
            seats = self._lines.pop(line)
            for task in seats.values():
                task.cancel()
            await asyncio.gather(*seats.values(), return_exceptions=True)
            self.counts += line.counts

    def _seat(self, line: Line, guest: Association, *, at_once: bool) -> None:
        if self._group is None or not guest.admits(line.channel):
            return
        peer = guest.seat(line)
        serving = guest.serve(line, peer, at_once=at_once)
        self._lines[line][guest] = self._group.create_task(serving)

    async def _watch(self, line: Line) -> None:
        """Close a connection on which nobody says anything that is for somebody here."""
        await asyncio.sleep(FIRST_WORD)
        if line.channel.connection and not any(guest.on(line) for guest in self._guests):
            self.counts["silent"] += 1
            await line.channel.close(f"said nothing within {FIRST_WORD:g} s")


class _Tracers:
    """All who look at frames."""

    def __init__(self, guests: dict[Association, Tracer | None]) -> None:
        self._guests = guests

    @property
    def tracing(self) -> bool:
        return any(one is not None and one.tracing for one in self._guests.values())

    def trace(self, direction: str, frame: bytes, note: str = "", peer: str = "") -> None:
        for one in self._guests.values():
            if one is not None and one.tracing:
                one.trace(direction, frame, note, peer)


_RECEPTIONS: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Reception]]
_RECEPTIONS = WeakKeyDictionary()
"""What is open in each event loop: the one thing that outstations have in common."""


@contextlib.asynccontextmanager
async def reception(
    place: str,
    terms: Hashable,
    opener: Opener,
    association: Association,
    tracer: Tracer | None = None,
) -> AsyncIterator[Reception]:
    """Expect a master at a place, for the length of the block; the first one there opens it.

    terms: what all who share the place must agree on.
    Raises PlaceTaken, and ChannelClosed where the place cannot be opened.
    """
    places = _RECEPTIONS.setdefault(asyncio.get_running_loop(), {})
    here = places.get(place)
    if here is None:
        here = places[place] = Reception(place, terms, opener)
        here.start()
    elif here.terms != terms:
        raise PlaceTaken(f"another outstation listens at {place} with other settings")
    try:
        here.join(association, tracer)
        try:
            await asyncio.shield(here.where)
            yield here
        finally:
            await here.leave(association)
    finally:
        if here.empty and places.get(place) is here:
            del places[place]
            await here.stop()
