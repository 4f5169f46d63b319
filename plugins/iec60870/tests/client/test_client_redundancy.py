"""Several addresses of one device: one connection is started, the others stand by."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import struct
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway import CommandStatus, Quality
from gateway.testing import Collector, Running, paused, running

sys.path.insert(0, str(Path(__file__).parent))
from client_bench import client, interrogated
from octet_station import STARTDT_ACT, TESTFR_ACT, Station, asdu, at

ROWS = "name,kind,rtu.ioa,command.model\nvoltage,analog,200,\nbreaker,status,5,latch\n"
STALE = Quality.INVALID | Quality.OLD_DATA


def station(value: float) -> Station:
    return Station(interrogated(asdu(13, 20, at(200) + struct.pack("<fB", value, 0))))


@contextlib.asynccontextmanager
async def group(
    data: Path, stations: list[Station], *sinks: Collector, **more: Any
) -> AsyncIterator[Running]:
    async with contextlib.AsyncExitStack() as stack:
        for one in stations:
            await stack.enter_async_context(one.running())
        hosts = [f"127.0.0.1:{one.port}" for one in stations]
        link = client(host=hosts, t3="20s", **more)
        yield await stack.enter_async_context(running([link], list(sinks), ROWS, data=data))


@paused
async def test_one_is_started(tmp_path: Path) -> None:
    """The first is started, the other one is open and tested (t3), and never started."""
    first, second = station(1), station(2)
    async with group(tmp_path, [first, second]) as gw:
        await gw.until(lambda: gw.sample("voltage").value == 1)
        await second.until(lambda: second.functions.count(TESTFR_ACT) == 3)
        assert STARTDT_ACT not in second.functions
        assert second.asdus == []
        assert first.functions.count(STARTDT_ACT) == 1
        assert gw.status("rtu").detail == f"127.0.0.1:{first.port}"


@paused
async def test_switch_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """When the started one fails the next takes over at once; nothing becomes stale meanwhile."""
    caplog.set_level(logging.INFO)
    first, second = station(1), station(2)
    collector = Collector(name="scada")
    async with group(tmp_path, [first, second], collector) as gw:
        await gw.until(lambda: gw.sample("voltage").value == 1)
        first.link.hang_up()
        await gw.until(lambda: gw.sample("voltage").value == 2, timeout=1)
        assert gw.status("rtu").detail == f"127.0.0.1:{second.port}"
        # The first one comes back, and stands by.
        await first.until(lambda: len(first.links) == 2)
        await first.until(lambda: first.functions.count(TESTFR_ACT) == 1)
        assert first.functions.count(STARTDT_ACT) == 1
        second.link.hang_up()
        await gw.until(lambda: gw.sample("voltage").value == 1, timeout=1)
        rows = [(row.value, row.quality) for row in collector.rows("voltage")]
        assert rows == [(1, Quality.GOOD), (2, Quality.GOOD), (1, Quality.GOOD)]
        assert gw.counters("rtu")["switchovers"] == 2
        assert "disconnects" not in gw.counters("rtu")
    said = [r.getMessage() for r in caplog.records if r.name == "gateway_iec104.rtu"]
    assert said == [
        f"127.0.0.1:{first.port} closed the connection; 127.0.0.1:{second.port} takes over",
        f"127.0.0.1:{second.port} closed the connection; 127.0.0.1:{first.port} takes over",
    ]


@paused
async def test_a_command_when_it_switches(tmp_path: Path) -> None:
    """It ends as a time-out, is not sent again, and the next one takes the new connection."""
    first, second = station(1), station(2)
    collector = Collector(name="scada", role="engineer")
    async with group(tmp_path, [first, second], collector) as gw:
        await gw.until(lambda: gw.sample("voltage").value == 1)
        first.script = lambda request: []
        asked = asyncio.create_task(collector.ask("breaker", 1))
        await first.until(lambda: first.requests(45))
        first.link.hang_up()
        assert (await asked).status is CommandStatus.TIMEOUT
        await gw.until(lambda: gw.sample("voltage").value == 2)
        assert await collector.ask("breaker", 0)
        assert [one[-1] for one in second.requests(45)] == [0]


@paused
async def test_nothing_to_switch_to(tmp_path: Path) -> None:
    """With the last connection the link is down, and its points are stale."""
    first, second = station(1), station(2)
    async with group(tmp_path, [first, second]) as gw:
        await gw.until(lambda: gw.sample("voltage").value == 1)
        first.starts = second.starts = False
        first.link.hang_up()
        await gw.until(lambda: gw.sample("voltage").quality == STALE, timeout=20)
        assert gw.state("rtu") == "down"
        second.starts = True
        await gw.until(lambda: gw.sample("voltage").value == 2, timeout=100)


@paused
async def test_one_is_away(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Only one of them answers: it is used; that the other is away is said once, and its end."""
    caplog.set_level(logging.INFO)
    first, second = station(1), station(2)
    async with first.running():
        port = first.port
    first = Station(first.script, port)
    async with second.running():
        link = client(host=[f"127.0.0.1:{port}", f"127.0.0.1:{second.port}"])
        async with running([link], [], ROWS, data=tmp_path) as gw:
            await gw.until(lambda: gw.sample("voltage").value == 2)
            await asyncio.sleep(30)
            async with first.running():
                await first.until(lambda: first.links, within=30)
                await asyncio.sleep(1)
    said = [r.getMessage() for r in caplog.records if r.name == "gateway_iec104.rtu"]
    assert said == [
        f"no connection stands by at 127.0.0.1:{port}: "
        f"cannot connect to 127.0.0.1:{port}: Connection refused",
        f"a connection to 127.0.0.1:{port} is open again",
    ]


@paused
async def test_all_are_away(tmp_path: Path) -> None:
    """The sentence names each of them."""
    first, second = station(1), station(2)
    async with first.running(), second.running():
        ports = first.port, second.port
    link = client(host=[f"127.0.0.1:{port}" for port in ports])
    async with running([link], [], ROWS, data=tmp_path) as gw:
        await gw.until(lambda: gw.state("rtu") == "down")
        for port in ports:
            assert f"cannot connect to 127.0.0.1:{port}" in gw.status("rtu").error


@paused
async def test_a_device_that_is_deaf_behind_its_front(tmp_path: Path) -> None:
    """A connection that is open and behind which no station answers is left for the next."""
    first, second = station(1), station(2)
    first.mute.add(1)
    async with group(tmp_path, [first, second], timeout="5s") as gw:
        await gw.until(lambda: gw.sample("voltage").value == 2, timeout=20)
        assert STARTDT_ACT in first.functions
