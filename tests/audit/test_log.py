"""What is written is there, durable when promised, bounded, and says when the disk refused it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import os
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
from disk import disk
from small_log import SECOND, START, Wall, judged, settings, steps, written

from gateway import CommandStatus
from gateway.audit import AuditError, AuditLog, Verdict, reading, records, verify, writer
from gateway.audit import log as module
from gateway.audit.head import HEAD
from gateway.audit.segment import segments
from gateway.testing import paused


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "audit"


def facts(folder: Path) -> list[dict[str, Any]]:
    """Every record, as any JSON reader finds it."""
    return [json.loads(line) for path in segments(folder) for line in path.read_text().splitlines()]


async def test_a_record_is_a_line_of_json(folder: Path) -> None:
    """Number, time in UTC, step and facts stand in the line, in this order."""
    log = AuditLog.open(folder, settings(), lambda: START + 5 * SECOND + 42)
    n = log.write("refused", point="feeder1.breaker", status=CommandStatus.LOCAL, value=1.5)
    await log.close()

    line = segments(folder)[0].read_text().splitlines()[1]
    assert n == 2
    assert line.startswith(
        '{"n":2,"time":"2026-01-01T00:00:05.000000042Z","step":"refused",'
        '"point":"feeder1.breaker","status":"local","value":1.5,"hash":"'
    )


async def test_values_that_json_does_not_know(folder: Path) -> None:
    """NaN and the infinities are texts that `float` reads; anything else is its text; all ASCII."""
    log = AuditLog.open(folder, settings(), Wall())
    log.write(
        "odd",
        nan=math.nan,
        high=math.inf,
        low=-math.inf,
        path=Path("a/b"),
        inner={"list": [1, (math.nan,)], 2: None},
        escape="\x1b[31mred\n\u202e\ud800é",
        long="x" * 3000,
    )
    await log.close()

    (odd,) = records(folder, steps=["odd"])
    assert math.isnan(float(odd.facts["nan"]))
    assert float(odd.facts["high"]) == math.inf
    assert float(odd.facts["low"]) == -math.inf
    assert odd.facts["path"] == "a/b"
    assert odd.facts["inner"] == {"list": [1, ["NaN"]], "2": None}
    assert odd.facts["escape"] == "\x1b[31mred\n\u202e\ud800é"
    assert odd.facts["long"] == "x" * 2000 + "… (3000 characters)"
    text = segments(folder)[0].read_bytes()
    assert all(byte == 10 or 32 <= byte < 127 for byte in text)
    assert judged(folder)


@pytest.mark.parametrize("name", ["n", "time", "hash"])
async def test_a_name_that_the_record_has_itself(folder: Path, name: str) -> None:
    """A fact cannot stand in for the number, the time or the hash."""
    log = AuditLog.open(folder, settings(), Wall())
    with pytest.raises(AuditError, match=f"a record has its own {name}"):
        log.write("step", **{name: 1})
    with pytest.raises(AuditError, match="found the step 'No step', allowed: a word"):
        log.write("No step")
    with pytest.raises(AuditError, match=r"found a record of 2.*, allowed: at most 65536"):
        log.write("step", many=["x" * 2000] * 100)
    await log.close()
    assert len(facts(folder)) == 1
    with pytest.raises(AuditError, match="closed"):
        log.write("step")
    with pytest.raises(AuditError, match="closed"):
        log.write("step")
    await log.close()


async def test_only_its_owner_may_read_it(folder: Path) -> None:
    """Files are 0600 and the folder 0700, whatever the umask."""
    before = os.umask(0)
    try:
        log = AuditLog.open(folder, settings(), Wall())
    finally:
        os.umask(before)
    await log.close()
    modes = {path.name: path.stat().st_mode & 0o777 for path in (folder, *folder.iterdir())}
    assert modes == {"audit": 0o700, HEAD: 0o600, "audit-00000001.jsonl": 0o600}


async def test_many_who_wait_share_a_sync(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred who wait at the same time need two syncs: the one under way, and the next."""
    syncs: list[int] = []
    real = os.fdatasync

    def counted(handle: int) -> None:
        syncs.append(handle)
        real(handle)

    log = AuditLog.open(folder, settings(), Wall())
    monkeypatch.setattr(os, "fdatasync", counted)

    async def client(number: int) -> None:
        n = log.write("forwarded", number=number)
        await log.durable()
        head = json.loads((folder / HEAD).read_text())
        assert head["records"] >= n

    first = asyncio.create_task(client(0))
    await asyncio.sleep(0)
    await asyncio.gather(first, *(client(i) for i in range(1, 100)))
    assert 1 <= len(syncs) <= 2
    await log.durable()
    assert 1 <= len(syncs) <= 2
    await log.close()


