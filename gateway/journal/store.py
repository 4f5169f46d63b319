"""The file of the journal: SQLite in WAL mode, one row per batch."""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gateway.journal.ranges import Ranges
from gateway.model.batch import Batch, PointColumn
from gateway.model.errors import GatewayError

SCHEMA_VERSION = 1
SCHEMA = """
CREATE TABLE IF NOT EXISTS points (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS batches (
    seq INTEGER PRIMARY KEY, time INTEGER NOT NULL, rows INTEGER NOT NULL, data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS sinks (name TEXT PRIMARY KEY, state TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS head (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL);
"""
RESERVE = 4 * 2**20
"""Bytes kept free for deleting when the disk is full."""
ROW_BYTES = 4 + 8 + 2 + 8
PORTION = 200_000
"""Samples that are looked at in one go for the history of a point."""


log = logging.getLogger(__name__)


class StoreError(GatewayError):
    """The journal's file cannot be used as it is."""


def pack(batch: Batch) -> bytes:
    """Write the columns behind each other: point, value, quality, time; little-endian."""
    return b"".join(
        np.ascontiguousarray(column).astype(kind, copy=False).tobytes()
        for column, kind in (
            (batch.point, "<i4"),
            (batch.value, "<f8"),
            (batch.quality, "<u2"),
            (batch.time, "<i8"),
        )
    )


def unpack(data: bytes, rows: int) -> Batch:
    """Read what `pack` wrote; raises ValueError where the length is not that of `rows`."""
    if len(data) != rows * ROW_BYTES:
        raise ValueError(f"{rows} rows take {rows * ROW_BYTES} bytes, not {len(data)}")
    return Batch(
        np.frombuffer(data, "<i4", rows),
        np.frombuffer(data, "<f8", rows, 4 * rows),
        np.frombuffer(data, "<u2", rows, 12 * rows),
        np.frombuffer(data, "<i8", rows, 14 * rows),
    )


@dataclass(slots=True)
class Transaction:
    """What one group commit changes; all of it or nothing."""

    head: int
    """the last seq given out"""
    batches: list[tuple[int, int, Batch]] = field(default_factory=list)
    """(seq, time in ns, rows)"""
    sinks: Mapping[str, Any] = field(default_factory=dict)
    """name → state, as JSON can hold it"""
    delete: Iterable[tuple[int, int]] = ()
    """ranges of seq"""


