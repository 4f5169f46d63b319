"""Where a control centre arrives: one line for all stations of the gateway's that are on it."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from gateway import SinkContext
from gateway.channel import Channel, ChannelClosed, Listener
from gateway_iec60870.ft12 import Line
from gateway_iec60870.iec101.drop import Drop

if TYPE_CHECKING:
    from gateway_iec60870.iec101.slave import Iec101Slave


class PlaceTaken(Exception):  # noqa: N818 - it says what is the matter
    """Two links want one place, and not in the same way."""


class Place:
    """A serial port, a connection to a terminal server, or a socket that one connects to.

    It has one line at a time. Whoever connects takes the place of the connection before, which may
    be a dead one.

    where: what it is called, as soon as it is open.
    """

    def __init__(self, link: Iec101Slave) -> None:
        self.where: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.terms = link.terms
        self._link = link
        self._counts: Counter[str] = Counter()
        self._drops: dict[Drop, asyncio.Task[None] | None] = {}
        self._listener: Listener | None = None
        self._line: Line | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def empty(self) -> bool:
        """Whether no station is here."""
        return not self._drops

    @property
    def first(self) -> Drop | None:
        """Who has been here longest."""
        return next(iter(self._drops), None)

    @property
    def counts(self) -> Counter[str]:
        """What happened on the lines, and at the door."""
        counts = Counter(self._counts)
        if self._line is not None:
            counts += self._line.counts
        return counts if self._listener is None else counts + self._listener.counts

    def join(self, drop: Drop) -> None:
        """Put a station on the line; raises PlaceTaken where there is no room for it."""
        name, link = drop.link.place, drop.link
        if link.terms != self.terms:
            raise PlaceTaken(f"another link is at {name} with other settings")
        if self._drops and link.balanced:
            raise PlaceTaken(f"another link is at {name}: a balanced line has one station")
        if any(other.address == drop.address for other in self._drops):
            raise PlaceTaken(f"another link is at {name} with link address {drop.address}")
        self._drops[drop] = None
        self._seat(drop)

    async def leave(self, drop: Drop) -> None:
        """Take a station from the line."""
        task = self._drops.pop(drop)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def start(self) -> None:
        """Open it."""
        self._task = asyncio.create_task(self._run(), name=f"place {self._link.place}")

    async def ended(self) -> None:
        """Wait until it ends by itself; raises ChannelClosed with the reason."""
        assert self._task is not None  # noqa: S101 - it is started at once
        await asyncio.shield(self._task)
        raise ChannelClosed(f"{self._link.place} has closed")

    async def stop(self) -> None:
        """Close it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        try:
            if self._link.listen is None:
                channel = await self._link.open()
                self.where.set_result(channel.name)
                await self._carry(channel)
            else:
                self._listener = await self._link.open_listener()
                self.where.set_result(f"listens at {self._link.listen.host}:{self._listener.port}")
                await self._accept(self._listener)
        except Exception as error:
            if not self.where.done():
                self.where.set_exception(error)
                # Whoever waits for it hears of it; nobody may be waiting any more.
                self.where.exception()
            raise
        finally:
            if self._listener is not None:
                await self._listener.close()
            _forget(self)

    async def _accept(self, listener: Listener) -> None:
        carrying: asyncio.Task[None] | None = None
        async with asyncio.TaskGroup() as tasks:
            while True:
                channel = await listener.accept()
                if carrying is not None and not carrying.done():
                    self._counts["replaced"] += 1
                    carrying.cancel()
                    await asyncio.wait([carrying])
                carrying = tasks.create_task(self._carry_quietly(channel))

    async def _carry_quietly(self, channel: Channel) -> None:
        with contextlib.suppress(ChannelClosed):
            await self._carry(channel)

    async def _carry(self, channel: Channel) -> None:
        """Carry frames until the channel ends: raises ChannelClosed."""
        line = self._link.line(channel, _Tracers(self._drops), silence=self._link.longest_silence)
        try:
            async with asyncio.TaskGroup() as tasks:
                self._line, self._tasks = line, tasks
                for drop in self._drops:
                    self._seat(drop)
                await line.run()
        except* ChannelClosed as group:
            raise ChannelClosed(str(_first(group))) from None
        finally:
            self._line = self._tasks = None
            self._drops.update(dict.fromkeys(self._drops))
            self._counts += line.counts

    def _seat(self, drop: Drop) -> None:
        if self._line is not None and self._tasks is not None:
            self._drops[drop] = self._tasks.create_task(drop.serve(self._line))


class _Tracers:
    """All who look at frames."""

    def __init__(self, drops: dict[Drop, asyncio.Task[None] | None]) -> None:
        self._drops = drops

    @property
    def _looking(self) -> list[SinkContext]:
        return [drop.ctx for drop in self._drops if drop.ctx.tracing]

    @property
    def tracing(self) -> bool:
        return bool(self._looking)

    def trace(self, direction: str, frame: bytes, note: str = "", peer: str = "") -> None:
        for one in self._looking:
            one.trace(direction, frame, note, peer)


_PLACES: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Place]] = WeakKeyDictionary()
"""What is open in each event loop: the one thing that the links have in common."""


@contextlib.asynccontextmanager
async def place(link: Iec101Slave, drop: Drop) -> AsyncIterator[Place]:
    """Put a station on the line that its settings name, for the length of the block.

    The first one there opens it. Raises PlaceTaken, and ChannelClosed where it cannot be opened.
    """
    places = _PLACES.setdefault(asyncio.get_running_loop(), {})
    here = places.get(link.place)
    if here is None:
        here = places[link.place] = Place(link)
        here.start()
    try:
        here.join(drop)
        try:
            await asyncio.shield(here.where)
            yield here
        finally:
            await here.leave(drop)
    finally:
        if here.empty:
            _forget(here)
            await here.stop()


def _forget(one: Place) -> None:
    """Have whoever comes next open the place anew."""
    places = _PLACES.get(asyncio.get_running_loop(), {})
    for name in [name for name, other in places.items() if other is one]:
        del places[name]


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
