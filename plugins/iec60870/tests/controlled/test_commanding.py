"""Commands in the words of 101 clause 7.3.2: what is asked of the gateway, and what is answered."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway import ANSWERS, CommandStatus, Operation, Pulse
from gateway.testing import paused

sys.path.insert(0, str(Path(__file__).parent))
from controlled_bench import NOON, Bench, point, written

S = CommandStatus
LATCH, SWITCH, SETPOINT = {"model": "latch"}, {"model": "trip_close"}, {"model": "setpoint"}
PULSE = {"model": "pulse", "on_time": "1s", "off_time": "500ms", "count": 2}
HELD = {"model": "trip_close", "select": "local", "select_timeout": "20s"}


def said(head: str, cause: str, body: str) -> str:
    """Return an ASDU of station 1: its type, cause, object address and what is behind it."""
    return f"{head} 01 {cause} 00 01 00 {body}"


@pytest.mark.parametrize(
    ("kind", "control", "address", "head", "body", "value"),
    [
        # SCO, DCO, RCO: the state; setpoints: the value and QL (101 clause 7.2.6.15 to .17).
        ("status", LATCH, {}, "2d", "05 00 00 01", 1),
        ("status", LATCH, {}, "2d", "05 00 00 00", 0),
        ("status", LATCH, {}, "2d", "05 00 00 0d", 1),  # QU 3, persistent
        ("double", SWITCH, {}, "2e", "05 00 00 02", 1),
        ("double", SWITCH, {}, "2e", "05 00 00 05", 0),  # QU 1, short pulse
        ("status", LATCH, {"control_type": "step"}, "2f", "05 00 00 01", 0),
        ("status", LATCH, {"control_type": "step"}, "2f", "05 00 00 02", 1),
        ("analog", SETPOINT, {"type": "normalised"}, "30", "05 00 00 00 c0 00", -0.5),
        ("analog", SETPOINT, {"type": "scaled", "scale": 10}, "31", "05 00 00 f9 ff 00", -70),
        ("analog", SETPOINT, {"offset": 1}, "32", "05 00 00 00 00 48 41 00", 13.5),
        ("analog", SETPOINT, {"type": "bitstring"}, "33", "05 00 00 ef be ad de", 0xDEADBEEF),
        ("status", LATCH, {"control_ioa": 9}, "2d", "09 00 00 01", 1),
        # With CP56: noon.
        ("status", LATCH, {}, "3a", "05 00 00 01 00 00 00 0c 81 01 1a", 1),
        ("double", SWITCH, {}, "3b", "05 00 00 02 00 00 00 0c 81 01 1a", 1),
        (
            "status",
            LATCH,
            {"control_type": "step"},
            "3c",
            "05 00 00 02 00 00 00 0c 81 01 1a",
            1,
        ),
        (
            "analog",
            SETPOINT,
            {"type": "normalised"},
            "3d",
            "05 00 00 00 40 00 00 00 00 0c 81 01 1a",
            0.5,
        ),
        (
            "analog",
            SETPOINT,
            {"type": "scaled"},
            "3e",
            "05 00 00 07 00 00 00 00 00 0c 81 01 1a",
            7,
        ),
        ("analog", SETPOINT, {}, "3f", "05 00 00 00 00 48 41 00 00 00 00 0c 81 01 1a", 12.5),
        (
            "analog",
            SETPOINT,
            {"type": "bitstring"},
            "40",
            "05 00 00 01 00 00 00 00 00 00 0c 81 01 1a",
            1,
        ),
    ],
)
async def test_types(
    kind: str, control: Any, address: dict[str, Any], head: str, body: str, value: float
) -> None:
    """Each becomes the point's value; confirmation and termination repeat it, octet by octet."""
    async with Bench.of(point(0, kind, control, ioa=5, **address)) as bench:
        assert await bench.ask(said(head, "06", body)) == written(
            said(head, "07", body), said(head, "0a", body)
        )
        (request,) = bench.ctx.requests
        assert (request.operation, request.value) == (Operation.DIRECT, value)
        assert (request.client, request.test) == (bench.client, False)


@pytest.mark.parametrize(
    ("address", "qualifier", "pulse"),
    [
        ({}, 0, None),
        ({}, 1, None),
        ({"long_pulse": "3s"}, 2, Pulse(3.0, 0.5, 2)),
    ],
)
async def test_pulses(address: dict[str, Any], qualifier: int, pulse: Pulse | None) -> None:
    """A short pulse is the point's own; a long one has its on time, where the row gives one."""
    async with Bench.of(point(0, "status", PULSE, ioa=5, **address)) as bench:
        octet = f"{qualifier << 2 | 1:02x}"
        await bench.ask(said("2d", "06", f"05 00 00 {octet}"))
        assert [one.pulse for one in bench.ctx.requests] == [pulse]


