"""`iec101.master` against `iec101.slave`: TCP and serial lines, cut, multi-drop; read by tshark."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from gateway_iec60870.iec101.master import Iec101Master
from gateway_iec60870.iec101.slave import Iec101Slave

from gateway import CommandStatus, Operation, Quality
from gateway.testing import (
    Collector,
    CommandSettings,
    Emitter,
    Running,
    free_port,
    paused,
    running,
)

sys.path.insert(0, str(Path(__file__).parent))
from line_bench import master, slave
from tapped_101 import Tap, bus

S = CommandStatus
STALE = Quality.INVALID | Quality.OLD_DATA
MS = 1_000_000
NOON = 1_767_268_800_000 * MS
EVERY = {"keep": "every"}
ROWS = """\
name,kind,command.model,command.select,command.timeout,field.at,port1.ioa,port1.cycle,port1.control_type,rtu.ioa,rtu.control_type
device.breaker,status,latch,forward,,x,1,,,,
device.voltage,analog,,,,x,2,,,,
device.current,analog,,,,x,3,2s,,,
device.limit,analog,setpoint,,,x,4,,float,,
rtu.breaker,status,latch,forward,3s,,,,,1,
rtu.voltage,analog,,,,,,,,2,
rtu.current,analog,,,,,,,,3,
rtu.limit,analog,setpoint,,3s,,,,,4,float
"""


class Both:
    """One gateway with both ends; `field` is the device, `client` a client of the master's."""

    def __init__(self, gw: Running, field: Emitter, client: Collector) -> None:
        self.gw = gw
        self.field = field
        self.client = client

    async def emit(self, name: str, *values: float, first: int = 0) -> None:
        """Emit values one by one, each a millisecond after the one before."""
        for n, value in enumerate(values, first):
            await self.field.emit([name], [value], 0, time=NOON + n * MS, every=True)

    def seen(self, name: str) -> list[float]:
        """Return the events of a point behind the line."""
        return [
            row.value
            for row in self.client.rows()
            if row.name == name and row.quality & Quality.DEVICE_TIME
        ]


@contextlib.asynccontextmanager
async def both(
    data: Path, sources: list[Any], sinks: list[Any], rows: str = ROWS
) -> AsyncIterator[Both]:
    field = Emitter(name="field", obeys=True)
    client = Collector(name="client", role="operator")
    async with running(
        [field, *sources], [client, *sinks], rows, data=data, commands=CommandSettings(rate=1000)
    ) as gw:
        await field.context()
        yield Both(gw, field, client)


def pair(port: int, tapped: int, **more: Any) -> tuple[list[Any], list[Any]]:
    station = slave(port, "port1", **more, **EVERY)
    fields = {name: value for name, value in more.items() if name not in ("silence", "max_length")}
    return [master(tapped, class_2="20ms" if more.get("mode") is None else None, **fields)], [
        station
    ]


async def exercise(b: Both) -> None:
    """Values of each kind, select, execute, cancel, a set point, a refusal, a time-out."""
    gw, client = b.gw, b.client
    await b.emit("device.voltage", 229.5)
    await b.emit("device.current", 7)
    await b.emit("device.breaker", 0)
    await b.emit("device.limit", 10)
    await gw.until(lambda: gw.state("rtu") == "up")
    await gw.until(lambda: gw.sample("rtu.voltage").value == 229.5)
    await gw.until(lambda: gw.sample("rtu.limit").value == 10)
    await gw.until(lambda: gw.sample("rtu.current").value == 7)
    await b.emit("device.current", 8)
    await gw.until(lambda: gw.sample("rtu.current").value == 8)

    for operation in (Operation.SELECT, Operation.EXECUTE, Operation.SELECT, Operation.CANCEL):
        answer = await client.ask("rtu.breaker", 1, operation)
        assert answer.status is S.SUCCESS, answer
    assert (await client.ask("rtu.limit", 55.5)).status is S.SUCCESS
    b.field.reply(lambda command: S.REFUSED)
    assert (await client.ask("rtu.limit", 56)).status is S.REFUSED
    b.field.reply(lambda command: None)
    assert (await client.ask("rtu.limit", 57)).status is S.TIMEOUT
    b.field.reply(lambda command: S.SUCCESS)
    told = [(c.operation, c.value) for c in b.field.commands]
    assert told == [
        (Operation.SELECT, 1), (Operation.EXECUTE, 1), (Operation.SELECT, 1), (Operation.CANCEL, 1),
        (Operation.DIRECT, 55.5), (Operation.DIRECT, 56), (Operation.DIRECT, 57),
    ]  # fmt: skip

    await b.emit("device.breaker", *([1, 0] * 50), first=1)
    await gw.until(lambda: len(b.seen("rtu.breaker")) == 101)
    assert b.seen("rtu.breaker") == [0, *[1, 0] * 50]
    await gw.until(lambda: not gw.held("port1"))


