"""Commands from real clients, through a real mosquitto with users and rights, to a device."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from commander import Commander
from gateway_mqtt import JsonSink
from gateway_mqtt.command_payload import ReplyPayload
from gateway_mqtt.testing import Broker, guarded

from gateway import CommandStatus, Operation, Override, Quality, Reconnect
from gateway.testing import CommandSettings, Emitter, Running, running

POINTS = (
    "name,kind,unit,field.at,command.model,command.select,command.high,command.on_time\n"
    "bay1.breaker,status,,x,latch,local,,\n"
    "bay1.tap,analog,V,x,setpoint,,400,\n"
    "bay1.horn,status,,x,pulse,,,500ms\n"
    "bay1.voltage,analog,V,x,,,,\n"
)
RIGHTS = (
    "user gateway\n"
    "topic readwrite test/#\n"
    "pattern write test/command/%u/#\n"
    "pattern read test/reply/%u/#\n"
)


@pytest.fixture
def guard(tmp_path: Path) -> Iterator[Broker]:
    lines = guarded(tmp_path, RIGHTS, gateway="g", alice="a", bob="b")
    with Broker(tmp_path, *lines).running() as broker:
        yield broker


def _sink(broker: Broker, **commands: Any) -> JsonSink:
    return JsonSink.model_validate(
        {
            "name": "mqtt",
            "broker": str(broker.endpoint),
            "reconnect": Reconnect(min=0.05, max=0.1),
            "role": "engineer",
            "username": "gateway",
            "password": "g",
            "commands": commands,
        }
    )


@contextlib.asynccontextmanager
async def _gateway(
    broker: Broker, data: Path, sink: JsonSink | None = None, rate: float = 1000.0
) -> AsyncIterator[tuple[Running, Emitter]]:
    field = Emitter(name="field", obeys=True)
    sink = sink or _sink(broker)
    commands = CommandSettings(rate=rate)
    async with running([field], [sink], POINTS, data=data, commands=commands) as gw:
        await gw.until(lambda: gw.state("mqtt") == "up")
        await field.context()
        yield gw, field


def _audit(data: Path) -> list[dict[str, Any]]:
    lines = [line for file in sorted((data / "audit").glob("*.jsonl")) for line in file.open()]
    return [json.loads(line) for line in lines]


async def test_a_command_reaches_the_device_and_its_answer_the_client(
    tmp_path: Path, guard: Broker
) -> None:
    """Value and originator are what the client sent; the reply says what the device said."""
    async with _gateway(guard, tmp_path) as (_, field):
        with Commander(guard, password="a").connected() as alice:
            reply = await asyncio.to_thread(alice.ask, "bay1.tap", value=230.5)
            assert ReplyPayload.model_validate(reply).status is CommandStatus.SUCCESS
            assert (reply["point"], reply["operation"]) == ("bay1.tap", "direct")
            field.reply(lambda command: CommandStatus.DEVICE_LOCAL)
            refused = await asyncio.to_thread(alice.ask, "bay1.tap", value=231)
            assert refused["status"] == "device_local"
    first = field.commands[0]
    assert (first.value, first.operation) == (230.5, Operation.DIRECT)
    assert first.client.user == "alice"
    assert first.client.address == "test/command/alice/+"
    assert first.id == reply["transaction"]


async def test_a_client_is_who_the_broker_says_it_is(tmp_path: Path, guard: Broker) -> None:
    """Bob may not publish at Alice's topic, nor read her answers: the broker sees to it, and
    the gateway tells the two apart by their topics.
    """
    async with _gateway(guard, tmp_path) as (_, field):
        with (
            Commander(guard, "alice", password="a").connected() as alice,
            Commander(guard, "bob", password="b").connected() as bob,
        ):
            thief = Commander(guard, "bob", password="b")
            # This mosquitto ends a session that does such a thing; others say no.
            with thief.connected(), contextlib.suppress(RuntimeError):
                await asyncio.to_thread(thief.send, "bay1.tap", as_user="alice", value=1)
            select = {"operation": "select", "value": True}
            assert (await asyncio.to_thread(alice.ask, "bay1.breaker", **select))["status"] == (
                "success"
            )
            other = await asyncio.to_thread(bob.ask, "bay1.breaker", **select)
            assert other["status"] == "selected_by_other"
            execute = {"operation": "execute", "value": True}
            stolen = await asyncio.to_thread(bob.ask, "bay1.breaker", **execute)
            assert stolen["status"] in ("no_select", "selected_by_other")
            done = await asyncio.to_thread(alice.ask, "bay1.breaker", **execute)
            assert done["status"] == "success"
            assert {reply["id"].split("-")[0] for reply in alice.replies} == {"alice"}
            assert {reply["id"].split("-")[0] for reply in bob.replies} == {"bob"}
    assert [(c.operation, c.value, c.client.user) for c in field.commands] == [
        (Operation.EXECUTE, 1.0, "alice")
    ]


async def test_a_request_is_carried_out_once_over_restarts(tmp_path: Path, guard: Broker) -> None:
    """The same id again, be it after the gateway was ended and started, is a duplicate."""
    with Commander(guard, password="a").connected() as alice:
        for expected in (["success", "duplicate"], ["duplicate", "duplicate"]):
            async with _gateway(guard, tmp_path) as (gw, field):
                for status in expected:
                    before = len(alice.replies)
                    await asyncio.to_thread(alice.send, "bay1.tap", id="one", value=5)
                    await gw.until(lambda: len(alice.replies) > before)  # noqa: B023
                    assert alice.replies[-1]["status"] == status
                assert len(field.commands) == expected.count("success")


BAD: list[tuple[str, bytes | dict[str, Any], str, str]] = [
    ("bay1.tap", b"", "format_error", "not JSON"),
    ("bay1.tap", b"\xff\xfe", "format_error", "not JSON"),
    ("bay1.tap", b'{"id": "x", "value": NaN}', "format_error", "not JSON"),
    ("bay1.tap", b'{"id": "x", "value": 1e999}', "format_error", "not JSON"),
    ("bay1.tap", b"[1]", "format_error", "object"),
    ("bay1.tap", b"x" * 9000, "format_error", "found 9000 bytes, allowed: 8000"),
    ("bay1.tap", b"x" * 1_100_000, "format_error", "found 1100000 bytes, allowed: 8000"),
    ("bay1.tap", {"value": 1, "id": None}, "format_error", "id: Field required"),
    ("bay1.tap", {"value": 1, "id": ""}, "format_error", "id: "),
    ("bay1.tap", {"value": 1, "id": "é"}, "format_error", "id: "),
    ("bay1.tap", {"value": "1"}, "format_error", "value"),
    ("bay1.tap", {"value": [1]}, "format_error", "value"),
    ("bay1.tap", {"value": True}, "format_error", "found true, allowed: a number"),
    ("bay1.tap", {}, "format_error", "direct needs a value"),
    ("bay1.tap", {"value": 1, "operation": "toggle"}, "format_error", "operation"),
    ("bay1.tap", {"value": 1, "valu": 1}, "format_error", "valu: Extra inputs"),
    ("bay1.tap", {"value": 1, "operation": "block"}, "format_error", "block takes no value"),
    ("bay1.tap", {"operation": "block", "timeout": 1}, "format_error", "block takes no timeout"),
    ("bay1.tap", {"value": 1, "time": None}, "format_error", "it has no time"),
    ("bay1.tap", {"value": 1, "time": "yesterday"}, "format_error", "time"),
    ("bay1.tap", {"value": 1, "time": "2026-01-01T00:00:00"}, "format_error", "timezone"),
    ("bay1.tap", {"value": 1, "time": 1_700_000_000_000_000_000}, "format_error", "s ago"),
    ("bay1.tap", {"value": 1, "time": "2250-01-01T00:00:00Z"}, "format_error", "ahead of this"),
    ("bay1.tap", {"value": 1, "expires": 5}, "format_error", "it has expired"),
    ("bay1.tap", {"value": 1, "timeout": 0}, "format_error", "timeout"),
    ("bay1.tap", {"value": 1, "timeout": -1}, "format_error", "timeout"),
    ("bay1.tap", {"value": 1, "point": "bay1.horn"}, "format_error", "its topic names bay1.tap"),
    ("bay1.tap", {"value": 1, "point": "no.such"}, "unknown_point", "no such point"),
    ("no.such", {"value": 1}, "unknown_point", "no such point"),
    ("", {"value": 1}, "format_error", "it names no point"),
    ("bay1.tap", {"value": 401}, "out_of_range", "allowed: -inf to 400 V"),
    ("bay1.voltage", {"value": 1}, "not_supported", "measurement"),
    ("bay1.breaker", {"value": 1}, "no_select", ""),
    ("bay1.breaker", {"value": 1, "operation": "execute"}, "no_select", ""),
    ("bay1.tap", {"value": 1, "pulse": {"on": 1}}, "not_supported", "not pulse"),
    ("bay1.horn", {"value": 1, "pulse": {"on": 0}}, "format_error", "pulse.on"),
    ("bay1.horn", {"value": 1, "pulse": {"on": 1, "count": 1.5}}, "format_error", "pulse.count"),
    ("bay1.tap", {"value": 1, "test": True}, "blocked", "not in test"),
    ("bay1.tap", {"value": 1, "test": 1}, "format_error", "test"),
]


async def test_bad_requests_are_refused_on_record_and_reach_no_device(
    tmp_path: Path, guard: Broker
) -> None:
    """Each is answered in words that say what was found, and leaves one record."""
    async with _gateway(guard, tmp_path) as (gw, field):
        with Commander(guard, password="a").connected() as alice:
            for number, (point, said, status, words) in enumerate(BAD):
                before = len(alice.replies)
                if isinstance(said, bytes):
                    await asyncio.to_thread(alice.send, point, raw=said)
                else:
                    await asyncio.to_thread(alice.send, point, **{"id": f"bad-{number}"} | said)
                await gw.until(lambda: len(alice.replies) > before, what=f"{point} {said!r:.80}")  # noqa: B023
                reply = alice.replies[-1]
                assert (reply["status"], words in reply["detail"]) == (status, True), (said, reply)
                ReplyPayload.model_validate(reply)
        assert gw.counters("mqtt")["commands_refused"] == len(BAD)
        assert gw.counters("mqtt").get("disconnects", 0) == 0
    assert field.commands == []
    refused = [record for record in _audit(tmp_path) if record["step"] == "refused"]
    assert len(refused) == len(BAD)
    assert {record["user"] for record in refused} == {"alice"}


async def test_a_retained_command_is_refused(tmp_path: Path, guard: Broker) -> None:
    """Neither the one that is published retained, nor the one that the broker has kept."""
    async with _gateway(guard, tmp_path) as (gw, field):
        with Commander(guard, password="a").connected() as alice:
            number = await asyncio.to_thread(alice.send, "bay1.tap", value=1, retain=True)
            reply = await asyncio.to_thread(alice.reply, number)
            assert (reply["status"], reply["detail"][:14]) == ("format_error", "it is retained")
            old = JsonSink.model_validate(
                _sink(guard).model_dump() | {"version": "3.1.1", "name": "mqtt", "password": "g"}
            )
    async with _gateway(guard, tmp_path, old) as (gw, again):
        await gw.until(lambda: gw.counters("mqtt").get("commands_refused", 0) == 1)
    assert field.commands == again.commands == []


async def test_answers_go_where_they_are_wanted_and_may_be(tmp_path: Path, guard: Broker) -> None:
    """MQTT 5: Response Topic and Correlation Data are kept, below the client's own replies only."""
    async with _gateway(guard, tmp_path) as (_, field):
        with Commander(guard, password="a").connected() as alice:
            sent = {"value": 1, "correlation": b"\x00\xff7"}
            await asyncio.to_thread(alice.ask, "bay1.tap", response="test/reply/alice/7", **sent)
            assert alice.messages[-1].topic == "test/reply/alice/7"
            assert alice.messages[-1].properties.CorrelationData == b"\x00\xff7"
            await asyncio.to_thread(alice.ask, "bay1.tap", **sent)
            assert alice.messages[-1].topic == "test/reply/alice"
            assert alice.messages[-1].properties.CorrelationData == b"\x00\xff7"
            for topic in ("test/bay1", "test/reply/bob", "test/reply/alicex"):
                reply = await asyncio.to_thread(alice.ask, "bay1.tap", response=topic, **sent)
                assert reply["status"] == "format_error"
                assert f"the Response Topic {topic} is not test/reply/alice" in reply["detail"]
                assert alice.messages[-1].topic == "test/reply/alice"
    assert len(field.commands) == 2


