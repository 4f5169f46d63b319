"""Overrides on disk: before they are in force, and in force again after a restart."""

from __future__ import annotations

import asyncio
import math
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway import Answer, CommandStatus, Override
from gateway.engine.override_entry import Entry
from gateway.engine.override_file import NAME, OverrideFile
from gateway.journal.store import StoreError
from gateway.testing import Collector, Emitter, Running, paused, running

POINTS = """\
name,kind,unit,low,high,field.at
bay.u,analog,V,0,500,x
bay.breaker,status,,,,x
bay.isolator,double,,,,x
"""

GOOD, OLD_DATA, STALE = 0, 1 << 7, 1 | 1 << 7
SUBSTITUTED, TEST, BLOCKED = 1 << 10, 1 << 11, 1 << 12
FROZEN = BLOCKED | OLD_DATA


async def act(
    gateway: Running, action: str, name: str = "bay.u", value: float | None = None
) -> Answer:
    engine = gateway.engine
    return await engine.overrides.apply(engine.id(name), Override(action), value)


def shown(gateway: Running, name: str = "bay.u") -> tuple[float, int]:
    row = gateway.sample(name)
    return row.value, int(row.quality)


class SlowDisk(OverrideFile):
    """A file whose writing the test holds up."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.began, self.may = threading.Event(), threading.Event()
        self.saved: list[Mapping[str, Entry]] = []

    def save(self, entries: Mapping[str, Entry]) -> None:
        self.began.set()
        assert self.may.wait(10)
        super().save(entries)
        self.saved.append(entries)


async def test_nothing_is_in_force_before_it_is_on_disk(tmp_path: Path) -> None:
    """And the last word of the device before it is in force is what is frozen, now and later.

    A client that leaves meanwhile does not stop it.
    """
    emitter = Emitter(name="field")
    async with running([emitter], [], POINTS, data=tmp_path) as gateway:
        await emitter.emit(["bay.u"], [230])
        disk = SlowDisk(tmp_path / NAME)
        gateway.engine.overrides._file = disk
        asked = asyncio.create_task(act(gateway, "block"))
        await gateway.until(disk.began.is_set)
        asked.cancel()
        await emitter.emit(["bay.u"], [231])
        assert shown(gateway) == (231, GOOD)
        disk.may.set()
        await gateway.until(lambda: shown(gateway) == (231, FROZEN))
        await gateway.until(lambda: len(disk.saved) == 2)
    entry = OverrideFile(tmp_path / NAME).load()["bay.u"]
    assert entry.shown is not None
    assert (entry.shown.value, entry.shown.quality) == (231, OLD_DATA)


@paused
async def test_a_disk_that_refuses_changes_nothing(tmp_path: Path) -> None:
    """What would be forgotten in a restart is not done."""
    emitter = Emitter(name="field")
    async with running([emitter], [], POINTS, data=tmp_path) as gateway:
        await emitter.emit(["bay.u"], [230])
        in_the_way = tmp_path / "overrides.new"
        in_the_way.mkdir()
        answer = await act(gateway, "block")
        assert answer.status is CommandStatus.FAILED
        assert "bay.u is as it was" in answer.detail
        assert "Is a directory" in answer.detail
        assert shown(gateway) == (230, GOOD)
        in_the_way.rmdir()
        assert await act(gateway, "block")


@paused
async def test_a_disk_that_hangs_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    """The client hears so, and no more than a number of them wait."""
    async with running([Emitter(name="field")], [], POINTS, data=tmp_path) as gateway:
        overrides = gateway.engine.overrides
        await overrides._lock.acquire()
        clients = [asyncio.create_task(act(gateway, "block")) for _ in range(64)]
        await asyncio.sleep(0)
        assert (await act(gateway, "block")).status is CommandStatus.RATE_LIMITED
        answers = await asyncio.gather(*clients)
        assert {answer.status for answer in answers} == {CommandStatus.TIMEOUT}
        overrides._lock.release()
        await gateway.until(lambda: overrides.blocked(gateway.engine.id("bay.u")))


async def test_overrides_survive_a_crash(tmp_path: Path) -> None:
    """Shown again with their own time before any link runs; a release shows what is known."""
    emitter = Emitter(name="field")
    names = ["bay.u", "bay.breaker", "bay.isolator"]
    async with running([emitter], [], POINTS, data=tmp_path) as gateway:
        await emitter.emit(names, [230, 1, 2])
        assert await act(gateway, "block")
        assert await act(gateway, "substitute", "bay.breaker", 0)
        assert await act(gateway, "test", "bay.isolator")
        times = [gateway.sample(name).time for name in names]
        await gateway.crash()

    emitter, out = Emitter(name="field"), Collector(name="out")
    async with running([emitter], [out], POINTS, data=tmp_path) as gateway:
        await gateway.until(lambda: len(out.rows("bay")) == 2)
        assert {(row.name, row.value, int(row.quality)) for row in out.rows("bay")} == {
            ("bay.u", 230, FROZEN),
            ("bay.breaker", 0, SUBSTITUTED),
        }
        assert [row.time for row in out.rows("bay")] == times[:2]
        assert shown(gateway, "bay.isolator")[1] == STALE | TEST
        await emitter.emit(["bay.isolator", "bay.breaker"], [1, 1])
        assert shown(gateway, "bay.isolator") == (1, TEST)
        for name in ("bay.u", "bay.breaker"):
            assert await act(gateway, "release", name)
        assert shown(gateway) == (230, STALE), "the device has not spoken since"
        assert shown(gateway, "bay.breaker") == (1, GOOD)
        assert await act(gateway, "end_test", "bay.isolator")
    assert OverrideFile(tmp_path / NAME).load() == {}


WRITER = """\
import sys, itertools
from pathlib import Path
from gateway.engine.override_entry import Entry, Said
from gateway.engine.override_file import OverrideFile
file = OverrideFile(Path(sys.argv[1]))
for i in itertools.count():
    said = Said(value=i, quality=0, time=i)
    file.save({f"p{n}": Entry(blocked=True, shown=said, device=said) for n in range(50)})
    print(i, flush=True)
