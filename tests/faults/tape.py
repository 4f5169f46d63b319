"""A device that has events and wants each acknowledged, and the source that reads it.

The wire is as small as an event protocol can be: the device sends frames of 16 bytes,
number (uint64), point (uint32) and 4 bytes of nothing, in the order of their numbers;
the master answers with the number (uint64) up to which it has them.
After a reconnect the device sends again all that was not acknowledged, as a DNP3 outstation does.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from gateway import Batch, Endpoint, LinkError, Point, Quality, Source, SourceContext

FRAME = np.dtype([("number", "<u8"), ("point", "<u4"), ("spare", "<u4")])
TIMEOUT = 5.0
UNACKNOWLEDGED = 2_000
"""Most events that the device sends ahead of their acknowledgement."""


class TapePoint(Point):
    """Where the point is on the tape."""

    index: Annotated[int, Field(ge=0, description="the point's number at the device")]


class Tape(Source):
    """Reads a tape device; acknowledges what is in custody, and nothing else."""

    Point = TapePoint
    type: Literal["tape"] = "tape"
    device: Annotated[Endpoint, Field(description="where the device listens")]

    async def run(self, ctx: SourceContext) -> None:
        size = 1 + max(point.address.index for point in ctx.points)  # type: ignore[union-attr]
        ids = np.zeros(size, np.int32)
        for point in ctx.points:
            ids[point.address.index] = point.id  # type: ignore[union-attr]
        reader, writer = await asyncio.wait_for(
            asyncio.open_connection(self.device.host, self.device.port), TIMEOUT
        )
        ctx.up()
        rest = b""
        try:
            while data := await reader.read(65_536):
                data = rest + data
                whole = len(data) - len(data) % FRAME.itemsize
                frames = np.frombuffer(data[:whole], FRAME)
                rest = data[whole:]
                if not len(frames):
                    continue
                now = time.time_ns()
                await ctx.emit(
                    Batch.of(ids[frames["point"]], frames["number"], Quality.DEVICE_TIME, now),
                    every=True,
                )
                writer.write(int(frames["number"][-1]).to_bytes(8, "little"))
                await asyncio.wait_for(writer.drain(), TIMEOUT)
        finally:
            writer.close()
        raise LinkError("the device closed the connection")


class Device:
    """A tape device on loopback: event n is of point n mod `points` and has the value n."""

    def __init__(self, points: int, rate: int) -> None:
        self.points = points
        self.rate = rate
        self.generated = 0
        self.acknowledged = 0
        self.running = True
        self.port = 0
        self._server: asyncio.Server | None = None
        self._news = asyncio.Event()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def generate(self, events: int) -> None:
        """Have so many events happen, at the device's rate."""
        step = max(1, self.rate // 100)
        while self.generated < events:
            self.generated = min(events, self.generated + step)
            self._news.set()
            await asyncio.sleep(step / self.rate)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            async with asyncio.TaskGroup() as tasks:
                sending = tasks.create_task(self._send(writer))
                while True:
                    try:
                        answer = await reader.readexactly(8)
                    except (OSError, asyncio.IncompleteReadError):
                        break
                    self.acknowledged = max(self.acknowledged, int.from_bytes(answer, "little"))
                    self._news.set()
                sending.cancel()
        writer.close()

    async def _send(self, writer: asyncio.StreamWriter) -> None:
        sent = self.acknowledged
        with contextlib.suppress(OSError):
            while True:
                ahead = min(self.generated, self.acknowledged + UNACKNOWLEDGED)
                if ahead > sent:
                    frames = np.zeros(ahead - sent, FRAME)
                    frames["number"] = np.arange(sent + 1, ahead + 1)
                    frames["point"] = frames["number"] % self.points
                    writer.write(frames.tobytes())
                    sent = ahead
                    await writer.drain()
                else:
                    self._news.clear()
                    await self._news.wait()

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
