"""The journal: custody means disk, bounds shed by policy, a full disk is survived."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.journal import journal as module
from gateway.journal.journal import Journal
from gateway.journal.store import Reader, Store, Transaction
from gateway.model.batch import Batch, PointColumn
from gateway.model.configuration import JournalSettings, WhenFull
from gateway.model.errors import CustodyRefused
from gateway.testing import paused

SECOND = 10**9


class Wanting:
    """A consumer that must have everything and has had nothing."""

    def __init__(self) -> None:
        self.name = "wanting"
        self.changed = True
        self.wants: set[int] = set()
        self.lost: list[tuple[int, str]] = []

    def holds(self, seq: int) -> bool:
        return seq in self.wants

    def rows_in(self, batch: Batch) -> int:
        return len(batch)

    def undelivered(self) -> Iterator[tuple[int, int]]:
        return ((seq, seq) for seq in sorted(self.wants))

    def state(self) -> Any:
        return {"wants": sorted(self.wants)}

    def lose(self, seq: int, points: PointColumn, reason: str) -> None:
        self.wants.discard(seq)
        self.lost.append((seq, reason))


class Bench:
    """A journal on a file, with one consumer and a wall clock that the test moves."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.now = 1_000 * SECOND
        self.store = Store(folder / "journal.db")
        self.journal = Journal(self.store, JournalSettings(**settings), lambda: self.now)
        self.consumer = Wanting()
        self.journal.register(self.consumer)

    def append(self, rows: int = 10) -> int:
        seq = self.journal.append(Batch.of([0] * rows, range(rows), 0, self.now))
        if self.journal.keeps(seq):
            self.consumer.wants.add(seq)
        return seq

    def on_disk(self) -> list[tuple[int, int]]:
        reader = Reader(self.store.path)
        try:
            return [(seq, len(batch)) for seq, batch in reader.read(0, 10**9, 10**9)]
        finally:
            reader.close()

    def fill_disk(self) -> None:
        """Leave the file no page to grow by: what SQLite says of a full disk."""
        pages = self.store._db.execute("PRAGMA page_count").fetchone()[0]
        self.store._db.execute(f"PRAGMA max_page_count={pages}")

    def free_disk(self) -> None:
        self.store._db.execute("PRAGMA max_page_count=1000000")


async def test_custody_comes_with_the_commit(tmp_path: Path) -> None:
    """The future of a batch is done when another connection can read the batch, and not before."""
    bench = Bench(tmp_path)
    seq = bench.append(3)
    custody = bench.journal.custody()

    assert not custody.done()
    assert bench.on_disk() == []
    assert await bench.journal.commit()

    assert custody.done()
    assert bench.on_disk() == [(seq, 3)]
    await bench.journal.close()


@pytest.mark.parametrize("turns", range(4))
async def test_a_cancellation_ends_it(tmp_path: Path, turns: int) -> None:
    """Whenever it comes, in the moment too in which a device begins to wait."""
    bench = Bench(tmp_path)
    task = asyncio.create_task(bench.journal.run())
    bench.append()
    await bench.journal.custody()
    await asyncio.sleep(0)
    bench.append()
    custody = bench.journal.custody()
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task], timeout=5)

    assert task.done()
    custody.cancel()
    await bench.journal.close()


async def test_what_all_have_leaves_the_disk(tmp_path: Path) -> None:
    """A batch is deleted with the next commit after its last consumer has it."""
    bench = Bench(tmp_path)
    first, second = bench.append(), bench.append()
    await bench.journal.commit()
    bench.consumer.wants.remove(first)
    await bench.journal.commit()

    assert bench.on_disk() == [(second, 10)]
    assert bench.journal.bytes == 220
    await bench.journal.close()


async def test_what_all_have_already_need_not_be_written(tmp_path: Path) -> None:
    """A batch acknowledged before its commit is in custody of its consumers, not of the disk."""
    bench = Bench(tmp_path)
    seq = bench.append()
    custody = bench.journal.custody()
    bench.consumer.wants.remove(seq)
    await bench.journal.commit()

    assert custody.done()
    assert bench.on_disk() == []
    await bench.journal.close()


async def test_numbers_are_never_used_again(tmp_path: Path) -> None:
    """After a restart with an empty journal the next batch has the next number."""
    bench = Bench(tmp_path)
    last = bench.append()
    bench.consumer.wants.clear()
    await bench.journal.close()

    bench = Bench(tmp_path)

    assert last + 1 == bench.append()
    await bench.journal.close()