@pytest.mark.parametrize(
    ("head", "body", "cause", "status"),
    [
        ("2d", "06 00 00 01", "6f", S.UNKNOWN_POINT),  # there is no object 6: 47, negative
        ("2d", "07 00 00 01", "6f", S.UNKNOWN_POINT),  # object 7 is a measurement
        ("2e", "05 00 00 01", "6c", S.NOT_SUPPORTED),  # a double command to a single: 44
        ("2d", "05 00 00 05", "47", S.FORMAT_ERROR),  # a short pulse for a latch
        ("2d", "05 00 00 11", "47", S.FORMAT_ERROR),  # QU 4 is reserved
        ("2e", "08 00 00 00", "47", S.OUT_OF_RANGE),  # DCS 0 is not permitted
        ("2e", "08 00 00 03", "47", S.OUT_OF_RANGE),
        ("32", "09 00 00 00 00 48 41 01", "47", S.FORMAT_ERROR),  # QL 1
        ("3a", "05 00 00 01 00 00 00 0b 81 01 1a", "47", S.OUT_OF_RANGE),  # an hour old
        ("3a", "05 00 00 01 00 00 01 0c 81 01 1a", "47", S.OUT_OF_RANGE),  # a minute ahead
        ("3a", "05 00 00 01 00 00 80 0c 81 01 1a", "47", S.OUT_OF_RANGE),  # IV
        ("3a", "05 00 00 01 00 00 00 0c 9e 02 1a", "47", S.OUT_OF_RANGE),  # 30 February
    ],
)
async def test_what_is_refused_here(head: str, body: str, cause: str, status: S) -> None:
    """Nothing is asked of the gateway, it is on record, and the negative answer says why."""
    points = [
        point(0, "status", LATCH, ioa=5),
        point(1, ioa=7),
        point(2, "double", SWITCH, ioa=8),
        point(3, "analog", SETPOINT, ioa=9),
    ]
    async with Bench.of(*points) as bench:
        assert await bench.ask(said(head, "06", body)) == written(said(head, cause, body))
        assert bench.ctx.requests == []
        assert [one for one, _ in bench.ctx.refusals] == [status]


@pytest.mark.parametrize("status", list(CommandStatus))
async def test_every_end_has_its_words(status: CommandStatus) -> None:
    """The gateway's table says cause and P/N; what fails at the end was confirmed before."""
    async with Bench.of(point(0, "status", LATCH, ioa=5)) as bench:
        bench.ctx.reply = lambda _: status
        sent = await bench.ask(said("2d", "06", "05 00 00 01"))
        cause, negative = ANSWERS[status].iec104
        word = f"{cause | negative << 6:02x}"
        expected = {
            (7, False): ["07", "0a"],
            (10, True): ["07", "4a"],
            (9, False): ["47"],
        }.get((cause, negative), [word])
        assert sent == written(*(said("2d", one, "05 00 00 01") for one in expected))


async def test_a_device_that_is_silent_ends_in_a_negative_answer() -> None:
    """Nothing is said before; then the one answer is negative."""
    async with Bench.of(point(0, "status", LATCH, ioa=5)) as bench:
        bench.ctx.reply = lambda _: None
        assert await bench.ask(said("2d", "06", "05 00 00 01")) == []
        bench.ctx.unanswered[0].set_result(S.TIMEOUT)
        assert await bench.sent() == written(said("2d", "47", "05 00 00 01"))


async def test_a_mistake_of_ours_ends_in_a_negative_answer() -> None:
    """Whatever happens there is one answer."""

    def fail(_: object) -> CommandStatus:
        raise RuntimeError("a mistake")

    async with Bench.of(point(0, "status", LATCH, ioa=5)) as bench:
        bench.ctx.reply = fail
        assert await bench.ask(said("2d", "06", "05 00 00 01")) == written(
            said("2d", "47", "05 00 00 01")
        )


async def test_select_before_execute() -> None:
    """S/E is bit 7: a select is confirmed alone, and the execute that follows belongs to it."""
    async with Bench.of(point(0, "status", LATCH, ioa=5)) as bench:
        for _ in range(2):
            assert await bench.ask(said("2d", "06", "05 00 00 81")) == written(
                said("2d", "07", "05 00 00 81")
            )
            assert await bench.ask(said("2d", "06", "05 00 00 01")) == written(
                said("2d", "07", "05 00 00 01"), said("2d", "0a", "05 00 00 01")
            )
        await bench.ask(said("2d", "06", "05 00 00 01"))
        found = [one.operation for one in bench.ctx.requests]
        assert found == [Operation.SELECT, Operation.EXECUTE] * 2 + [Operation.DIRECT]


async def test_where_a_select_is_needed() -> None:
    """A command without one is an execute, which the gateway refuses by its own rule."""
    async with Bench.of(point(0, "double", HELD, ioa=5)) as bench:
        bench.ctx.reply = lambda _: S.NO_SELECT
        assert await bench.ask(said("2e", "06", "05 00 00 02")) == written(
            said("2e", "47", "05 00 00 02")
        )
        assert [one.operation for one in bench.ctx.requests] == [Operation.EXECUTE]