@paused
async def test_a_record_that_nobody_waits_for(folder: Path) -> None:
    """It is on disk a second later; nothing is synced before, and nothing after."""
    log = AuditLog.open(folder, settings(), Wall())
    log.write("refused")
    await asyncio.sleep(0.9)
    assert json.loads((folder / HEAD).read_text())["records"] == 1
    await asyncio.sleep(0.2)
    assert json.loads((folder / HEAD).read_text())["records"] == 2
    await log.close()


async def test_durable_when_nothing_was_written(folder: Path) -> None:
    """It returns at once, also after a restart."""
    log = AuditLog.open(folder, settings(), Wall())
    await log.durable()
    assert log.failing == ""
    assert log.head == (1, facts(folder)[0]["hash"])
    await log.close()


async def test_the_chain_goes_on_over_files_and_restarts(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers have no gaps, and each file begins with the hash before it."""
    monkeypatch.setattr(writer, "SEGMENT", 2_000)
    for _ in range(3):
        log = AuditLog.open(folder, settings("a key"), Wall())
        for step, about in steps(20):
            log.write(step, **about)
            await log.durable()
        await log.close()
    found = facts(folder)
    assert [record["n"] for record in found] == list(range(1, len(found) + 1))
    assert sum(record["step"] == "received" for record in found) == 21
    begun = [record for record in found if record["step"] == "file_begun"]
    assert [record["file"] for record in begun] == [path.name for path in segments(folder)]
    assert len(begun) > 5
    assert begun[3]["previous"] == found[begun[3]["n"] - 2]["hash"]
    assert all(path.stat().st_size <= 2_000 for path in segments(folder))
    assert judged(folder, "a key")


async def test_a_file_is_not_left_before_it_is_on_disk(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nobody waits for the disk a file has twice its size, and is synced before the next."""
    monkeypatch.setattr(writer, "SEGMENT", 2_000)
    log = AuditLog.open(folder, settings(), Wall())
    for step, about in steps(60):
        log.write(step, **about)
    await log.close()
    sizes = [path.stat().st_size for path in segments(folder)]
    assert len(sizes) > 2
    assert all(3_500 < size <= 4_000 for size in sizes[:-1])
    assert judged(folder)


async def test_the_oldest_file_goes_on_record(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log of its full size loses the oldest files, says which, and holds from there on."""
    monkeypatch.setattr(writer, "SEGMENT", 2_000)
    everything: list[dict[str, Any]] = []
    log = AuditLog.open(folder, settings(max_size=10_000), Wall())
    for step, about in steps(150):
        log.write(step, **about)
        everything += [record for record in facts(folder) if record["n"] > len(everything)]
        await log.durable()
        assert sum(path.stat().st_size for path in segments(folder)) <= 12_000
    await log.close()

    verdict = judged(folder)
    assert verdict.broken is None
    assert verdict.first > 50
    assert verdict.last == len(everything)
    (gone,) = (
        note.facts for note in verdict.notes if note.facts.get("through") == verdict.first - 1
    )
    assert gone["through_hash"] == everything[verdict.first - 2]["hash"]
    assert not (folder / str(gone["file"])).exists()

    with pytest.raises(AuditError, match="record 3 was deleted to make room"):
        verify(folder, anchor=(3, everything[2]["hash"]))
    assert verify(folder, anchor=(verdict.first - 1, everything[verdict.first - 2]["hash"]))

    # The next file after those that went on record may not go without one.
    segments(folder)[0].unlink()
    broken = judged(folder).broken
    assert broken is not None
    assert broken.what.startswith("deleted: no record says")


async def test_a_smaller_size_is_taken_at_the_next_start(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files beyond a `max_size` that was made smaller go when the log is opened."""
    monkeypatch.setattr(writer, "SEGMENT", 2_000)
    for size in (100_000, 6_000):
        log = AuditLog.open(folder, settings(max_size=size), Wall())
        for step, about in steps(80 if size == 100_000 else 0):
            log.write(step, **about)
        await log.close()
    assert sum(path.stat().st_size for path in segments(folder)) <= 8_000
    assert judged(folder)


async def test_an_anchor_holds_the_log_to_what_it_was(folder: Path) -> None:
    """A hash that was noted down proves what was before it, and finds a log written anew."""
    log = AuditLog.open(folder, settings(), Wall())
    for step, about in steps(4):
        log.write(step, **about)
    noted = log.head
    log.write("stopped")
    await log.close()
    assert verify(folder, anchor=noted)
    assert verify(folder, anchor=(noted[0], noted[1].upper()))

    shutil.rmtree(folder)
    log = AuditLog.open(folder, settings(), Wall(START + 1))
    for step, about in steps(4):
        log.write(step, **about)
    assert verify(folder)
    broken = verify(folder, anchor=noted).broken
    assert broken is not None
    assert broken.what.startswith("edited: the whole log")
    broken = verify(folder, anchor=(noted[0] + 1, noted[1])).broken
    assert broken is not None
    assert broken.what.startswith("cut: record 6 was noted down")
    await log.close()


async def test_a_log_that_is_written_can_be_proven_and_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While records come and files go, every look at the log finds it whole."""
    monkeypatch.setattr(writer, "SEGMENT", 3_000)
    log = AuditLog.open(folder, settings(max_size=20_000), Wall())
    verdicts: list[Verdict] = []

    def look() -> None:
        while len(verdicts) < 30 or (verdicts[-1].first < 50 and len(verdicts) < 3_000):
            verdicts.append(judged(folder))
            assert [record.n for record in records(folder)] != []

    looking = asyncio.get_running_loop().run_in_executor(None, look)
    while not looking.done():
        for step, about in steps(5):
            log.write(step, **about)
        await log.durable()
        await asyncio.sleep(0.001)
    await looking
    await log.close()
    assert {verdict.broken for verdict in verdicts} == {None}
    assert verdicts[-1].first >= 50


def test_recall_reads_back_to_the_time(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is new enough is recalled, oldest first, by step, and not more than the bound."""
    monkeypatch.setattr(writer, "SEGMENT", 2_000)
    wall = Wall()
    written(folder, steps(60), now=wall)
    log = AuditLog.open(folder, settings(), wall)
    whole = list(records(folder))
    middle = whole[40].time
    assert list(log.recall(0)) == whole
    assert list(log.recall(middle)) == whole[40:]
    assert [record.step for record in log.recall(middle, "received")] == ["received"] * sum(
        record.step == "received" for record in whole[40:]
    )
    assert list(log.recall(wall.now + SECOND)) == []
    monkeypatch.setattr(reading, "RECALLED", 5_000)
    bounded = list(log.recall(0))
    assert bounded == whole[-len(bounded) :]
    assert 10 < len(bounded) < 20
    asyncio.run(log.close())


@paused
async def test_what_the_disk_does_not_take_is_on_record(folder: Path, small_disk: Any) -> None:
    """A record that does not fit leaves nothing behind, fails, and is counted afterwards."""
    log = AuditLog.open(folder, settings(), Wall())
    log.write("received", id="1")
    await log.durable()
    size = segments(folder)[0].stat().st_size
    small_disk(size + 50)
    for _ in range(3):
        with pytest.raises(AuditError, match="the audit log takes nothing: "):
            log.write("received", id="2")
    assert segments(folder)[0].stat().st_size == size
    assert log.failing != ""
    await log.durable()
    await asyncio.sleep(5)
    assert log.failing != ""
    assert judged(folder)

    # It finds out by itself, without a command.
    small_disk(None)
    await asyncio.sleep(1.5)
    assert log.failing == ""
    log.write("received", id="3")
    await log.close()
    assert judged(folder)
    found = facts(folder)
    assert [record["step"] for record in found[2:]] == ["resumed", "received"]
    assert found[2]["not_written"] == 3
    assert judged(folder).notes[0].step == "resumed"


async def test_a_full_disk(tmp_path: Path) -> None:
    """On a disk without room nothing is taken; with room again the log goes on, and holds."""
    async with disk(tmp_path / "disk", "1m") as small:
        folder = small.inside / "audit"
        log = AuditLog.open(folder, settings("a key"), Wall())
        await asyncio.sleep(0)
        ballast = small.inside / "ballast"
        with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(bytes(4096)):
                pass
        kept = 1
        with contextlib.suppress(AuditError):
            while kept := log.write("received", text="x" * 200):
                pass
        assert log.failing == "No space left on device"
        await log.durable()
        verdict = judged(folder, "a key")
        assert (verdict.broken, verdict.last, verdict.rest) == (None, kept, 0)

        ballast.unlink()
        assert log.write("received") == kept + 2
        assert log.failing == ""
        await log.close()
        verdict = judged(folder, "a key")
        assert (verdict.broken, verdict.last) == (None, kept + 2)
        assert verdict.notes[0].facts == {"not_written": 1, "reason": "No space left on device"}


@paused
async def test_a_next_file_that_the_disk_does_not_take(
    folder: Path, small_disk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the next file cannot be begun the log stays in the one it has, and tries again."""
    monkeypatch.setattr(writer, "SEGMENT", 1_500)
    log = AuditLog.open(folder, settings(), Wall())
    while segments(folder)[0].stat().st_size < 1_400:
        log.write("received")
    await log.durable()
    small_disk(100)
    with pytest.raises(AuditError):
        log.write("received", text="x" * 200)
    assert len(segments(folder)) == 1
    small_disk(None)
    log.write("received", text="x" * 200)
    await log.durable()
    assert len(segments(folder)) == 2
    await log.close()
    assert judged(folder)


@paused
async def test_a_sync_that_fails_is_not_believed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waits is told; the next sync writes again what the disk may not have, and clears it."""
    real, fails = os.fdatasync, True

    def fdatasync(handle: int) -> None:
        if fails:
            raise OSError(5, "Input/output error")
        real(handle)

    log = AuditLog.open(folder, settings(), Wall())
    monkeypatch.setattr(os, "fdatasync", fdatasync)
    log.write("forwarded")
    for _ in range(2):
        with pytest.raises(AuditError, match="not on disk: Input/output error"):
            await log.durable()
    assert log.failing == "Input/output error"
    before = segments(folder)[0].read_bytes()
    fails = False
    await asyncio.sleep(1.5)
    assert log.failing == ""
    assert segments(folder)[0].read_bytes() == before
    await log.durable()
    await log.close()
    assert judged(folder)


async def test_a_disk_that_does_not_answer(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for ever; when it answers after all, the log goes on."""
    answer, real = threading.Event(), os.fdatasync

    def fdatasync(handle: int) -> None:
        answer.wait(10)
        real(handle)

    monkeypatch.setattr(module, "PATIENCE", 0.05)
    log = AuditLog.open(folder, settings(), Wall())
    monkeypatch.setattr(os, "fdatasync", fdatasync)
    log.write("forwarded")
    with pytest.raises(AuditError, match=r"the disk has not answered for 0\.05 s"):
        await log.durable()
    monkeypatch.setattr(module, "PATIENCE", 10)
    answer.set()
    await log.durable()
    assert log.failing == ""
    await log.close()
    assert judged(folder)


async def test_a_file_that_is_deleted_while_it_is_written(folder: Path) -> None:
    """What goes into a file that nobody can find is not durable."""
    log = AuditLog.open(folder, settings(), Wall())
    segments(folder)[0].unlink()
    log.write("forwarded")
    with pytest.raises(AuditError, match="not on disk"):
        await log.durable()
    assert log.failing
    await log.close()
