"""Commands and overrides through the API."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from gateway_console.outcome import CODES, MEANINGS

from gateway import CommandStatus
from gateway.testing import AccessSettings

S = CommandStatus


async def ask(client: Any, point: str, value: float = 1, **more: Any) -> tuple[int, str]:
    """Return the HTTP code and the status of a command."""
    headers = {"Idempotency-Key": more.pop("key")} if "key" in more else {}
    answer = await client.post(
        f"/api/v1/points/{point}/command", json={"value": value, **more}, headers=headers
    )
    body = answer.json()
    if answer.status_code == 200:
        return 200, body["status"]
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, body.get("command", {}).get("status", "")


def audited(tmp_path: Path, step: str) -> list[dict[str, Any]]:
    """Return the records of a step, as they stand in the file."""
    lines = "".join(p.read_text() for p in sorted((tmp_path / "audit").glob("*.jsonl")))
    records = [json.loads(line) for line in lines.splitlines()]
    return [one for one in records if one["step"] == step]


async def test_a_command_ends_in_the_answer_of_the_device(
    serve: Any, access: AccessSettings, tmp_path: Path
) -> None:
    """The device has it once, and the audit log says who, where, what and why."""
    async with (
        serve(access=access) as served,
        served.client(token=await served.token("anna")) as client,
    ):
        done = await ask(client, "bay1.breaker", 1, reason="restored after the storm")
        assert done == (200, "success")
        assert [one.value for one in served.field.commands] == [1.0]
    (record,) = audited(tmp_path, "received")
    assert (record["user"], record["role"]) == ("anna", "operator")
    assert (record["sink"], record["address"]) == ("desk", "127.0.0.1")
    assert record["reason"] == "restored after the storm"


async def test_each_status_has_its_code(serve: Any, access: AccessSettings) -> None:
    """What the device says is what the client hears, as docs/commands.md has it."""
    async with (
        serve(access=access) as served,
        served.client(token=await served.token("anna")) as client,
    ):
        for status, code in (
            (S.REFUSED, 502),
            (S.DEVICE_LOCAL, 502),
            (S.DEVICE_ERROR, 502),
            (S.TIMEOUT, 504),
        ):
            served.field.reply(lambda command, status=status: status)
            assert await ask(client, "bay1.breaker") == (code, status.value)
        served.field.reply(lambda command: None)
        assert await ask(client, "bay1.breaker", timeout=1) == (504, "timeout")
        served.field.reply(lambda command: S.SUCCESS)
        assert await ask(client, "bay1.setpoint", 501) == (422, "out_of_range")
        assert await ask(client, "bay1.voltage", 1) == (409, "not_supported")
        assert await ask(client, "bay2.isolator", 1) == (409, "no_select")
        assert await ask(client, "bay1.breaker", 1, test=True) == (403, "not_authorised")
        served.field.lose()
        await served.gateway.until(lambda: served.gateway.state("field") == "down")
        assert await ask(client, "bay1.breaker") == (503, "unreachable")


def test_no_status_is_without_code_and_meaning() -> None:
    """And only success is a success."""
    assert set(CODES) == set(MEANINGS) == set(CommandStatus)
    assert [status for status, code in CODES.items() if code < 400] == [S.SUCCESS]


async def test_a_selection_is_of_the_session_that_made_it(
    serve: Any, access: AccessSettings
) -> None:
    """The same user in another session is somebody else, and a log-out frees the point."""
    async with serve(access=access) as served:
        first, second = await served.token("anna"), await served.token("anna")
        async with served.client(token=first) as one, served.client(token=second) as other:
            point = "bay2.isolator"
            assert await ask(one, point, operation="select") == (200, "success")
            assert await ask(other, point, operation="execute") == (409, "selected_by_other")
            assert await ask(one, point, operation="execute") == (200, "success")
            assert await ask(one, point, operation="select") == (200, "success")
            assert await ask(one, point, operation="cancel") == (200, "success")
            assert await ask(one, point, operation="select") == (200, "success")
            assert (await one.post("/api/v1/logout")).status_code == 204
            assert await ask(other, point, operation="select") == (200, "success")


async def test_a_key_is_carried_out_once(serve: Any, access: AccessSettings) -> None:
    """The same request again, as after a time-out of the client's, is a duplicate."""
    async with (
        serve(access=access) as served,
        served.client(token=await served.token("anna")) as client,
    ):
        assert await ask(client, "bay1.breaker", key="a-1") == (200, "success")
        assert await ask(client, "bay1.breaker", key="a-1") == (409, "duplicate")
        assert await ask(client, "bay1.breaker", key="a-2") == (200, "success")
        assert len(served.field.commands) == 2