"""


@pytest.mark.parametrize("saves", [3, 20, 50])
def test_a_kill_at_any_instant_leaves_what_was_saved_last(tmp_path: Path, saves: int) -> None:
    """All of it: the last that was answered for, or the one that was being written."""
    path = tmp_path / NAME
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        answered = [int(writer.stdout.readline()) for _ in range(saves)]
        writer.kill()
        answered += [int(line) for line in writer.stdout]
    entries = OverrideFile(path).load()
    assert len(entries) == 50
    (value,) = {entry.shown and entry.shown.value for entry in entries.values()}
    assert value in (answered[-1], answered[-1] + 1)


async def test_a_point_that_left_the_configuration_keeps_its_entry(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One line says so; when the point is back, it is blocked as it was."""
    async with running([Emitter(name="field")], [], POINTS, data=tmp_path) as gateway:
        assert await act(gateway, "block", "bay.breaker")
    without = POINTS.replace("bay.breaker,status,,,,x\n", "")
    async with running([Emitter(name="field")], [], without, data=tmp_path) as gateway:
        assert await act(gateway, "test")
    lines = [
        r.message for r in caplog.records if "that are not configured: bay.breaker" in r.message
    ]
    assert len(lines) == 1
    async with running([Emitter(name="field")], [], POINTS, data=tmp_path) as gateway:
        assert gateway.engine.overrides.blocked(gateway.engine.id("bay.breaker"))
        assert gateway.engine.overrides.in_test(gateway.engine.id("bay.u"))


async def test_a_manual_value_that_does_not_fit_any_more_is_not_shown(tmp_path: Path) -> None:
    """The point is a status now: 225 would mean nothing to a master."""
    async with running([Emitter(name="field")], [], POINTS, data=tmp_path) as gateway:
        assert await act(gateway, "substitute", value=225)
    changed = POINTS.replace("bay.u,analog,V,0,500,x", "bay.u,status,,,,x")
    async with running([Emitter(name="field")], [], changed, data=tmp_path) as gateway:
        assert math.isnan(shown(gateway)[0])
        assert shown(gateway)[1] == SUBSTITUTED | STALE


async def test_what_a_crash_left_half_written_is_not_looked_at(tmp_path: Path) -> None:
    """The file before it is in force, and the next action writes over what is left."""
    async with running([Emitter(name="field")], [], POINTS, data=tmp_path) as gateway:
        assert await act(gateway, "block")
    (tmp_path / "overrides.new").write_text('{"points": {"bay.u": {"blo')
    async with running([Emitter(name="field")], [], POINTS, data=tmp_path) as gateway:
        assert gateway.engine.overrides.blocked(gateway.engine.id("bay.u"))
        assert await act(gateway, "release")
    assert OverrideFile(tmp_path / NAME).load() == {}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Invalid JSON"),
        ('{"format": 2, "points": {}}', "format: Input should be 1"),
        ('{"points": {"bay.u": {"blocked": true}}}', "points.bay.u.device: Field required"),
    ],
)
async def test_a_file_that_cannot_be_read_stops_the_start(
    tmp_path: Path, text: str, sentence: str
) -> None:
    """To go on without it would free points that somebody blocked for the safety of others."""
    (tmp_path / NAME).write_text(text)
    with pytest.raises(StoreError, match=sentence) as refusal:
        async with running([Emitter(name="field")], [], POINTS, data=tmp_path):
            pass
    assert str(tmp_path / NAME) in str(refusal.value)
    assert "the gateway does not start without it" in str(refusal.value)
