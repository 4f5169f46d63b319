"""The journal as the engine sees it: append, group commit, read back, shed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

from gateway.journal.ranges import Ranges
from gateway.journal.store import ROW_BYTES, Reader, Store, Transaction
from gateway.model.batch import Batch, PointColumn
from gateway.model.configuration import JournalSettings, WhenFull
from gateway.model.errors import CustodyRefused

COMMIT_INTERVAL = 0.01
"""Seconds between group commits where no device waits for one."""
CURSOR_INTERVAL = 0.2
"""Seconds until moved cursors are written where no samples are; a crash repeats that much."""
BOUNDS_INTERVAL = 1.0
"""Seconds between looks at the journal's size and age."""
RETRY = 1.0
"""Seconds until a commit that the disk refused is tried again."""
PENDING_ROWS = 500_000
"""Most samples in memory that the disk has not taken."""

T = TypeVar("T")

log = logging.getLogger(__name__)


class Holder(Protocol):
    """A feed, as far as the journal needs to know it."""

    name: str
    changed: bool

    def holds(self, seq: int) -> bool: ...
    def rows_in(self, batch: Batch) -> int: ...
    def undelivered(self) -> Iterable[tuple[int, int]]: ...
    def state(self) -> Any: ...
    def lose(self, seq: int, points: PointColumn, reason: str) -> None: ...


@dataclass(slots=True)
class Pending:
    """A batch on its way to the disk, and who waits for its arrival."""

    seq: int
    time: int
    batch: Batch
    custody: asyncio.Future[None] | None = None

    def refuse(self, why: str) -> None:
        if self.custody is not None and not self.custody.done():
            self.custody.set_exception(CustodyRefused(why))

    def accept(self) -> None:
        if self.custody is not None and not self.custody.done():
            self.custody.set_result(None)


