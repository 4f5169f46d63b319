"""Whose turn it is on a line that takes one exchange at a time: who is urgent goes first."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from itertools import chain


class Turn:
    """A lock with two queues, each in the order of coming; `async with turn` is the patient one."""

    def __init__(self) -> None:
        self._taken = False
        self._urgent: deque[asyncio.Future[None]] = deque()
        self._patient: deque[asyncio.Future[None]] = deque()

    async def __aenter__(self) -> None:
        await self._acquire(self._patient)

    async def __aexit__(self, *exc: object) -> None:
        self._release()

    @contextlib.asynccontextmanager
    async def urgent(self) -> AsyncIterator[None]:
        """Have the turn before all who wait patiently."""
        await self._acquire(self._urgent)
        try:
            yield
        finally:
            self._release()

    async def _acquire(self, queue: deque[asyncio.Future[None]]) -> None:
        if not self._taken:
            self._taken = True
            return
        mine = asyncio.get_running_loop().create_future()
        queue.append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            # Handed over in the moment of being cancelled: the next one is not to wait for it.
            if not mine.cancelled():
                self._release()
            raise
        finally:
            queue.remove(mine)

    def _release(self) -> None:
        for waiting in chain(self._urgent, self._patient):
            if not waiting.done():
                waiting.set_result(None)
                return
        self._taken = False