class Store:
    """The file. Every method blocks and belongs to one thread at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = self._take_lock(path.with_suffix(".lock"))
        try:
            self._db = self._open()
            self._reserve()
        except BaseException:
            os.close(self._lock)
            raise

    @staticmethod
    def _take_lock(path: Path) -> int:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(f"{path.parent}: {error.strerror}: the journal lives there") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            raise StoreError(f"{path.parent} is in use by another gateway") from None
        return handle

    def _open(self) -> sqlite3.Connection:
        try:
            return self._open_file()
        except sqlite3.OperationalError as error:
            raise StoreError(f"{self.path}: {error}") from error
        except sqlite3.DatabaseError as error:
            # A gateway that does not start serves nobody: begin anew, and keep the evidence.
            aside = self.path.with_name(f"{self.path.name}.damaged-{time.time_ns()}")
            self.path.rename(aside)
            for companion in ("-wal", "-shm"):
                self.path.with_name(self.path.name + companion).unlink(missing_ok=True)
            log.error(
                "%s is damaged (%s): it is kept as %s, and a new journal begun: "
                "what it held and nobody had is lost unless somebody recovers it",
                self.path,
                error,
                aside.name,
            )
            return self._open_file()

    def _open_file(self) -> sqlite3.Connection:
        db = connect(self.path)
        try:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, SCHEMA_VERSION):
                raise StoreError(
                    f"{self.path} has format {version}; this gateway knows {SCHEMA_VERSION}"
                )
            db.executescript(SCHEMA)
            db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        except BaseException:
            db.close()
            raise
        return db

    def ids(self, names: Sequence[str]) -> list[int]:
        """Return the persistent ids of the points, giving new names the next ones."""
        known: dict[str, int] = {
            name: number for number, name in self._db.execute("SELECT id, name FROM points")
        }
        following = max(known.values(), default=-1) + 1
        fresh = []
        for name in names:
            if name not in known:
                known[name] = following
                fresh.append((following, name))
                following += 1
        with self._transaction():
            self._db.executemany("INSERT INTO points (id, name) VALUES (?, ?)", fresh)
        return [known[name] for name in names]

    def names(self) -> dict[int, str]:
        """Return every id ever given and its name."""
        return dict(self._db.execute("SELECT id, name FROM points"))

    def sinks(self) -> dict[str, Any]:
        """Return the state of every sink that has one."""
        return {
            name: json.loads(state)
            for name, state in self._db.execute("SELECT name, state FROM sinks")
        }

    def forget(self, sink: str) -> None:
        with self._transaction():
            self._db.execute("DELETE FROM sinks WHERE name = ?", (sink,))

    def head(self) -> int:
        """Return the last seq that was given out; numbers are never used again."""
        row = self._db.execute("SELECT seq FROM head").fetchone()
        return row[0] if row else 0

    def extent(self) -> tuple[Ranges, int]:
        """Return which seqs are stored, and the bytes of all their batches."""
        stored, size = Ranges(), 0
        for seq, length in self._db.execute("SELECT seq, length(data) FROM batches ORDER BY seq"):
            stored.add(seq, seq)
            size += length
        return stored, size

    def commit(self, change: Transaction) -> int:
        """Apply the change durably; returns the bytes that deleting freed."""
        freed = 0
        with self._transaction():
            for first, last in change.delete:
                freed += self._db.execute(
                    "SELECT coalesce(sum(length(data)), 0) FROM batches WHERE seq BETWEEN ? AND ?",
                    (first, last),
                ).fetchone()[0]
                self._db.execute("DELETE FROM batches WHERE seq BETWEEN ? AND ?", (first, last))
            self._db.executemany(
                "INSERT INTO batches (seq, time, rows, data) VALUES (?, ?, ?, ?)",
                ((seq, time, len(batch), pack(batch)) for seq, time, batch in change.batches),
            )
            self._db.executemany(
                "INSERT INTO sinks (name, state) VALUES (?, ?)"
                " ON CONFLICT (name) DO UPDATE SET state = excluded.state",
                ((name, json.dumps(state)) for name, state in change.sinks.items()),
            )
            self._db.execute(
                "INSERT INTO head VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET seq = excluded.seq",
                (change.head,),
            )
        return freed

    def relieve(self, change: Transaction) -> int:
        """Apply a change that makes room, on a disk that is full.

        Deleting needs a little room itself, which a reserve file held until now.
        """
        reserve = self.path.with_suffix(".reserve")
        reserve.unlink(missing_ok=True)
        try:
            freed = self.commit(change)
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            self._reserve()
        return freed

    def _reserve(self) -> None:
        """Hold a little of the disk for `relieve`; where there is none to be had, do without."""
        with (
            contextlib.suppress(OSError),
            self.path.with_suffix(".reserve").open("wb") as file,
        ):
            os.posix_fallocate(file.fileno(), 0, RESERVE)

    @contextlib.contextmanager
    def _transaction(self) -> Any:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise

    def close(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self._db.close()
        os.close(self._lock)


class Reader:
    """A second connection, so that reading history never waits for a commit."""

    def __init__(self, path: Path) -> None:
        self._db = connect(path)
        self._db.execute("PRAGMA query_only=1")

    def read(self, first: int, last: int, rows: int) -> list[tuple[int, Batch]]:
        """Return batches of first..last in order, until `rows` are reached (at least one batch)."""
        found: list[tuple[int, Batch]] = []
        for seq, count, data in self._db.execute(
            "SELECT seq, rows, data FROM batches WHERE seq BETWEEN ? AND ? ORDER BY seq",
            (first, last),
        ):
            found.append((seq, unpack(data, count)))
            rows -= count
            if rows <= 0:
                break
        return found

    def taken(self, seq: int) -> int | None:
        """Return when batch `seq` or the first one behind it was taken, in ns."""
        row = self._db.execute(
            "SELECT time FROM batches WHERE seq >= ? ORDER BY seq LIMIT 1", (seq,)
        ).fetchone()
        return row[0] if row else None

    def rows_of(
        self, point: int, since: int, until: int, last: int, portion: int = PORTION
    ) -> tuple[list[Batch], int]:
        """Return the rows of a point with times in since..until from batches up to `last`, newest
        batch first, and the number of the batch to go on with; 0 where that was the oldest.

        About `portion` samples are looked at.
        """
        found: list[Batch] = []
        for seq, count, data in self._db.execute(
            "SELECT seq, rows, data FROM batches WHERE seq <= ? ORDER BY seq DESC", (last,)
        ):
            batch = unpack(data, count)
            mine = batch.point == point
            mine &= (batch.time >= since) & (batch.time <= until)
            if mine.any():
                found.append(batch.take(mine))
            portion -= count
            if portion <= 0:
                return found, seq - 1
        return found, 0

    def oldest(
        self, *, size: int = 0, before: int = 0, most: int = 256
    ) -> list[tuple[int, PointColumn]]:
        """Return (seq, point column) of the oldest batches: `size` bytes of them, or older than
        `before`; at most `most` batches.
        """
        found: list[tuple[int, PointColumn]] = []
        for seq, taken, rows, data in self._db.execute(
            "SELECT seq, time, rows, data FROM batches ORDER BY seq LIMIT ?", (most,)
        ):
            if size <= 0 and taken >= before:
                break
            found.append((seq, unpack(data, rows).point))
            size -= len(data)
        return found

    def close(self) -> None:
        self._db.close()


def connect(path: Path) -> sqlite3.Connection:
    """Open the file durably: WAL, and a sync with every commit."""
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
    try:
        # Bigger pages: a batch is a blob of tens of kilobytes, and chains of small pages cost.
        db.execute("PRAGMA page_size=16384")
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("PRAGMA journal_size_limit=67108864")
    except BaseException:
        db.close()
        raise
    return db