@pytest.mark.parametrize("user", ["victor", None])
async def test_who_may_only_look_commands_through_no_door(
    serve: Any, access: AccessSettings, user: str | None
) -> None:
    """Neither a command of any kind nor an override reaches the device or the point."""
    async with serve(access=access, anonymous="allowed") as served:
        token = None if user is None else await served.token(user)
        async with served.client(token=token) as client:
            for operation in ("direct", "select", "execute", "cancel"):
                code, status = await ask(client, "bay1.breaker", operation=operation)
                assert (code, status) == (403, "not_authorised")
            for action in ("block", "substitute", "release", "test", "end_test"):
                body = {"action": action} | ({"value": 3.0} if action == "substitute" else {})
                answer = await client.post("/api/v1/points/bay1.voltage/override", json=body)
                assert answer.status_code == 403
            assert (await client.get("/api/v1/audit")).status_code == 403
            assert (await client.post("/api/v1/audit/verify")).status_code == 403
            assert (await client.get("/api/v1/configuration")).status_code == 403
            upload = {"files": [{"name": "a.yaml", "text": "x"}]}
            answer = await client.post("/api/v1/configuration/check", json=upload)
            assert answer.status_code == 403
        assert served.field.commands == []


async def test_a_role_commands_its_points_only(serve: Any, access: AccessSettings) -> None:
    """A point of another bay is not there for it."""
    async with (
        serve(access=access) as served,
        served.client(token=await served.token("bernd")) as client,
    ):
        assert await ask(client, "bay1.breaker") == (200, "success")
        assert (await ask(client, "bay2.isolator"))[0] == 404


async def test_nobody_commands_with_the_role_of_the_link(serve: Any) -> None:
    """Without users the link's role decides, as the configuration says it."""
    async with serve(role="operator") as served, served.client() as client:
        assert await ask(client, "bay1.breaker") == (200, "success")
    async with serve() as served, served.client() as client:
        assert await ask(client, "bay1.breaker") == (403, "not_authorised")


async def test_an_override_is_shown_and_undone(
    serve: Any, access: AccessSettings, tmp_path: Path
) -> None:
    """Substituted, blocked, released: value, quality and record follow."""
    async with serve(access=access) as served:
        await served.field.emit(["bay1.voltage"], [230.0])
        async with served.client(token=await served.token("eva")) as client:

            async def act(action: str, **more: Any) -> str:
                answer = await client.post(
                    "/api/v1/points/bay1.voltage/override", json={"action": action, **more}
                )
                assert answer.status_code == 200, answer.text
                point = (await client.get("/api/v1/points/bay1.voltage")).json()
                return f"{point['value']:g} {point['quality']}"

            assert await act("substitute", value=225, reason="meter out") == "225 good,substituted"
            assert (await act("release")).startswith("230 good")
            assert "operatorBlocked" in await act("block")
            assert (await act("release")).startswith("230 good")
            assert "test" in await act("test")
            assert await ask(client, "bay1.breaker", 1, test=True) == (409, "blocked")
            assert "test" not in await act("end_test")
            wrong = [{"action": "substitute"}, {"action": "block", "value": 1}, {"action": "lock"}]
            for body in wrong:
                answer = await client.post("/api/v1/points/bay1.voltage/override", json=body)
                assert answer.status_code == 422
    (first, *_) = audited(tmp_path, "override")
    assert (first["action"], first["reason"], first["user"]) == ("substitute", "meter out", "eva")


async def test_one_client_has_so_many_under_way(serve: Any, access: AccessSettings) -> None:
    """Beyond `max_commands` it is asked to come again; another session is not in its way."""
    points = "name,kind,field.at,command.model\na,status,a,latch\nb,status,b,latch\n"
    async with serve(points, access=access, max_commands=1) as served:
        served.field.reply(lambda command: None)
        one, two = await served.token("anna"), await served.token("anna")
        async with served.client(token=one) as client, served.client(token=two) as other:
            waiting = asyncio.create_task(ask(client, "a", timeout=5))
            await served.gateway.until(lambda: served.field.commands)
            assert await ask(client, "b") == (429, "")
            another = asyncio.create_task(ask(other, "b", timeout=5))
            await served.gateway.until(lambda: len(served.field.commands) == 2)
            for command in served.field.commands:
                await served.field.answer(command, S.SUCCESS)
            assert await waiting == await another == (200, "success")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"value": "on"},
        {"value": None},
        {"value": 1, "operation": "operate"},
        {"value": 1, "extra": 1},
        {"value": 1, "timeout": 0},
        {"value": True},
        {"value": "1"},
        {"value": 1, "test": 1},
        {"value": 1, "reason": "x" * 257},
        [],
        "value",
    ],
)
async def test_what_cannot_be_read_is_refused(serve: Any, body: Any) -> None:
    """With a sentence that says what was found and what is allowed; nothing is sent."""
    async with serve(role="operator") as served, served.client() as client:
        answer = await client.post("/api/v1/points/bay1.breaker/command", json=body)
        assert answer.status_code == 422
        assert "found " in answer.json()["detail"]
        assert ", allowed: " in answer.json()["detail"]
        for text in ('{"value": NaN}', '{"value": 1e999}', "{", "\xff"):
            answer = await client.post(
                "/api/v1/points/bay1.breaker/command",
                content=text.encode("latin-1"),
                headers={"Content-Type": "application/json"},
            )
            assert answer.status_code in (400, 422)
        assert served.field.commands == []