async def test_one_commit_takes_all_that_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Group commit: a hundred batches from a hundred emitters are one transaction."""
    bench = Bench(tmp_path)
    commits: list[int] = []
    real = bench.store.commit

    def counted(change: Transaction) -> int:
        commits.append(len(change.batches))
        return real(change)

    monkeypatch.setattr(bench.store, "commit", counted)
    for _ in range(100):
        bench.append(1)
    await bench.journal.commit()

    assert commits == [100]
    await bench.journal.close()


@paused
async def test_a_device_that_waits_is_not_kept_waiting(tmp_path: Path) -> None:
    """One batch after the other, each when the one before is in custody: the disk alone counts.

    Batches that nobody waits for gather for the interval of group commits.
    """
    bench = Bench(tmp_path)
    loop = asyncio.get_running_loop()
    work = asyncio.create_task(bench.journal.run())
    begun = loop.time()
    for _ in range(20):
        bench.append()
        await bench.journal.custody()
    assert loop.time() - begun == pytest.approx(0.0, abs=1e-6)
    commits: list[int] = []
    write = bench.store.commit

    def noted(change: Transaction) -> Any:
        commits.append(len(change.batches))
        return write(change)

    bench.store.commit = noted  # type: ignore[method-assign]
    await asyncio.sleep(1.0)
    for _ in range(20):
        bench.append()
        await asyncio.sleep(0.001)
    await asyncio.sleep(1.0)
    assert commits[0] == 1
    assert sum(commits) == 20
    assert len(commits) <= 4
    bench.journal.stop()
    await work
    await bench.journal.close()


async def test_a_full_disk_is_survived(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What the disk refuses stays in memory, once said, and is written when there is room."""
    bench = Bench(tmp_path)
    bench.fill_disk()
    for _ in range(3):
        bench.append(5_000)
    custody = bench.journal.custody()

    assert not await bench.journal.commit()
    assert not await bench.journal.commit()
    assert "full" in bench.journal.failing
    assert not custody.done()
    assert caplog.text.count("nothing is written until this is mended") == 1

    bench.free_disk()
    assert await bench.journal.commit()
    assert custody.done()
    assert bench.journal.failing == ""
    assert [rows for _, rows in bench.on_disk()] == [5_000] * 3
    assert "the disk takes samples again" in caplog.text
    await bench.journal.close()


async def test_memory_for_a_full_disk_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond its share of memory the oldest is shed, its emitter is refused, and it is counted."""
    monkeypatch.setattr(module, "PENDING_ROWS", 25)
    bench = Bench(tmp_path)
    bench.fill_disk()
    oldest = bench.append(10)
    refused = bench.journal.custody()
    bench.append(10)
    bench.append(10)

    assert bench.consumer.lost == [(oldest, "disk")]
    with pytest.raises(CustodyRefused, match="the disk is too slow"):
        await refused
    bench.free_disk()
    await bench.journal.close()


async def test_the_newest_is_refused_where_the_policy_says_so(tmp_path: Path) -> None:
    """drop_newest: a batch beyond the bound is numbered, refused, and not kept."""
    bench = Bench(tmp_path, max_size=500, when_full=WhenFull.DROP_NEWEST)
    first, second = bench.append(10), bench.append(15)
    third = bench.append(10)
    custody = bench.journal.custody()

    assert [bench.journal.keeps(seq) for seq in (first, second, third)] == [True, True, False]
    with pytest.raises(CustodyRefused, match="the journal is full"):
        await custody
    await bench.journal.close()


async def run_for(bench: Bench, monkeypatch: pytest.MonkeyPatch, condition: Any) -> None:
    """Let the journal's own loop work until the condition holds."""
    monkeypatch.setattr(module, "BOUNDS_INTERVAL", 0.01)
    task = asyncio.create_task(bench.journal.run())
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)
    bench.journal.stop()
    await task


async def test_the_oldest_is_shed_when_the_journal_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """drop_oldest: 10 rows are 220 bytes; of three batches the bound of 500 bytes leaves two."""
    bench = Bench(tmp_path, max_size=500)
    seqs = [bench.append() for _ in range(3)]
    await bench.journal.commit()
    await run_for(bench, monkeypatch, lambda: bench.journal.bytes <= 500)

    assert bench.consumer.lost == [(seqs[0], "journal_full")]
    assert [seq for seq, _ in bench.on_disk()] == seqs[1:]
    await bench.journal.close()


async def test_what_is_too_old_is_shed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch older than the bound goes, one that is not stays."""
    bench = Bench(tmp_path, max_age="1h")
    old = bench.append()
    await bench.journal.commit()
    bench.now += 3_590 * SECOND
    young = bench.append()
    await bench.journal.commit()
    bench.now += 20 * SECOND
    await run_for(bench, monkeypatch, lambda: bench.consumer.lost)

    assert bench.consumer.lost == [(old, "journal_age")]
    assert [seq for seq, _ in bench.on_disk()] == [young]
    await bench.journal.close()


async def test_emitters_wait_where_the_policy_is_to_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """wait: no room from the bound on, and room again when a consumer has taken some."""
    bench = Bench(tmp_path, max_size=500, when_full=WhenFull.WAIT)
    for _ in range(3):
        bench.append()
    await bench.journal.commit()
    room: list[asyncio.Task[None]] = []

    def full() -> bool:
        if not room and not bench.journal._room.is_set():
            room.append(asyncio.create_task(bench.journal.room()))
        return bool(room)

    await run_for(bench, monkeypatch, full)
    assert not room[0].done()
    bench.consumer.wants.pop()
    await bench.journal.commit()
    await asyncio.wait_for(room[0], 5)

    assert bench.consumer.lost == []
    await bench.journal.close()


async def test_a_full_disk_lets_the_delivered_go_first(tmp_path: Path) -> None:
    """What is delivered while the disk is full is deleted, and its room taken by what waits."""
    bench = Bench(tmp_path)
    delivered = bench.append(5_000)
    await bench.journal.commit()
    bench.fill_disk()
    waiting = bench.append(4_000)
    assert not await bench.journal.commit()
    bench.consumer.wants.remove(delivered)

    assert await bench.journal.commit()
    assert bench.on_disk() == [(waiting, 4_000)]
    assert bench.store.sinks()["wanting"]["wants"] == [waiting]
    await bench.journal.close()
