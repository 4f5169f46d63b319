"""The sink `c37118.server` in a gateway: samples in, frames at a control centre."""

from __future__ import annotations

import asyncio
import cmath
import math
import sys
from pathlib import Path

import pytest

from gateway.testing import paused

sys.path.insert(0, str(Path(__file__).parent))
from pdc_bench import Centre, station


@paused
async def test_a_report_is_a_frame(tmp_path: Path) -> None:
    """The values of the points of an instant are those of its frame, in V, A, Hz and Hz/s."""
    async with station(tmp_path) as s, Centre.at(s.port) as centre:
        config = await centre.begin()
        (pmu,) = config.pmus
        assert (config.idcode, config.rate, pmu.station, pmu.idcode) == (1, 50, "wams", 1)
        assert pmu.names[:3] == ["VA", "IA", "P"]
        assert (pmu.names[3], pmu.names[6], set(pmu.names[4:6])) == ("breaker", "earth", {""})
        assert [current for current, _ in pmu.phasors] == [False, True]
        assert pmu.masks == [(0, 0b1001)]
        await s.emit(0.05, {"p": 12.5, "breaker": 1, "earth": 0})
        await s.report(0.5)

        frame = await centre.data_at(0.5)
        (block,) = frame.blocks
        assert (frame.time_quality, block.stat) == (0, 0)
        assert block.phasors[0] == pytest.approx(cmath.rect(230_000, math.radians(-30)), rel=1e-6)
        assert block.phasors[1] == pytest.approx(cmath.rect(400, math.radians(90)), rel=1e-6)
        assert block.frequency == pytest.approx(49.98, rel=1e-7)
        assert block.rocof == 0.25
        assert (block.analogs, block.digitals) == ([12.5], [0b0001])
        await asyncio.sleep(0.3)
