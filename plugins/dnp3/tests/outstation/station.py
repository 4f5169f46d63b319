"""A gateway with an outstation, and masters that a test speaks through."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from gateway_dnp3.app import Fragment, FunctionCode, class_objects, contents, headers, parse
from gateway_dnp3.channel import Line, Peer
from gateway_dnp3.link import LinkSettings
from gateway_dnp3.objects import AnalogOutput, Columns, Crob, commands, encode_commands
from gateway_dnp3.outstation.sink import DnpOutstation

from gateway.channel import StreamChannel
from gateway.testing import CommandSettings, Emitter, Running, free_port, running

F = FunctionCode
EVENTS = {2, 4, 11, 22, 32, 42}
POINTS = """\
name,kind,command.model,command.select,command.low,command.high,command.on_time,field.at,scada.index,scada.type,scada.class,scada.scale,scada.control_index
breaker,status,latch,,,,,x,0,,1,,
spare,status,,,,,,x,1,,1,,
switch,double,trip_close,local,,,,x,0,,1,,7
horn,status,pulse,,,,1s,x,2,,3,,
voltage,analog,,,,,,x,0,,2,0.1,
limit,analog,setpoint,,0,500,,x,1,,2,,3
energy,counter,,,,,,x,0,,3,,
local,status,,,,,,x,5,iin,,,
"""


class Station:
    """The gateway: a source `field` that a test speaks through, and outstations."""

    def __init__(self, gw: Running, field: Emitter, port: int, data: Path) -> None:
        self.gw = gw
        self.field = field
        self.port = port
        self.data = data

    async def emit(self, **values: float) -> None:
        """Emit a value of each of these points, changed or not."""
        await self.field.emit(list(values), list(values.values()), every=True)

    async def told(self) -> list[tuple[str, str, float]]:
        """Return what the device was told: point, operation, value."""
        names = {point.id: point.name for point in (await self.field.context()).points}
        return [(names[c.point], c.operation.value, c.value) for c in self.field.commands]


def outstation(port: int, name: str = "scada", **more: Any) -> DnpOutstation:
    fields = {
        "name": name,
        "listen": f"127.0.0.1:{port}",
        "address": 10,
        "master": 1,
        "role": "operator",
    }
    return DnpOutstation.model_validate(fields | more)


@contextlib.asynccontextmanager
async def station(
    data: Path,
    *,
    points: str = POINTS,
    masters: dict[str, dict[str, Any]] | None = None,
    rate: float = 1000.0,
    **more: Any,
) -> AsyncIterator[Station]:
    """Run a gateway with an outstation; `masters` are fields of further ones, by name."""
    port = free_port()
    field = Emitter(name="field", obeys=True)
    sinks = [outstation(port, **more)]
    sinks += [outstation(port, name, **(more | one)) for name, one in (masters or {}).items()]
    async with running(
        [field], sinks, points, data=data, commands=CommandSettings(rate=rate)
    ) as gw:
        await gw.until(lambda: all(gw.state(sink.name) == "up" for sink in sinks))
        await field.context()
        yield Station(gw, field, port, data)


class Master:
    """A master that does what a test says, over TCP."""

    def __init__(self, line: Line, peer: Peer) -> None:
        self.line = line
        self.peer = peer
        self.sequence = 0

    @classmethod
    @contextlib.asynccontextmanager
    async def at(
        cls, port: int, address: int = 1, outstation: int = 10, tls: Any = None
    ) -> AsyncIterator[Master]:
        channel = await StreamChannel.connect("127.0.0.1", port, tls=tls)
        line = Line(channel)
        peer = line.add(LinkSettings(address, outstation, master=True, keep_alive=None))
        task = asyncio.create_task(line.run())
        try:
            yield cls(line, peer)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def send(self, fragment: Fragment) -> None:
        await self.peer.send(fragment.encode())

    async def hear(self, timeout: float = 10.0) -> Fragment:
        """Return the next fragment."""
        async with asyncio.timeout(timeout):
            return parse((await self.peer.receive()).fragment)

    async def confirm(self, answer: Fragment) -> None:
        control = answer.control
        await self.send(Fragment.confirm(control.sequence, unsolicited=control.uns))

    async def ask(self, function: F, objects: bytes = b"") -> Fragment:
        """Send a request and return the answer's last fragment, all of them confirmed."""
        return (await self.ask_all(function, objects))[-1]

    async def ask_all(self, function: F, objects: bytes = b"") -> list[Fragment]:
        self.sequence = (self.sequence + 1) % 16
        await self.send(Fragment.request(function, objects, self.sequence))
        answers: list[Fragment] = []
        while not answers or not answers[-1].control.fin:
            answer = await self.hear()
            if answer.control.uns:
                continue
            answers.append(answer)
            if answer.control.con:
                await self.confirm(answer)
        return answers

    async def read(self, *classes: int) -> list[tuple[int, int, float]]:
        """Read classes and return group, index and value of each measurement."""
        return measurements(await self.ask_all(F.READ, class_objects(*classes)))


def measurements(fragments: list[Fragment]) -> list[tuple[int, int, float]]:
    """Return group, index and value of each measurement."""
    found = []
    for fragment in fragments:
        for _, item in contents(fragment):
            if isinstance(item, Columns):
                rows = zip(item.index.tolist(), item.value.tolist(), strict=True)
                found += [(item.group, index, value) for index, value in rows]
    return found


def events(fragments: list[Fragment]) -> list[tuple[int, int, float]]:
    return [row for row in measurements(fragments) if row[0] in EVENTS]


def statuses(answer: Fragment) -> list[int]:
    return [one.status for head in headers(answer) for one in commands(head)]


async def operate(master: Master, function: F, *controls: Crob | AnalogOutput) -> list[int]:
    return statuses(await master.ask(function, encode_commands(list(controls))))
