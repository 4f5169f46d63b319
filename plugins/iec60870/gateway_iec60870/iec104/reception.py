"""Where controlling stations connect: one socket for all groups that are reached there."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from weakref import WeakKeyDictionary

from gateway.channel import Channel, ChannelClosed, Listener
from gateway_iec60870.iec104.group import Group

MOST_CLIENTS = 1000
"""Connections of all groups at one socket; each group has its own bound besides."""

Opener = Callable[[], Awaitable[Listener]]


class PlaceTaken(Exception):  # noqa: N818 - it says what is the matter
    """Two links want one place, and not in the same way."""


class Reception:
    """One socket, and the groups that wait behind it.

    counts: `refused` (connections of nobody who is expected here), and those of the listener.
    """

    def __init__(self, name: str, terms: Hashable, opener: Opener) -> None:
        self.name = name
        self.terms = terms
        self.where: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._opener = opener
        self._counts: Counter[str] = Counter()
        self._groups: dict[Group, set[asyncio.Task[None]]] = {}
        self._listener: Listener | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def empty(self) -> bool:
        """Whether nobody is expected."""
        return not self._groups

    @property
    def first(self) -> Group | None:
        """Who has been here longest."""
        return next(iter(self._groups), None)

    @property
    def counts(self) -> Counter[str]:
        """What happened at the door."""
        return self._counts + (Counter() if self._listener is None else self._listener.counts)

    def join(self, group: Group) -> None:
        """Expect connections of a group; raises PlaceTaken where nothing tells it from another."""
        for other in self._groups:
            if (other.networks, other.fingerprints) == (group.networks, group.fingerprints):
                who = ", ".join(map(str, sorted(group.networks, key=str))) or "anybody"
                raise PlaceTaken(f"another link at {self.name} expects {who} already")
        self._groups[group] = set()

    async def leave(self, group: Group) -> None:
        """Expect it no more, and end its connections."""
        tasks = self._groups.pop(group)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def start(self) -> None:
        """Open the door."""
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
            listener = self._listener = await self._opener()
        except Exception as error:
            self.where.set_exception(error)
            # Whoever waits for it hears of it; nobody may be waiting any more.
            self.where.exception()
            raise
        try:
            self.where.set_result(f"{self.name.rpartition(':')[0]}:{listener.port}")
            async with asyncio.TaskGroup() as tasks:
                while True:
                    channel = await listener.accept()
                    task = tasks.create_task(self._receive(channel))
                    self._seat(channel, task)
        finally:
            await listener.close()

    def _seat(self, channel: Channel, task: asyncio.Task[None]) -> None:
        group = self._meant(channel)
        if group is not None:
            seats = self._groups[group]
            seats.add(task)
            task.add_done_callback(seats.discard)

    async def _receive(self, channel: Channel) -> None:
        group = self._meant(channel)
        if group is None:
            self._counts["refused"] += 1
            await channel.close("nobody expects it here")
            return
        try:
            await group.serve(channel)
        finally:
            await channel.close()

    def _meant(self, channel: Channel) -> Group | None:
        """Return the group that names who is at a channel most closely."""
        known = {group: group.knows(channel) for group in self._groups}
        near = {group: closeness for group, closeness in known.items() if closeness is not None}
        return max(near, key=lambda group: near[group], default=None)


_RECEPTIONS: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Reception]]
_RECEPTIONS = WeakKeyDictionary()
"""What is open in each event loop: the one thing that the links have in common."""


@contextlib.asynccontextmanager
async def reception(
    place: str, terms: Hashable, opener: Opener, group: Group
) -> AsyncIterator[Reception]:
    """Expect a group at a place, for the length of the block; the first one there opens it.

    terms: what all who share the place must agree on.
    Raises PlaceTaken, and ChannelClosed where the place cannot be opened.
    """
    places = _RECEPTIONS.setdefault(asyncio.get_running_loop(), {})
    here = places.get(place)
    if here is None:
        here = places[place] = Reception(place, terms, opener)
        here.start()
    elif here.terms != terms:
        raise PlaceTaken(f"another link listens at {place} with other settings")
    try:
        here.join(group)
        try:
            await asyncio.shield(here.where)
            yield here
        finally:
            await here.leave(group)
    finally:
        if here.empty and places.get(place) is here:
            del places[place]
            await here.stop()
