"""The fault run, IEC 104 in and out: what both control centres log is what happened at the station.

A slow control centre stands beside a fast one throughout.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable
from functools import partial
from itertools import cycle, islice
from pathlib import Path

import pytest
from iec104_centre import TakeOver
from iec104_scene import HASTY, Iec104Scene, iec104_scene
from iec104_wire import Breach
from iec_scene import NEAR

KILLS = 50
CUTS = 42
TAKE_OVERS = 60
SLOW = 0.05
"""Seconds that the slow one thinks about each acknowledgement."""


@pytest.mark.timeout(180)
async def test_fifty_kills_lose_no_event(tmp_path: Path) -> None:
    """SIGKILL at fifty random instants under load: nothing lost, nothing out of order."""
    async with iec104_scene(tmp_path) as stage:
        fast, slow = stage.centres
        slow.delay = SLOW
        stage.connect(0, 1)
        happening = stage.happen(400, 10**6)
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
        assert stage.history.generated > 2_000
        assert fast.counts["compared"] > 0


@pytest.mark.timeout(120)
async def test_cables_that_are_cut_within_a_frame(tmp_path: Path) -> None:
    """All cables break after any octet, and acknowledgements get lost with their connections."""
    async with iec104_scene(tmp_path) as stage:
        stage.centres[1].delay = SLOW
        stage.station.deaf = 0.02
        for centre in stage.centres:
            centre.mute = 0.02
        stage.connect(0, 1)
        happening = stage.happen(600, 10**6)
        for cable in islice(cycle((*stage.fields, *stage.desks)), CUTS):
            cuts = cable.cuts
            cable.left = stage.chance.randrange(1500)
            await stage.until(lambda cable=cable, cuts=cuts: cable.cuts > cuts, "it is cut")
        happening.cancel()
        await stage.settle()

        stage.check()
        assert stage.gateway.starts == 1
        assert stage.history.generated > 500
        assert stage.again() == stage.again(("after a kill",)) > 0


@pytest.mark.timeout(120)
async def test_frames_twice_left_out_or_acknowledged_too_early(tmp_path: Path) -> None:
    """A wrong N(S) or N(R) of either partner ends its connection, and nothing is taken twice."""
    async with iec104_scene(tmp_path) as stage:
        station = stage.station
        stage.connect(0, 1)
        happening = stage.happen(500, 10**6)
        for breach in (*Breach, *Breach, *Breach):
            connections = station.counts["connections"]
            station.breaches.append(breach)
            await stage.until(lambda n=connections: station.counts["connections"] > n, "a new one")
            for centre in stage.centres:
                line = await centre.started()
                line.offend(breach)
                await stage.until(line.ended.is_set, "it is closed")
        happening.cancel()
        await stage.settle()

        stage.check()
        assert stage.gateway.starts == 1
        assert station.counts["breaches"] == 9
        assert station.counts["connections"] == 10
        assert [centre.counts["starts"] for centre in stage.centres] == [10, 10]


@pytest.mark.timeout(120)
async def test_silence(tmp_path: Path) -> None:
    """Who says or acknowledges nothing for t1 is left, and found again when it is back."""
    async with iec104_scene(tmp_path, times=HASTY) as stage:
        stage.connect(0, 1)
        happening = stage.happen(500, 10**6)
        station, (field,) = stage.station, stage.fields
        holds = (partial(field.hold, *back) for back in ((False,), (True,), (False, True)))
        troubles: list[Callable[[], None]] = [*holds, station.sleep]
        for trouble in troubles:
            await stage.moves()
            starts = station.counts["starts"]
            async with left(stage, "field is down"):
                trouble()
            station.wake()
            field.release()
            await stage.until(lambda n=starts: station.counts["starts"] > n, "it is back")
        for near, desk, centre in zip(NEAR, stage.desks, stage.centres, strict=True):
            troubles = [partial(desk.hold, False, True), centre.acknowledges.clear]
            for trouble in troubles:
                line = await centre.started()
                async with left(stage, f"{near}:"):
                    trouble()
                centre.acknowledges.set()
                desk.release()
                await stage.until(line.ended.is_set, "it is closed")
        happening.cancel()
        await stage.settle()

        stage.check()
        assert stage.gateway.starts == 1
        assert not stage.again(("of the station", "after a cut"))


@contextlib.asynccontextmanager
async def left(stage: Iec104Scene, who: str) -> AsyncIterator[None]:
    """Have the gateway leave a connection because of what happens in the block."""

    def times() -> int:
        return sum(who in line and "(t1)" in line for line in stage.gateway.log.splitlines())

    before = times()
    yield
    await stage.until(lambda: times() > before, f"{who} is left")


@pytest.mark.timeout(120)
async def test_pauses(tmp_path: Path) -> None:
    """Who is silent for less than t1 has missed nothing, and hears nothing twice."""
    async with iec104_scene(tmp_path) as stage:
        station = stage.station
        stage.connect(0, 1)
        happening = stage.happen(500, 10**6)
        for cable in (*stage.fields, *stage.desks):
            for back in ((False,), (True,), (False, True)):
                await stage.moves()
                cable.hold(*back)
                await asyncio.sleep(0.2)
                cable.release()
        station.sleep()
        await asyncio.sleep(0.2)
        station.wake()
        for centre in stage.centres:
            centre.acknowledges.clear()
            await stage.moves(100)
            centre.acknowledges.set()
        happening.cancel()
        await stage.settle()

        stage.check()
        assert not stage.again()
        assert station.counts["connections"] == 1
        assert [centre.counts["starts"] for centre in stage.centres] == [1, 1]


@pytest.mark.timeout(120)
async def test_take_overs(tmp_path: Path) -> None:
    """In mid-stream another connection of a group is started, again and again."""
    async with iec104_scene(tmp_path, lines=2, cables=2) as stage:
        station = stage.station
        stage.centres[1].delay = 0.01
        stage.connect(0, 1)
        happening = stage.happen(2500, 10**6)
        for how in islice(cycle(TakeOver), TAKE_OVERS):
            await asyncio.sleep(stage.chance.random() * 0.05)
            lived = await asyncio.gather(*(centre.take_over(how) for centre in stage.centres))
            assert all(lived), stage.gateway.log[-3000:]
        happening.cancel()
        await stage.settle()

        stage.check()
        assert [centre.counts["starts"] for centre in stage.centres] == [1 + TAKE_OVERS] * 2
        assert station.counts["starts"] == 1
        assert stage.again() > stage.again(("after a take-over",)) == 0


@pytest.mark.timeout(120)
async def test_redundant_connections_that_fail(tmp_path: Path) -> None:
    """The started one is cut, at either end: the other takes over, and no point becomes stale."""
    async with iec104_scene(tmp_path, lines=2, cables=2) as stage:
        station = stage.station
        stage.connect(0, 1)
        happening = stage.happen(1000, 10**6)
        for turn in range(24):
            await stage.until(lambda: station.counts["open"] == 2, "both are open")
            await stage.moves(50)
            for centre in stage.centres:
                await centre.standing_by()
            if turn % 2:
                # In the middle of a take-over, or soon after.
                centre = stage.centres[turn % 4 // 2]
                await centre.take_over(stage.chance.choice(list(TakeOver)))
                await asyncio.sleep(stage.chance.random() * 0.02)
                (await centre.started()).hang_up()
                continue
            cable, starts = stage.field, station.counts["starts"]
            assert cable is not None
            cable.left = stage.chance.randrange(1500)
            await stage.until(lambda n=starts: station.counts["starts"] > n, "the other one is")
        happening.cancel()
        await stage.settle()

        stage.check()
        assert stage.gateway.starts == 1
        assert sum(log.stale for log in stage.logs) == 0


@pytest.mark.timeout(120)
async def test_a_slow_control_centre_beside_a_fast_one(tmp_path: Path) -> None:
    """Each has its own place in the journal: who is slow, or not there, delays nobody else."""
    async with iec104_scene(tmp_path) as stage:
        fast, slow = stage.centres
        slow.delay = 0.4
        stage.connect(0)
        await stage.happen(500, 1_000)
        await stage.until(lambda: fast.log.highest == 1_000, "the fast one has all")
        assert not slow.log.highest
        stage.connect(1)
        happening = stage.happen(1000, 3_000)
        await stage.until(lambda: slow.log.highest >= 100, "the slow one has begun")
        await happening
        await stage.until(lambda: fast.log.highest == 4_000, "the fast one has all")
        # It had a second for each twenty ASDUs, the fast one all the time it wanted.
        assert slow.log.highest < 4_000
        slow.delay = 0.0
        await stage.settle()

        stage.check()
        assert not stage.again()
