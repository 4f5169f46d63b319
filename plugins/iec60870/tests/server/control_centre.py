"""A gateway with a controlled station, and a control centre that a test speaks as, in octets."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from gateway_iec60870.iec104.server import Iec104Server

from gateway.testing import CommandSettings, Emitter, Running, free_port, running

POINTS = """\
name,kind,command.model,command.select,command.low,command.high,command.on_time,field.at,scada.ioa,scada.type,scada.group,scada.counter_group,scada.scale,scada.control_ioa,scada.control_type,scada.long_pulse
breaker,status,latch,,,,,x,1,,1,,,,,
spare,status,,,,,,x,2,,,,,,,
switch,double,trip_close,local,,,,x,100,,,,,200,,
horn,status,pulse,,,,1s,x,3,,,,,,,3s
tap,analog,,,,,,x,400,step,,,,,,
voltage,analog,,,,,,x,700,,2,,0.1,,,
limit,analog,setpoint,,0,500,,x,701,,,,,800,,
ratio,analog,,,,,,x,500,normalised,,,100,,,
current,analog,,,,,,x,600,scaled,,,,,,
word,analog,,,,,,x,650,bitstring,,,,,,
energy,counter,,,,,,x,900,,,1,,,,
water,counter,,,,,,x,901,,,2,,,,
"""


class Station:
    """The gateway: a source `field` that a test speaks through, and controlled stations."""

    def __init__(self, gw: Running, field: Emitter, port: int, data: Path) -> None:
        self.gw = gw
        self.field = field
        self.port = port
        self.data = data

    async def emit(self, *, quality: int = 0, time: int = 0, **values: float) -> None:
        """Emit a value of each of these points, changed or not."""
        await self.field.emit(list(values), list(values.values()), quality, time=time, every=True)

    async def told(self) -> list[tuple[str, str, float]]:
        """Return what the device was told: point, operation, value."""
        names = {point.id: point.name for point in (await self.field.context()).points}
        return [(names[c.point], c.operation.value, c.value) for c in self.field.commands]


def server(port: int, name: str = "scada", **more: Any) -> Iec104Server:
    """Return a sink at a port of this machine."""
    fields = {"name": name, "listen": f"127.0.0.1:{port}", "ca": 7, "role": "operator"}
    return Iec104Server.model_validate(fields | more)


@contextlib.asynccontextmanager
async def station(
    data: Path,
    *,
    points: str = POINTS,
    others: dict[str, dict[str, Any]] | None = None,
    rate: float = 1000.0,
    port: int = 0,
    **more: Any,
) -> AsyncIterator[Station]:
    """Run a gateway with a controlled station; `others` are fields of further ones, by name."""
    port = port or free_port()
    field = Emitter(name="field", obeys=True)
    sinks = [server(port, **more)]
    sinks += [server(port, name, **(more | one)) for name, one in (others or {}).items()]
    async with running(
        [field], sinks, points, data=data, commands=CommandSettings(rate=rate)
    ) as gw:
        await gw.until(lambda: all(gw.state(sink.name) == "up" for sink in sinks))
        await field.context()
        yield Station(gw, field, port, data)


STARTDT_ACT, STARTDT_CON = bytes.fromhex("680407000000"), bytes.fromhex("68040b000000")
STOPDT_ACT, STOPDT_CON = bytes.fromhex("680413000000"), bytes.fromhex("680423000000")
TESTFR_ACT, TESTFR_CON = bytes.fromhex("680443000000"), bytes.fromhex("680483000000")


class Centre:
    """A control centre over TCP: frames of 104 clause 5 made and read by hand.

    acknowledges: whether each I frame is acknowledged as soon as it is heard.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.acknowledges = True
        self.sent = 0
        self.heard = 0
        self.acknowledged = 0

    @classmethod
    @contextlib.asynccontextmanager
    async def at(
        cls, port: int, *, start: bool = True, host: str = "127.0.0.1", **more: Any
    ) -> AsyncIterator[Centre]:
        """Connect from an address of this machine, and start data transfer."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, local_addr=(host, 0), **more
        )
        centre = cls(reader, writer)
        try:
            if start:
                await centre.start()
            yield centre
        finally:
            writer.transport.abort()

    async def start(self) -> None:
        self.writer.write(STARTDT_ACT)
        assert await self.frame() == STARTDT_CON

    async def frame(self, timeout: float = 10.0) -> bytes:
        """Return the next frame, whatever it is."""
        async with asyncio.timeout(timeout):
            head = await self.reader.readexactly(2)
            assert head[0] == 0x68
            return head + await self.reader.readexactly(head[1])

    async def hear(self, timeout: float = 10.0) -> bytes:
        """Return the next ASDU; S frames are passed over."""
        while True:
            frame = await self.frame(timeout)
            if not frame[2] & 1:
                assert int.from_bytes(frame[2:4], "little") >> 1 == self.heard
                self.heard = (self.heard + 1) % 32768
                if self.acknowledges:
                    self.acknowledge()
                return frame[6:]
            assert frame[2] & 3 == 1, frame.hex(" ")

    async def hear_all(self, count: int) -> list[bytes]:
        return [await self.hear() for _ in range(count)]

    async def until(self, asdu: bytes) -> list[bytes]:
        """Return what is heard up to and with this ASDU."""
        heard = [await self.hear()]
        while heard[-1] != asdu:
            heard.append(await self.hear())
        return heard

    def acknowledge(self) -> None:
        """Acknowledge all that was heard (S frame)."""
        self.acknowledged = self.heard
        self.writer.write(bytes((0x68, 4, 1, 0)) + _number(self.acknowledged))

    def say(self, *asdus: bytes) -> None:
        """Send ASDUs."""
        if self.acknowledges:
            self.acknowledged = self.heard
        for asdu in asdus:
            numbers = _number(self.sent) + _number(self.acknowledged)
            self.writer.write(bytes((0x68, len(asdu) + 4)) + numbers + asdu)
            self.sent = (self.sent + 1) % 32768

    async def ask(self, asdu: bytes, answers: int = 1) -> list[bytes]:
        """Send an ASDU and return as many answers."""
        self.say(asdu)
        return await self.hear_all(answers)

    async def ended(self, timeout: float = 10.0) -> bool:
        """Wait for the other side to close the connection."""
        async with asyncio.timeout(timeout):
            with contextlib.suppress(OSError):
                while await self.reader.read(4096):
                    pass
        return True


def _number(number: int) -> bytes:
    return (number << 1).to_bytes(2, "little")


def octets(text: str) -> bytes:
    """Return octets written in hexadecimal, with any blanks between them."""
    return bytes.fromhex("".join(text.split()))
