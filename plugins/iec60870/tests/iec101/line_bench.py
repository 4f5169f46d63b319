"""Gateways with an end of a 101 line, for the tests beside it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from gateway_iec60870.iec101.master import Iec101Master
from gateway_iec60870.iec101.slave import Iec101Slave
from octet_line import Script, TerminalServer, mirrored, obedient

from gateway.testing import Collector, CommandSettings, Emitter, Running, free_port, running


def master(port: int | None = 1, model: type[Iec101Master] = Iec101Master, **more: Any) -> Any:
    """Return a source `rtu` to a port of the loopback, that connects again after a second.

    Without a port it is not to connect; a field with None is left out.
    """
    settings: dict[str, Any] = {
        "name": "rtu",
        "transport": "tcp",
        "host": None if port is None else "127.0.0.1",
        "port": port,
        "ca": 1,
        "interrogation": "never",
        "reconnect": {"min": "1s", "max": "1s"},
    }
    return model.model_validate(given(settings | more))


def given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def slave(port: int = 1, name: str = "scada", **more: Any) -> Iec101Slave:
    """Return a sink at a port of the loopback."""
    fields: dict[str, Any] = {
        "name": name,
        "transport": "tcp",
        "listen": None if "host" in more else f"127.0.0.1:{port}",
        "port": port if "host" in more else None,
        "ca": 1,
        "role": "operator",
        "reconnect": {"min": "10ms", "max": "1s"},
    }
    return Iec101Slave.model_validate(given(fields | more))


@contextlib.asynccontextmanager
async def bench(
    data: Path,
    rows: str,
    line: TerminalServer,
    *sinks: Collector,
    model: type[Iec101Master] = Iec101Master,
    **more: Any,
) -> AsyncIterator[Running]:
    """Run a gateway in front of stations made of octets, for the length of the block."""
    async with (
        line.running(),
        running([master(line.port, model, **more)], list(sinks), rows, data=data) as gateway,
    ):
        yield gateway


def interrogated(*asdus: bytes) -> Script:
    """A script that answers the general interrogation with these."""

    def script(request: bytes) -> Any:
        if request[0] == 100 and request[6] == 20:
            return [mirrored(request, 7), *asdus, mirrored(request, 10)]
        return obedient(request)

    return script


POINTS = """\
name,kind,command.model,command.select,command.low,command.high,field.at,scada.ioa,scada.type,scada.cycle,scada.control_ioa
breaker,status,latch,,,,x,1,,,
switch,double,trip_close,local,,,x,100,,,200
voltage,analog,,,,,x,700,,,
limit,analog,setpoint,,0,500,x,701,,,
current,analog,,,,,x,600,scaled,2s,
energy,counter,,,,,x,900,,,
"""


class Station:
    """The gateway as a controlled station: a source `field` that a test speaks through."""

    def __init__(self, gw: Running, field: Emitter, port: int) -> None:
        self.gw = gw
        self.field = field
        self.port = port

    async def emit(self, *, quality: int = 0, time: int = 0, **values: float) -> None:
        """Emit a value of each of these points, changed or not."""
        await self.field.emit(list(values), list(values.values()), quality, time=time, every=True)

    async def told(self) -> list[tuple[str, str, float]]:
        """Return what the device was told: point, operation, value."""
        names = {point.id: point.name for point in (await self.field.context()).points}
        return [(names[c.point], c.operation.value, c.value) for c in self.field.commands]


@contextlib.asynccontextmanager
async def station(
    data: Path,
    *,
    points: str = POINTS,
    others: dict[str, dict[str, Any]] | None = None,
    port: int = 0,
    up: bool = True,
    **more: Any,
) -> AsyncIterator[Station]:
    """Run a gateway with a controlled station; `others` are fields of further ones, by name."""
    port = port or free_port()
    field = Emitter(name="field", obeys=True)
    sinks = [slave(port, **more)]
    sinks += [slave(port, name, **(more | one)) for name, one in (others or {}).items()]
    async with running(
        [field], sinks, points, data=data, commands=CommandSettings(rate=1000)
    ) as gw:
        if up:
            await gw.until(lambda: all(gw.state(sink.name) == "up" for sink in sinks))
        await field.context()
        yield Station(gw, field, port)
