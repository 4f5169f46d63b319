"""The fault run, IEC 101 in and out: what both control centres log is what happened at the station.

The lines are those of terminal servers; a slow control centre stands beside a fast one throughout.
"""

from __future__ import annotations

import asyncio
import signal
from itertools import cycle, islice
from pathlib import Path

import pytest
from iec101_scene import iec101_scene

KILLS = 25
CUTS = 30
SLOW = 0.05
"""Seconds that the slow one thinks about each ASDU."""
MODES = pytest.mark.parametrize("mode", ["unbalanced", "balanced"])


@MODES
@pytest.mark.timeout(180)
async def test_kills_lose_no_event(mode: str, tmp_path: Path) -> None:
    """SIGKILL at random instants under load: nothing lost, nothing out of order."""
    async with iec101_scene(tmp_path, mode) as stage:
        fast, slow = stage.centres
        slow.delay = SLOW
        stage.connect(0, 1)
        happening = stage.happen(300, 10**6)
        for kill in range(KILLS):
            if kill % 2:
                # Every other one at work, however slow the machine is to get there.
                await stage.moves()
            await asyncio.sleep(stage.chance.random() * 0.3)
            await stage.gateway.kill()
            await stage.gateway.start()
        happening.cancel()
        slow.delay = 0.0
        await stage.settle()

        stage.check()
        assert stage.gateway.deaths == [signal.SIGKILL] * KILLS + [0]
        assert stage.history.generated > 1_000
        assert fast.counts["compared"] > 0


@MODES
@pytest.mark.timeout(180)
async def test_lines_that_are_cut_within_a_frame(mode: str, tmp_path: Path) -> None:
    """All lines break after any octet, and frames get lost on them besides."""
    async with iec101_scene(tmp_path, mode) as stage:
        stage.centres[1].delay = SLOW
        losses = [stage.station.losses, *(centre.losses for centre in stage.centres)]
        for one in losses:
            one.probability = 0.01
        stage.connect(0, 1)
        happening = stage.happen(300, 10**6)
        for cable in islice(cycle((*stage.fields, *stage.desks)), CUTS):
            cuts = cable.cuts
            cable.left = stage.chance.randrange(1500)
            await stage.until(lambda cable=cable, cuts=cuts: cable.cuts > cuts, "it is cut")
        happening.cancel()
        for one in losses:
            one.probability = 0.0
        stage.centres[1].delay = 0.0
        await stage.settle()

        stage.check()
        assert stage.gateway.starts == 1
        assert stage.history.generated > 300
        # A centre hears an event again only where an acknowledgement was cut, which is chance; that
        # the station had to say some again, where one frame of a hundred gets lost, is not.
        assert stage.history.offers.total() > stage.history.generated
        assert stage.again() == stage.again(("after a kill",))


@MODES
@pytest.mark.timeout(120)
async def test_frames_that_get_lost(mode: str, tmp_path: Path) -> None:
    """One of twenty, in either direction: it is said again, and nothing is taken twice."""
    async with iec101_scene(tmp_path, mode) as stage:
        losses = [stage.station.losses, *(centre.losses for centre in stage.centres)]
        for one in losses:
            one.probability = 0.05
        stage.connect(0, 1)
        await stage.happen(100, 1_000)
        await stage.settle()

        stage.check()
        assert not stage.again(("after a cut",))
        assert all(one.count > 5 for one in losses)
        assert stage.gateway.starts == 1


@MODES
@pytest.mark.timeout(120)
async def test_pauses(mode: str, tmp_path: Path) -> None:
    """Lines on which nothing passes for a while, less than all repetitions take: nothing twice."""
    async with iec101_scene(tmp_path, mode) as stage:
        stage.connect(0, 1)
        happening = stage.happen(300, 10**6)
        for cable in (*stage.fields, *stage.desks):
            for back in ((False,), (True,), (False, True)):
                await stage.moves()
                cable.hold(*back)
                await asyncio.sleep(0.7)
                cable.release()
        happening.cancel()
        await stage.settle()

        stage.check()
        assert not stage.again()
        assert stage.station.counts["connections"] == 1
        assert [centre.counts["starts"] for centre in stage.centres] == [1, 1]


@MODES
@pytest.mark.timeout(120)
async def test_a_slow_control_centre_beside_a_fast_one(mode: str, tmp_path: Path) -> None:
    """Each has its own place in the journal: who is slow, or not there, delays nobody else."""
    async with iec101_scene(tmp_path, mode) as stage:
        fast, slow = stage.centres
        slow.delay = 0.3
        stage.connect(0)
        await stage.happen(400, 800)
        await stage.until(lambda: fast.log.highest == 800, "the fast one has all")
        assert not slow.log.highest
        stage.connect(1)
        await stage.happen(400, 800)
        await stage.until(lambda: fast.log.highest == 1_600, "the fast one has all")
        assert slow.log.highest < 1_600
        slow.delay = 0.0
        await stage.settle()

        stage.check()
        assert not stage.again()