async def test_a_refused_select_is_none() -> None:
    """The next command is a direct one again."""
    async with Bench.of(point(0, "status", LATCH, ioa=5)) as bench:
        bench.ctx.reply = lambda _: S.SELECTED_BY_OTHER
        assert await bench.ask(said("2d", "06", "05 00 00 81")) == written(
            said("2d", "47", "05 00 00 81")
        )
        await bench.ask(said("2d", "06", "05 00 00 01"))
        assert bench.ctx.requests[-1].operation is Operation.DIRECT


async def test_a_select_that_fails_in_the_device_is_not_confirmed_first() -> None:
    """It has no termination that could say so."""
    async with Bench.of(point(0, "status", LATCH, ioa=5)) as bench:
        bench.ctx.reply = lambda _: S.DEVICE_ERROR
        assert await bench.ask(said("2d", "06", "05 00 00 81")) == written(
            said("2d", "47", "05 00 00 81")
        )


@paused
async def test_a_selection_that_is_long_over_is_forgotten() -> None:
    """An execute soon after its end is refused as one; a day later it is a command of its own."""
    control = {"model": "latch", "select_timeout": "20s"}
    async with Bench.of(point(0, "status", control, ioa=5)) as bench:
        for wait, expected in ((50, Operation.EXECUTE), (86_400, Operation.DIRECT)):
            await bench.ask(said("2d", "06", "05 00 00 81"))
            await asyncio.sleep(wait)
            await bench.ask(said("2d", "06", "05 00 00 01"))
            assert bench.ctx.requests[-1].operation is expected


@pytest.mark.parametrize(
    ("status", "cause"), [(S.SUCCESS, "09"), (S.CANCELLED, "09"), (S.NO_SELECT, "49")]
)
async def test_a_selection_is_given_back(status: CommandStatus, cause: str) -> None:
    """Cause 8 is a cancel, and 9 the answer."""
    async with Bench.of(point(0, "status", LATCH, ioa=5)) as bench:
        await bench.ask(said("2d", "06", "05 00 00 81"))
        bench.ctx.reply = lambda _: status
        assert await bench.ask(said("2d", "08", "05 00 00 81")) == written(
            said("2d", cause, "05 00 00 81")
        )
        assert bench.ctx.requests[-1].operation is Operation.CANCEL
        await bench.ask(said("2d", "06", "05 00 00 01"))
        assert bench.ctx.requests[-1].operation is Operation.DIRECT


async def test_a_test_is_a_test() -> None:
    """T of the cause goes to the gateway, and is in the answers."""
    async with Bench.of(point(0, "status", LATCH, ioa=5)) as bench:
        assert await bench.ask(said("2d", "86", "05 00 00 01")) == written(
            said("2d", "87", "05 00 00 01"), said("2d", "8a", "05 00 00 01")
        )
        assert bench.ctx.requests[0].test


async def test_answers_pass_events() -> None:
    """A command is answered before the events that wait."""
    async with Bench.of(point(0, "status", LATCH, ioa=5)) as bench:
        for n in range(5):
            bench.ctx.happen((0, n % 2, n))
        await bench.turn()
        sent = await bench.ask(said("2d", "06", "05 00 00 01"))
        assert [one[:2] for one in sent] == ["2d", "2d", *["1e"] * 5]


async def test_who_left_is_not_answered() -> None:
    """The command goes on; its answer is nobody's, and selections are given back."""
    async with Bench.of(point(0, "status", LATCH, ioa=5)) as bench:
        bench.ctx.reply = lambda _: None
        await bench.ask(said("2d", "06", "05 00 00 01"))
        bench.controlled.stopped()
        assert bench.ctx.released == [bench.client]
        bench.controlled.started(type(bench.client)("scada", "10.0.0.8:1", role="operator"))
        bench.ctx.unanswered[0].set_result(S.SUCCESS)
        assert await bench.sent() == []


async def test_too_many_at_once() -> None:
    """Of 65 commands that do not end the last is refused."""
    async with Bench.of(point(0, "status", LATCH, ioa=5)) as bench:
        bench.ctx.reply = lambda _: None
        body = "05 00 00 01"
        await bench.say(*[said("2d", "06", body)] * 65)
        assert await bench.sent() == written(said("2d", "47", body))
        assert [one for one, _ in bench.ctx.refusals] == [S.RATE_LIMITED]


async def test_the_time_of_a_command_is_of_the_stations_zone() -> None:
    """14:00 in Helsinki is noon UTC, and nothing else is."""
    from gateway_iec60870.zone import Zone

    async with Bench.of(point(0, "status", LATCH, ioa=5), zone=Zone("Europe/Helsinki")) as bench:
        assert bench.ctx.wall == NOON
        await bench.ask(said("3a", "06", "05 00 00 01 00 00 00 0e 81 01 1a"))
        await bench.ask(said("3a", "06", "05 00 00 01 00 00 00 0c 81 01 1a"))
        assert len(bench.ctx.requests) == 1
