"""Acme thermometers: `READ tag` over TCP, answered by a number, or by `FAULT`;
`SET tag value`, answered by `OK` or `NO`.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

from pydantic import Field

from gateway import (
    Batch,
    CommandStatus,
    ControlModel,
    Duration,
    Endpoint,
    LinkError,
    LinkPoint,
    Point,
    Quality,
    Sink,
    Source,
    SourceContext,
    hookimpl,
)

FAULT = Quality.INVALID | Quality.FAILURE


class AcmePoint(Point):
    """The column of a point at a thermometer."""

    tag: Annotated[str, Field(pattern=r"^\w+$", description="name of the probe in the device")]


class TooLate(Exception):  # noqa: N818 - it says what happened
    """Nothing was sent: the question's turn came when its time was over."""


class Line:
    """A connection, on which one question waits for its answer at a time."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, timeout: float
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._timeout = timeout
        self._turn = asyncio.Lock()

    async def ask(self, question: str, before: float = math.inf) -> bytes:
        """Return the answer; raises TooLate where its turn comes after `before`, loop's clock."""
        async with self._turn:
            if asyncio.get_running_loop().time() >= before:
                raise TooLate
            self._writer.write(f"{question}\n".encode())
            async with asyncio.timeout(self._timeout):
                return await self._reader.readline()


class Acme(Source):
    """A connection to one thermometer."""

    Point = AcmePoint
    takes_commands = True

    type: Literal["acme"] = "acme"
    device: Annotated[Endpoint, Field(description="address of the device")]
    poll: Annotated[Duration, Field(gt=0, description="how often the probes are read")] = 1.0
    timeout: Annotated[Duration, Field(gt=0, description="for connecting and each answer")] = 2.0

    def check_points(self, points: Sequence[LinkPoint]) -> Iterable[tuple[LinkPoint, str, str]]:
        for point in points:
            if point.command is None:
                continue
            if point.command.model is not ControlModel.SETPOINT:
                model = point.command.model
                yield point, "tag", f"found command.model {model}, allowed: setpoint"
            if point.command.select.forwarded:
                yield point, "tag", "found command.select forward, allowed: none, local"

    async def run(self, ctx: SourceContext) -> None:
        async with asyncio.timeout(self.timeout):
            reader, writer = await asyncio.open_connection(self.device.host, self.device.port)
        line = Line(reader, writer, self.timeout)
        try:
            ctx.up()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._poll(ctx, line))
                tasks.create_task(self._obey(ctx, line))
        finally:
            writer.close()

    async def _poll(self, ctx: SourceContext, line: Line) -> None:
        tags = _tags(ctx)
        async for time in ctx.every(self.poll):
            answers = [await line.ask(f"READ {tag}") for tag in tags.values()]
            values, qualities = zip(*map(parse, answers), strict=True)
            await ctx.emit(Batch.of(list(tags), values, qualities, time))

    async def _obey(self, ctx: SourceContext, line: Line) -> None:
        tags = _tags(ctx)
        async for command in ctx.commands():
            tag = tags[command.point]
            try:
                answer = await line.ask(f"SET {tag} {command.raw}", command.deadline)
            except TooLate:
                ctx.answer(command, CommandStatus.UNREACHABLE, "nothing was sent")
                continue
            if answer == b"OK\n":
                ctx.answer(command, CommandStatus.SUCCESS)
            elif answer == b"NO\n":
                ctx.answer(command, CommandStatus.REFUSED, f"the device says NO to {tag}")
            else:
                raise LinkError(f"the device answered {answer[:40]!r}, not OK or NO")


def _tags(ctx: SourceContext) -> dict[int, str]:
    return {p.id: p.address.tag for p in ctx.points if isinstance(p.address, AcmePoint)}


def parse(answer: bytes) -> tuple[float, Quality]:
    """Return value and quality of an answer line; raises LinkError for what is none."""
    if answer == b"FAULT\n":
        return math.nan, FAULT
    try:
        value = float(answer) if answer.endswith(b"\n") else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise LinkError(f"the device answered {answer[:40]!r}, not a number or FAULT")
    return value, Quality.GOOD


@hookimpl
def gateway_components() -> Iterable[type[Source] | type[Sink]]:
    return [Acme]
