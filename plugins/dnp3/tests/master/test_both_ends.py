"""The master in front of the gateway's own outstation, over everything that carries DNP3."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from gateway_dnp3.master.source import DnpMaster
from gateway_dnp3.outstation.sink import DnpOutstation

from gateway import Quality
from gateway.testing import Collector, CommandSettings, Emitter, Running, free_port, running
from gateway.testing.authority import Authority

ROWS = """\
name,kind,command.model,field.at,station.index,station.control_index,rtu.index,rtu.type,rtu.control_index
switch,status,latch,x,0,4,,,
level,analog,,x,1,,,,
seen.switch,status,latch,,,,0,,4
seen.level,analog,,,,,1,,
"""


@contextlib.asynccontextmanager
async def ends(
    transport: str, folder: Path, confirmed: bool
) -> AsyncIterator[tuple[dict[str, Any], dict[str, Any]]]:
    """The fields of the master's end and of the outstation's."""
    port = free_port()
    common = {"transport": transport, "link_confirm": confirmed}
    if transport == "serial":
        socat = shutil.which("socat")
        if socat is None:
            pytest.fail("socat is missing: apt-get install socat")
        lines = [folder / "a", folder / "b"]
        process = await asyncio.create_subprocess_exec(
            socat, *(f"pty,raw,echo=0,link={line}" for line in lines)
        )
        while not all(line.exists() for line in lines):
            await asyncio.sleep(0.01)
        serial = common | {"baud": 115200}
        try:
            yield serial | {"port": str(lines[0])}, serial | {"port": str(lines[1])}
        finally:
            process.terminate()
            await process.wait()
        return
    master = common | {"host": "127.0.0.1", "port": port}
    station = common | {"listen": f"127.0.0.1:{port}"}
    if transport == "tls":
        authority = Authority(folder)
        for name in ("master", "station"):
            authority.issue(name, "127.0.0.1")
        files = {"ca": str(folder / "ca.pem")}
        for name, end in (("master", master), ("station", station)):
            end["tls"] = files | {
                "certificate": str(folder / f"{name}.pem"),
                "key": str(folder / f"{name}.key"),
            }
    yield master, station


@contextlib.asynccontextmanager
async def bench(
    folder: Path, transport: str = "tcp", rows: str = ROWS, confirmed: bool = False, **more: Any
) -> AsyncIterator[tuple[Running, Emitter, Collector]]:
    field = Emitter(name="field", obeys=True)
    scada = Collector(name="scada", role="engineer")
    async with ends(transport, folder, confirmed) as (master, station):
        rtu = {"name": "rtu", "outstation": 10, "reconnect": {"min": "50ms", "max": "100ms"}}
        sink = {
            "name": "station",
            "address": 10,
            "master": 1,
            "unsolicited": True,
            "role": "engineer",
        }
        async with running(
            [field, DnpMaster.model_validate(rtu | {"unsolicited": True} | master | more)],
            [scada, DnpOutstation.model_validate(sink | station)],
            rows,
            data=folder / "data",
            commands=CommandSettings(rate=1000),
        ) as gw:
            await gw.until(lambda: gw.state("rtu") == "up", timeout=20)
            yield gw, field, scada


@pytest.mark.parametrize(
    ("transport", "confirmed"),
    [("tcp", False), ("tcp", True), ("tls", False), ("udp", False), ("serial", True)],
)
async def test_through_and_back(transport: str, confirmed: bool, tmp_path: Path) -> None:
    """Events come through in order, a command goes the other way and is answered."""
    async with bench(tmp_path, transport, confirmed=confirmed) as (gw, field, scada):
        times = [1_700_000_000_000_000_000 + n * 1_000_000 for n in range(4)]
        stamped = Quality.DEVICE_TIME
        await field.emit(["switch"] * 4, [0, 1, 0, 1], int(stamped), times, every=True)
        await field.emit(["level"], [12.5])
        await gw.until(lambda: gw.sample("seen.level").value == 12.5)
        await gw.until(lambda: gw.sample("seen.switch").value == 1)
        await asyncio.sleep(0.2)
        seen = [
            (row.value, row.time)
            for row in scada.rows()
            if row.name == "seen.switch" and row.quality == stamped
        ]
        assert seen == list(zip([0, 1, 0, 1], times, strict=True))

        answer = await scada.ask("seen.switch", 0)
        assert answer, answer
        names = {point.id: point.name for point in (await field.context()).points}
        assert [(names[c.point], c.value) for c in field.commands] == [("switch", 0)]
        counters = gw.counters("rtu")
        assert not {"timeouts", "malformed", "unexpected", "duplicates"} & set(counters), counters


async def test_ten_thousand_events(tmp_path: Path) -> None:
    """An avalanche comes through complete, in order, and once."""
    points = 100
    rows = "name,kind,field.at,station.index,rtu.index\n" + "".join(
        f"p{n},status,x,{n},\nq{n},status,,,{n}\n" for n in range(points)
    )
    async with bench(tmp_path, rows=rows) as (gw, field, scada):
        began = time.perf_counter()
        base = 1_700_000_000_000
        expected = []
        for block in range(100):
            names = [f"p{n}" for n in range(points)]
            times = [(base + block * points + n) * 1_000_000 for n in range(points)]
            value = float(block % 2)
            await field.emit(names, [value] * points, int(Quality.DEVICE_TIME), times, every=True)
            expected += [(f"q{n}", value, times[n]) for n in range(points)]

        def seen() -> list[tuple[str, float, int]]:
            return [
                (row.name, row.value, row.time)
                for row in scada.rows()
                if row.name[0] == "q" and row.quality == Quality.DEVICE_TIME
            ]

        await gw.until(lambda: gw.ledger("station").delivered >= 10_000, timeout=60)
        await asyncio.sleep(0.5)
        assert seen() == expected
        print(f"10,000 events through both ends in {time.perf_counter() - began:.2f} s")
