"""A gateway that serves a stream, and control centres that a test speaks as, in octets."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pdc_wire as wire
from gateway_c37118.server.sink import C37Server

from gateway import Quality
from gateway.testing import Emitter, Running, free_port, running

SECOND = 1_767_225_600
"""2026-01-01 00:00 UTC, where the paused clock begins."""
NS = 1_000_000_000
TIMED = Quality.DEVICE_TIME

POINTS = """\
name,kind,unit,field.at,wams.item
va,analog,V,x,phasor/VA/magnitude
va.angle,analog,deg,x,phasor/VA/angle
ia,analog,A,x,phasor/IA/magnitude
ia.angle,analog,deg,x,phasor/IA/angle
f,analog,Hz,x,frequency
rocof,analog,Hz/s,x,rocof
p,analog,MW,x,analog/P
breaker,status,,x,digital/1/0
earth,status,,x,digital/1/3
"""
REPORT = {"va": 230_000.0, "va.angle": -30.0, "ia": 400.0, "ia.angle": 90.0} | {
    "f": 49.98,
    "rocof": 0.25,
}


class Centre:
    """A PDC over TCP."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.idcode = 1
        self.config: wire.Config | None = None

    @classmethod
    @contextlib.asynccontextmanager
    async def at(cls, port: int, idcode: int = 1) -> AsyncIterator[Centre]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        self = cls(reader, writer)
        self.idcode = idcode
        try:
            yield self
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def say(self, word: int) -> None:
        self.writer.write(wire.command(self.idcode, word))

    async def frame(self) -> bytes:
        """Return the next frame, whatever it is."""
        async with asyncio.timeout(10):
            head = await self.reader.readexactly(4)
            return head + await self.reader.readexactly(wire.size(head) - 4)

    async def ask(self, word: int) -> bytes:
        self.say(word)
        return await self.frame()

    async def begin(self) -> wire.Config:
        """Read configuration 2, and have data sent."""
        self.config = wire.configuration(await self.ask(wire.SEND_CONFIG_2))
        self.say(wire.START)
        return self.config

    async def data(self) -> wire.Data:
        """Return the next data frame."""
        assert self.config is not None
        return wire.data(await self.frame(), self.config)

    async def data_at(self, second: float) -> wire.Data:
        """Return the data frame of an instant, seconds after the clock's beginning."""
        while True:
            found = await self.data()
            if abs(found.time - SECOND - second) < 1e-4:
                return found
            assert found.time - SECOND < second, f"no frame at {second}"


class Station:
    """The gateway, and the device that a test speaks as."""

    def __init__(self, gw: Running, field: Emitter, port: int) -> None:
        self.gw, self.field, self.port = gw, field, port

    async def report(self, at: float, *, quality: int = 0, **values: float) -> None:
        """Emit a report of an instant, seconds after the clock's beginning."""
        await self.emit(at, REPORT | values, quality)

    async def emit(self, at: float, values: dict[str, float], quality: int = 0) -> None:
        time = SECOND * NS + round(at * NS)
        await self.field.emit(
            list(values), list(values.values()), quality | TIMED, time, every=True
        )

    @property
    def counters(self) -> dict[str, int]:
        return self.gw.counters("wams")


def server(port: int = 0, **more: Any) -> C37Server:
    """Return a sink at a port of this machine."""
    fields: dict[str, Any] = {"name": "wams", "listen": f"127.0.0.1:{port}"}
    return C37Server.model_validate(fields | more)


@contextlib.asynccontextmanager
async def station(data: Path, points: str = POINTS, **more: Any) -> AsyncIterator[Station]:
    """Run a gateway with a source `field` and the sink `wams`."""
    port = free_port()
    field = Emitter(name="field")
    async with running([field], [server(port, **more)], points, data=data) as gw:
        await gw.until(lambda: gw.state("wams") == "up", what="the sink is up")
        yield Station(gw, field, port)
