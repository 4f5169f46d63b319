"""Supervision: back-off with jitter, one line down and one up, whatever a plugin raises."""

from __future__ import annotations

import asyncio
import logging
from itertools import pairwise

import pytest

from gateway.engine.status import LinkStatus, State
from gateway.engine.supervisor import Supervisor, sentence
from gateway.model.errors import LinkError
from gateway.model.fields import Reconnect
from gateway.testing import PausedClock, paused

SECOND = 10**9


class Link:
    """A link that breaks as often as it is told to, and then stays."""

    def __init__(self, breaks: int, lasts: float = 0.0, *, comes_up: bool = True) -> None:
        self.status = LinkStatus("meter1", "acme", "source")
        self.states: list[State] = []
        self.starts: list[float] = []
        self.breaks, self.lasts, self.comes_up = breaks, lasts, comes_up
        self.supervisor = Supervisor(
            self.status,
            Reconnect(min=1.0, max=8.0),
            PausedClock(),
            lambda status: self.states.append(status.state),
        )

    async def once(self) -> None:
        self.starts.append(asyncio.get_running_loop().time())
        if self.comes_up or len(self.starts) > self.breaks:
            self.supervisor.up("127.0.0.1")
        if len(self.starts) > self.breaks:
            await asyncio.Event().wait()
        await asyncio.sleep(self.lasts)
        raise LinkError("the device hung up")

    async def run(self, seconds: float) -> None:
        task = asyncio.create_task(self.supervisor.run(self.once))
        await asyncio.sleep(seconds)
        task.cancel()
        await asyncio.wait([task])


@paused
async def test_waits_double_up_to_the_longest() -> None:
    """Waits are half to all of 1, 2, 4, 8, 8 … seconds: min 1 s doubled up to max 8 s."""
    link = Link(breaks=7)
    await link.run(100)

    waits = [b - a for a, b in pairwise(link.starts)]
    for wait, longest in zip(waits, [1, 2, 4, 8, 8, 8, 8], strict=True):
        assert longest / 2 <= wait <= longest


@paused
async def test_a_steady_connection_earns_the_shortest_wait() -> None:
    """After 10 s of connection the next wait begins at the shortest again."""
    link = Link(breaks=6, lasts=10.5)
    await link.run(200)

    waits = [b - a - 10.5 for a, b in pairwise(link.starts)]
    assert all(0.5 <= wait <= 1.0 for wait in waits)


@paused
async def test_one_line_down_and_one_up(caplog: pytest.LogCaptureFixture) -> None:
    """However often it fails in between, an outage is two lines, the second with its length."""
    caplog.set_level(logging.INFO)
    link = Link(breaks=6, comes_up=False)
    await link.run(100)

    lines = [record.getMessage() for record in caplog.records]
    assert lines[0] == "source meter1 is down: the device hung up"
    assert lines[1].startswith("source meter1 is back after ")
    assert lines[1].endswith(" s: 127.0.0.1")
    assert len(lines) == 2
    assert link.status.counters["disconnects"] == 6


@paused
async def test_status_follows() -> None:
    """The state, since when and why are there for the operator."""
    link = Link(breaks=1, lasts=5.0)
    began = PausedClock().now()
    before = link.status.state
    await link.run(5.1)
    assert (before, link.status.state) == (State.STARTING, State.DOWN)
    assert link.status.error == "the device hung up"
    assert link.status.since == began + 5 * SECOND
    link.supervisor.stopped()

    assert link.states == [State.UP, State.DOWN, State.STOPPED]
    assert link.status.error == ""


@paused
async def test_ending_by_itself_is_a_break_too() -> None:
    """A `run` that returns is run again after a wait."""
    status = LinkStatus("meter1", "acme", "source")
    calls = []

    async def once() -> None:
        calls.append(1)

    supervisor = Supervisor(status, Reconnect(), PausedClock(), lambda _: None)
    task = asyncio.create_task(supervisor.run(once))
    await asyncio.sleep(10)
    task.cancel()

    assert len(calls) > 2
    assert status.error == "it ended by itself"


@paused
async def test_a_swallowed_cancellation_still_ends_the_link() -> None:
    """A `run` that loses its cancellation is not run again."""
    calls = []

    async def once() -> None:
        calls.append(1)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise LinkError("the cancellation became something else") from None

    supervisor = Supervisor(
        LinkStatus("meter1", "acme", "source"), Reconnect(), PausedClock(), lambda _: None
    )
    task = asyncio.create_task(supervisor.run(once))
    await asyncio.sleep(1)
    supervisor.end()
    task.cancel()
    await asyncio.wait([task], timeout=60)

    assert task.cancelled()
    assert calls == [1]


@paused
async def test_a_task_group_that_failed_is_no_end() -> None:
    """A link whose own tasks fail one after the other is run again each time."""
    calls = []

    async def fails() -> None:
        raise LinkError("the broker hung up")

    async def waits() -> None:
        await asyncio.Event().wait()

    async def once() -> None:
        calls.append(1)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(waits())
            tasks.create_task(fails())
            await waits()

    supervisor = Supervisor(
        LinkStatus("out", "acme", "sink"), Reconnect(), PausedClock(), lambda _: None
    )
    task = asyncio.create_task(supervisor.run(once))
    await asyncio.sleep(30)
    task.cancel()

    assert len(calls) > 3


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (LinkError("no such unit"), "no such unit"),
        (ConnectionRefusedError(111, "Connection refused"), "Connection refused"),
        (TimeoutError(), "TimeoutError"),
        (KeyError("x"), "KeyError: 'x'"),
        (ExceptionGroup("g", [LinkError("inner")]), "inner"),
        (
            ExceptionGroup("g", [LinkError("one"), ExceptionGroup("h", [OSError("two")])]),
            "one; two",
        ),
    ],
)
def test_errors_in_one_line(error: BaseException, expected: str) -> None:
    """What a person reads is the sentence, not the machinery around it."""
    assert sentence(error) == expected
