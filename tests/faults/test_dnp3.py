"""The fault run, DNP3 in and out: what the far master logs is what the outstation generated."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest
from dnp3_scene import dnp3_scene

KILLS = 50
CUTS = 40
MANY = 2


@pytest.mark.timeout(180)
async def test_fifty_kills_lose_no_event(tmp_path: Path) -> None:
    """SIGKILL at fifty random instants under load: nothing lost, nothing out of order."""
    async with dnp3_scene(tmp_path) as stage:
        happening = stage.happen(400, 10**6)
        for kill in range(KILLS):
            if kill % 2:
                # Every other one at work, however slow the machine is to get there.
                known = stage.device.released
                await stage.until(
                    lambda known=known: stage.device.released > known, "it reads the outstation"
                )
            await asyncio.sleep(stage.chance.random() * 0.3)
            await stage.gateway.kill()
            await stage.gateway.start()
        happening.cancel()
        await stage.settle()

        stage.check()
        assert stage.gateway.deaths == [signal.SIGKILL] * KILLS + [0]
        assert stage.device.generated > 2_000


@pytest.mark.timeout(120)
async def test_cables_that_are_cut_within_a_frame(tmp_path: Path) -> None:
    """Both cables break after any octet; fragments come twice, and confirmations get lost too."""
    async with dnp3_scene(tmp_path) as stage:
        stage.trouble(lost=0.05, twice=0.05)
        happening = stage.happen(600, 10**6)
        for cut in range(CUTS):
            cable = (stage.field, stage.desk)[cut % 2]
            cuts = cable.cuts
            cable.left = stage.chance.randrange(1500)
            await stage.until(lambda cable=cable, cuts=cuts: cable.cuts > cuts, "it is cut")
        happening.cancel()
        await stage.settle()

        stage.check()
        assert stage.gateway.starts == 1
        assert stage.device.generated > 500
        assert not stage.repetitions["after a kill"]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("polls", [False, True])
async def test_fragments_twice_and_confirmations_lost(tmp_path: Path, polls: bool) -> None:
    """Without a broken cable a repetition is recognised by its sequence number, at both ends."""
    async with dnp3_scene(tmp_path) as stage:
        stage.trouble(lost=0.1, twice=0.3)
        stage.masters[0].polls = not polls
        happening = stage.happen(500, 10**6)
        device, master = stage.device.counts, stage.masters[0].counts
        for counts, kinds in (
            (device, ("sent twice", "lost confirms")),
            (master, ("confirms withheld", "recognised")),
        ):
            for kind in kinds:
                await stage.until(lambda of=counts, kind=kind: of[kind] >= MANY, f"{MANY} {kind}")
        happening.cancel()
        await stage.settle()

        stage.check()
        assert not stage.repetitions
        assert device["connections"] == master["connections"] == 1


@pytest.mark.timeout(120)
async def test_a_slow_master_beside_a_fast_one(tmp_path: Path) -> None:
    """Each has its own place in the journal: who is slow, or not there, delays nobody else."""
    async with dnp3_scene(tmp_path, masters=2) as stage:
        fast, slow = stage.masters
        slow.delay = 0.3
        await stage.happen(500, 1_000)
        await stage.until(lambda: len(fast.have) >= 1_000, "the fast one has all")
        assert not slow.have
        stage.connect(1)
        happening = stage.happen(500, 3_000)
        await stage.until(lambda: len(slow.have) >= 100, "the slow one has begun")
        await happening
        await stage.until(lambda: len(fast.have) >= 4_000, "the fast one has all")
        # It had a second for each ten responses, the fast one all the time it wanted.
        assert len(slow.have) < 4_000
        slow.delay = 0.0
        await stage.settle()

        stage.check()
        assert not stage.repetitions
