"""Whatever is done to a log, the proof finds it, and finds it where it was done."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as quick
from hypothesis import strategies as st
from small_log import judged, proof, steps, written

from gateway.audit import writer
from gateway.audit.head import HEAD
from gateway.audit.segment import segments

KEY = "the key of the tests"


@pytest.fixture
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dozen records reach over several files."""
    monkeypatch.setattr(writer, "SEGMENT", 1_000)


@pytest.fixture(params=[None, KEY], ids=["hash", "key"])
def key(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(params=[True, False], ids=["closed", "killed"])
def log(request: pytest.FixtureRequest, tmp_path: Path, key: str | None, small_files: None) -> Path:
    """A log of three files that holds."""
    folder = tmp_path / "audit"
    written(folder, steps(9), key, closed=request.param)
    assert len(segments(folder)) == 3
    assert judged(folder, key)
    return folder


def lines(folder: Path) -> Iterator[tuple[Path, int, bytes, int]]:
    """Yield file, number of the line, its text and its record's number."""
    record = 0
    for path in segments(folder):
        for number, line in enumerate(path.read_bytes().splitlines(keepends=True), 1):
            record += 1
            yield path, number, line, record


def replace(path: Path, number: int, *new: bytes) -> None:
    all_lines = path.read_bytes().splitlines(keepends=True)
    all_lines[number - 1 : number] = new
    path.write_bytes(b"".join(all_lines))


def test_every_byte_that_is_changed_is_found_where_it_is(log: Path, key: str | None) -> None:
    """Each byte of each record, changed to another, breaks the proof at its file, line, record."""
    random = Random(3)
    for path, number, line, record in lines(log):
        whole = path.read_bytes()
        for at, old in enumerate(line):
            others = {random.randrange(256), random.choice((old ^ 1, 0, 10, 34))} - {old}
            for new in others:
                changed = line[:at] + bytes([new]) + line[at + 1 :]
                replace(path, number, changed)
                broken = judged(log, key).broken
                assert broken is not None, (record, at, new)
                assert (broken.file, broken.line, broken.record) == (path.name, number, record)
                path.write_bytes(whole)
    assert judged(log, key)


def test_every_byte_that_is_taken_out_or_put_in_is_found(log: Path, key: str | None) -> None:
    """A file that is a byte shorter or longer anywhere breaks the proof."""
    for path in segments(log):
        whole = path.read_bytes()
        for at in range(len(whole) + 1):
            for new in (whole[:at] + whole[at + 1 :], whole[:at] + b"7" + whole[at:]):
                if new == whole or (at == len(whole) and not is_closed(log, path)):
                    continue  # what follows a killed gateway's last record is its unfinished one
                path.write_bytes(new)
                assert judged(log, key).broken is not None, (path.name, at)
        path.write_bytes(whole)


def is_closed(log: Path, path: Path) -> bool:
    return path != segments(log)[-1] or b'"closed":true' in (log / HEAD).read_bytes()


def test_every_record_that_is_deleted_is_found(log: Path, key: str | None) -> None:
    """A log without one of its records breaks where that one stood."""
    for path, number, _, record in list(lines(log)):
        whole = path.read_bytes()
        replace(path, number)
        broken = judged(log, key).broken
        assert broken is not None
        assert broken.record == record
        assert broken.what.split(":")[0] in ("deleted", "cut", "edited")
        path.write_bytes(whole)
    assert judged(log, key)


def test_every_record_that_is_repeated_is_found(log: Path, key: str | None) -> None:
    """Each record, put in behind each other one, breaks the proof there."""
    every = list(lines(log))
    for path, number, line, record in every:
        whole = path.read_bytes()
        for _, _, again, other in every:
            replace(path, number, line, again)
            if other == record + 1:
                assert judged(log, key).broken is not None
            else:
                broken = judged(log, key).broken
                assert broken is not None, (record, other)
                assert (broken.file, broken.line) == (path.name, number + 1), (record, other)
            path.write_bytes(whole)


def test_every_two_records_that_change_places_are_found(log: Path, key: str | None) -> None:
    """Two records of a file that are swapped break the proof at the first of them."""
    for path in segments(log):
        whole = path.read_bytes()
        own = whole.splitlines(keepends=True)
        for i in range(len(own)):
            for j in range(i + 1, len(own)):
                swapped = own.copy()
                swapped[i], swapped[j] = own[j], own[i]
                path.write_bytes(b"".join(swapped))
                broken = judged(log, key).broken
                assert broken is not None
                assert (broken.file, broken.line) == (path.name, i + 1)
                if i:
                    assert broken.what.startswith("reordered")
        path.write_bytes(whole)


def test_a_log_that_is_cut_at_any_byte_is_found(log: Path, key: str | None) -> None:
    """The end of the log, cut off at any byte, is missed."""
    whole = {path: path.read_bytes() for path in segments(log)}
    for cut in whole:
        for at in range(len(whole[cut])):
            for path, text in whole.items():
                path.unlink(missing_ok=True)
                if path <= cut:
                    path.write_bytes(text[:at] if path == cut else text)
            assert judged(log, key).broken is not None, (cut.name, at)


def test_every_file_that_is_missing_is_found(log: Path, key: str | None) -> None:
    """A log without one of its files, or without its first or last ones, breaks."""
    files = segments(log)
    for gone in (files[:1], files[1:2], files[2:], files[:2], files[1:], files):
        kept = log.with_name("kept")
        shutil.copytree(log, kept)
        for path in gone:
            (kept / path.name).unlink()
        assert judged(kept, key).broken is not None, gone
        shutil.rmtree(kept)


def test_a_file_of_another_name_is_found(log: Path, key: str | None) -> None:
    """A file that was renamed, or copied to the end, does not belong there."""
    first, *_, last = segments(log)
    shutil.copy(first, last.with_name("audit-00000004.jsonl"))
    assert judged(log, key).broken is not None
    for path in reversed(segments(log)):
        path.rename(path.with_name(f"audit-{int(path.stem[-8:]) + 1:08d}.jsonl"))
    assert judged(log, key).broken is not None


def test_a_head_that_is_changed_at_any_byte_or_gone_is_found(log: Path, key: str | None) -> None:
    """The head holds with its own bytes only."""
    head = log / HEAD
    whole = head.read_bytes()
    for at, old in enumerate(whole):
        for new in {old ^ 1, 0, 10} - {old}:
            head.write_bytes(whole[:at] + bytes([new]) + whole[at + 1 :])
            broken = judged(log, key).broken
            assert broken is not None, (at, new)
            assert broken.file == HEAD
    for other in (whole[:-1], whole + b" ", b"", whole[1:]):
        head.write_bytes(other)
        assert judged(log, key).broken is not None
    head.unlink()
    broken = judged(log, key).broken
    assert broken is not None
    assert broken.what == "head: it is missing"


def test_a_log_that_lost_its_oldest_files_is_no_easier_to_change(
    tmp_path: Path, key: str | None, small_files: None
) -> None:
    """Where the proof begins with a later file, each byte of its first record counts as well."""
    folder = tmp_path / "audit"
    written(folder, steps(60), key, max_size=8_000)
    assert judged(folder, key).first > 1
    path = segments(folder)[0]
    whole = path.read_bytes()
    for at, old in enumerate(whole.splitlines(keepends=True)[0]):
        path.write_bytes(whole[:at] + bytes([old ^ 1]) + whole[at + 1 :])
        broken = judged(folder, key).broken
        assert broken is not None
        assert (broken.file, broken.line) == (path.name, 1)
    path.write_bytes(whole)
    assert proof(folder, key) == f"{judged(folder, key).last} {judged(folder, key).hash}"
    path.unlink()
    assert judged(folder, key).broken is not None
    assert proof(folder, key) == "AssertionError: the beginning is missing"


def test_another_key_proves_nothing(tmp_path: Path) -> None:
    """What was written with a key holds with that key alone."""
    written(tmp_path / "audit", steps(3), KEY)
    assert judged(tmp_path / "audit", KEY)
    assert not judged(tmp_path / "audit", KEY + "!")


def test_a_log_that_was_written_anew_without_the_key_is_found(tmp_path: Path) -> None:
    """Who does not have the key cannot write a log that holds with it."""
    written(tmp_path / "audit", steps(3))
    broken = judged(tmp_path / "audit", KEY).broken
    assert broken is not None
    assert "written without a key" in broken.what


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
NAME = st.from_regex(r"[a-z_]{1,8}", fullmatch=True).filter(
    lambda name: name not in ("n", "time", "step", "hash", "self")
)
RECORDS = st.lists(
    st.tuples(st.sampled_from(["received", "refused", "login"]), st.dictionaries(NAME, JSON)),
    min_size=1,
    max_size=12,
)


@quick(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(records=RECORDS, keyed=st.booleans(), closed=st.booleans(), data=st.data())
def test_any_log_holds_until_it_is_changed(
    tmp_path: Path, small_files: None, records: Any, keyed: bool, closed: bool, data: st.DataObject
) -> None:
    """A log of anything verifies; with any byte changed it does not."""
    folder, key = tmp_path / "audit", KEY if keyed else None
    shutil.rmtree(folder, ignore_errors=True)
    written(folder, records, key, closed=closed)

    verdict = judged(folder, key)
    assert verdict.broken is None
    for _ in range(20):
        path = data.draw(st.sampled_from([*segments(folder), folder / HEAD]))
        whole = path.read_bytes()
        at = data.draw(st.integers(0, len(whole) - 1))
        new = data.draw(st.integers(0, 255).filter(lambda byte, old=whole[at]: byte != old))
        path.write_bytes(whole[:at] + bytes([new]) + whole[at + 1 :])
        assert not judged(folder, key), (path.name, at, new)
        path.write_bytes(whole)
    assert judged(folder, key) == verdict


def test_the_documented_proof_agrees(log: Path, key: str | None) -> None:
    """The few lines of docs/audit.md come to the same last hash, and complain where we do."""
    verdict = judged(log, key)
    assert proof(log, key) == f"{verdict.last} {verdict.hash}"

    path = segments(log)[1]
    text = path.read_bytes()
    path.write_bytes(text.replace(b"feeder1", b"feeder2", 1))
    assert proof(log, key).startswith("AssertionError")
    path.write_bytes(text)

    last = segments(log)[-1]
    last.write_bytes(b"".join(last.read_bytes().splitlines(keepends=True)[:-1]))
    assert proof(log, key) == "AssertionError: the end is missing"
