"""What was under way when a gateway ended is on record at its next start."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gateway.audit import AuditLog, Record, records, verify
from gateway.engine.unfinished import unfinished
from gateway.model.configuration import AuditSettings
from gateway.testing import Collector, Emitter, PausedClock, paused, running

POINTS = "name,kind,field.at,command.model\nbreaker,status,1,latch\ntap,analog,2,setpoint\n"


def interrupted(data: Path) -> list[Record]:
    return list(records(data / "audit", steps=("interrupted",)))


@paused
async def test_a_command_that_the_device_had(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The gateway is gone before the answer: the next start names it, and it alone, once."""
    field, out = Emitter(name="field", obeys=True), Collector(name="out", role="operator")
    async with running([field], [out], POINTS, data=tmp_path) as gateway:
        assert await out.ask("tap", 5.0)
        field.reply(lambda command: None)
        asked = asyncio.create_task(out.ask("breaker", 1.0))
        await gateway.until(lambda: len(field.commands) == 2, what="the device has it")
        await gateway.crash()
        asked.cancel()
    for _ in range(2):
        field, out = Emitter(name="field", obeys=True), Collector(name="out", role="operator")
        async with running([field], [out], POINTS, data=tmp_path):
            await field.context()
            assert field.commands == []
        (found,) = interrupted(tmp_path)
        assert found.facts["point"] == "breaker"
        assert found.facts["operation"] == "direct"
        assert found.facts["sink"] == "out"
        assert found.facts["detail"].endswith("the device may have acted")
    steps = [record.step for record in records(tmp_path / "audit")]
    assert steps[steps.index("interrupted") + 1] == "started"
    assert caplog.text.count("direct 1.0 of breaker (the device may have acted)") == 1
    assert verify(tmp_path / "audit")


async def written(folder: Path, *steps: tuple[str, dict[str, Any]]) -> list[tuple[str, bool]]:
    """Put steps on record a second after each other, and return what is found unfinished."""
    seconds = iter(range(1_000_000_000, 2_000_000_000))
    log = AuditLog.open(folder, AuditSettings(), lambda: next(seconds) * 10**9)
    for step, facts in steps:
        log.write(step, **facts)
    found = unfinished(log.recall, 10**9 * 10**9)
    later = unfinished(log.recall, 3 * 10**9 * 10**9)
    await log.close()
    assert later == found, "also where the last run was long ago"
    return [(f"{one.facts['id']} {one.facts['operation']}", one.sent) for one in found]


def step(name: str, number: int, operation: str = "direct") -> tuple[str, dict[str, Any]]:
    return name, {"id": f"run-{number}", "operation": operation, "point": "p", "value": 1.0}


STARTED: tuple[str, dict[str, Any]] = ("started", {})


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([], []),
        ([STARTED, step("received", 1)], [("run-1 direct", False)]),
        ([STARTED, step("received", 1), step("forwarded", 1)], [("run-1 direct", True)]),
        ([STARTED, step("received", 1), step("ended", 1)], []),
        ([STARTED, step("received", 1), step("refused", 1), step("refused", 2)], []),
        # A select that ended, and its execute, which has the same number.
        (
            [
                STARTED,
                step("received", 1, "select"),
                step("forwarded", 1, "select"),
                step("ended", 1, "select"),
                step("received", 1, "execute"),
            ],
            [("run-1 execute", False)],
        ),
        # What an earlier start put on record, and what it could not.
        ([STARTED, step("received", 1), step("interrupted", 1), STARTED], []),
        (
            [STARTED, step("received", 1), step("received", 2), step("interrupted", 1)],
            [("run-2 direct", False)],
        ),
        ([STARTED, step("received", 1), STARTED, step("received", 2)], [("run-2 direct", False)]),
    ],
)
async def test_what_is_unfinished(
    tmp_path: Path, steps: list[tuple[str, dict[str, Any]]], expected: list[tuple[str, bool]]
) -> None:
    """Received, and neither ended nor refused nor named before, since the last start."""
    assert await written(tmp_path / "audit", *steps) == expected


@paused
async def test_records_that_somebody_changed(tmp_path: Path) -> None:
    """A log that was set aside is no evidence, and no reason not to start."""
    now = PausedClock().now
    log = AuditLog.open(tmp_path / "audit", AuditSettings(), now)
    log.write("received", key="k1")
    log.write("received", key=["k2"], id=None, operation={}, point=7, value=[])
    await log.close()
    (tmp_path / "audit" / "head").unlink()
    async with running([Emitter(name="field")], [], POINTS, data=tmp_path):
        steps = [record.step for record in records(tmp_path / "audit")]
    assert steps == ["file_begun", "set_aside", "interrupted", "interrupted", "started"]
