"""Commands to points that somebody has a hand on: what leaves, what is answered, who hears."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway import Answer, CommandStatus, Operation, Override
from gateway.audit import records
from gateway.testing import Collector, Emitter, Running, paused, running

POINTS = """\
name,kind,unit,field.at,command.model,command.select,command.low,command.high,command.interlock
breaker,status,,1,latch,,,,
setpoint,analog,kW,2,setpoint,local,0,100,breaker = 1
"""
S = CommandStatus


def links() -> tuple[Emitter, Collector, Collector]:
    return (
        Emitter(name="field", obeys=True),
        Collector(name="control", role="engineer"),
        Collector(name="scada", role="operator"),
    )


async def lay(
    gateway: Running, sink: Collector, action: str, name: str, value: float | None = None
) -> Answer:
    ctx = await sink.context()
    return await ctx.override(
        ctx.client("desk 1"), gateway.engine.id(name), Override(action), value
    )


@paused
async def test_a_blocked_point_takes_no_command_through_any_sink(tmp_path: Path) -> None:
    """Also after a restart, until somebody releases it; it is on record each time."""
    field, control, scada = links()
    async with running([field], [control, scada], POINTS, data=tmp_path) as gateway:
        await field.emit(["breaker"], [1])
        assert await lay(gateway, control, "block", "breaker")
        for sink in (control, scada):
            answer = await sink.ask("breaker", 0.0)
            assert answer.status is S.BLOCKED
            assert "breaker is blocked" in answer.detail
        assert field.commands == []
    field, control, scada = links()
    async with running([field], [control, scada], POINTS, data=tmp_path) as gateway:
        await field.context()
        assert (await scada.ask("breaker", 0.0)).status is S.BLOCKED
        assert await lay(gateway, scada, "release", "breaker")
        assert await scada.ask("breaker", 0.0)
        assert [command.raw for command in field.commands] == [0.0]
    done = [
        (record.facts["action"], record.facts["point"])
        for record in records(tmp_path / "audit")
        if record.step == "overridden"
    ]
    assert done == [("block", "breaker"), ("release", "breaker")]


@paused
async def test_a_manual_value_counts_in_an_interlock(tmp_path: Path) -> None:
    """That is what operators substitute for; a value that the device calls invalid does not."""
    field, control, _ = links()
    async with running([field], [control], POINTS, data=tmp_path) as gateway:
        await field.stale(["breaker"])
        select = await control.ask("setpoint", 50.0, Operation.SELECT)
        assert select.status is S.INTERLOCKED
        assert await lay(gateway, control, "substitute", "breaker", 1.0)
        assert await control.ask("setpoint", 50.0, Operation.SELECT)
        assert await control.ask("setpoint", 50.0, Operation.EXECUTE)
    assert [command.raw for command in field.commands] == [50.0]


@paused
@pytest.mark.parametrize("blocked", [False, True])
async def test_a_point_in_test_takes_tests_of_which_nothing_leaves(
    tmp_path: Path, blocked: bool
) -> None:
    """A real command is refused while it lasts, and a test when it is over."""
    field, control, scada = links()
    async with running([field], [control, scada], POINTS, data=tmp_path) as gateway:
        await field.emit(["breaker"], [1])
        assert (await control.ask("breaker", 0.0, test=True)).status is S.BLOCKED
        assert await lay(gateway, control, "test", "breaker")
        if blocked:
            assert await lay(gateway, control, "block", "breaker")
        assert (await control.ask("breaker", 0.0)).status is S.BLOCKED
        tested = await control.ask("breaker", 0.0, test=True)
        assert tested.status is (S.BLOCKED if blocked else S.SUCCESS)
        assert (await lay(gateway, scada, "end_test", "breaker")).status is S.NOT_AUTHORISED
        assert await lay(gateway, control, "end_test", "breaker")
        assert (await control.ask("breaker", 0.0, test=True)).status is S.BLOCKED
    assert field.commands == []
