"""Cyclic transmission and the background scan, on a clock that jumps."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from gateway.testing import paused

sys.path.insert(0, str(Path(__file__).parent))
from controlled_bench import Bench, point, written


@paused
async def test_cycles() -> None:
    """Each period has its points, cause 1, without times; the value is that of the moment."""
    points = [
        point(0, "analog", ioa=1, cycle="10s"),
        point(1, "analog", ioa=2, cycle="25s"),
        point(2, ioa=3),
    ]
    async with Bench.of(*points) as bench:
        bench.ctx.happen((0, 1, 0), (1, 2, 0))
        assert await bench.sent() == []
        await asyncio.sleep(10.5)
        bench.ctx.happen((0, 2, 0))
        assert await bench.sent() == written("0d 01 01 00 01 00 01 00 00 00 00 00 40 00")
        await asyncio.sleep(15)
        assert await bench.sent() == written(
            "0d 01 01 00 01 00 01 00 00 00 00 00 40 00", "0d 01 01 00 01 00 02 00 00 00 00 00 40 00"
        )


@paused
async def test_the_background_scan() -> None:
    """Cause 2: all points but counters, and those whose row says no."""
    points = [point(0, ioa=1), point(1, ioa=2, background=False), point(2, "counter", ioa=3)]
    async with Bench.of(*points, background=60.0) as bench:
        bench.ctx.happen((0, 1, 0), (1, 1, 0), (2, 1, 0))
        await bench.sent()
        await asyncio.sleep(61)
        assert await bench.sent() == written("01 01 02 00 01 00 01 00 00 01")


@paused
async def test_scans_do_not_pile_up() -> None:
    """One that was not sent when the next is due is left to that one, and counted."""
    async with Bench.of(point(0, "analog", ioa=1, cycle="10s")) as bench:
        bench.ctx.happen((0, 1, 0))
        await asyncio.sleep(35)
        assert len(await bench.sent()) == 1
        assert bench.ctx.counts["scans_skipped"] == 2
        await asyncio.sleep(10)
        assert len(await bench.sent()) == 1


@paused
async def test_nobody_is_there() -> None:
    """Nothing waits for who comes later, and nothing stands in its way."""
    async with Bench.of(point(0, "analog", ioa=1, cycle="10s")) as bench:
        await asyncio.sleep(11)
        bench.controlled.stopped()
        await asyncio.sleep(60)
        bench.controlled.started(bench.client)
        assert await bench.sent() == []
        await asyncio.sleep(10)
        assert len(await bench.sent()) == 1
        assert not bench.ctx.counts["scans_skipped"]


@paused
async def test_a_scan_has_full_asdus() -> None:
    """100 floats of 8 octets with their addresses: 30 in an ASDU of 249 octets at most."""
    points = [point(n, "analog", ioa=1 + n, cycle="10s") for n in range(100)]
    async with Bench.of(*points) as bench:
        await asyncio.sleep(11)
        sent = [bytes.fromhex(one) for one in await bench.sent()]
        assert [one[1] & 0x7F for one in sent] == [30, 30, 30, 10]
        assert max(map(len, sent)) <= 249