async def test_a_pulse_a_test_and_a_time(tmp_path: Path, guard: Broker) -> None:
    """What a request may say besides its value reaches the transaction."""
    async with _gateway(guard, tmp_path) as (_, field):
        with Commander(guard, password="a").connected() as alice:
            pulse = {"on": 0.2, "off": 0.1, "count": 3}
            await asyncio.to_thread(alice.ask, "bay1.horn", value=True, pulse=pulse)
            field.reply(lambda command: None)
            begin = time.monotonic()
            slow = await asyncio.to_thread(alice.ask, "bay1.tap", value=2, timeout=0.2)
            assert slow["status"] == "timeout"
            assert time.monotonic() - begin < 5
            iso = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            expires = time.time_ns() + 200_000_000
            slow = await asyncio.to_thread(
                alice.ask, "bay1.tap", value=2, time=iso, expires=expires
            )
            assert slow["status"] == "timeout"
    horn = field.commands[0].pulse
    assert horn is not None
    assert (horn.on_time, horn.off_time, horn.count) == (0.2, 0.1, 3)


async def test_points_can_be_overridden(tmp_path: Path, guard: Broker) -> None:
    """Block, substitute, test: with the client's permission, each id once."""
    async with _gateway(guard, tmp_path) as (gw, field):
        await field.emit(["bay1.voltage", "bay1.tap"], [230.0, 5.0])
        with Commander(guard, password="a").connected() as alice:

            async def ask(point: str, **said: Any) -> str:
                return str((await asyncio.to_thread(alice.ask, point, **said))["status"])

            assert await ask("bay1.voltage", operation="substitute", value=12, id="s") == "success"
            assert gw.sample("bay1.voltage").value == 12.0
            assert gw.sample("bay1.voltage").quality & Quality.SUBSTITUTED
            assert await ask("bay1.voltage", operation="release") == "success"
            number = await asyncio.to_thread(
                alice.send, "bay1.voltage", operation="substitute", value=12, id="s"
            )
            again = await asyncio.to_thread(alice.reply, number, 2)
            assert again["status"] == "duplicate"
            assert gw.sample("bay1.voltage").value == 230.0
            assert await ask("bay1.tap", operation="test") == "success"
            assert await ask("bay1.tap", value=3) == "blocked"
            assert await ask("bay1.tap", value=3, test=True) == "success"
            assert await ask("bay1.tap", operation="end_test") == "success"
            assert await ask("bay1.tap", operation="block") == "success"
            assert await ask("bay1.tap", value=3) == "blocked"
    assert field.commands == []
    assert set(Override) == {"block", "substitute", "release", "test", "end_test"}


