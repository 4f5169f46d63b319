"""Commands through a whole gateway: sink, desk, audit log on disk, source."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gateway import Client, CommandStatus, Operation, Override, Quality, Request
from gateway.audit import records, verify
from gateway.testing import Collector, Emitter, paused, running

POINTS = """\
name,kind,unit,scale,field.at,command.model,command.select,command.feedback
breaker,status,,,1,latch,,breaker
tap,analog,%,0.5,2,setpoint,local,
voltage,analog,V,,3,,,
"""
S = CommandStatus


def links() -> tuple[Emitter, Collector]:
    return Emitter(name="field", obeys=True), Collector(name="out", role="operator")


def steps(data: Path) -> list[tuple[str, str]]:
    return [(record.step, record.facts.get("status", "")) for record in records(data / "audit")]


@paused
async def test_from_sink_to_source_and_back(tmp_path: Path) -> None:
    """The device is told once, its indication ends the command, and the proof is on disk."""
    field, out = links()
    async with running([field], [out], POINTS, data=tmp_path):
        await field.emit(["breaker"], [0.0])
        asked = asyncio.create_task(out.ask("breaker", 1.0))
        await asyncio.sleep(1.0)
        assert [command.raw for command in field.commands] == [1.0]
        assert not asked.done()
        await field.emit(["breaker"], [1.0])
        assert (await asked).status is S.SUCCESS
    assert steps(tmp_path)[1:] == [
        ("started", ""),
        ("received", ""),
        ("forwarded", ""),
        ("answered", "success"),
        ("indicated", ""),
        ("ended", "success"),
        ("stopped", ""),
    ]
    assert verify(tmp_path / "audit")


@paused
async def test_only_what_the_role_of_the_link_allows(tmp_path: Path) -> None:
    """Without a role clients read, and nothing they ask for leaves."""
    field, out = Emitter(name="field", obeys=True), Collector(name="out")
    async with running([field], [out], POINTS, data=tmp_path) as gateway:
        assert (await out.ask("breaker", 1.0)).status is S.NOT_AUTHORISED
        assert gateway.counters("out")["commands_refused"] == 1
    assert field.commands == []
    assert ("refused", "not_authorised") in steps(tmp_path)


@paused
async def test_a_source_that_is_not_ready(tmp_path: Path) -> None:
    """Up, and not yet asking for commands: nothing is sent, and the host says so at once."""
    field, out = Emitter(name="field"), Collector(name="out", role="operator")
    async with running([field], [out], POINTS, data=tmp_path):
        await field.context()
        answer = await out.ask("breaker", 1.0)
        assert (answer.status, "not ready" in answer.detail) == (S.UNREACHABLE, True)


@paused
async def test_points_that_the_sink_has_not(tmp_path: Path) -> None:
    """Selected away, they are unknown to its clients; on record by the number that was named."""
    field = Emitter(name="field", obeys=True)
    out = Collector(name="out", role="operator", select=("tap",))
    async with running([field], [out], POINTS, data=tmp_path) as gateway:
        ctx = await out.context()
        for point in (gateway.engine.id("breaker"), -1, 10_000):
            request = Request(point, Operation.DIRECT, 1.0, ctx.client("test"))
            assert (await ctx.command(request)).status is S.UNKNOWN_POINT
    assert field.commands == []


@paused
async def test_a_broken_link_is_answered(tmp_path: Path) -> None:
    """The device has it, the link breaks: time-out at once, and no second time after it is back."""
    field, out = links()
    async with running([field], [out], POINTS, data=tmp_path) as gateway:
        field.reply(lambda command: None)
        asked = asyncio.create_task(out.ask("breaker", 1.0))
        await gateway.until(lambda: field.commands, what="the device has it")
        field.lose()
        answer = await asked
        assert answer.status is S.TIMEOUT
        assert "the link went down" in answer.detail
        await field.context()
        await asyncio.sleep(60.0)
        assert len(field.commands) == 1


@paused
async def test_a_selection_ends_with_the_link_of_its_client(tmp_path: Path) -> None:
    """The sink's connection breaks: what its clients selected is free."""
    field, out = links()
    async with running([field], [out], POINTS, data=tmp_path):
        assert (await out.ask("tap", 50.0, Operation.SELECT)).status is S.SUCCESS
        out.lose()
        await asyncio.sleep(5.0)
        assert (await out.ask("tap", 50.0, Operation.EXECUTE)).status is S.NO_SELECT
    assert ("released", "") in steps(tmp_path)
    assert field.commands == []


