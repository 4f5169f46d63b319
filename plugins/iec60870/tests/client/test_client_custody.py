"""An ASDU is acknowledged when what it says is in custody, and not before."""

from __future__ import annotations

import asyncio
import struct
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from gateway_iec60870.iec104.client import Iec104Client

from gateway import Batch, CustodyRefused, Quality, SourceContext
from gateway.testing import Collector, paused

sys.path.insert(0, str(Path(__file__).parent))
from client_bench import bench
from octet_station import Station, asdu, at, cp56, mirrored

T = datetime(2025, 6, 1, tzinfo=UTC)
ROWS = (
    "name,kind,rtu.ioa,command.model\n"
    "breaker,status,100,latch\nisolator,double,101,\nvoltage,analog,200,\n"
)


class Stubborn(Iec104Client):
    """In a gateway that refuses so many batches of events, or holds all of them up."""

    refuse: int = 0
    hold: bool = False

    async def run(self, ctx: SourceContext) -> None:
        await super().run(Custody(ctx, self.refuse, self.hold))  # type: ignore[arg-type]


class Custody:
    refused = 0
    released: asyncio.Event

    def __init__(self, ctx: SourceContext, refuse: int, hold: bool) -> None:
        self._ctx, self._refuse, self._hold = ctx, refuse, hold
        Custody.released = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ctx, name)

    async def emit(self, batch: Batch, *, every: bool = False) -> None:
        if every and Custody.refused < self._refuse:
            Custody.refused += 1
            raise CustodyRefused("the disk is full")
        await self._ctx.emit(batch, every=every)
        if every and self._hold:
            await Custody.released.wait()


def events(count: int, first: int = 0) -> list[bytes]:
    return [
        asdu(30, 3, at(100) + bytes((one & 1,)) + cp56(T + timedelta(milliseconds=one)))
        for one in range(first, first + count)
    ]


def seen(collector: Collector, name: str = "breaker") -> list[int]:
    """Return the times of the events in ms since T."""
    begin = int(T.timestamp() * 1000)
    return [
        row.time // 10**6 - begin
        for row in collector.rows()
        if row.name == name and row.quality & Quality.DEVICE_TIME
    ]


@paused
async def test_no_acknowledgement_before_custody(tmp_path: Path) -> None:
    """Neither S frames nor N(R) of I frames tell of what is not in custody; commands go on."""
    device, collector = Station(), Collector(name="scada", role="engineer")
    async with bench(
        tmp_path, ROWS, device, collector, model=Stubborn, hold=True, w=1, t2="1s"
    ) as gw:
        await gw.until(lambda: gw.state("rtu") == "up")
        await device.until(lambda: device.link.acknowledged == 2)
        device.link.say(*events(5))
        await gw.until(lambda: len(seen(collector)) == 5)
        # The sinks have it already; an I frame comes, and answers that are not behind it.
        answer = await collector.ask("breaker", 1)
        assert answer
        await asyncio.sleep(5)
        assert device.link.acknowledged == 2
        Custody.released.set()
        await device.until(lambda: device.link.acknowledged == 9)
        assert seen(collector) == [0, 1, 2, 3, 4]
        assert gw.status("rtu").counters.get("disconnects", 0) == 0


@paused
async def test_refused_custody(tmp_path: Path) -> None:
    """What the gateway could not take is not acknowledged: the connection is closed, and the
    station sends it again over the next."""
    Custody.refused = 0
    device, collector = Station(), Collector(name="scada")
    async with bench(
        tmp_path, ROWS, device, collector, model=Stubborn, refuse=1, w=1, t2="1s"
    ) as gw:
        await gw.until(lambda: gw.state("rtu") == "up")
        await device.until(lambda: device.link.acknowledged == 2)
        device.greeting = events(3)
        device.link.say(events(3)[0])
        await asyncio.sleep(1)
        device.link.say(*events(3)[1:])  # these it would take
        await device.until(lambda: len(device.links) == 2)
        assert device.links[0].acknowledged == 2
        await device.until(lambda: device.link.acknowledged == 5)
        assert seen(collector)[-3:] == [0, 1, 2]
        assert gw.counters("rtu")["refused_custody"] == 1
        assert gw.status("rtu").counters["disconnects"] == 1


@paused
async def test_a_gateway_that_ends_before_the_acknowledgement(tmp_path: Path) -> None:
    """Stopped between taking and acknowledging, the station sends again: nothing is lost."""
    device = Station()
    device.greeting = events(3)
    async with bench(tmp_path, ROWS, device, model=Stubborn, hold=True, w=1) as gw:
        await gw.until(lambda: gw.sample("breaker").quality & Quality.DEVICE_TIME)
        await asyncio.sleep(1)
    assert device.link.acknowledged == 0
    collector = Collector(name="scada")
    async with bench(tmp_path, ROWS, device, collector, w=1, t2="1s") as gw:
        await device.until(lambda: device.link.acknowledged == 5)
        await gw.until(lambda: len(seen(collector)) == 3)
        assert seen(collector) == [0, 1, 2]