class Journal:
    """The durable log of batches that some sink must still have.

    Lives on the event loop; the file is touched in two threads, one that writes, one that reads.
    Sequence numbers grow by one per batch and are never used again.
    """

    def __init__(self, store: Store, settings: JournalSettings, now: Callable[[], int]) -> None:
        self._store = store
        self._reader = Reader(store.path)
        self._settings = settings
        self._now = now
        self._writing = ThreadPoolExecutor(1, "journal-write")
        self._reading = ThreadPoolExecutor(1, "journal-read")
        self._holders: list[Holder] = []
        self._stored, self.bytes = store.extent()
        self._kept = Ranges(self._stored)
        self._condemned = Ranges()
        self.head = store.head()
        self._pending: deque[Pending] = deque()
        self._pending_rows = 0
        self._writing_rows = 0
        self._wanted = asyncio.Event()
        self._soon: asyncio.TimerHandle | None = None
        self._room = asyncio.Event()
        self._room.set()
        self._stopping = asyncio.Event()
        self._committing = asyncio.Lock()
        self._next_commit: asyncio.Future[None] | None = None
        self._awaited = asyncio.Event()
        self.failing = ""
        """Why the disk takes nothing at the moment; empty while it does."""

    def register(self, holder: Holder) -> None:
        self._holders.append(holder)

    # Taking samples

    def append(self, batch: Batch) -> int:
        """Take a batch for the next group commit and return its seq.

        Where the policy sheds the newest and there is no room, it is numbered and not kept.
        """
        self.head += 1
        pending = Pending(self.head, self._now(), batch)
        if self._settings.when_full is WhenFull.DROP_NEWEST and self._is_full():
            self._last = pending
            pending.custody = asyncio.get_running_loop().create_future()
            pending.custody.set_exception(CustodyRefused("the journal is full"))
            pending.custody.exception()
            return self.head
        self._pending.append(pending)
        self._last = pending
        self._pending_rows += len(batch)
        self._kept.add(self.head, self.head)
        if self._held_rows > PENDING_ROWS:
            self._overflow()
        self._wanted.set()
        return self.head

    def custody(self) -> asyncio.Future[None]:
        """Return what is done when the batch appended last is on disk or with all its consumers.

        It raises CustodyRefused where the batch was shed before.
        """
        if self._last.custody is None:
            self._last.custody = asyncio.get_running_loop().create_future()
            self._awaited.set()
        return self._last.custody

    @property
    def has_room(self) -> bool:
        return self._room.is_set()

    async def room(self) -> None:
        """Wait until a batch may be appended; at once, unless the policy is to wait."""
        await self._room.wait()

    @property
    def _held_rows(self) -> int:
        return self._pending_rows + self._writing_rows

    def _is_full(self) -> bool:
        return (
            self.bytes + self._held_rows * ROW_BYTES > self._settings.max_size
            or self._held_rows > PENDING_ROWS
        )

    def _overflow(self) -> None:
        """Shed what the disk did not take, as the policy says."""
        if self._settings.when_full is WhenFull.WAIT:
            self._room.clear()
            return
        while self._pending and self._held_rows > PENDING_ROWS:
            oldest = self._pending.popleft()
            self._pending_rows -= len(oldest.batch)
            self._lose(oldest.seq, oldest.batch.point, "disk")
            oldest.refuse(self.failing or "the disk is too slow")

    def _lose(self, seq: int, points: PointColumn, reason: str) -> None:
        self._kept.remove(seq, seq)
        for holder in self._holders:
            holder.lose(seq, points, reason)

    # What the feeds ask

    def keeps(self, seq: int) -> bool:
        """Say whether the batch can still be read back, now or after the next commit."""
        return seq in self._kept

    def readable(self, first: int, last: int) -> bool:
        """Say whether any batch of first..last is on disk already."""
        return bool(self._stored.within(first, last))

    async def read(self, first: int, last: int, rows: int) -> list[tuple[int, Batch]]:
        """Return batches of first..last in order, until `rows` are reached (at least one batch)."""
        return await asyncio.get_running_loop().run_in_executor(
            self._reading, self._reader.read, first, last, rows
        )

    async def taken(self, seq: int) -> int | None:
        """Return when batch `seq`, or the first behind it that is kept, was taken (ns)."""
        return await self._in_reader(partial(self._reader.taken, seq)) or next(
            (item.time for item in self._pending if item.seq >= seq), None
        )

    async def history(
        self, point: int, since: int, until: int, most: int
    ) -> tuple[list[Batch], bool]:
        """Return rows of a point with times in since..until (ns), oldest first, as far as they are
        on disk: the newest `most`, and whether these are all.

        The disk is read in portions, so that no feed waits for long.
        """
        found: deque[Batch] = deque()
        rows, last = 0, self.head
        while True:
            portion, last = await self._in_reader(
                partial(self._reader.rows_of, point, since, until, last)
            )
            for batch in portion:
                batch = batch.take(slice(max(0, len(batch) - (most - rows)), None))
                found.appendleft(batch)
                rows += len(batch)
                if rows >= most:
                    return list(found), False
            if last <= 0:
                return list(found), True

    async def _in_reader(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._reading, work)

    async def settled(self) -> None:
        """Wait until the commit that is next is over, whatever became of it."""
        if self._next_commit is None:
            self._next_commit = asyncio.get_running_loop().create_future()
        self.want_commit()
        await self._next_commit

    def want_commit(self) -> None:
        """Have moved cursors written soon."""
        if self._soon is None and not self._wanted.is_set():
            self._soon = asyncio.get_running_loop().call_later(CURSOR_INTERVAL, self._want)

    def _want(self) -> None:
        self._soon = None
        self._wanted.set()

    # Committing

    async def run(self) -> None:
        """Commit until `stop`; never raises for what a disk can do."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch_bounds(), name="journal bounds")
            while not self._stopping.is_set():
                await self._wanted.wait()
                self._wanted.clear()
                self._awaited.clear()
                if await self.commit():
                    await self._gather()
                else:
                    await self._pause(RETRY)
                    self._wanted.set()

    async def _gather(self) -> None:
        """Let batches gather for the next commit, until a device waits for one.

        What comes while a commit is written goes with the next in any case.
        """
        # Not wait_for: before Python 3.12 it loses a cancellation that comes with the event.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(COMMIT_INTERVAL):
                await self._awaited.wait()

    def stop(self) -> None:
        """Let `run` end."""
        self._stopping.set()
        self._wanted.set()

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    async def commit(self) -> bool:
        """Write everything that waits, in one transaction; False where the disk refused."""
        async with self._committing:
            try:
                return await self._commit()
            finally:
                if self._next_commit is not None:
                    self._next_commit.set_result(None)
                    self._next_commit = None

    async def _commit(self) -> bool:
        if self.failing and not await self._relieve():
            return False
        taken = self._pending
        self._pending = deque()
        self._writing_rows, self._pending_rows = self._pending_rows, 0
        needed: list[Pending] = []
        passed: list[Pending] = []
        for item in taken:
            (needed if any(h.holds(item.seq) for h in self._holders) else passed).append(item)
        changed = [holder for holder in self._holders if holder.changed]
        change = Transaction(
            self.head,
            [(item.seq, item.time, item.batch) for item in needed],
            {holder.name: holder.state() for holder in changed},
            list(self._superfluous()),
        )
        for holder in changed:
            holder.changed = False
        for item in passed:
            self._kept.remove(item.seq, item.seq)
        try:
            freed = await asyncio.get_running_loop().run_in_executor(
                self._writing, self._store.commit, change
            )
        except (sqlite3.Error, OSError) as error:
            self._restore(needed, changed)
            self._disk_fails(str(error))
            return False
        finally:
            # After the attempt, so that the ledger on disk knows of them wherever it can.
            for item in passed:
                item.accept()
        self._disk_works()
        self._deleted(change, freed)
        for item in needed:
            self._stored.add(item.seq, item.seq)
            self.bytes += len(item.batch) * ROW_BYTES
            item.accept()
        self._writing_rows = 0
        if not self._room.is_set() and not self._is_full():
            self._room.set()
        return True

    async def _relieve(self) -> bool:
        """On a full disk write first what makes room: cursors, and deleting what all have."""
        change = Transaction(
            self.head,
            [],
            {holder.name: holder.state() | self._not_stored(holder) for holder in self._holders},
            list(self._superfluous()),
        )
        if not change.delete:
            return True
        try:
            freed = await asyncio.get_running_loop().run_in_executor(
                self._writing, self._store.relieve, change
            )
        except (sqlite3.Error, OSError) as error:
            self._disk_fails(str(error))
            return False
        self._deleted(change, freed)
        return True

    def _not_stored(self, holder: Holder) -> dict[str, int]:
        """Say what of a sink's samples a crash would take, so that its ledger balances then too."""
        waiting = (item for item in self._pending if holder.holds(item.seq))
        return {"not_stored": sum(holder.rows_in(item.batch) for item in waiting)}

    def _deleted(self, change: Transaction, freed: int) -> None:
        for first, last in change.delete:
            self._stored.remove(first, last)
            self._kept.remove(first, last)
            self._condemned.remove(first, last)
        self.bytes -= freed

    def _restore(self, needed: list[Pending], changed: list[Holder]) -> None:
        self._pending.extendleft(reversed(needed))
        self._pending_rows += sum(len(item.batch) for item in needed)
        self._writing_rows = 0
        for holder in changed:
            holder.changed = True

    def _superfluous(self) -> Ranges:
        """Return what is on disk and nobody must have any more."""
        held = Ranges()
        for holder in self._holders:
            for first, last in holder.undelivered():
                held.add(first, last)
        superfluous = self._stored.minus(held)
        for first, last in self._condemned:
            superfluous.add(first, last)
        return superfluous

    def _disk_fails(self, why: str) -> None:
        if not self.failing:
            log.error("journal: %s: nothing is written until this is mended; retrying", why)
        self.failing = why

    def _disk_works(self) -> None:
        if self.failing:
            log.warning("journal: the disk takes samples again")
        self.failing = ""

    # Bounds

    async def _watch_bounds(self) -> None:
        while not self._stopping.is_set():
            await self._pause(BOUNDS_INTERVAL)
            if self._settings.when_full is WhenFull.WAIT and self._is_full():
                self._room.clear()
            elif not self._is_full():
                self._room.set()
            if not self._stored:
                continue
            try:
                if self._settings.when_full is WhenFull.DROP_OLDEST:
                    await self._shed("journal_full", size=self.bytes - self._settings.max_size)
                age = int(self._settings.max_age * 1e9)
                await self._shed("journal_age", before=self._now() - age)
            except (sqlite3.Error, OSError, ValueError) as error:
                self._disk_fails(str(error))

    async def _shed(self, reason: str, *, size: int = 0, before: int = 0) -> None:
        while size > 0 or before:
            find = partial(self._reader.oldest, size=size, before=before)
            oldest = await asyncio.get_running_loop().run_in_executor(self._reading, find)
            fresh = [(seq, points) for seq, points in oldest if seq not in self._condemned]
            for seq, points in fresh:
                self._condemned.add(seq, seq)
                self._lose(seq, points, reason)
            if not fresh or not await self.commit():
                return
            size = self.bytes - self._settings.max_size if size > 0 else 0

    async def close(self) -> None:
        """Commit what waits, and close the file."""
        self.stop()
        if self._soon is not None:
            self._soon.cancel()
        await self.commit()
        for item in self._pending:
            item.refuse(self.failing)
        self._writing.shutdown()
        self._reading.shutdown()
        self._reader.close()
        self._store.close()
