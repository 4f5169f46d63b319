"""From a thread to the event loop, bounded: who is too fast waits."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")

TURN = 0.1
"""Seconds after which a thread that waits looks whether anybody still wants what it has."""


class Handover(Generic[T]):
    """`most` things at a time; made in the loop that takes them."""

    def __init__(self, most: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._room = threading.Semaphore(most)
        self._items: deque[T] = deque()
        self._some = asyncio.Event()
        self._closed = False

    @property
    def closed(self) -> bool:
        return self._closed

    def put(self, item: T) -> None:
        """From the thread: wait while there is no room; what comes after `close` is forgotten."""
        while not self._room.acquire(timeout=TURN):
            if self._closed:
                return
        self._items.append(item)
        if not self._closed:
            self._loop.call_soon_threadsafe(self._some.set)

    async def take(self) -> T:
        """From the loop: wait for the next one."""
        while not self._items:
            self._some.clear()
            await self._some.wait()
        self._room.release()
        return self._items.popleft()

    def close(self) -> None:
        """From the loop: nobody waits any more; `rest` has what is there."""
        self._closed = True

    def rest(self) -> list[T]:
        """From the loop: take all that is there."""
        items = list(self._items)
        self._items.clear()
        return items
