"""The paused clock."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.testing.clock import (
    PausedClock,
    PausedLoopHangs,
    advance,
    held,
    paused,
    run_paused,
)


def test_a_day_of_sleep_takes_no_time() -> None:
    """A sleep of a day moves the loop's clock by a day and takes less than a second."""

    async def day() -> float:
        await asyncio.sleep(86_400)
        return asyncio.get_running_loop().time()

    began = time.monotonic()
    assert run_paused(day()) == pytest.approx(86_400)
    assert time.monotonic() - began < 1.0


@paused
async def test_timers_run_in_their_order() -> None:
    """Sleepers wake in the order of their times, each at its own time."""
    woke: list[tuple[str, float]] = []

    async def sleeper(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        woke.append((name, round(asyncio.get_running_loop().time(), 6)))

    await asyncio.gather(sleeper("c", 3.0), sleeper("a", 0.5), sleeper("b", 2.0))

    assert woke == [("a", 0.5), ("b", 2.0), ("c", 3.0)]


@paused(start=datetime(2027, 3, 28, 0, 59, 59, tzinfo=UTC))
async def test_the_wall_clock_goes_with_the_loop() -> None:
    """The wall clock begins at `start` and moves with the loop: 1806195599 s since the epoch."""
    clock = PausedClock()
    assert clock.now() == 1_806_195_599 * 10**9
    await asyncio.sleep(1.25)
    assert clock.now() == 1_806_195_600_250_000_000


@paused
async def test_a_time_out_fires() -> None:
    """A time-out of a minute fires a minute later by the loop's clock."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(60):
            await asyncio.Event().wait()
    assert asyncio.get_running_loop().time() == pytest.approx(60)


@paused
async def test_sockets_are_served_before_time_moves() -> None:
    """A thousand round trips over loopback need no time: no time-out of 1 ms fires."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    for number in range(1000):
        writer.write(b"%04d" % number)
        async with asyncio.timeout(0.001):
            assert await reader.readexactly(4) == b"%04d" % number
    writer.close()
    server.close()
    assert asyncio.get_running_loop().time() == 0.0


@paused
async def test_an_executor_is_waited_for() -> None:
    """Time stands still while a thread of the loop's executor works, however long it takes."""
    gate = threading.Event()
    opener = threading.Timer(0.05, gate.set)
    opener.start()
    async with asyncio.timeout(0.001):
        assert await asyncio.to_thread(gate.wait, 10)
    assert asyncio.get_running_loop().time() == 0.0


@paused
async def test_a_held_clock_does_not_jump() -> None:
    """While the clock is held, work outside of the loop is waited for in real time."""
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    threading.Timer(0.05, loop.call_soon_threadsafe, [done.set]).start()
    with held():
        async with asyncio.timeout(0.001):
            await done.wait()
    assert loop.time() == 0.0


@paused
async def test_a_stall_can_be_played() -> None:
    """`advance` moves the clock at once, and timers that it passed are late."""
    loop = asyncio.get_running_loop()
    fired: list[float] = []
    loop.call_later(1.0, lambda: fired.append(loop.time()))
    advance(5.0)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert fired == [5.0]
    with pytest.raises(ValueError, match="cannot go back"):
        advance(-1.0)


def test_waiting_for_nothing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that waits for what can never come fails with a sentence and does not hang."""
    monkeypatch.setattr("gateway.testing.clock.HANG", 0.05)

    async def wait() -> None:
        await asyncio.Event().wait()

    with pytest.raises(PausedLoopHangs, match="no timer is set"):
        run_paused(wait())


async def test_the_clock_wants_its_loop() -> None:
    """Outside of a paused loop the paused clock is refused, not silently real."""
    with pytest.raises(RuntimeError, match="only inside run_paused"):
        PausedClock().now()


@paused
async def test_fixtures_are_given(tmp_path: Path) -> None:
    """A paused test takes fixtures as any other test does."""
    assert tmp_path.is_dir()
