"""From a point of one gateway to a point of the next one, over every transport.

What arrives must be what was sent, so neither end can hide what the other does; that both speak
as the standard has it is for the tests of each end, before devices made of octets and tshark.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from gateway_c37118.client.source import C37Client
from gateway_c37118.server.sink import C37Server

from gateway import Quality
from gateway.testing import Collector, Emitter, free_port, paused, running
from gateway.testing.authority import Authority

SENT = """\
name,kind,unit,field.at,wams.item
f,analog,Hz,x,frequency
va,analog,kV,x,phasor/VA/magnitude
va.angle,analog,deg,x,phasor/VA/angle
ia.real,analog,A,x,phasor/IA/real
ia.imaginary,analog,A,x,phasor/IA/imaginary
p,analog,MW,x,analog/P
breaker,status,,x,digital/1/3
"""
TAKEN = """\
name,kind,unit,scale,pmu.item
their.f,analog,Hz,,frequency
their.va,analog,kV,0.001,phasor/VA/magnitude
their.va.angle,analog,deg,,phasor/VA/angle
their.ia,analog,A,,phasor/IA/magnitude
their.p,analog,MW,,analog/P
their.breaker,status,,,digital/breaker
"""
VALUES = {
    "f": 49.98, "va": 230.0, "va.angle": -90.0, "ia.real": 300.0, "ia.imaginary": -400.0,
    "p": 12.5, "breaker": 1.0,
}  # fmt: skip
ARRIVE = {
    "their.f": 49.98, "their.va": 230.0, "their.va.angle": -90.0, "their.ia": 500.0,
    "their.p": 12.5, "their.breaker": 1.0,
}  # fmt: skip
GROUP = "239.192.37.119"
TRANSPORTS = ("tcp", "tls", "tcp-udp", "udp", "spontaneous")


def ends(transport: str, folder: Path, **more: Any) -> tuple[C37Server, C37Client]:
    """A server and a client that fit each other."""
    port, data_port = free_port(), free_port()
    server: dict[str, Any] = {"name": "wams", "idcode": 7, "listen": f"127.0.0.1:{port}"}
    server |= {"rate": 10} | more
    client: dict[str, Any] = {"name": "pmu", "idcode": 7, "host": "127.0.0.1", "port": port}
    client["reconnect"] = {"min": "1s", "max": "1s"}
    if transport == "tls":
        authority = Authority(folder)
        for name in ("server", "client"):
            authority.issue(name, "127.0.0.1")
        for end, name in ((server, "server"), (client, "client")):
            end["tls"] = {
                "ca": folder / "ca.pem",
                "certificate": folder / f"{name}.pem",
                "key": folder / f"{name}.key",
            }
    elif transport == "spontaneous":
        del server["listen"], client["host"], client["port"]
        to = {"to": f"{GROUP}:{port}", "interface": "127.0.0.1"}
        server["spontaneous"] = [to]
        client |= {"transport": "spontaneous", "group": GROUP, "interface": "127.0.0.1"}
        client["listen"] = f"0.0.0.0:{port}"
    elif transport != "tcp":
        server["transport"] = client["transport"] = transport
        if transport == "tcp-udp":
            server["data_port"] = data_port
            client["listen"] = f"127.0.0.1:{data_port}"
    return C37Server.model_validate(server), C37Client.model_validate(client)


async def report(field: Emitter, quality: Quality = Quality.GOOD) -> int:
    """Report all values at the next tenth of a second, and return that time."""
    ctx = await field.context()
    async for now in ctx.every(0.1):
        await field.emit(
            list(VALUES), list(VALUES.values()), quality | Quality.DEVICE_TIME, now, every=True
        )
        return now
    raise AssertionError


@paused
@pytest.mark.parametrize("numbers", ["float", "integer"])
@pytest.mark.parametrize("configuration", [2, 3])
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_what_is_sent_arrives(
    tmp_path: Path, transport: str, configuration: int, numbers: str
) -> None:
    """Values, times and quality, in every format and by either configuration."""
    server, client = ends(transport, tmp_path, numbers=numbers)
    client = client.model_copy(update={"configuration": configuration})
    (tmp_path / "far").mkdir()
    field, sink = Emitter(name="field"), Collector(name="all")
    async with (
        running([field], [server], SENT, data=tmp_path / "far"),
        running([client], [sink], TAKEN, data=tmp_path) as near,
    ):
        # The configuration of an unasked stream comes with the full minute.
        for _ in range(700):
            await report(field)
            if near.state("pmu") == "up":
                break
        assert near.state("pmu") == "up"
        times = [await report(field) for _ in range(10)]
        await near.until(lambda: sink.rows("their.va")[-1].time == times[-1])

        # Integers of 16 bits: 1 mHz, 1e-4 rad, 10 V and 0.1 A, counted to the nearest.
        steps = {"their.va": 0.005, "their.va.angle": 0.003, "their.ia": 0.08}
        for name, value in ARRIVE.items():
            off = steps.get(name, 5e-4) if numbers == "integer" else 1e-4
            # An analog of integers counts whole units, 12.5 among them.
            off = 0.5 if (name, numbers) == ("their.p", "integer") else off
            assert near.sample(name).value == pytest.approx(value, abs=off), name
            assert near.sample(name).quality == Quality.DEVICE_TIME
        arrived = {row.time for row in sink.rows("their.va") if row.value > 229}
        assert set(times) <= arrived


@paused
async def test_quality_arrives(tmp_path: Path) -> None:
    """A clock that is not synchronised and a test are known behind the second gateway."""
    server, client = ends("tcp", tmp_path)
    (tmp_path / "far").mkdir()
    field = Emitter(name="field")
    async with (
        running([field], [server], SENT, data=tmp_path / "far"),
        running([client], [], TAKEN, data=tmp_path) as near,
    ):
        await near.until(lambda: near.state("pmu") == "up")
        unsure = Quality.CLOCK_NOT_SYNCHRONISED
        await report(field, unsure)
        await near.until(lambda: near.sample("their.f").quality & unsure)
        await report(field, Quality.TEST)
        invalid = Quality.DEVICE_TIME | Quality.INVALID
        await near.until(lambda: near.sample("their.f").quality == invalid)


@paused
async def test_the_far_gateway_restarts_with_another_point_list(tmp_path: Path) -> None:
    """Points are found again where they are now."""
    server, client = ends("tcp", tmp_path)
    field = Emitter(name="field")
    async with running([client], [], TAKEN, data=tmp_path) as near:
        for count in range(2):
            far_folder = tmp_path / f"far{count}"
            far_folder.mkdir()
            lines = SENT.splitlines()
            rows = "\n".join([lines[0], *lines[:0:-1]] if count else lines) + "\n"
            async with running([field], [server], rows, data=far_folder):
                await near.until(lambda: near.state("pmu") == "up", timeout=60)
                time = await report(field)
                await near.until(lambda time=time: near.sample("their.f").time >= time)
                assert near.sample("their.va").value == pytest.approx(230.0)
                assert near.sample("their.va.angle").value == pytest.approx(-90.0)
            await near.until(lambda: near.state("pmu") == "down")
            await asyncio.sleep(0)
