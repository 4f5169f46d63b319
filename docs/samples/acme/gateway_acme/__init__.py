"""Acme thermometers: `READ tag` over TCP, answered by a number, or by `FAULT`."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from gateway import (
    Batch,
    Duration,
    Endpoint,
    LinkError,
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


class Acme(Source):
    """A connection to one thermometer."""

    Point = AcmePoint

    type: Literal["acme"] = "acme"
    device: Annotated[Endpoint, Field(description="address of the device")]
    poll: Annotated[Duration, Field(gt=0, description="how often the probes are read")] = 1.0
    timeout: Annotated[Duration, Field(gt=0, description="for connecting and each answer")] = 2.0

    async def run(self, ctx: SourceContext) -> None:
        tags = [p.address.tag for p in ctx.points if isinstance(p.address, AcmePoint)]
        ids = [point.id for point in ctx.points]
        async with asyncio.timeout(self.timeout):
            reader, writer = await asyncio.open_connection(self.device.host, self.device.port)
        try:
            ctx.up()
            async for time in ctx.every(self.poll):
                answers = [await self._read(tag, reader, writer) for tag in tags]
                values, qualities = zip(*map(parse, answers), strict=True)
                await ctx.emit(Batch.of(ids, values, qualities, time))
        finally:
            writer.close()

    async def _read(
        self, tag: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bytes:
        writer.write(f"READ {tag}\n".encode())
        async with asyncio.timeout(self.timeout):
            return await reader.readline()


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
