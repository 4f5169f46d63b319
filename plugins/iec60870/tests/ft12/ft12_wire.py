"""Ends of a line in memory, and lines that run."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence

from gateway_iec60870.ft12 import Line

from gateway.channel import Channel, ChannelClosed


class Wire(Channel):
    """One end of a line in memory.

    loses: decides for each write whether it gets lost.
    octet: seconds that one octet takes; `write` returns when the line has carried it.
    """

    def __init__(
        self,
        loses: Callable[[], bool] = lambda: False,
        *,
        octet: float = 0.0,
        gap: float | None = 0.05,
        connection: bool = False,
    ) -> None:
        super().__init__("wire")
        self.gap = gap
        self.connection = connection
        self.others: list[Wire] = []
        self.came: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.written: list[tuple[float, bytes]] = []
        self.why = ""
        self._loses = loses
        self._octet = octet

    @classmethod
    def pair(cls, loses: Callable[[], bool] = lambda: False, **how: float) -> tuple[Wire, Wire]:
        """Two ends."""
        a, b = cls(loses, **how), cls(loses, **how)
        a.others, b.others = [b], [a]
        return a, b

    async def read(self) -> bytes:
        data = await self.came.get()
        if data is None:
            self.came.put_nowait(None)
            raise ChannelClosed(f"wire: {self.why}")
        return data

    async def write(self, frames: Sequence[bytes]) -> None:
        data = b"".join(frames)
        self.written.append((asyncio.get_running_loop().time(), data))
        await asyncio.sleep(len(data) * self._octet)
        if not self._loses():
            for other in self.others:
                other.came.put_nowait(data)

    async def close(self, why: str = "closed") -> None:
        self.why = self.why or why
        self.came.put_nowait(None)


@contextlib.asynccontextmanager
async def lines(*all_of: Line) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Lines that run; what ends them is left to the test."""
    tasks = [asyncio.create_task(line.run()) for line in all_of]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
