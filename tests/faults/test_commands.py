"""The fault run, commands: whatever breaks, nothing is done twice, and nobody is told a lie."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import signal
from pathlib import Path

import pytest
from actuator import Manner
from command_scene import CommandScene, command_scene
from disk import disk
from operators import Told
from proxy import Mode

from gateway.audit import records

KILLS = 24
CUTS = 22
POLL = 0.05
"""Seconds between two polls of the meter."""


def interrupted(stage: CommandScene) -> int:
    return len(list(records(stage.audit, steps=("interrupted",))))


def undisturbed(stage: CommandScene) -> None:
    """The link beside was read all the while, on one connection, at its pace."""
    assert stage.meter.connections == 1
    gaps = sorted(b - a for a, b in itertools.pairwise(stage.meter.reads))
    assert gaps[len(gaps) // 2] < 1.5 * POLL


@pytest.mark.timeout(300)
async def test_kills(tmp_path: Path) -> None:
    """SIGKILL at random instants under a stream of commands, while starting or at work."""
    async with command_scene(tmp_path, direct=True) as stage:
        stage.device.manner, stage.device.delay = Manner.LATE, 0.01
        stage.command_it()
        await stage.served()
        for kill in range(KILLS):
            if kill % 3:
                # At work, however slow the machine is to get there.
                await stage.served(2)
            await asyncio.sleep(stage.chance.random() * 0.15)
            await stage.kill_gateway()
            stage.proven()
            await stage.start_gateway()
        await stage.served()
        await stage.finish()

        assert stage.deaths == [signal.SIGKILL] * KILLS
        assert stage.told(Told.DONE) > KILLS
        assert all(one.told(Told.DONE) for one in stage.operators)
        assert stage.told(Told.UNKNOWN) > 0
        assert interrupted(stage) > 0
        assert "commands of the last run without an end" in stage.log


async def test_a_field_network_that_breaks_again_and_again(tmp_path: Path) -> None:
    """Cut at random moments between gateway and device: nothing is sent again after it is back."""
    async with command_scene(tmp_path, direct=True) as stage:
        stage.command_it()
        await stage.served()
        for cut in range(CUTS):
            await asyncio.sleep(stage.chance.random() * 0.15)
            stage.field.cut()
            if cut % 5 == 0:
                stage.field.mode = Mode.REFUSE
                await stage.heard(Told.REFUSED)
                stage.field.mode = Mode.PASS
            await stage.served(1)
        await stage.finish()

        assert stage.starts == 1
        assert stage.device.connections > CUTS / 2
        assert stage.told(Told.TIMEOUT) > 0
        assert stage.told(Told.UNKNOWN) == 0
        assert interrupted(stage) == 0
        undisturbed(stage)


async def test_clients_that_are_cut_off(tmp_path: Path) -> None:
    """Cut at random moments between clients and gateway: what was under way ends, once."""
    async with command_scene(tmp_path) as stage:
        stage.device.manner, stage.device.delay = Manner.LATE, 0.01
        stage.command_it()
        await stage.served()
        for _ in range(CUTS):
            await asyncio.sleep(stage.chance.random() * 0.15)
            for network in stage.desks.values():
                network.cut()
            await stage.served()
        await stage.finish()

        assert stage.starts == 1
        assert stage.told(Told.UNKNOWN) > CUTS / 2
        assert interrupted(stage) == 0
        # Some of those who were cut off were carried out all the same, on record.
        done = {one.value for one in stage.device.received}
        assert any(wish.told is Told.UNKNOWN and wish.value in done for wish in stage.wishes)


async def test_a_device_that_fails_at_it(tmp_path: Path) -> None:
    """Late, silent, refusing, hanging up, without power: each is answered for what it is."""
    async with command_scene(tmp_path, direct=True) as stage:
        stage.command_it()
        for manner in (*Manner, *Manner):
            await stage.served(1)
            # Longer than the link waits for an answer, shorter than the command.
            stage.device.manner, stage.device.delay = manner, 0.4
            received = len(stage.device.received)
            await stage.until(
                lambda received=received: len(stage.device.received) > received, "a write"
            )
            await stage.heard(_EXPECTED[manner])
            await asyncio.sleep(stage.chance.random() * 0.1)
            stage.device.manner = Manner.PROMPT
        for _ in range(3):
            await stage.served(1)
            stage.device.lose_power()
            tries = stage.device.connections + 2
            await stage.until(lambda tries=tries: stage.device.connections > tries, "new tries")
            await stage.heard(Told.REFUSED)
            stage.device.powered = True
        await stage.served()
        await stage.finish()

        assert stage.starts == 1
        assert stage.told(Told.UNKNOWN) == 0
        assert interrupted(stage) == 0
        undisturbed(stage)


_EXPECTED = {
    Manner.PROMPT: Told.DONE,
    Manner.LATE: Told.TIMEOUT,
    Manner.SILENT: Told.TIMEOUT,
    Manner.LOST: Told.TIMEOUT,
    Manner.REFUSE: Told.REFUSED,
    Manner.LEAVE: Told.TIMEOUT,
    Manner.ACT_AND_LEAVE: Told.TIMEOUT,
}


def fill(folder: Path) -> Path:
    """Take every free byte of a disk with a file."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    return ballast


async def test_a_full_disk(tmp_path: Path) -> None:
    """Where the audit log cannot be written nothing is commanded, and the field is read on."""
    async with (
        disk(tmp_path / "disk", "8m") as small,
        command_scene(tmp_path, True, small.command, small.path / "data") as stage,
    ):
        stage.inside = small.inside / "data"
        stage.command_it()
        await stage.served()
        for _ in range(3):
            ballast = fill(small.inside)
            await stage.heard(Told.REFUSED)
            written, reads = len(stage.device.received), len(stage.meter.reads)
            for _ in range(20):
                await stage.heard(Told.REFUSED)
            # Those that were on record already when the disk was full.
            assert len(stage.device.received) <= written + len(stage.operators)
            assert len(stage.meter.reads) > reads
            ballast.unlink()
            await stage.served()
        await stage.finish(complete=False)

        assert stage.starts == 1
        assert "the audit log takes nothing: No space left on device" in stage.log
        lost = [one.facts["not_written"] for one in records(stage.audit, steps=("resumed",))]
        assert len(lost) >= 3
        undisturbed(stage)


async def test_the_end_during_commands(tmp_path: Path) -> None:
    """SIGTERM while a device takes its time: all of it ends, and the log is closed in order."""
    async with command_scene(tmp_path, direct=True) as stage:
        stage.device.manner, stage.device.delay = Manner.LATE, 0.1
        stage.command_it()
        for end in range(5):
            await stage.served(2)
            await asyncio.sleep(stage.chance.random() * 0.1)
            assert await stage.stop_gateway() == 0
            stage.proven()
            assert list(records(stage.audit))[-1].step == "stopped"
            if end < 4:
                await stage.start_gateway()
        await stage.rest()

        stage.check()
        assert interrupted(stage) == 0
        # Those that had left were answered, with the device's answer or a time-out.
        left = {one.facts["value"] for one in records(stage.audit, steps=("forwarded",))}
        assert stage.told(Told.TIMEOUT)
        assert not [w for w in stage.wishes if w.told is Told.UNKNOWN and w.value in left]
