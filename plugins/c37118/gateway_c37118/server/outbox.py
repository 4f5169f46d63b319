"""What waits for one client, bounded."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable


class Outbox:
    """Frames for one client, of which the oldest data go where it is too slow for them.

    on:    whether it wants data.
    count: told of `frames_dropped`: data that it never got.
    """

    def __init__(self, most: int, count: Callable[[str], None]) -> None:
        self.on = False
        self._data: deque[bytes] = deque()
        self._answers: deque[bytes] = deque()
        self._most = most
        self._count = count
        self._some = asyncio.Event()

    def put(self, frame: bytes) -> None:
        """Take a data frame; never waits."""
        if len(self._data) >= self._most:
            self._data.popleft()
            self._count("frames_dropped")
        self._data.append(frame)
        self._some.set()

    def answer(self, frame: bytes) -> bool:
        """Take an answer, which goes before data; False where too many wait for being read."""
        if len(self._answers) >= self._most:
            return False
        self._answers.append(frame)
        self._some.set()
        return True

    def forget(self) -> None:
        """Forget data that have not gone yet."""
        self._data.clear()

    async def frames(self) -> list[bytes]:
        """Wait for frames, and take all that there are."""
        while not self._answers and not self._data:
            self._some.clear()
            await self._some.wait()
        taken = [*self._answers, *self._data]
        self._answers.clear()
        self._data.clear()
        return taken
