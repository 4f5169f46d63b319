"""What has come and waits to be taken, in bounded memory."""

from __future__ import annotations

import asyncio

from gateway.channel import Channel, ChannelClosed

MOST = 1 << 20
"""Octets that wait: seconds of a large stream."""


class Arrivals:
    """Octets of one channel.

    some:   set when there are some, or none will come any more; several may share it.
    closed: why nothing comes any more.
    """

    def __init__(self, some: asyncio.Event) -> None:
        self.some = some
        self.closed: str | None = None
        self._waiting: list[bytes] = []
        self._octets = 0
        self._room = asyncio.Event()
        self._room.set()

    @property
    def full(self) -> bool:
        """Whether what comes now has no place."""
        return self._octets >= MOST

    def put(self, octets: bytes) -> None:
        """Add what came; whoever calls has looked whether there is room."""
        self._waiting.append(octets)
        self._octets += len(octets)
        if self.full:
            self._room.clear()
        self.some.set()

    def take(self) -> list[bytes]:
        """Return what waits."""
        taken, self._waiting = self._waiting, []
        self._octets = 0
        self._room.set()
        return taken

    def end(self, why: str) -> None:
        """Say that nothing comes any more."""
        if self.closed is None:
            self.closed = why
        self.some.set()

    async def read(self, channel: Channel) -> None:
        """Read a channel to its end; what has no room stays there and holds up the other side."""
        try:
            while True:
                await self._room.wait()
                self.put(await channel.read())
        except ChannelClosed as closed:
            self.end(str(closed))
