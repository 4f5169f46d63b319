"""A gateway as a controlled station, and control centres of c104, with a tap on the line."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from gateway_iec60870.iec104.server import Iec104Server
from tapped_line import TappedLine

from gateway import LinkPoint
from gateway.testing import CommandSettings, Emitter, Running, free_port, running

sys.path.insert(0, str(Path(__file__).parents[1] / "partner"))
from c104_process import C104Client

CA = 7
LINK = "scada"


class Station:
    """The gateway: a source `field` that a test speaks through, and a controlled station."""

    def __init__(self, gw: Running, field: Emitter, points: Sequence[LinkPoint], port: int) -> None:
        self.gw = gw
        self.field = field
        self.points = points
        self.port = port
        self._batch: list[tuple[str, float, int, int]] = []

    async def emit(self, *, quality: int = 0, time: int = 0, **values: float) -> None:
        """Emit a value of each of these points, changed or not; `time` in ms since 1970."""
        await self.field.emit(
            list(values), list(values.values()), quality, time=time * 10**6, every=True
        )

    def put(self, name: str, value: float, quality: int = 0, time: int = 0) -> None:
        """Keep a sample for `emit_all`; `time` in ms since 1970."""
        self._batch.append((name, value, int(quality), time * 10**6))

    async def emit_all(self) -> None:
        """Emit what was put, as one batch, in its order."""
        batch, self._batch = self._batch, []
        names, values, qualities, times = (list(column) for column in zip(*batch, strict=True))
        await self.field.emit(names, values, qualities, time=times, every=True)

    @property
    def told(self) -> list[tuple[str, str, float]]:
        """What the device was told: point, operation, value."""
        names = {point.id: point.name for point in self.points}
        return [(names[c.point], c.operation.value, c.value) for c in self.field.commands]


def server(port: int, name: str = LINK, **more: Any) -> Iec104Server:
    """Return a sink at a port of the loopback."""
    fields = {"name": name, "listen": f"127.0.0.1:{port}", "ca": CA, "role": "operator"}
    return Iec104Server.model_validate(fields | more)


@contextlib.asynccontextmanager
async def controlled(
    data: Path, rows: str, *others: Iec104Server, port: int = 0, **more: Any
) -> AsyncIterator[Station]:
    """Run a gateway with a controlled station for the block; `more` are fields of the sink."""
    port = port or free_port()
    field = Emitter(name="field", obeys=True)
    sinks = [server(port, **more), *others]
    async with running(
        [field],
        sinks,
        rows,
        data=data,
        commands=CommandSettings(rate=1000.0),
        trace=[sink.name for sink in sinks],
    ) as gw:
        await gw.until(lambda: all(gw.state(sink.name) == "up" for sink in sinks))
        yield Station(gw, field, (await field.context()).points, port)


@contextlib.asynccontextmanager
async def centre(
    station: Station, *points: dict[str, Any], by: str = "127.0.0.1", **more: Any
) -> AsyncIterator[tuple[C104Client, TappedLine]]:
    """Run a control centre for the block: connected, started, acknowledging each ASDU.

    points: of c104, which takes those besides that it is told of; `more` are its settings.
    """
    line = TappedLine(station.port, by)
    settings: dict[str, Any] = {"w": 1, "stations": [{"ca": CA, "points": list(points)}]}
    async with (
        line.listening(),
        C104Client(port=line.port, **(settings | more)) as client,
    ):
        if more.get("start", True):
            await client.event("state", state="open")
        yield client, line
