"""Messages that were received and are yet to be read: bounded, in order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from gateway_mqtt.packet import Publish

MOST = 5_000
"""Messages that may wait; then the broker has to."""
MOST_BYTES = 8_000_000
"""Octets of their payloads, likewise."""
AT_ONCE = 250
"""Messages that are read in one go, a few milliseconds of work."""
AT_ONCE_BYTES = 250_000
"""Octets that are, likewise; one message always is, however long."""


class Inbox:
    """On the event loop; `pause` and `resume` stop and start the socket."""

    def __init__(self, pause: Callable[[], None], resume: Callable[[], None]) -> None:
        self._pause, self._resume = pause, resume
        self._messages: deque[Publish] = deque()
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
        """Return the messages that wait, oldest first: at least one, and some at once at most."""
        await self._arrived.wait()
        taken: list[Publish] = []
        size = 0
        while self._messages and len(taken) < AT_ONCE and size < AT_ONCE_BYTES:
            message = self._messages.popleft()
            taken.append(message)
            size += len(message.payload)
        self._bytes -= size
        if not self._messages:
            self._arrived.clear()
        if len(self._messages) < MOST // 2 and self._bytes < MOST_BYTES // 2:
            self._resume()
        return taken
