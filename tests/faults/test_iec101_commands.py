"""The fault run, commands over IEC 101: nothing is done twice, and nothing left unanswered."""

from __future__ import annotations

import asyncio
from itertools import cycle, islice
from pathlib import Path

import pytest
from iec101_scene import iec101_scene
from iec_operator import Told
from iec_orders import Manner

KILLS = 8
CUTS = 18
FAILING = (*[Manner.PROMPT] * 12, *[Manner.LATE] * 6, *Manner)
MODES = pytest.mark.parametrize("mode", ["unbalanced", "balanced"])


@MODES
@pytest.mark.timeout(120)
async def test_commands_through_kills(mode: str, tmp_path: Path) -> None:
    """What was under way when the gateway was killed is not carried out again."""
    async with iec101_scene(tmp_path, mode) as stage:
        stage.orders.manners = (Manner.PROMPT, Manner.LATE)
        stage.connect(0, 1)
        stage.command_it()
        happening = stage.happen(100, 10**6)
        for _ in range(KILLS):
            await stage.served()
            await asyncio.sleep(stage.chance.random() * 0.1)
            await stage.gateway.kill()
            await stage.gateway.start()
        await stage.served()
        await stage.rest()
        happening.cancel()
        await stage.settle()

        stage.check()
        assert stage.told(Told.UNKNOWN) > 0


@MODES
@pytest.mark.timeout(180)
async def test_commands_through_cuts(mode: str, tmp_path: Path) -> None:
    """Whatever breaks or gets lost, and however the station fails: answered, or the line is gone.

    A command whose frame is repeated comes once: the frame count bit tells.
    """
    async with iec101_scene(tmp_path, mode) as stage:
        stage.orders.manners = FAILING
        losses = [stage.station.losses, *(centre.losses for centre in stage.centres)]
        for one in losses:
            one.probability = 0.01
        stage.connect(0, 1)
        stage.command_it()
        happening = stage.happen(100, 10**6)
        for cable in islice(cycle((*stage.fields, *stage.desks)), CUTS):
            await stage.served()
            cuts = cable.cuts
            cable.left = stage.chance.randrange(1500)
            await stage.until(lambda cable=cable, cuts=cuts: cable.cuts > cuts, "it is cut")
        await stage.served()
        await stage.rest()
        happening.cancel()
        for one in losses:
            one.probability = 0.0
        await stage.settle()

        stage.check()
        assert stage.gateway.starts == 1
        assert stage.told(Told.NEGATIVE) > 0
        assert stage.told(Told.UNKNOWN) > 0
