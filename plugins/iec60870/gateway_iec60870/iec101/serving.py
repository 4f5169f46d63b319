"""One line: what its stations say to the controlling station, and back what is in custody."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from gateway import LinkError, SourceContext
from gateway.channel import Channel, ChannelClosed, Listener
from gateway_iec60870.asdu import TypeId
from gateway_iec60870.controlling import Controlling, Undelivered
from gateway_iec60870.ft12 import LinkDown, Station

if TYPE_CHECKING:
    from gateway_iec60870.iec101.master import Iec101Master

COUNTED = 1.0
"""Seconds from one look at the counters to the next."""
_QUIET = {"frames_in", "frames_out"}
"""Counters of what goes well."""


async def serve(
    source: Iec101Master, ctx: SourceContext, channel: Channel, listener: Listener | None = None
) -> None:
    """Serve the points until the line ends, or nobody answers on it: raises LinkError.

    listener: whoever dials in again takes the place of the connection before.
    """
    serving: _Serving | None = None
    try:
        async with asyncio.TaskGroup() as tasks:
            serving = _Serving(source, ctx, channel, tasks)
            if listener is not None:
                tasks.create_task(_replaced(listener))
    except* (ChannelClosed, LinkError) as group:
        why = str(_first(group))
        raise LinkError(why if serving is None else serving.explained(why)) from None
    finally:
        if serving is not None:
            serving.look()


class _Serving:
    """Everything that runs while there is a line, in a task group."""

    def __init__(
        self, source: Iec101Master, ctx: SourceContext, channel: Channel, tasks: asyncio.TaskGroup
    ) -> None:
        self._ctx = ctx
        self._name = channel.name
        self._patience = source.timeout
        self._known: Counter[str] = Counter()
        self._news: asyncio.Queue[tuple[int, bool]] = asyncio.Queue()
        self._lives = asyncio.Event()
        self._dead = asyncio.Event()
        self._met: set[int] = set()
        self._missing: set[int] = set()
        self._line = source.line(channel, ctx, probe_share=source.probe_share)
        self._controlling = Controlling(
            ctx, source.ca, source.sizes, source.manners(), self._send, channel.name, tasks
        )
        self._stations: dict[int, Station] = {}
        self._behind: defaultdict[int, list[int]] = defaultdict(list)
        for address in self._controlling.stations:
            self._behind[source.link_of(address)].append(address)
        for link, addresses in sorted(self._behind.items()):
            station = self._line.add(
                source.association(link),
                on_up=partial(self._changed, link, up=True),
                on_down=partial(self._ended, link),
            )
            self._stations.update(dict.fromkeys(addresses, station))
            tasks.create_task(self._receive(station))
        tasks.create_task(self._line.run())
        tasks.create_task(self._follow())
        tasks.create_task(self._watch())
        tasks.create_task(self._call_the_roll())
        tasks.create_task(self._count())

    # What passes

    async def _send(self, address: int, request: Callable[[], bytes]) -> None:
        """See `Send`."""
        try:
            await self._stations[address].deliver(_Once(request))
        except LinkDown as down:
            raise Undelivered(str(down)) from None

    async def _receive(self, station: Station) -> None:
        """Hand on what comes, and let the station forget it when it is in custody."""
        refused = False
        while True:
            asdus = await station.receive()
            kept = await self._controlling.take(asdus)
            if kept:
                # As long as nothing can be read the stations keep all of it.
                await self._controlling.legibility.undisputed()
                station.confirm(len(asdus))
            else:
                self._ctx.count("refused_custody")
                station.refuse()
            if kept is refused:
                refused = not kept
                name = f"{self._name}: link address {station.address}"
                if refused:
                    self._ctx.log.warning(
                        "%s: the gateway cannot take what it sends, and asks for it again", name
                    )
                else:
                    self._ctx.log.info("%s: what it sends is taken again", name)

    # Who is there

    def _changed(self, link: int, *, up: bool) -> None:
        self._news.put_nowait((link, up))
        if any(one.up for one in self._stations.values()):
            self._dead.clear()
            self._lives.set()
        else:
            self._lives.clear()
            self._dead.set()

    def _ended(self, link: int, why: str) -> None:
        self._ctx.log.debug("%s: %s", self._name, why)
        self._changed(link, up=False)

    async def _follow(self) -> None:
        """Begin with stations that are there, and have the points of those stale that are not."""
        while True:
            link, up = await self._news.get()
            if not up:
                await self._controlling.lost(self._behind[link])
                continue
            self._met.add(link)
            if link in self._missing:
                self._missing.discard(link)
                self._ctx.log.info("%s: link address %d answers", self._name, link)
            self._controlling.begin(self._behind[link])

    async def _watch(self) -> None:
        """Give the line up on which nobody answers."""
        while True:
            try:
                async with asyncio.timeout(self._patience):
                    await self._lives.wait()
            except TimeoutError:
                raise LinkError(f"{self._name}: {_nobody(sorted(self._behind))}") from None
            await self._dead.wait()

    async def _call_the_roll(self) -> None:
        """Say who has not answered since the line was opened."""
        await asyncio.sleep(self._patience)
        for link in sorted(self._behind.keys() - self._met):
            self._missing.add(link)
            self._ctx.count("silent_stations")
            self._ctx.log.warning("%s: link address %d does not answer", self._name, link)

    # What the operator sees

    def explained(self, why: str) -> str:
        """Return why the line is given up; where nothing could be read that comes first."""
        doubt = self._controlling.doubt
        return why if doubt in why else f"{self._name}: {doubt}; {why}"

    async def _count(self) -> None:
        async for _ in self._ctx.every(COUNTED):
            self.look()

    def look(self) -> None:
        """Hand on what was counted since the last look."""
        counts = Counter(self._line.counts)
        for station in self._line.stations.values():
            counts += station.counts
        for name, number in (counts - self._known).items():
            if name not in _QUIET:
                self._ctx.count(f"link_{name}", number)
        self._known = counts


class _Once:
    """Makes a request once, but a time for each time that it goes on the line."""

    def __init__(self, request: Callable[[], bytes]) -> None:
        self._request = request
        self._made = b""

    def __call__(self) -> bytes:
        if not self._made or self._made[0] == TypeId.C_CS_NA_1:
            self._made = self._request()
        return self._made


def _nobody(links: list[int]) -> str:
    words = ", ".join(map(str, links))
    if len(links) == 1:
        return f"link address {words} does not answer"
    return f"none of the link addresses {words} answers"


async def _replaced(listener: Listener) -> None:
    channel = await listener.accept()
    raise LinkError(f"{channel.name} dials in and takes the place of the connection before")


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
