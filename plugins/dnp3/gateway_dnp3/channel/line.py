"""A channel and the stations that are reached over it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Protocol

from gateway.channel import Channel, ChannelClosed
from gateway_dnp3.channel.peer import Peer
from gateway_dnp3.link import Frame, LinkEvent, LinkSettings, Reader, encode

FRAGMENT = 2048
"""Octets of the longest fragment that is taken, unless it is said otherwise."""

INBOX = 16
"""Fragments that may wait to be received, unless it is said otherwise."""


class Tracer(Protocol):
    """Whoever wants to see the frames; a gateway's context is one."""

    @property
    def tracing(self) -> bool:
        """Whether anybody looks."""

    def trace(self, direction: str, frame: bytes, note: str = "", peer: str = "") -> None:
        """Show a frame, `tx` or `rx`; see `SourceContext.trace`."""


class Line:
    """Everything between a channel's octets and the fragments of its stations.

    Add the stations, and `run` it in a task of its own for as long as they are used.
    counts: `frames_in`, `frames_out`, `strangers` (frames from stations that nobody has added), and
            the reader's errors: `garbage`, `header_check`, `length`, `data_check`, `truncated`.
    """

    def __init__(self, channel: Channel, tracer: Tracer | None = None) -> None:
        self.channel = channel
        self.peers: list[Peer] = []
        self._tracer = tracer
        self._reader = Reader()
        self._by_source: dict[int, list[Peer]] = {}
        self._frames: Counter[str] = Counter()
        self._writing = asyncio.Lock()
        self._loop = asyncio.get_running_loop()
        self._wakes = 0.0  # when the timer looks next
        self._sooner = asyncio.Event()

    @property
    def counts(self) -> Counter[str]:
        """What passed, and what was left and why."""
        return self._frames + self._reader.errors

    def add(
        self,
        settings: LinkSettings,
        *,
        limit: int = FRAGMENT,
        inbox: int = INBOX,
        on_event: Callable[[LinkEvent], None] | None = None,
    ) -> Peer:
        """Add an association.

        limit:    octets of the longest fragment that is taken.
        inbox:    fragments that may wait; what comes above is dropped and counted.
        on_event: is told what becomes known of the other station; must return at once.

        Raises ValueError where the same two addresses are there already.
        """
        of_source = self._by_source.setdefault(settings.remote, [])
        if any(peer.settings.local == settings.local for peer in of_source):
            raise ValueError(f"stations {settings.local} and {settings.remote} are connected twice")
        peer = Peer(settings, self._write, limit=limit, inbox=inbox, on_event=on_event)
        of_source.append(peer)
        self.peers.append(peer)
        self._sooner.set()
        return peer

    def remove(self, local: int, remote: int) -> None:
        """Forget an association; what still comes for it is left and counted."""
        of_source = self._by_source.get(remote, [])
        for peer in [peer for peer in of_source if peer.settings.local == local]:
            of_source.remove(peer)
            self.peers.remove(peer)
            peer.end(ChannelClosed(f"{self.channel.name}: not used any more"))

    async def run(self) -> None:
        """Carry frames until the channel ends: raises ChannelClosed with the reason.

        A connection on which every station is silent is closed. Cancelling it closes the channel.
        """
        closed = ChannelClosed(f"{self.channel.name}: not used any more")
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._read())
                group.create_task(self._keep_time())
        except* ChannelClosed as ended:
            closed = ChannelClosed(str(ended.exceptions[0]))
        finally:
            for peer in self.peers:
                peer.end(closed)
            await self.channel.close()
        raise closed

    async def _read(self) -> None:
        gap, reader = self.channel.gap, self._reader
        while True:
            if gap and reader.held:
                try:
                    async with asyncio.timeout(gap):
                        data = await self.channel.read()
                except TimeoutError:
                    await self._take(reader.flush())
                    continue
            else:
                data = await self.channel.read()
            await self._take(reader.feed(data))
            if gap == 0 and reader.held:
                await self._take(reader.flush())

    async def _take(self, frames: list[Frame]) -> None:
        self._frames["frames_in"] += len(frames)
        for frame in frames:
            if self._tracer is not None and self._tracer.tracing:
                self._tracer.trace("rx", encode(frame), "", self.channel.name)
            peers = self._by_source.get(frame.source, ())
            if not peers:
                self._frames["strangers"] += 1
            for peer in tuple(peers):
                await peer.take(frame)

    async def _write(self, frames: list[Frame]) -> None:
        octets = [encode(frame) for frame in frames]
        if self._tracer is not None and self._tracer.tracing:
            for one in octets:
                self._tracer.trace("tx", one, "", self.channel.name)
        async with self._writing:
            await self.channel.write(octets)
        self._frames["frames_out"] += len(frames)
        if self._next() < self._wakes:
            self._sooner.set()

    def _next(self) -> float:
        times = (peer.session.deadline for peer in self.peers)
        return min((time for time in times if time is not None), default=float("inf"))

    async def _keep_time(self) -> None:
        while True:
            self._wakes = self._next()
            wait = None if self._wakes == float("inf") else self._wakes
            self._sooner.clear()
            try:
                async with asyncio.timeout_at(wait):
                    await self._sooner.wait()
            except TimeoutError:
                await self._tick()

    async def _tick(self) -> None:
        now = self._loop.time()
        for peer in tuple(self.peers):
            deadline = peer.session.deadline
            if deadline is not None and deadline <= now:
                await peer.tick()
        if self.channel.connection and self.peers and all(peer.silent for peer in self.peers):
            remotes = ", ".join(str(peer.settings.remote) for peer in self.peers)
            await self.channel.close(f"station {remotes} is silent")