async def test_too_many_at_once_are_turned_away(tmp_path: Path, guard: Broker) -> None:
    """What is under way is bounded; those beyond hear `rate_limited`, and share a record."""
    async with _gateway(guard, tmp_path, _sink(guard, at_once=2)) as (gw, field):
        field.reply(lambda command: None)
        with Commander(guard, password="a").connected() as alice:
            waiting = [
                await asyncio.to_thread(alice.send, point, value=1)
                for point in ("bay1.tap", "bay1.horn")
            ]
            await gw.until(lambda: len(field.commands) == 2)
            replies = [await asyncio.to_thread(alice.ask, "bay1.tap", value=i) for i in range(20)]
            assert {reply["status"] for reply in replies} == {"rate_limited"}
            for command in field.commands:
                await field.answer(command, CommandStatus.SUCCESS)
            for number in waiting:
                assert (await asyncio.to_thread(alice.reply, number))["status"] == "success"
            assert gw.counters("mqtt")["commands_left"] == 20
    records = [r for r in _audit(tmp_path) if r.get("status") == "rate_limited"]
    assert sum(int(record["count"]) for record in records) == 20
    assert len(records) <= 3


async def test_a_broker_that_dies_frees_what_was_selected(tmp_path: Path, guard: Broker) -> None:
    """The connection ends, and with it every selection of its clients; commands work again
    after it, and those that were sent meanwhile are gone.
    """
    async with _gateway(guard, tmp_path) as (gw, field):
        with Commander(guard, password="a").connected() as alice:
            select = {"operation": "select", "value": 1}
            assert (await asyncio.to_thread(alice.ask, "bay1.breaker", **select))["status"] == (
                "success"
            )
            guard.kill()
            await gw.until(lambda: gw.state("mqtt") == "down")
            guard.start()
            await gw.until(lambda: gw.state("mqtt") == "up")
            await gw.until(lambda: alice.device.connections == 2)
            execute = {"operation": "execute", "value": 1}
            late = await asyncio.to_thread(alice.ask, "bay1.breaker", **execute)
            assert late["status"] == "no_select"
            assert (await asyncio.to_thread(alice.ask, "bay1.tap", value=1))["status"] == "success"
    assert [command.operation for command in field.commands] == [Operation.DIRECT]
