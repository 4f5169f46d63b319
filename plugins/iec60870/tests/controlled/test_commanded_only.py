"""A point with a control_ioa and no ioa is commanded, and nowhere to be seen."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from gateway.testing import paused

sys.path.insert(0, str(Path(__file__).parent))
from controlled_bench import Bench, point, written

LATCH, SETPOINT = {"model": "latch"}, {"model": "setpoint"}
POINTS = (
    point(0, "status", ioa=3),
    point(1, "status", LATCH, control_ioa=5),
    point(2, "analog", SETPOINT, control_ioa=6, ca=2),
    point(3, "counter", SETPOINT, control_ioa=7, control_type="scaled"),
)


async def test_it_is_commanded() -> None:
    """At its control_ioa, also at a common address where there is nothing else."""
    async with Bench.of(*POINTS) as bench:
        assert await bench.ask("2d 01 06 00 01 00 05 00 00 01") == written(
            "2d 01 07 00 01 00 05 00 00 01", "2d 01 0a 00 01 00 05 00 00 01"
        )
        assert len(await bench.ask("32 01 06 00 02 00 06 00 00 00 00 48 41 00")) == 2
        assert len(await bench.ask("31 01 06 00 01 00 07 00 00 09 00 00")) == 2
        wanted = [(one.point, one.value) for one in bench.ctx.requests]
        assert wanted == [(1, 1), (2, 12.5), (3, 9)]


async def test_it_has_no_events() -> None:
    """Its samples are nobody's, and count as taken; those of the others are sent."""
    async with Bench.of(*POINTS) as bench:
        bench.ctx.happen((1, 1, 0), (2, 4, 0), (3, 5, 0))
        bench.ctx.happen((0, 1, 0), (1, 0, 0))
        assert await bench.sent() == written("1e 01 03 00 01 00 03 00 00 01 00 00 00 0c 81 01 1a")
        assert bench.ctx.acknowledged == [1, 2]
        assert bench.ctx.coalesced == 4


@paused
async def test_it_is_not_interrogated() -> None:
    """Neither by an interrogation nor as a counter, by a read (47, negative) or a scan."""
    async with Bench.of(*POINTS, background=60.0) as bench:
        bench.ctx.happen((0, 1, 0), (1, 1, 0), (2, 4, 0), (3, 5, 0))
        await bench.sent()
        shown = "01 01 {} 00 01 00 03 00 00 01"
        assert await bench.ask("64 01 06 00 01 00 00 00 00 14") == written(
            "64 01 07 00 01 00 00 00 00 14", shown.format("14"), "64 01 0a 00 01 00 00 00 00 14"
        )
        for asked in ("64 01 {} 00 02 00 00 00 00 14", "65 01 {} 00 01 00 00 00 00 05"):
            assert await bench.ask(asked.format("06")) == written(
                asked.format("07"), asked.format("0a")
            )
        assert await bench.ask("66 01 05 00 01 00 05 00 00") == written(
            "66 01 6f 00 01 00 05 00 00"
        )
        await asyncio.sleep(61)
        assert await bench.sent() == written(shown.format("02"))
