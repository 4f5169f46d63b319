"""Messages that were received and are yet to be read: bounded, in order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gateway_mqtt.packet import Publish

MOST = 5_000
"""Messages that may wait; then the broker has to."""
MOST_BYTES = 8_000_000
"""Octets of their payloads, likewise."""
AT_ONCE = 1_000
"""Messages that are read in one go, a few milliseconds of work."""


class Inbox:
    """On the event loop; `pause` and `resume` stop and start the socket."""

    def __init__(self, pause: Callable[[], None], resume: Callable[[], None]) -> None:
        self._pause, self._resume = pause, resume
        self._messages: list[Publish] = []
        self._bytes = 0
        self._arrived = asyncio.Event()

    def put(self, message: Publish) -> None:
        """Let a message wait."""
        self._messages.append(message)
        self._bytes += len(message.payload)
        self._arrived.set()
        if len(self._messages) >= MOST or self._bytes >= MOST_BYTES:
            self._pause()

    async def take(self) -> list[Publish]:
        """Return the messages that wait, oldest first; at least one, at most `AT_ONCE`."""
        await self._arrived.wait()
        taken = self._messages[:AT_ONCE]
        del self._messages[:AT_ONCE]
        self._bytes -= sum(len(message.payload) for message in taken)
        if not self._messages:
            self._arrived.clear()
        if len(self._messages) < MOST // 2 and self._bytes < MOST_BYTES // 2:
            self._resume()
        return taken
