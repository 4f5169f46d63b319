"""What a connection tells the operator: traces, counters, and what the gateway cannot take."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from gateway_c37118.client.arrivals import MOST, Arrivals
from gateway_c37118.client.datagrams import Datagrams
from gateway_c37118.client.source import C37Client

from gateway import Batch, CustodyRefused, SourceContext
from gateway.testing import Collector, paused, running

sys.path.insert(0, str(Path(__file__).parent))
import c37_octets as c37
from c37_device import Device, tcp_device

PMU = c37.Pmu("North", 7)
CONFIG = c37.config_2(7, [PMU])
ROWS = "name,kind,pmu.item\nfrequency,analog,frequency\ntrigger,status,stat/trigger\n"


class Bent:
    """A context that refuses the first batches, and keeps frames instead of logging them."""

    def __init__(self, ctx: SourceContext, refuse: int) -> None:
        self._ctx = ctx
        self.refuse = refuse
        self.tracing = True
        self.traced: list[tuple[str, bytes, str]] = []
        self.emits = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ctx, name)

    def trace(self, direction: str, frame: bytes, note: str = "") -> None:
        self.traced.append((direction, frame, note))

    async def emit(self, batch: Batch, *, every: bool = False) -> None:
        if every:
            self.emits += 1
            if self.emits <= self.refuse:
                raise CustodyRefused("the disk is full")
        await self._ctx.emit(batch, every=every)


def source(port: int, refuse: int = 0, **more: Any) -> tuple[C37Client, list[Bent]]:
    """A client, and the contexts of its connections."""
    bent: list[Bent] = []

    class Client(C37Client):
        async def run(self, ctx: SourceContext) -> None:
            bent.append(Bent(ctx, refuse))
            await super().run(bent[-1])  # type: ignore[arg-type]

    given = {"name": "pmu", "host": "127.0.0.1", "port": port, "idcode": 7}
    return Client.model_validate(given | more), bent


def report(ms: int, **more: Any) -> bytes:
    return c37.data(7, c37.block(**more), fraction=ms * 1000)


async def streams(device: Device) -> None:
    await device.until(c37.OFF, c37.SEND_CONFIG_2, c37.ON)


@paused
async def test_frames_are_traced(tmp_path: Path) -> None:
    """Each frame by itself, as it was on the wire, also where several came together."""
    async with tcp_device({c37.SEND_CONFIG_2: [CONFIG]}) as device:
        pmu, bent = source(device.port)
        async with running([pmu], [], ROWS, data=tmp_path) as gateway:
            await streams(device)
            device.send(report(0), report(20), report(40))
            await gateway.until(lambda: len(bent[0].traced) == 7)
            assert [note for _, _, note in bent[0].traced] == [
                "STOP", "SEND_CONFIG_2", "CONFIG_2", "START", "DATA", "DATA", "DATA",
            ]  # fmt: skip
            sent = [frame for direction, frame, _ in bent[0].traced if direction == "tx"]
            came = [frame for direction, frame, _ in bent[0].traced if direction == "rx"]
            assert sent == device.commands
            assert came == [CONFIG, report(0), report(20), report(40)]


@paused
async def test_what_the_gateway_cannot_take_is_counted(tmp_path: Path) -> None:
    """The stream goes on: a PMU sends nothing again."""
    async with tcp_device({c37.SEND_CONFIG_2: [CONFIG]}) as device:
        sink = Collector(name="all")
        pmu, _ = source(device.port, refuse=1)
        async with running([pmu], [sink], ROWS, data=tmp_path) as gateway:
            await streams(device)
            device.send(report(0, stat=0x0800), report(20, stat=0x0800))
            await gateway.until(lambda: gateway.counters("pmu").get("refused_custody") == 2)
            device.send(report(40, frequency=100))
            await gateway.until(lambda: sink.rows("frequency"))
            assert [row.value for row in sink.rows("frequency")] == [50.1]
            # What is judged was taken: the trigger, and that it is over.
            await gateway.until(lambda: len(sink.rows("trigger")) == 2)
            assert gateway.state("pmu") == "up"


@paused
async def test_frames_are_gathered(tmp_path: Path) -> None:
    """Within `gather` of the first one they are taken together, with their own times."""
    async with tcp_device({c37.SEND_CONFIG_2: [CONFIG]}) as device:
        sink = Collector(name="all")
        pmu, bent = source(device.port, gather="50ms")
        async with running([pmu], [sink], ROWS, data=tmp_path) as gateway:
            await streams(device)
            for ms in range(0, 100, 20):
                device.send(report(ms))
                await asyncio.sleep(0.01)
            await gateway.until(lambda: len(sink.rows("frequency")) == 5)
            assert bent[0].emits <= 2
            times = [row.time // 1_000_000 - c37.SOC * 1000 for row in sink.rows("frequency")]
            assert times == [0, 20, 40, 60, 80]


@paused
async def test_what_is_of_no_use_is_counted(tmp_path: Path) -> None:
    """A configuration 1, a command, a configuration 3 beside the 2 that is preferred, and one
    whose second part is missing."""
    one, _, three = c37.config_3(7, [PMU], pieces=3)
    async with tcp_device({c37.SEND_CONFIG_2: [CONFIG]}) as device:
        pmu, _ = source(device.port)
        async with running([pmu], [], ROWS, data=tmp_path) as gateway:
            await streams(device)
            device.send(
                c37.config_2(7, [PMU], kind=c37.CONFIG_1),
                c37.frame(c37.COMMAND, 7, b"\0\2"),
                *c37.config_3(7, [PMU]),
                one,
                three,
                report(0),
            )
            await gateway.until(lambda: gateway.state("pmu") == "up")
            assert gateway.counters("pmu")["ignored_frames"] == 4


@paused
async def test_a_configuration_3_whose_middle_is_missing(tmp_path: Path) -> None:
    """What is left is no configuration, the last frame has no number to tell it by; the other kind
    is asked for at once."""
    answers = {
        c37.SEND_CONFIG_3: [
            one for i, one in enumerate(c37.config_3(7, [PMU], pieces=3)) if i != 1
        ],
        c37.SEND_CONFIG_2: [CONFIG],
    }
    async with tcp_device(answers) as device:
        pmu, _ = source(device.port, configuration=3)
        async with running([pmu], [], ROWS, data=tmp_path) as gateway:
            await device.until(c37.OFF, c37.SEND_CONFIG_3, c37.SEND_CONFIG_2, c37.ON)
            assert gateway.counters("pmu")["bad_configurations"] == 1
            assert "timeouts" not in gateway.counters("pmu")


def test_datagrams_without_room_are_dropped_and_counted() -> None:
    """What waits is bounded; when it was taken there is room again."""
    counts: Counter[str] = Counter()
    arrivals = Arrivals(asyncio.Event())
    receiver = Datagrams(arrivals, (), lambda what, n: counts.update({what: n}))
    for _ in range(40):
        receiver.datagram_received(bytes(50_000), ("10.0.0.1", 4713))
    waiting = arrivals.take()
    assert MOST <= sum(map(len, waiting)) < MOST + 50_000
    assert counts == {"dropped_datagrams": 40 - len(waiting)}
    receiver.datagram_received(b"x", ("10.0.0.1", 4713))
    assert arrivals.take() == [b"x"]


@paused
async def test_a_stream_that_is_not_taken_holds_up_the_other_side() -> None:
    """A reader waits for room, and loses nothing."""

    class Source:
        left = 400

        async def read(self) -> bytes:
            if not self.left:
                await asyncio.Event().wait()
            self.left -= 1
            return bytes(4096)

    arrivals, channel = Arrivals(asyncio.Event()), Source()
    reading = asyncio.create_task(arrivals.read(channel))  # type: ignore[arg-type]
    await asyncio.sleep(1)
    assert 400 - channel.left == MOST // 4096
    first = len(arrivals.take())
    await asyncio.sleep(1)
    assert first + len(arrivals.take()) == 400
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
