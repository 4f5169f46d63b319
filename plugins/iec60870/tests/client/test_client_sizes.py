"""A station whose fields have other sizes than the link says: it is told, and nothing is lost."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from gateway.testing import Running, paused, running

sys.path.insert(0, str(Path(__file__).parent))
from client_bench import bench, client
from octet_station import Station, asdu, at, mirrored

ROWS = "name,kind,rtu.ioa\nbreaker,status,100\n"
EVENT = asdu(1, 3, at(100) + b"\x01")
"""M_SP_NA_1 with the sizes of 104: 6 octets before the objects, 4 of the object."""
BROKEN = EVENT + b"\x00"
HURRY: dict[str, Any] = {"timeout": "5s", "w": 1, "t2": "1s"}


def mute(request: bytes) -> Sequence[bytes]:
    return []


async def complaint(gw: Running) -> str:
    await gw.until(lambda: gw.state("rtu") == "down", timeout=20)
    return gw.status("rtu").error


@pytest.mark.parametrize(
    ("sizes", "with_what", "found"),
    [
        ({"ioa_octets": 2}, "cause_octets 2, ca_octets 2, ioa_octets 2", "4 octets of objects"),
        ({"cause_octets": 1}, "cause_octets 1, ca_octets 2, ioa_octets 3", "5 octets of objects"),
        ({"ca_octets": 1}, "cause_octets 2, ca_octets 1, ioa_octets 3", "5 octets of objects"),
    ],
)
@pytest.mark.parametrize("refusal", [(), (47,)])
@paused
async def test_other_sizes(
    refusal: tuple[int, ...],
    sizes: dict[str, int],
    with_what: str,
    found: str,
    tmp_path: Path,
) -> None:
    """Where nothing can be read the link is down, with a sentence that says so, and for which
    sizes; the station keeps all that it sent. A refusal is an echo, which proves nothing."""
    device = Station(lambda request: [mirrored(request, 0x40 | cause) for cause in refusal])
    device.greeting = [EVENT] * 3
    async with bench(tmp_path, ROWS, device, **sizes, **HURRY) as gw:
        error = await complaint(gw)
        where = f"127.0.0.1:{device.port}: what it sends cannot be read with {with_what}: octet "
        assert error.startswith(where), error
        assert f"found {found}, allowed: " in error
        await device.until(lambda: len(device.links) == 3)
        assert [link.acknowledged for link in device.links] == [0, 0, 0]
        assert gw.counters("rtu")["malformed"] >= 6


@paused
async def test_a_station_that_hangs_up(tmp_path: Path) -> None:
    """The sentence is not only that it closed the connection, when the request means nothing."""
    device = Station()

    def script(request: bytes) -> Sequence[bytes]:
        asyncio.get_running_loop().call_later(0.5, device.link.hang_up)
        return [EVENT]

    device.script = script
    async with bench(tmp_path, ROWS, device, ioa_octets=2, **HURRY) as gw:
        error = await complaint(gw)
        assert ": what it sends cannot be read with cause_octets 2, " in error
        assert error.endswith("closed the connection")


@paused
async def test_one_that_cannot_be_read(tmp_path: Path) -> None:
    """It is acknowledged as soon as something else can be read, also of a station without rows."""
    device = Station(mute)
    async with bench(tmp_path, ROWS, device, **HURRY | {"timeout": "100s"}) as gw:
        await device.until(lambda: device.asdus)
        device.link.say(BROKEN, BROKEN)
        await asyncio.sleep(20)
        assert device.link.acknowledged == 0
        device.link.say(asdu(1, 3, at(9) + b"\x00", ca=47))
        await device.until(lambda: device.link.acknowledged == 3, within=2)
        assert gw.state("rtu") != "up"
        device.link.say(EVENT, BROKEN)
        await gw.until(lambda: gw.state("rtu") == "up")
        await device.until(lambda: device.link.acknowledged == 5, within=2)
        await asyncio.sleep(200)
        assert gw.state("rtu") == "up"


@paused
async def test_refusals_alone(tmp_path: Path) -> None:
    """A station that only refuses is understood: it is acknowledged, and the link is up."""
    device = Station(lambda request: [mirrored(request, 0x6C)])
    async with bench(tmp_path, ROWS, device, **HURRY) as gw:
        await device.until(lambda: device.link.acknowledged == 1, within=2)
        await asyncio.sleep(20)
        assert gw.state("rtu") == "up"


@paused
async def test_strangers_and_what_cannot_be_read(tmp_path: Path) -> None:
    """Both are said, for either may be the reason."""
    device = Station(mute)
    device.greeting = [asdu(1, 3, at(9) + b"\x00", ca=47), BROKEN]
    async with bench(tmp_path, ROWS, device, **HURRY) as gw:
        assert await complaint(gw) == (
            f"127.0.0.1:{device.port}: what it sends cannot be read with cause_octets 2, "
            "ca_octets 2, ioa_octets 3: octet 10 of the ASDU: found 5 octets of objects, "
            "allowed: 4 for 1 of M_SP_NA_1; station 1 does not answer, station 47 does, which no "
            "row names"
        )


@paused
async def test_a_group_that_cannot_be_read(tmp_path: Path) -> None:
    """Its connections are not taken one after the other for ever: the link is down."""
    first, second = Station(mute), Station(mute)
    first.greeting = second.greeting = [EVENT]
    async with first.running(), second.running():
        hosts = [f"127.0.0.1:{one.port}" for one in (first, second)]
        link = client(host=hosts, ca_octets=1, **HURRY)
        async with running([link], [], ROWS, data=tmp_path) as gw:
            assert f"127.0.0.1:{second.port}: what it sends cannot be" in await complaint(gw)
            assert gw.counters("rtu")["switchovers"] == 1
