"""Writing the files of the log: append, begin the next file, bring to disk, delete the oldest."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.audit.chain import Chain
from gateway.audit.head import HEAD, Head
from gateway.audit.record import END_LENGTH, MAX_LINE, finish, parse, render
from gateway.audit.segment import number_of, segment, segments
from gateway.audit.trail import BEGUN, DELETED

SEGMENT = 16 * 2**20
"""Bytes after which the next file is begun, as soon as all is on disk; or at twice as many."""
FORMAT = 1
"""Version of the lines, named in the first record of each file."""


@dataclass(slots=True)
class _File:
    path: Path
    handle: int
    size: int
    synced: int
    """bytes that are on disk"""
    torn: bool = False
    """whether half a record stands at its end"""

    def mend(self) -> None:
        """Take half a record away."""
        if self.torn:
            os.ftruncate(self.handle, self.size)
            self.torn = False


@dataclass(frozen=True, slots=True)
class Mark:
    """What was written up to a moment, and is to be brought to disk."""

    n: int
    hash: bytes
    file: _File
    size: int
    doomed: tuple[Path, ...]


class Writer:
    """The end of a log. `append` belongs to one thread, `sync` to another, one call at a time.

    Raises OSError where the disk does not take something; what was there before stays whole.
    """

    def __init__(
        self,
        folder: Path,
        chain: Chain,
        max_size: int,
        now: Callable[[], int],
        n: int,
        last: bytes,
    ) -> None:
        """`n` is the number and `last` the hash of the last record, which is on disk already."""
        self._folder = folder
        self._chain = chain
        self._max_size = max_size
        # So that at its smallest a log still keeps something when its oldest file goes.
        self._segment = min(SEGMENT, max(max_size // 8, 2 * MAX_LINE))
        self._now = now
        self.n, self._hash = n, last
        self.durable = n
        """number of the last record that is on disk"""
        self._retired: list[_File] = []
        self._doomed: list[Path] = []
        self._suspect = False
        self._entered = True
        self._head = os.open(folder / HEAD, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            Head(n, last).write(self._head, chain)
            os.fsync(self._head)
            sync_folder(folder)
            found = segments(folder)
            self._file = self._open(found[-1] if found else segment(folder, 1))
            if not self._file.size:
                self._begin(self._file)
        except BaseException:
            os.close(self._head)
            raise

    @property
    def hash(self) -> str:
        """The hash of the last record, hexadecimal."""
        return self._hash.hex()

    @staticmethod
    def _open(path: Path) -> _File:
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        size = os.fstat(handle).st_size
        return _File(path, handle, size, size)

    def append(self, step: str, facts: Mapping[str, Any]) -> int:
        """Write a record and return its number; a killed process does not lose it any more."""
        self._file.mend()
        body = render(self.n + 1, self._now(), step, facts)
        size = self._file.size + len(body) + END_LENGTH
        if size > self._segment and (self.durable == self.n or size > 2 * self._segment):
            self._roll()
            body = render(self.n + 1, self._now(), step, facts)
        self._put(self._file, body)
        return self.n

    def _put(self, file: _File, body: bytes) -> None:
        digest = self._chain.link(self._hash, body)
        line = finish(body, digest)
        written = os.write(file.handle, line)
        if written != len(line):
            file.torn = True
            file.mend()
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file.path))
        file.size += written
        self.n += 1
        self._hash = digest

    def _begin(self, file: _File) -> None:
        facts = {
            "file": file.path.name,
            "previous": self._hash.hex(),
            "key": self._chain.name,
            "format": FORMAT,
        }
        self._put(file, render(self.n + 1, self._now(), BEGUN, facts))

    def _roll(self) -> None:
        """Begin the next file, and put on record that the oldest go where there are too many.

        Only when this one is on disk: so a power failure can damage none but the last.
        """
        if self.durable < self.n:
            _sync_file(self._file, self._file.size, suspect=True)
        following = self._open(segment(self._folder, number_of(self._file.path) + 1))
        try:
            os.ftruncate(following.handle, 0)
            following.size = following.synced = 0
            self._begin(following)
        except OSError:
            os.close(following.handle)
            following.path.unlink()
            raise
        self._retired.append(self._file)
        self._file = following
        self._entered = True
        self.shrink()

    def shrink(self) -> None:
        """Put the oldest files on record as deleted where the log has more than its full size."""
        kept = [path for path in segments(self._folder) if path not in self._doomed]
        sizes = [path.stat().st_size for path in kept]
        excess = sum(sizes) + self._segment - self._max_size
        for path, size, after in zip(kept, sizes, kept[1:], strict=False):
            if excess <= 0 or after == self._file.path:
                return
            with after.open("rb") as file:
                first = parse(file.readline(MAX_LINE))
            if first is None:
                return
            facts = {
                "file": path.name,
                "through": first.n - 1,
                "through_hash": first.facts["previous"],
                "bytes": size,
            }
            self._put(self._file, render(self.n + 1, self._now(), DELETED, facts))
            self._doomed.append(path)
            excess -= size

    def mark(self) -> Mark:
        """Return what has been written so far, for `sync`."""
        return Mark(self.n, self._hash, self._file, self._file.size, tuple(self._doomed))

    def sync(self, mark: Mark) -> None:
        """Bring everything up to the mark to disk; blocks."""
        suspect, self._suspect = self._suspect, True
        _sync_file(mark.file, mark.size, suspect=suspect)
        if self._entered:
            self._entered = False
            try:
                sync_folder(self._folder)
            except OSError:
                self._entered = True
                raise
        self._suspect = False
        Head(mark.n, mark.hash).write(self._head, self._chain)
        if mark.doomed:
            # A head that counts records which are all gone would look forged.
            os.fsync(self._head)
        for path in mark.doomed:
            path.unlink(missing_ok=True)

    def synced(self, mark: Mark) -> None:
        """Forget what `sync` has done."""
        self.durable = mark.n
        for path in mark.doomed:
            self._doomed.remove(path)
        for file in self._retired:
            os.close(file.handle)
        self._retired.clear()

    def close(self) -> None:
        """Bring everything to disk and say in the head that this is all; blocks."""
        try:
            mark = self.mark()
            self.sync(mark)
            self.synced(mark)
            Head(self.n, self._hash, closed=True).write(self._head, self._chain)
            os.fsync(self._head)
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Let go of the files as they are."""
        for file in (*self._retired, self._file):
            os.close(file.handle)
        os.close(self._head)


def _sync_file(file: _File, size: int, *, suspect: bool) -> None:
    if os.fstat(file.handle).st_nlink == 0:
        raise OSError(errno.ENOENT, "the file was deleted while it was written", str(file.path))
    if suspect:
        # After a failed sync the kernel takes pages for written that the disk never had.
        with file.path.open("r+b") as again:
            again.seek(file.synced)
            owed = again.read(size - file.synced)
            again.seek(file.synced)
            again.write(owed)
    os.fdatasync(file.handle)
    file.synced = size


def sync_folder(folder: Path) -> None:
    """Bring the names of a folder's files to disk; blocks."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
