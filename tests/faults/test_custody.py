"""The fault run: whatever breaks, every event arrives, in order, and is accounted for."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest
from disk import disk
from proxy import Mode
from scene import scene

KILLS = 50
SEED = 20261122


@pytest.mark.timeout(600)
async def test_fifty_kills_lose_nothing(tmp_path: Path) -> None:
    """SIGKILL at fifty random instants under load, while starting or in mid-commit."""
    chance = random.Random(SEED)
    async with scene(tmp_path) as stage:
        happening = asyncio.create_task(stage.device.generate(10**9))
        for kill in range(KILLS):
            if kill % 2:
                # Every other one at work, however slow the machine is to get there.
                lives = stage.lives()
                await stage.until(lambda lives=lives: stage.lives() > lives, "it reads the device")
                await asyncio.sleep(chance.random() * 0.5)
            else:
                await asyncio.sleep(chance.random() * 1.5)
            await stage.kill_gateway()
            await stage.start_gateway()
        happening.cancel()
        await stage.settle()

        stage.check()
        assert stage.starts == KILLS + 1
        assert stage.lives() >= KILLS / 2
        assert stage.device.generated > 20_000


async def test_a_network_that_breaks_again_and_again(tmp_path: Path) -> None:
    """Cut at random moments, acknowledgements get lost: nothing else does."""
    chance = random.Random(SEED)
    async with scene(tmp_path) as stage:
        happening = asyncio.create_task(stage.device.generate(30_000))
        for _ in range(25):
            await asyncio.sleep(chance.random() * 0.5)
            stage.proxy.cut()
        await happening
        await stage.settle()

        stage.check()
        assert stage.starts == 1
        assert stage.proxy.connections > 10


async def test_a_broker_that_dies_and_returns(tmp_path: Path) -> None:
    """Ten seconds without a broker: events stay acknowledged to the device, and arrive later."""
    async with scene(tmp_path) as stage:
        happening = asyncio.create_task(stage.device.generate(30_000))
        await stage.until(lambda: stage.arrived() > 1_000, "the first thousand")
        stage.proxy.mode = Mode.REFUSE
        stage.proxy.cut()
        before = stage.device.acknowledged
        await asyncio.sleep(10)
        # Custody: the device is rid of its events although nobody had them yet.
        assert stage.device.acknowledged > before + 10_000
        heard = stage.arrived()
        stage.proxy.mode = Mode.PASS
        await happening
        await stage.settle()

        stage.check()
        assert heard < before + 5_000
        assert any(historical for historical, _, _ in stage.samples())


async def test_a_broker_that_never_acknowledges(tmp_path: Path) -> None:
    """It is noticed within the sink's time-out, again and again, and what it took comes again."""
    async with scene(tmp_path) as stage:
        happening = asyncio.create_task(stage.device.generate(20_000))
        await stage.until(lambda: stage.arrived() > 1_000, "the first thousand")
        stage.proxy.mode = Mode.MUTE
        connections = stage.proxy.connections
        await stage.until(lambda: stage.proxy.connections > connections + 2, "three new tries")
        stage.proxy.mode = Mode.PASS
        await happening
        await stage.settle()

        stage.check()
        assert stage.starts == 1


async def test_a_full_disk(tmp_path: Path) -> None:
    """The disk fills; from then on events stay with their device, and none is lost."""
    async with (
        disk(tmp_path / "disk", "12m") as small,
        scene(tmp_path, rate=20_000, command=small.command, data=small.path) as stage,
    ):
        stage.inside = small.inside
        await stage.report()
        stage.proxy.mode = Mode.REFUSE
        happening = asyncio.create_task(stage.device.generate(1_000_000))
        await stage.until(lambda: "nothing is written" in stage.log, "the disk is full")
        held = stage.device.acknowledged
        await asyncio.sleep(2)
        assert stage.device.acknowledged - held < 1_000
        happening.cancel()
        stage.proxy.mode = Mode.PASS
        await stage.settle()

        stage.check()
        assert stage.starts == 1
        assert "the disk takes samples again" in stage.log
        assert held > 10_000
