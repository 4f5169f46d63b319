"""Following the chain through the files of a log, up to the first record that does not fit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gateway.audit.chain import BEGINNING, Chain
from gateway.audit.head import HEAD, Head
from gateway.audit.record import MAX_LINE, Line, Record, parse, split
from gateway.audit.segment import number_of, segment

BEGUN = "file_begun"
"""Step of the first record of each file."""
DELETED = "file_deleted"
"""Step of the record of an oldest file that went, because the log had its full size."""
NOTABLE = frozenset({b"file_deleted", b"repaired", b"set_aside", b"resumed"})
"""Steps that say something about the log itself."""
MAX_NOTES = 1_000
"""Most of them that are kept in memory."""


@dataclass(frozen=True, slots=True)
class Break:
    """Where the chain does not hold.

    file, line: of the first record that is wrong; line 0 for a file as a whole.
    record:     number of the record that ought to be there.
    what:       one word (edited, deleted, inserted, reordered, cut, head) and a sentence.
    """

    file: str
    line: int
    record: int
    what: str

    def __str__(self) -> str:
        where = f"{self.file}, line {self.line}" if self.line else self.file
        return f"record {self.record} ({where}): {self.what}"


class KeyNeededError(Exception):
    """The log has a key and the reader has none."""


class _DoesNotFitError(Exception):
    """A line is not the record that ought to be here; the text says what is wrong."""


@dataclass(slots=True)
class Trail:
    """How far the chain was followed.

    first, n: numbers of the first and the last record that hold; n is first - 1 where none does.
    claimed:  what the first one says that the hash before it was.
    offset:   bytes of the last file that hold.
    rest:     bytes behind them: a record that was being written, or a crash cut short.
    line:     of the last file that was read last.
    seen:     hashes of the records that were asked for.
    deleted:  hash after the last record of each file that went, by the number of that record.
    notes:    records about the log itself.
    """

    chain: Chain
    head: Head
    wanted: frozenset[int] = frozenset()
    first: int = 0
    n: int = 0
    claimed: bytes = BEGINNING
    hash: bytes = BEGINNING
    began: bytes = b""
    ended: bytes = b""
    offset: int = 0
    rest: int = 0
    line: int = 0
    seen: dict[int, bytes] = field(default_factory=dict)
    deleted: dict[int, str] = field(default_factory=dict)
    notes: list[Record] = field(default_factory=list)
    broken: Break | None = None

    def follow(self, files: Sequence[Path]) -> None:
        """Go through files that follow each other, oldest first, until the chain breaks or ends.

        Raises FileNotFoundError where one went meanwhile, and OSError where one cannot be read.
        """
        for before, path in zip((None, *files), files, strict=False):
            if before is not None and number_of(path) != number_of(before) + 1:
                lost = segment(path.parent, number_of(before) + 1)
                self.broken = Break(lost.name, 0, self.n + 1, "deleted: the file is missing")
            else:
                self._follow_file(path, last=path is files[-1])
            if self.broken is not None:
                return

    def _follow_file(self, path: Path, *, last: bool) -> None:
        self.offset = self.rest = self.line = 0
        with path.open("rb") as file:
            while line := file.readline(MAX_LINE + 1):
                self.line += 1
                try:
                    self._take(line, path)
                except _DoesNotFitError as error:
                    if last and self._may_be_unfinished(line):
                        self.rest = path.stat().st_size - self.offset
                        return
                    what = str(error) or self._misplaced(line, file)
                    self.broken = Break(path.name, self.line, self.n + 1, what)
                    return
                self.offset += len(line)

    def _may_be_unfinished(self, line: bytes) -> bool:
        """Whether a crash may have left it: nobody was told that it is on disk.

        A killed process leaves half a line, a power failure pages that were never written.
        """
        torn = not line.endswith(b"\n") or b"\0" in line
        return torn and not self.head.closed and self.n >= self.head.records

    def _take(self, line: bytes, path: Path) -> None:
        parts = split(line)
        if parts is None:
            raise _DoesNotFitError("edited: the line is no whole record")
        if self.line == 1:
            self._begin(line, parts, path)
        if parts.n != self.n + 1:
            raise _DoesNotFitError
        digest = self.chain.link(self.hash, parts.body)
        if digest != parts.hash:
            raise _DoesNotFitError("edited: its hash is not that of its text")
        self.n, self.hash, self.ended = parts.n, digest, parts.time
        self.began = self.began or parts.time
        if parts.n in self.wanted:
            self.seen[parts.n] = digest
        if parts.step in NOTABLE:
            self._note(line)

    def _begin(self, line: bytes, parts: Line, path: Path) -> None:
        """Check the first record of a file; the first of all says where the chain begins."""
        record = parse(line)
        if record is None or record.step != BEGUN or record.facts.get("file") != path.name:
            raise _DoesNotFitError(
                f"edited: the file does not begin with a record '{BEGUN}' of its own name"
            )
        name, previous = record.facts.get("key"), str(record.facts.get("previous"))
        if name is not None and self.chain.name is None:
            raise KeyNeededError
        if not self.first:
            try:
                self.claimed = self.hash = bytes.fromhex(previous)
            except ValueError:
                raise _DoesNotFitError("edited: it names no hash before it") from None
            self.first, self.n = parts.n, parts.n - 1
        elif parts.n == self.n + 1 and previous != self.hash.hex():
            raise _DoesNotFitError("edited: it names another hash before it")
        if name != self.chain.name:
            raise _DoesNotFitError(
                "edited, or of another key: the file was written "
                + ("without a key" if name is None else f"with the key that is called '{name}'")
            )

    def _misplaced(self, line: bytes, rest: Iterable[bytes]) -> str:
        found, due = int(line[5 : line.index(b",")]), self.n + 1
        if found < due:
            return f"inserted: record {found} stands here again"
        if any(other.startswith(b'{"n":%d,' % due) for other in rest):
            return f"reordered: record {found} stands before record {due}"
        gone = f"record {due} is" if found == due + 1 else f"records {due} to {found - 1} are"
        return f"deleted: {gone} missing"

    def _note(self, line: bytes) -> None:
        record = parse(line)
        if record is None:
            return
        through = record.facts.get("through")
        if record.step == DELETED and isinstance(through, int):
            self.deleted[through] = str(record.facts.get("through_hash"))
        if len(self.notes) < MAX_NOTES:
            self.notes.append(record)

    def judge(self, name: str, *, whole: bool) -> None:
        """Compare the end with the head, and the beginning with what is on record as deleted.

        name:  of the last file.
        whole: whether it was followed from the oldest file that is kept.
        """
        if self.broken is not None:
            return
        head, last = self.head, self.line + (0 if self.rest else 1)
        known = self.seen | {max(self.first, 1) - 1: self.claimed}
        if self.n < head.records:
            what = f"cut: the head counts {head.records} records"
            self.broken = Break(name, last, self.n + 1, what)
        elif whole and head.records not in known:
            what = f"deleted: the head counts {head.records}, which are all gone"
            self.broken = Break(name, 0, head.records, what)
        elif known.get(head.records, head.hash) != head.hash:
            what = "edited: its hash is not the one in the head"
            self.broken = Break(HEAD, 0, head.records, what)
        elif head.closed and (self.n > head.records or self.rest):
            what = f"inserted: the log was closed after record {head.records}"
            self.broken = Break(name, last, head.records + 1, what)
        elif whole and self.first > 1 and self.deleted.get(self.first - 1) != self.claimed.hex():
            what = "deleted: no record says that what was before it was deleted to make room"
            self.broken = Break(name, 0, self.first - 1, what)
        elif whole and self.first == 1 and self.claimed != BEGINNING:
            self.broken = Break(name, 1, 1, "edited: something ought to be before it")
