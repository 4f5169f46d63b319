"""Killed at any instant, on a disk that is full: what was promised is there, and the log holds."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from random import Random
from typing import Any

import pytest
from small_log import START, Wall, abandon, judged, settings, steps, written

from gateway.audit import AuditError, AuditLog, records
from gateway.audit.head import HEAD
from gateway.audit.segment import segments

WRITING = Path(__file__).with_name("writing.py")
KILLS = 12


def run_and_kill(folder: Path, seconds: float, max_size: int = 10**9) -> dict[int, str]:
    """Let a process write for so long and kill it; returns the records that were durable."""
    with subprocess.Popen(
        [sys.executable, WRITING, str(folder), str(max_size)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(seconds)
        process.kill()
        rest = process.stdout.read()
    # The kill may have cut the last line short.
    said = (first + rest).rpartition("\n")[0].splitlines()
    return {int(n): name for n, name in (line.split() for line in said)}


def test_killed_at_any_instant(tmp_path: Path) -> None:
    """Whenever it is killed, the log holds before and after it is opened again, and has all that
    was durable, with the number it was given.
    """
    folder, random, promised = tmp_path / "audit", Random(), dict[int, str]()
    for _ in range(KILLS):
        promised |= run_and_kill(folder, random.uniform(0.0, 0.15))
        verdict = judged(folder)
        assert verdict.broken is None
        found = {record.n: record.facts.get("id") for record in records(folder)}
        assert promised.items() <= found.items()
    assert len(segments(folder)) > 2
    verdict = judged(folder)
    assert {note.step for note in verdict.notes} <= {"repaired"}


def test_killed_while_old_files_go(tmp_path: Path) -> None:
    """Killed while the oldest files are deleted to make room, the log holds all the same."""
    folder, random = tmp_path / "audit", Random()
    for _ in range(KILLS // 2):
        promised = run_and_kill(folder, random.uniform(0.05, 0.2), 60_000)
        verdict = judged(folder)
        assert verdict.broken is None
        kept = {record.n for record in records(folder)}
        assert {n for n in promised if n >= verdict.first} <= kept
    assert judged(folder).first > 1
    assert sum(path.stat().st_size for path in segments(folder)) < 120_000


@pytest.mark.parametrize("rest", [b"{", b'{"n":9,"time":"2026-', b"\0" * 4096, b"\0\0\n\0"])
def test_an_unfinished_end_is_cut_away_on_record(tmp_path: Path, rest: bytes) -> None:
    """Half a record, or pages that a power failure left unwritten, are no forgery: the proof holds,
    and the next start cuts them away and says so.
    """
    folder = tmp_path / "audit"
    written(folder, steps(5), closed=False)
    with segments(folder)[-1].open("ab") as file:
        file.write(rest)
    verdict = judged(folder)
    assert (verdict.broken, verdict.last, verdict.rest) == (None, 6, len(rest))

    written(folder, [("started", {})])
    verdict = judged(folder)
    assert (verdict.broken, verdict.last, verdict.rest) == (None, 8, 0)
    assert verdict.notes[0].step == "repaired"
    assert verdict.notes[0].facts["bytes"] == len(rest)


def test_damage_behind_the_head_is_cut_away_on_record(tmp_path: Path) -> None:
    """A power failure may leave pages in any order; behind the head nothing was promised."""
    folder = tmp_path / "audit"
    written(folder, steps(3), closed=False)
    head = (folder / HEAD).read_bytes()
    written(folder, steps(6), closed=False)
    (folder / HEAD).write_bytes(head)
    text = segments(folder)[-1].read_bytes().splitlines(keepends=True)
    text[6] = text[6][:30] + bytes(50) + text[6][80:]
    segments(folder)[-1].write_bytes(b"".join(text))

    written(folder, [("started", {})])
    assert judged(folder).broken is None
    assert [record.n for record in records(folder)] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [record.step for record in records(folder)][-2:] == ["repaired", "started"]


def test_killed_at_the_very_beginning(tmp_path: Path) -> None:
    """A log whose first file, or whose head, is still empty is begun."""
    folder = tmp_path / "audit"
    folder.mkdir()
    (folder / HEAD).touch()
    written(folder, steps(1), closed=False)
    assert judged(folder).last == 2

    other = tmp_path / "other"
    written(other, steps(1))
    (folder / HEAD).write_bytes((other / HEAD).read_bytes())
    assert judged(folder)


def test_killed_between_a_new_file_and_its_first_record(tmp_path: Path) -> None:
    """An empty last file, or half of its first record, is gone on with."""
    for rest in (b"", b'{"n":7,"ti'):
        folder = tmp_path / str(len(rest)) / "audit"
        written(folder, steps(5), closed=False)
        (folder / "audit-00000002.jsonl").write_bytes(rest)
        assert judged(folder)
        written(folder, steps(2))
        verdict = judged(folder)
        assert verdict.broken is None
        assert len(segments(folder)) == 2


@pytest.mark.parametrize("change", ["edited", "cut", "head", "deleted"])
def test_a_log_that_was_changed_is_set_aside(tmp_path: Path, change: str) -> None:
    """A log that does not hold at its end is kept beside, and a new one says why and where."""
    folder = tmp_path / "audit"
    written(folder, steps(6))
    verdict = judged(folder)
    path = segments(folder)[0]
    text = path.read_bytes()
    if change == "edited":
        path.write_bytes(text.replace(b"c-1", b"c-7", 1))
    elif change == "cut":
        path.write_bytes(text[:-1])
    elif change == "deleted":
        path.unlink()
    else:
        (folder / HEAD).unlink()
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    log = AuditLog.open(folder, settings(), Wall(START + 10**12))
    assert {record.facts.get("id") for record in log.recall(0)} >= (
        set() if change == "deleted" else {"c-0"}
    )
    abandon(log)
    begun, note = records(folder)
    assert (begun.n, begun.step, note.step) == (1, "file_begun", "set_aside")
    kept = tmp_path / str(note.facts["folder"])
    assert {path.name: path.read_bytes() for path in kept.iterdir()} == before
    if change != "head":
        assert verdict.hash in note.facts["head"]
    if change in ("edited", "head"):
        assert (note.facts["last"], note.facts["last_hash"]) == (verdict.last, verdict.hash)
    assert judged(folder)


def test_a_log_that_was_taken_away_between_is_named(tmp_path: Path) -> None:
    """Where the last start set a log aside and got no further, the next one says so."""
    folder = tmp_path / "audit"
    written(folder, steps(6))
    end = judged(folder).hash
    folder.rename(tmp_path / "audit.aside-0001")
    written(folder, [])
    (note,) = judged(folder).notes
    assert (note.facts["folder"], note.facts["last_hash"]) == ("audit.aside-0001", end)
    written(folder, [])
    assert len(judged(folder).notes) == 1


def test_a_repair_on_a_full_disk_is_on_record_later(tmp_path: Path, small_disk: Any) -> None:
    """A log can be opened where there is no room to say what was repaired."""
    folder = tmp_path / "audit"
    written(folder, steps(5), closed=False)
    size = segments(folder)[0].stat().st_size
    with segments(folder)[0].open("ab") as file:
        file.write(b"torn")
    small_disk(size + 10)
    log = AuditLog.open(folder, settings(), Wall())
    assert log.failing
    with pytest.raises(AuditError):
        log.write("started")
    small_disk(None)
    log.write("started")
    assert not log.failing
    abandon(log)
    assert [record.step for record in records(folder)][-3:] == ["repaired", "resumed", "started"]
    assert judged(folder)


def test_another_key_begins_another_log(tmp_path: Path) -> None:
    """A key that is new, or changed, or gone, begins a new log that names the end of the old."""
    folder = tmp_path / "audit"
    ends = []
    for key in (None, "one", "two", None):
        written(folder, steps(2), key)
        verdict = judged(folder, key)
        assert verdict.broken is None
        ends.append(verdict)
    kept = sorted(tmp_path.glob("audit.aside-*"))
    assert [judged(path, key).hash for path, key in zip(kept, (None, "one", "two"), strict=True)]
    assert [end.notes[0].facts["reason"] for end in ends[1:]] == [
        "it has no key, the configuration has one",
        "it has another key, the configuration has one",
        "it has a key, and the configuration has none",
    ]
    assert [end.notes[0].facts["last_hash"] for end in ends[1:]] == [end.hash for end in ends[:-1]]


def test_a_log_is_for_one_gateway(tmp_path: Path) -> None:
    """A second gateway with the same folder is refused, until the first is gone."""
    log = AuditLog.open(tmp_path / "audit", settings(), Wall())
    with pytest.raises(AuditError, match="audit is in use by another gateway"):
        AuditLog.open(tmp_path / "audit", settings(), Wall())
    abandon(log)
    abandon(AuditLog.open(tmp_path / "audit", settings(), Wall()))


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """The sentence names the folder and why."""
    (tmp_path / "data").touch()
    with pytest.raises(AuditError, match=r"data/audit: (File exists|Not a directory): the audit"):
        AuditLog.open(tmp_path / "data" / "audit", settings(), Wall())


def test_something_else_in_its_place(tmp_path: Path) -> None:
    """What cannot be a log is named, and left alone; once it is gone the log is begun."""
    (tmp_path / "audit").touch()
    with pytest.raises(AuditError, match="audit: File exists: the audit log lives there"):
        AuditLog.open(tmp_path / "audit", settings(), Wall())
    (tmp_path / "audit").unlink()
    (tmp_path / "audit" / "audit-00000001.jsonl").mkdir(parents=True)
    with pytest.raises(AuditError, match="jsonl: Is a directory"):
        AuditLog.open(tmp_path / "audit", settings(), Wall())
    (tmp_path / "audit" / HEAD).touch()
    with pytest.raises(AuditError, match=r"Is a directory: .*jsonl"):
        judged(tmp_path / "audit")
    with pytest.raises(AuditError, match="jsonl: Is a directory"):
        list(records(tmp_path / "audit"))
    (tmp_path / "audit" / "audit-00000001.jsonl").rmdir()
    abandon(AuditLog.open(tmp_path / "audit", settings(), Wall()))


def test_an_empty_key_is_no_key(tmp_path: Path) -> None:
    """A key without a character, from a variable that is not set, is refused."""
    with pytest.raises(AuditError, match="the key of the audit log is empty"):
        AuditLog.open(tmp_path / "audit", settings(""), Wall())
