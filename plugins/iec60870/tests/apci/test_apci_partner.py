"""Against c104, an implementation that nobody here wrote, over sockets and by the wall clock."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import c104
import pytest
from gateway_iec60870.apci import ApciSettings, Connection, State

from gateway.channel import ChannelClosed, Listener, StreamChannel
from gateway.testing import free_port

HOST = "127.0.0.1"
INTERROGATION = bytes.fromhex("64 01 06 00 01 00 00 00 00 14")
EVENT = bytes.fromhex("01 01 03 00 01 00 01 00 00 01")
PATIENCE = 10.0


@contextlib.asynccontextmanager
async def run(one: Connection) -> AsyncIterator[asyncio.Task[None]]:
    """A connection at work, within the time that a test may take."""
    task = asyncio.create_task(one.run())
    try:
        async with asyncio.timeout(PATIENCE):
            yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@contextlib.asynccontextmanager
async def outstation(points: int) -> AsyncIterator[tuple[Connection, list[c104.Point]]]:
    """c104 as the controlled station with so many single points, and a connection to it."""
    port = free_port()
    server = c104.Server(HOST, port, tick_rate_ms=100)
    station = server.add_station(common_address=1)
    found = [station.add_point(n + 1, c104.Type.M_SP_NA_1) for n in range(points)]
    server.start()
    try:
        channel = await StreamChannel.connect(HOST, port)
        one = Connection(channel, ApciSettings(), controlling=True)
        async with run(one):
            await one.start()
            yield one, found
    finally:
        await asyncio.to_thread(server.stop)


async def gather(one: Connection, enough: Callable[[list[bytes]], bool]) -> list[bytes]:
    """Receive until it is enough; confirms nothing."""
    found: list[bytes] = []
    while not enough(found):
        found += await one.receive()
    return found


def terminated(asdus: list[bytes]) -> bool:
    """Whether one of them has the cause of transmission 10, activation termination."""
    return any(asdu[2] == 10 for asdu in asdus)


async def test_their_outstation() -> None:
    """It confirms STARTDT, STOPDT and TESTFR, answers I frames, and takes our acknowledgements."""
    async with outstation(30) as (one, _):
        for round_ in range(3):
            await one.test()
            await one.send([INTERROGATION])
            found = await gather(one, terminated)
            assert sum(asdu[1] & 0x7F for asdu in found if asdu[0] == 1) == 30
            assert one.unacknowledged == 0
            one.confirm(len(found))
            await one.stop()
            assert one.state is State.STOPPED
            await one.start()
            assert one.counts["i_out"] == round_ + 1


async def test_their_outstation_waits_for_custody() -> None:
    """It sends k events and no more, and confirms STOPDT only after we have confirmed them."""
    async with outstation(1) as (one, points):
        for number in range(40):
            points[0].value = bool(number % 2)
            points[0].transmit(c104.Cot.SPONTANEOUS)
        found = await gather(one, lambda found: len(found) >= 12)
        await one.test()
        assert (len(found), one.unconfirmed) == (12, 12)

        stopping = asyncio.create_task(one.stop())
        await one.test()
        assert not stopping.done()
        one.confirm(12)
        await stopping
        assert one.state is State.STOPPED


@contextlib.asynccontextmanager
async def master() -> AsyncIterator[tuple[Connection, c104.Connection, asyncio.Task[None]]]:
    """c104 as the controlling station, and its connection to us, started."""
    listener = await Listener.open(HOST, 0)
    client = c104.Client(tick_rate_ms=100, command_timeout_ms=1000)
    theirs = client.add_connection(HOST, listener.port, c104.Init.NONE)
    theirs.add_station(common_address=1).add_point(1, c104.Type.M_SP_NA_1)
    started = asyncio.Event()
    await asyncio.to_thread(client.start)
    try:
        async with asyncio.timeout(PATIENCE):
            channel = await listener.accept()
        one = Connection(channel, ApciSettings(), controlling=False, on_started=started.set)
        async with run(one) as task:
            await started.wait()
            yield one, theirs, task
    finally:
        await asyncio.to_thread(client.stop)
        await listener.close()


async def test_their_master() -> None:
    """It starts us, takes events in windows of k, and acknowledges every w of them."""
    async with master() as (one, theirs, task):
        for _ in range(4):
            await one.send([EVENT] * 24)
        while one.unacknowledged:
            await one.test()
        assert one.counts["i_out"] == 96
        assert one.counts["s_in"] == 12
        await asyncio.to_thread(theirs.disconnect)
        with pytest.raises(ChannelClosed):
            await task
