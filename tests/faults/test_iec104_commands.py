"""The fault run, commands over IEC 104: nothing is done twice, and nothing left unanswered."""

from __future__ import annotations

import asyncio
from itertools import cycle, islice
from pathlib import Path

import pytest
from iec104_scene import iec104_scene
from iec_operator import Told
from iec_orders import Manner

KILLS = 12
CUTS = 24
FAILING = (*[Manner.PROMPT] * 12, *[Manner.LATE] * 6, *Manner)


@pytest.mark.timeout(120)
async def test_commands_through_kills(tmp_path: Path) -> None:
    """What was under way when the gateway was killed is not carried out again."""
    async with iec104_scene(tmp_path) as stage:
        stage.orders.manners = (Manner.PROMPT, Manner.LATE)
        stage.connect(0, 1)
        stage.command_it()
        happening = stage.happen(200, 10**6)
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


@pytest.mark.timeout(120)
async def test_commands_through_cuts(tmp_path: Path) -> None:
    """Whatever breaks, and however the station fails: answered, or the connection is gone."""
    async with iec104_scene(tmp_path) as stage:
        stage.orders.manners = FAILING
        stage.connect(0, 1)
        stage.command_it()
        happening = stage.happen(200, 10**6)
        for cable in islice(cycle((*stage.fields, *stage.desks)), CUTS):
            await stage.served()
            cuts = cable.cuts
            cable.left = stage.chance.randrange(1500)
            await stage.until(lambda cable=cable, cuts=cuts: cable.cuts > cuts, "it is cut")
        await stage.served()
        await stage.rest()
        happening.cancel()
        await stage.settle()

        stage.check()
        assert stage.gateway.starts == 1
        assert stage.told(Told.NEGATIVE) > 0
        assert stage.told(Told.UNKNOWN) > 0