@paused
async def test_the_end_acknowledges_what_is_in_custody(tmp_path: Path) -> None:
    """A gateway that is stopped does not leave it to t2: nothing comes twice after a restart."""
    device = Station()
    async with bench(tmp_path, ROWS, device) as gw:
        await gw.until(lambda: gw.state("rtu") == "up")
        device.link.say(*events(3))
        await gw.until(lambda: gw.sample("breaker").quality & Quality.DEVICE_TIME)
        await asyncio.sleep(1)
        assert device.link.acknowledged == 0
        link = device.link
    assert link.acknowledged == 5


@paused
async def test_order(tmp_path: Path) -> None:
    """Events of different types and causes stay in the order in which they came."""
    device, collector = Station(), Collector(name="scada")
    async with bench(tmp_path, ROWS, device, collector) as gw:
        await gw.until(lambda: gw.state("rtu") == "up")
        sent: list[bytes] = []
        expected: list[tuple[str, float]] = []
        for number in range(300):
            time = cp56(T + timedelta(milliseconds=number))
            match number % 5:
                case 0:
                    sent.append(asdu(30, 3, at(100) + bytes((number & 1,)) + time))
                    expected.append(("breaker", number & 1))
                case 1:
                    sent.append(asdu(31, 3, at(101) + bytes((number & 3,)) + time))
                    expected.append(("isolator", number & 3))
                case 2:
                    sent.append(asdu(1, 20, at(100) + bytes((number & 1,))))
                    expected.append(("breaker", number & 1))
                case _:
                    value = struct.pack("<fB", number, 0)
                    sent.append(asdu(36, 3, at(200) + value + time))
                    expected.append(("voltage", number))
        device.link.say(*sent)
        device.link.say(asdu(13, 3, at(200) + struct.pack("<fB", -1, 0)))
        await gw.until(lambda: gw.sample("voltage").value == -1)
        rows = [(row.name, row.value) for row in collector.rows()][:-1]
        # What was interrogated and had not changed may be told or not.
        static = [item for number, item in enumerate(expected) if number % 5 == 2]
        assert _without(rows, static) == _without(expected, static)
        assert [row for row in rows if row[0] != "breaker"] == [
            row for row in expected if row[0] != "breaker"
        ]


def _without(
    rows: list[tuple[str, float]], static: list[tuple[str, float]]
) -> list[tuple[str, float]]:
    """Return rows with runs of one value of the breaker as one."""
    last: float | None = None
    kept = []
    for name, value in rows:
        if name == "breaker":
            if value == last and (name, value) in static:
                continue
            last = value
        kept.append((name, value))
    return kept


@paused
async def test_more_than_the_gateway_takes_at_once(tmp_path: Path) -> None:
    """Ten thousand ASDUs, cut anywhere: each event once, in order, all acknowledged."""
    device, collector = Station(), Collector(name="scada")
    async with bench(tmp_path, ROWS, device, collector, t2="1s") as gw:
        await gw.until(lambda: gw.state("rtu") == "up")
        for first in range(0, 10_000, 1000):
            device.link.say(*events(1000, first))
            await asyncio.sleep(0)
        await device.until(lambda: device.link.acknowledged == 10_002)
        await gw.until(lambda: len(seen(collector)) == 10_000)
        assert seen(collector) == list(range(10_000))
        await asyncio.sleep(2)
        assert gw.counters("rtu")["window_exceeded"] > 0


@paused
async def test_a_command_is_not_behind_events(tmp_path: Path) -> None:
    """Its answer counts while events before it wait for the disk."""
    device, collector = Station(lambda request: []), Collector(name="scada", role="engineer")
    async with bench(tmp_path, ROWS, device, collector, model=Stubborn, hold=True) as gw:
        await device.until(lambda: device.asdus)
        device.link.say(mirrored(device.asdus[0], 7), mirrored(device.asdus[0], 10))
        await gw.until(lambda: gw.state("rtu") == "up")
        asked = asyncio.create_task(collector.ask("breaker", 1))
        await device.until(lambda: device.requests(45))
        command = device.requests(45)[0]
        device.link.say(*events(2), mirrored(command, 7), mirrored(command, 10))
        assert await asked
        assert not Custody.released.is_set()
        await gw.until(lambda: seen(collector) == [0, 1])
        await asyncio.sleep(12)
        assert device.link.acknowledged == 2
