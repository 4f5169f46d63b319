"""Links in memory: a source that a test speaks through, a sink that remembers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import numpy.typing as npt
from pydantic import PrivateAttr

from gateway.model.batch import Batch
from gateway.model.command import Answer, Client, Command, CommandStatus, Operation, Request
from gateway.model.context import STALE, Delivery, SinkContext, SourceContext
from gateway.model.errors import LinkError
from gateway.model.link import Sink, Source
from gateway.model.point import Point
from gateway.model.quality import Quality


class Row(NamedTuple):
    """One sample as a test compares it."""

    name: str
    value: float
    quality: Quality
    time: int


class _Door:
    """Where a test waits for the context of a link that runs."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.broken: asyncio.Future[None] | None = None

    async def hold(self) -> None:
        """Stay connected until somebody breaks the link."""
        self.broken = asyncio.get_running_loop().create_future()
        self.opened.set()
        try:
            await self.broken
        finally:
            self.opened.clear()

    def slam(self, why: str) -> None:
        if self.broken is not None and not self.broken.done():
            self.broken.set_exception(LinkError(why))


class EmitterPoint(Point):
    """Any text in the column makes a point one of this source: `field.at`."""

    at: str


class Emitter(Source):
    """A source in memory: the test says what the device says."""

    Point = EmitterPoint
    takes_commands = True
    type: Literal["testing.emitter"] = "testing.emitter"
    obeys: bool = False
    """True: takes commands, and answers each as `reply` says."""
    _door: _Door = PrivateAttr(default_factory=_Door)
    _ctx: SourceContext | None = PrivateAttr(None)
    _commands: list[Command] = PrivateAttr(default_factory=list)
    _reply: Callable[[Command], CommandStatus | None] = PrivateAttr(
        default_factory=lambda: lambda command: CommandStatus.SUCCESS
    )

    async def run(self, ctx: SourceContext) -> None:
        self._ctx = ctx
        ctx.up()
        async with asyncio.TaskGroup() as tasks:
            if self.obeys:
                tasks.create_task(self._obey(ctx))
            await self._door.hold()

    async def _obey(self, ctx: SourceContext) -> None:
        async for command in ctx.commands():
            self._commands.append(command)
            status = self._reply(command)
            if status is not None:
                ctx.answer(command, status)

    @property
    def commands(self) -> list[Command]:
        """What the device was told, in order."""
        return self._commands

    def reply(self, how: Callable[[Command], CommandStatus | None]) -> None:
        """Say how the device answers from now on; None is silence, until `answer`."""
        self._reply = how

    async def answer(self, command: Command, status: CommandStatus, detail: str = "") -> None:
        """Answer a command as the device would."""
        (await self.context()).answer(command, status, detail)

    async def context(self) -> SourceContext:
        """Wait until the link is up, and return its context."""
        async with asyncio.timeout(10):
            await self._door.opened.wait()
        assert self._ctx is not None
        return self._ctx

    async def emit(
        self,
        names: Sequence[str],
        values: npt.ArrayLike,
        quality: npt.ArrayLike = 0,
        time: npt.ArrayLike = 0,
        *,
        every: bool = False,
    ) -> None:
        """Emit samples by name; returns when the gateway has custody."""
        ctx = await self.context()
        ids = {point.name: point.id for point in ctx.points}
        await ctx.emit(Batch.of([ids[n] for n in names], values, quality, time), every=every)

    async def stale(self, names: Sequence[str], quality: Quality = STALE) -> None:
        ctx = await self.context()
        ids = {point.name: point.id for point in ctx.points}
        await ctx.stale([ids[n] for n in names], quality)

    def lose(self, why: str = "the test broke the link") -> None:
        """Break the connection; the host brings it back."""
        self._door.slam(why)


class Collector(Sink):
    """A sink in memory: keeps what it is given, and acknowledges as the test wishes."""

    type: Literal["testing.collector"] = "testing.collector"
    _door: _Door = PrivateAttr(default_factory=_Door)
    _deliveries: list[Delivery] = PrivateAttr(default_factory=list)
    _rows: list[Row] = PrivateAttr(default_factory=list)
    _acknowledging: asyncio.Event = PrivateAttr(default_factory=asyncio.Event)
    _ctx: SinkContext | None = PrivateAttr(None)
    acknowledges: bool = True
    """False: a consumer that takes everything and never says so, until `acknowledge`."""

    async def run(self, ctx: SinkContext) -> None:
        self._ctx = ctx
        names = {point.id: point.name for point in ctx.points}
        ctx.up()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._door.hold())
            async for delivery in ctx.batches():
                self._deliveries.append(delivery)
                batch = delivery.batch
                self._rows += [
                    Row(names[point], value, Quality(quality), time)
                    for point, value, quality, time in zip(
                        batch.point.tolist(),
                        batch.value.tolist(),
                        batch.quality.tolist(),
                        batch.time.tolist(),
                        strict=True,
                    )
                ]
                if self.acknowledges:
                    ctx.delivered(delivery.seq)

    async def context(self) -> SinkContext:
        """Wait until the link is up, and return its context."""
        async with asyncio.timeout(10):
            await self._door.opened.wait()
        assert self._ctx is not None
        return self._ctx

    async def ask(
        self,
        name: str,
        value: float,
        operation: Operation = Operation.DIRECT,
        client: Client | None = None,
        **more: Any,
    ) -> Answer:
        """Ask for a command as a client of this sink would, by default as one without a name.

        `more` are further fields of the request.
        """
        ctx = await self.context()
        point = next(point.id for point in ctx.points if point.name == name)
        client = client or ctx.client("test")
        return await ctx.command(Request(point, operation, value, client, **more))

    def acknowledge(self) -> None:
        """Acknowledge all that was delivered in this connection."""
        if self._ctx is not None and self._deliveries:
            self._ctx.delivered(self._deliveries[-1].seq)

    def lose(self, why: str = "the test broke the link") -> None:
        """Break the connection; the host brings it back."""
        self._door.slam(why)

    @property
    def deliveries(self) -> list[Delivery]:
        return self._deliveries

    def rows(self, pattern: str = "") -> list[Row]:
        """Return the samples in the order of their arrival, health points aside.

        `pattern`: only points whose name begins so.
        """
        prefix = pattern or ""
        return [
            row
            for row in self._rows
            if row.name.startswith(prefix)
            and (pattern.startswith("_health") or not row.name.startswith("_health"))
        ]
