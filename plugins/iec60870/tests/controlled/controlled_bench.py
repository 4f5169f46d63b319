"""A controlled station without a gateway and without a transport: what is said, in octets."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, cast

import numpy as np
from gateway_iec60870.controlled import Controlled, Iec60870ServerPoint, Manners

from gateway import (
    Answer,
    Batch,
    Client,
    CommandStatus,
    Control,
    Definition,
    Delivery,
    Image,
    Kind,
    LinkPoint,
    Request,
    SinkContext,
)

NOON = 1_767_268_800_000
"""2026-01-01 12:00:00 UTC in ms; a Thursday, in CP56: 00 00 00 0c 81 01 1a."""


def point(number: int, kind: str = "status", control: Any = None, **address: Any) -> LinkPoint:
    """Return a point; `control` are its columns command.…."""
    command = None if control is None else Control.model_validate(control)
    definition = Definition(f"p{number}", Kind(kind), command=command)
    return LinkPoint(number, definition, Iec60870ServerPoint.model_validate(address))


class Context:
    """What a sink is given, as far as a controlled station uses it."""

    def __init__(self, points: Sequence[LinkPoint]) -> None:
        n = len(points)
        self.points = points
        self.image = Image(np.full(n, np.nan), np.full(n, 1, np.uint16), np.zeros(n, np.int64))
        self.log = logging.getLogger("test")
        self.wall = NOON
        self.counts: Counter[str] = Counter()
        self.acknowledged: list[int] = []
        self.coalesced = 0
        self.requests: list[Request] = []
        self.refusals: list[tuple[CommandStatus, str]] = []
        self.released: list[Client] = []
        self.reply: Callable[[Request], CommandStatus | None] = lambda _: CommandStatus.SUCCESS
        self.unanswered: list[asyncio.Future[CommandStatus]] = []
        self.on_disk = 0
        self._deliveries: asyncio.Queue[Delivery] = asyncio.Queue()
        self._seq = 0

    def now(self) -> int:
        return self.wall * 1_000_000

    def count(self, what: str, n: int = 1) -> None:
        self.counts[what] += n

    async def batches(self) -> AsyncIterator[Delivery]:
        while True:
            yield await self._deliveries.get()

    def waiting(self) -> int:
        return self._deliveries.qsize() + self.on_disk

    def delivered(self, seq: int, *, coalesced: int = 0, shed: int = 0) -> None:
        self.acknowledged.append(seq)
        self.coalesced += coalesced

    async def command(self, request: Request) -> Answer:
        self.requests.append(request)
        status = self.reply(request)
        if status is None:
            self.unanswered.append(asyncio.get_running_loop().create_future())
            status = await self.unanswered[-1]
        return Answer(status)

    def refused(
        self, client: Client, status: CommandStatus, detail: str, *, point: str = "", **said: str
    ) -> Answer:
        self.refusals.append((status, detail))
        return Answer(status)

    def release(self, client: Client) -> None:
        self.released.append(client)

    async def every(self, period: float, offset: float = 0.0) -> AsyncIterator[int]:
        while True:
            await asyncio.sleep(period)
            yield 0

    def happen(
        self,
        *samples: tuple[int, float, int],
        quality: int | list[int] = 0,
        historical: bool = False,
    ) -> None:
        """Take samples in one delivery: point, value, and ms behind noon."""
        ids = [one for one, _, _ in samples]
        values = [value for _, value, _ in samples]
        times = [(NOON + ms) * 1_000_000 for _, _, ms in samples]
        batch = Batch.of(ids, values, quality, times)
        self.image.value[ids] = values
        self.image.quality[ids] = quality
        self.image.time[ids] = times
        self._seq += 1
        self._deliveries.put_nowait(Delivery(self._seq, batch, historical))


class Bench:
    """A station at work, and the controlling station, which a test speaks as."""

    def __init__(self, controlled: Controlled, ctx: Context) -> None:
        self.controlled = controlled
        self.ctx = ctx
        self.client = Client("scada", "10.0.0.7:50214", role="operator")
        self._task: asyncio.Task[None] | None = None

    @property
    def ended(self) -> bool:
        """Whether the station has ended by itself."""
        return self._task is not None and self._task.done()

    @classmethod
    @contextlib.asynccontextmanager
    async def of(
        cls, *points: LinkPoint, start: bool = True, **manners: Any
    ) -> AsyncIterator[Bench]:
        """Run a station with these points; what it says at its start is passed over."""
        ctx = Context(points)
        controlled = Controlled(cast(SinkContext, ctx), Manners(**{"ca": 1} | manners))
        bench = cls(controlled, ctx)
        task = bench._task = asyncio.create_task(controlled.run())
        try:
            if start:
                controlled.started(bench.client)
                await bench.sent()
            yield bench
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def turn(self) -> None:
        """Let everything run that can."""
        for _ in range(20):
            await asyncio.sleep(0)

    async def sent(self, most: int = 10_000) -> list[str]:
        """Return what is sent next, as octets, and acknowledge it."""
        await self.turn()
        asdus = self.controlled.outgoing.take(most)
        self.controlled.outgoing.acknowledged(len(asdus))
        await self.turn()
        return [asdu.hex(" ") for asdu in asdus]

    async def say(self, *asdus: str) -> None:
        """Say ASDUs, given as octets."""
        await self.controlled.take([octets(asdu) for asdu in asdus])

    async def ask(self, *asdus: str) -> list[str]:
        """Say ASDUs and return what is sent then."""
        await self.say(*asdus)
        return await self.sent()


def octets(text: str) -> bytes:
    """Return octets written in hexadecimal, with any blanks between them."""
    return bytes.fromhex("".join(text.split()))


def written(*asdus: str) -> list[str]:
    """Return octets as `Bench.sent` writes them."""
    return [octets(asdu).hex(" ") for asdu in asdus]
