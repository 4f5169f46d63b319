"""Opening a log: whether it can be continued, what a crash left, and what to do where it cannot."""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gateway.audit.chain import BEGINNING, Chain
from gateway.audit.error import AuditError
from gateway.audit.head import HEAD, LENGTH, HeadError, read_head
from gateway.audit.record import MAX_LINE, parse, split
from gateway.audit.segment import segments
from gateway.audit.trail import KeyNeededError, Trail
from gateway.audit.writer import Writer, sync_folder

EXCERPT = 1_000
"""Most characters that the record of a repair has of what was cut away."""

log = logging.getLogger(__name__)


Note = tuple[str, dict[str, object]]
"""Step and facts of a record."""


@dataclass(slots=True)
class _Found:
    """What there is to continue; `unfit` says why it cannot be."""

    tail: list[Path] = field(default_factory=list)
    n: int = 0
    hash: bytes = BEGINNING
    offset: int = 0
    rest: int = 0
    unfit: str = ""


def lock(folder: Path) -> int:
    """Take a log for this process alone, and return the handle that holds it.

    Raises AuditError where another has it, or the folder cannot be made.
    """
    path = folder.with_name(folder.name + ".lock")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise AuditError(f"{folder}: {error.strerror}: the audit log lives there") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise AuditError(f"{folder} is in use by another gateway") from None
    return handle


def aside(folder: Path) -> list[Path]:
    """Return the logs that could not be continued and were set aside, oldest first."""
    return sorted(folder.parent.glob(f"{folder.name}.aside-[0-9][0-9][0-9][0-9]"))


def continue_log(
    folder: Path, chain: Chain, max_size: int, now: Callable[[], int]
) -> tuple[Writer, Sequence[Note]]:
    """Return the writer that goes on where the log ends, or begins one, and what it must record.

    What a crash left unfinished is cut away. A log that is damaged or was changed, or has another
    key, is set aside and a new one begun: a gateway that takes no commands any more serves nobody,
    and the evidence stays. Blocks; raises OSError.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    found = _look(folder, chain)
    notes: list[Note] = []
    if found.unfit:
        _set_aside(folder, found.unfit)
        notes.append(("set_aside", _before(folder, found.unfit)))
        found = _Found()
    elif not found.n and aside(folder):
        # The power failed when one was set aside, or somebody took this log away.
        notes.append(("set_aside", _before(folder, "it is the last one before this")))
    elif found.rest:
        notes.append(("repaired", _cut(found)))
    for path in found.tail:
        _sync(path)
    writer = Writer(folder, chain, max_size, now, found.n, found.hash)
    try:
        mark = writer.mark()
        writer.sync(mark)
        writer.synced(mark)
    except BaseException:
        writer.abandon()
        raise
    return writer, notes


def _look(folder: Path, chain: Chain) -> _Found:
    files = segments(folder)
    if not files and not _size(folder / HEAD):
        return _Found()
    unfit = _other_key(files, chain)
    try:
        head = read_head(folder, chain)
    except HeadError as error:
        return _Found(unfit=unfit or f"its head cannot be used: {error}")
    tail = _tail(files, head.records)
    trail = Trail(chain, head, frozenset({head.records}))
    try:
        trail.follow(tail)
    except KeyNeededError:
        return _Found(unfit="it has a key, and the configuration has none")
    broken, rest = trail.broken, trail.rest
    if broken is None:
        trail.judge(tail[-1].name if tail else folder.name, whole=tail == files)
    elif broken.file == tail[-1].name and trail.n >= head.records and not head.closed:
        # Behind the head nothing was promised: a power failure leaves pages in any order.
        trail.broken, rest = None, _size(tail[-1]) - trail.offset
        trail.judge(tail[-1].name, whole=False)
    unfit = "" if trail.broken is None else str(trail.broken)
    return _Found(tail, trail.n, trail.hash, trail.offset, rest, unfit)


def _tail(files: list[Path], records: int) -> list[Path]:
    """Return the files from the one on that holds the record which the head counts last."""
    for i in range(len(files) - 1, 0, -1):
        with files[i].open("rb") as file:
            first = split(file.readline(MAX_LINE + 1))
        if first is not None and first.n <= records:
            return files[i:]
    return files


def _other_key(files: list[Path], chain: Chain) -> str:
    """Say in what the key of a log is not that of the configuration."""
    for path in reversed(files):
        with path.open("rb") as file:
            begun = parse(file.readline(MAX_LINE + 1))
        if begun is not None:
            break
    else:
        return ""
    name = begun.facts.get("key")
    if name == chain.name:
        return ""
    if chain.name is None:
        return "it has a key, and the configuration has none"
    return f"it has {'no key' if name is None else 'another key'}, the configuration has one"


def _set_aside(folder: Path, why: str) -> None:
    last = aside(folder)[-1:]
    number = int(last[0].name.rpartition("-")[2]) + 1 if last else 1
    name = f"{folder.name}.aside-{number:04d}"
    folder.rename(folder.with_name(name))
    folder.mkdir(mode=0o700)
    sync_folder(folder.parent)
    log.error(
        "the audit log cannot be continued and is kept as %s; a new one is begun: %s", name, why
    )


def _before(folder: Path, why: str) -> dict[str, object]:
    """Return what ties a log to the one that was set aside before it began."""
    last = aside(folder)[-1]
    n, digest = _end(segments(last))
    try:
        head = (last / HEAD).read_text("ascii", "backslashreplace")[:LENGTH].strip()
    except OSError:
        head = ""
    return {
        "folder": last.name,
        "reason": why,
        "last": n,
        "last_hash": digest.hex(),
        "head": head,
    }


def _end(files: list[Path]) -> tuple[int, bytes]:
    """Return what the last whole record says of itself: number and hash."""
    for path in reversed(files):
        with path.open("rb") as file:
            file.seek(max(0, _size(path) - 2 * MAX_LINE))
            lines = [split(line) for line in file.read(2 * MAX_LINE).splitlines(keepends=True)]
        found = [line for line in lines if line is not None]
        if found:
            return found[-1].n, found[-1].hash
    return 0, BEGINNING


def _cut(found: _Found) -> dict[str, object]:
    path = found.tail[-1]
    with path.open("r+b") as file:
        file.seek(found.offset)
        text = file.read(EXCERPT).decode("ascii", "backslashreplace")
        file.truncate(found.offset)
    log.warning(
        "%s ended in %d bytes that were no whole record: they are cut away, on record",
        path,
        found.rest,
    )
    return {"file": path.name, "bytes": found.rest, "text": text}


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
