"""Lines over serial ports, as the system has them: pseudo-terminals, and socat between two."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pty
import shutil
import sys
import tty
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from gateway_iec60870.ft12 import (
    BalancedSettings,
    Line,
    PolledSettings,
    SecondarySettings,
    Station,
    line_idle,
)

from gateway.channel import ChannelClosed, Parity, SerialChannel, StreamChannel

sys.path.insert(0, str(Path(__file__).parent))
from ft12_wire import lines

BAUD = 115200
ASDUS = [bytes((n,)) * (1 + n * 5) for n in range(40)]
"""Of every length from 1 to 196 octets."""


@contextlib.asynccontextmanager
async def bus(ends: int) -> AsyncIterator[list[str]]:
    """Serial ports on one wire: what one says all others hear."""
    pairs = [pty.openpty() for _ in range(ends)]
    loop = asyncio.get_running_loop()

    def carry(own: int) -> None:
        data = os.read(own, 4096)
        for other, _ in pairs:
            if other != own:
                os.write(other, data)

    for own, far in pairs:
        tty.setraw(own)
        tty.setraw(far)
        os.set_blocking(own, False)
        loop.add_reader(own, carry, own)
    try:
        yield [os.ttyname(far) for _, far in pairs]
    finally:
        for own, far in pairs:
            loop.remove_reader(own)
            os.close(own)
            os.close(far)


async def port(name: str) -> SerialChannel:
    """A port as a line wants it (60870-5-1, FT1.2, rules R2 and R4)."""
    return await SerialChannel.open(
        name, baud=BAUD, parity=Parity.EVEN, turnaround=line_idle(BAUD), gap=0.05
    )


def socat(*ends: str) -> list[str]:
    """The command that connects two ends."""
    found = shutil.which("socat")
    if found is None:
        pytest.fail("socat is missing: apt-get install socat")
    return [found, *ends]


async def take(station: Station, number: int) -> list[bytes]:
    found: list[bytes] = []
    while len(found) < number:
        came = await station.receive()
        found += came
        station.confirm(len(came))
    return found


async def test_multi_drop() -> None:
    """A master reads two stations on a wire of three ports, and commands both."""
    async with bus(3) as names, asyncio.timeout(60):
        master, *drops = [Line(await port(name)) for name in names]
        polled = [master.add(PolledSettings(address=n, class_2=0.0)) for n in (1, 2)]
        stations = [line.add(SecondarySettings(address=n)) for n, line in enumerate(drops, 1)]
        async with lines(master, *drops):
            for one in stations:
                await one.started()
            async with asyncio.TaskGroup() as group:
                for one in stations:
                    group.create_task(one.send(ASDUS))
                reading = [group.create_task(take(one, len(ASDUS))) for one in polled]
            assert [one.result() for one in reading] == [ASDUS, ASDUS]
            for n, one in enumerate(polled):
                await one.deliver(b"command %d" % n)
                assert await stations[n].receive() == [b"command %d" % n]


async def test_balanced() -> None:
    """Both directions of a balanced line at once."""
    async with bus(2) as names, asyncio.timeout(60):
        a, b = [Line(await port(name), 2) for name in names]
        left = a.add(BalancedSettings(controlling=True, octets=2, local=300, remote=400))
        right = b.add(BalancedSettings(controlling=False, octets=2, local=400, remote=300))
        async with lines(a, b):
            await left.started()
            await right.started()
            async with asyncio.TaskGroup() as group:
                group.create_task(left.send(ASDUS))
                group.create_task(right.send(ASDUS[::-1]))
                below = group.create_task(take(right, len(ASDUS)))
                above = group.create_task(take(left, len(ASDUS)))
        assert (below.result(), above.result()) == (ASDUS, ASDUS[::-1])


async def test_terminal_server(tmp_path: Path) -> None:
    """A master over TCP to a terminal server, and a station at its serial port."""
    name = tmp_path / "line"
    process = await asyncio.create_subprocess_exec(
        *socat("-d", "-d", f"pty,raw,echo=0,link={name}", "tcp-listen:0,bind=127.0.0.1"),
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(60):
            assert process.stderr is not None
            while b"listening on" not in (said := await process.stderr.readline()):
                pass
            where = int(said.decode().rsplit(":", 1)[1])
            channel = await StreamChannel.connect("127.0.0.1", where)
            master, slave = Line(channel), Line(await port(str(name)))
            polled = master.add(PolledSettings(address=1, class_2=0.0))
            station = slave.add(SecondarySettings(address=1))
            async with lines(master, slave) as [running, _]:
                await station.started()
                await station.send(ASDUS[:16])
                assert await take(polled, 16) == ASDUS[:16]
                process.terminate()
                with pytest.raises(ChannelClosed):
                    await running
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