WAYS = [
    pytest.param({}, {}, id="unbalanced"),
    pytest.param({"mode": "balanced"}, {}, id="balanced"),
    pytest.param(
        {
            "mode": "balanced", "link_octets": 2, "link": 300, "master_link": 7, "cause_octets": 2,
            "ca_octets": 2, "ioa_octets": 3,
        },
        {"cot": 2, "asdu_addr": 2, "asdu_ioa": 3},
        id="large",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("more", "sizes"), WAYS)
def test_over_tcp(more: dict[str, Any], sizes: dict[str, int], tmp_path: Path) -> None:
    """Everything passes, and tshark has no remark to any frame and reads what was commanded."""
    tap = Tap(more.get("link_octets", 1))

    @paused
    async def test() -> None:
        port = free_port()
        async with tap.to(port), both(tmp_path, *pair(port, tap.port, **more)) as b:
            await exercise(b)

    test()
    read = tap.verdict(tmp_path, **sizes)
    commands = [(one["typeid"], one["causetx"], one["nega"]) for one in read]
    for wanted in (
        ("100", "6", "0"), ("100", "7", "0"), ("100", "10", "0"), ("45", "6", "0"),
        ("45", "7", "0"), ("45", "10", "0"), ("45", "8", "0"), ("45", "9", "0"), ("50", "7", "1"),
    ):  # fmt: skip
        assert wanted in commands, wanted
    assert sum(one["typeid"] == "30" for one in read) > 3
    assert {one["ioa"] for one in read if one["typeid"] == "45"} == {"1"}


@pytest.mark.parametrize("mode", ["unbalanced", "balanced"])
async def test_over_a_serial_line(mode: str, tmp_path: Path) -> None:
    """Two serial ports with even parity; the values, the commands and the order."""
    line = {"mode": mode, "ca": 1, "baud": 115200, "reconnect": {"min": "100ms"}}
    fast = {"class_2": "0s"} if mode == "unbalanced" else {}
    async with bus(2) as wire:
        one, other = wire.names
        source = Iec101Master.model_validate(line | fast | {"name": "rtu", "port": one})
        sink = Iec101Slave.model_validate(
            line | EVERY | {"name": "port1", "port": other, "role": "operator"}
        )
        async with both(tmp_path, [source], [sink]) as b:
            await exercise(b)


@pytest.mark.parametrize("mode", [None, "balanced"])
def test_cut_in_mid_stream(mode: str | None, tmp_path: Path) -> None:
    """Cut after any number of octets, again and again: nothing is lost, nothing is reordered."""

    @paused
    async def test() -> None:
        import random

        chance = random.Random(101)
        port = free_port()
        more = {"reconnect": {"min": "100ms", "max": "100ms"}, "max_length": 48}
        if mode is not None:
            more["mode"] = mode
        tap = Tap()
        async with tap.to(port), both(tmp_path, *pair(port, tap.port, **more)) as b:
            await b.gw.until(lambda: b.gw.state("rtu") == "up")
            count = 0
            for _ in range(40):
                connections = tap.connections
                tap.cut_after(chance.randrange(1, 600))
                while tap.connections == connections:
                    await b.emit("device.voltage", *range(count, count + 10), first=count)
                    count += 10
                    await asyncio.sleep(0.05)
            tap.left = None
            await b.gw.until(lambda: b.seen("rtu.voltage")[-1:] == [count - 1], timeout=100)
            await b.gw.until(lambda: not b.gw.held("port1"))
            heard = b.seen("rtu.voltage")
            assert list(dict.fromkeys(heard)) == list(range(count))
            ledger = b.gw.ledger("port1")
            assert ledger.taken == ledger.delivered + ledger.coalesced
            assert not ledger.dropped

    test()


MULTI = "name,kind,command.model,field.at,p1.ioa,p2.ioa,p3.ioa,rtu.ioa,rtu.ca\n" + "".join(
    f"d{n}.breaker,status,latch,x{',' * n}1{',' * (4 - n)},\n"
    f"d{n}.level,analog,,x{',' * n}2{',' * (4 - n)},\n"
    f"r{n}.breaker,status,latch,,,,,1,{10 * n}\n"
    f"r{n}.level,analog,,,,,,2,{10 * n}\n"
    for n in (1, 2, 3)
)


async def test_multi_drop(tmp_path: Path) -> None:
    """Three stations on a wire of four serial ports; one falls silent, and comes back."""
    line: dict[str, Any] = {"baud": 115200, "reconnect": {"min": "50ms", "max": "50ms"}}
    async with bus(4) as wire:
        first, *ports = wire.names
        stations = [{"link": n, "ca": 10 * n} for n in (1, 2, 3)]
        source = Iec101Master.model_validate(
            line
            | {"name": "rtu", "port": first, "stations": stations, "class_2": "20ms"}
            | {"link_timeout": "200ms", "link_retries": 1, "pause": "100ms", "pause_max": "200ms"}
        )
        sinks = [
            Iec101Slave.model_validate(
                line | EVERY
                | {"name": f"p{n}", "port": port, "link": n, "ca": 10 * n, "role": "operator"}
            )
            for n, port in enumerate(ports, 1)
        ]  # fmt: skip
        async with both(tmp_path, [source], sinks, MULTI) as b:
            gw = b.gw
            for n in (1, 2, 3):
                await b.emit(f"d{n}.level", n)
            for n in (1, 2, 3):
                await gw.until(lambda n=n: gw.sample(f"r{n}.level").value == n)
                assert (await b.client.ask(f"r{n}.breaker", 1)).status is S.SUCCESS
            wire.mute.add(2)
            await gw.until(lambda: gw.sample("r2.level").quality == STALE)
            assert gw.sample("r2.level").value == 2
            assert gw.state("rtu") == "up"
            for n in (1, 3):
                await b.emit(f"d{n}.breaker", *([1, 0] * 20))
                await gw.until(lambda n=n: len(b.seen(f"r{n}.breaker")) == 40)
                assert b.seen(f"r{n}.breaker") == [1, 0] * 20
                assert gw.sample(f"r{n}.level").quality & Quality.INVALID == 0
            await b.emit("d2.breaker", *([1, 0] * 20))
            wire.mute.clear()
            await gw.until(lambda: len(b.seen("r2.breaker")) == 40)
            assert b.seen("r2.breaker") == [1, 0] * 20
            await gw.until(lambda: gw.sample("r2.level").quality & Quality.INVALID == 0)