@paused
async def test_keys_outlive_a_restart(tmp_path: Path) -> None:
    """A request that a broker delivers again after a crash is not carried out again."""
    field, out = links()
    async with running([field], [out], POINTS, data=tmp_path) as gateway:
        await field.emit(["breaker"], [1.0])
        assert (await out.ask("breaker", 1.0, key="7f3a")).status is S.SUCCESS
        await gateway.crash()
    field, out = links()
    async with running([field], [out], POINTS, data=tmp_path):
        assert (await out.ask("breaker", 1.0, key="7f3a")).status is S.DUPLICATE
    assert field.commands == []
    assert verify(tmp_path / "audit")


@paused
async def test_stopping_ends_what_is_under_way(tmp_path: Path) -> None:
    """A command that the device has when the gateway stops ends on record."""
    field, out = links()
    async with running([field], [out], POINTS, data=tmp_path) as gateway:
        field.reply(lambda command: None)
        asked = asyncio.create_task(out.ask("breaker", 1.0))
        await gateway.until(lambda: field.commands, what="the device has it")
    assert (await asked).status is S.TIMEOUT
    assert steps(tmp_path)[-2:] == [("ended", "timeout"), ("stopped", "")]


@paused
async def test_overrides_need_their_permission(tmp_path: Path) -> None:
    """A viewer may not block; an operator may, no command leaves then, and all is on record."""
    field, out = links()
    async with running([field], [out], POINTS, data=tmp_path) as gateway:
        await field.emit(["breaker", "voltage"], [1.0, 230.0])
        ctx = await out.context()
        breaker = gateway.engine.id("breaker")
        viewer = Client("out", "test", "", "viewer")
        refused = await ctx.override(viewer, breaker, Override.BLOCK)
        assert refused.status is S.NOT_AUTHORISED
        operator = ctx.client("test")
        assert await ctx.override(operator, breaker, Override.BLOCK)
        assert gateway.sample("breaker").quality & Quality.OPERATOR_BLOCKED
        assert (await out.ask("breaker", 0.0)).status is S.BLOCKED
        refused = await ctx.override(operator, breaker, Override.TEST)
        assert refused.status is S.NOT_AUTHORISED
        assert await ctx.override(operator, breaker, Override.RELEASE)
    assert field.commands == []
    assert [step for step, _ in steps(tmp_path)].count("overridden") == 2


@paused
async def test_without_an_audit_log_nothing_is_commanded(tmp_path: Path) -> None:
    """The field is read all the same, and the operator is told why."""
    (tmp_path / "audit").write_text("in the way")
    field, out = links()
    async with running([field], [out], POINTS, data=tmp_path) as gateway:
        await field.emit(["voltage"], [230.0])
        assert gateway.sample("voltage").value == 230.0
        assert (await out.ask("breaker", 1.0)).status is S.FAILED
    assert field.commands == []


@paused
@pytest.mark.parametrize("timeout", [0.0, -1.0, float("nan"), float("inf")])
async def test_a_time_out_that_is_none(tmp_path: Path, timeout: float) -> None:
    """Refused before anything else is looked at."""
    field, out = links()
    async with running([field], [out], POINTS, data=tmp_path):
        answer = await out.ask("breaker", 1.0, timeout=timeout)
        assert answer.status is S.FORMAT_ERROR
