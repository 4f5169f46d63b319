"""Reading a log, or the end of one, as records; the chain is not looked at."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from pathlib import Path

from gateway.audit.error import AuditError
from gateway.audit.record import MAX_LINE, Record, label, parse, time_text
from gateway.audit.segment import number_of, segments

MAX_UNREAD = 1_000
"""Most lines that are named as no records."""
RECALLED = 128 * 2**20
"""Most bytes that are looked through for what an earlier run did."""


def records(
    folder: Path, since: int = 0, steps: Collection[str] = (), unread: list[str] | None = None
) -> Iterator[Record]:
    """Yield the records of a log, oldest first: from `since` on (ns), of these steps (none: all).

    The log may be one that a gateway writes at this moment; reading takes little memory.
    Lines that are no records are left out; `unread` gets where they are, the first thousand.
    Raises AuditError where there is no log or it cannot be read.
    """
    files = segments(folder)
    if not files:
        raise AuditError(f"{folder}: there is no audit log")
    yield from _records(files, since, steps, unread)


def newest(folder: Path, since: int = 0) -> Iterator[Record]:
    """Yield the records of a log, newest first, back to `since` (ns).

    Holds one file of the log in memory at a time. Raises AuditError as `records` does.
    """
    files = segments(folder)
    if not files:
        raise AuditError(f"{folder}: there is no audit log")
    for path in reversed(files):
        found = list(_records([path], since, (), None))
        yield from reversed(found)
        if not found and since:
            return


def recall(folders: Sequence[Path], since: int, steps: Collection[str]) -> Iterator[Record]:
    """Yield the last records of logs that follow each other, from `since` on.

    Reads back from the newest file to the first that is wholly older, or to RECALLED bytes.
    """
    chosen: list[Path] = []
    size = 0
    for path in (path for folder in reversed(folders) for path in reversed(segments(folder))):
        size += path.stat().st_size
        if chosen and size > RECALLED:
            break
        chosen.append(path)
        with path.open("rb") as file:
            first = parse(file.readline(MAX_LINE + 1))
        if first is not None and first.time < since:
            break
    return _records(chosen[::-1], since, steps, None)


def _records(
    files: Sequence[Path], since: int, steps: Collection[str], unread: list[str] | None
) -> Iterator[Record]:
    # Times in the lines compare as text, and most lines need not be taken apart at all.
    earliest = time_text(max(since, 0)).encode()
    wanted = frozenset(step.encode() for step in steps)
    for path in files:
        try:
            with path.open("rb") as file:
                for number, line in enumerate(iter(partial(file.readline, MAX_LINE + 1), b""), 1):
                    found = label(line)
                    if found and (found[0] < earliest or (wanted and found[1] not in wanted)):
                        continue
                    record = parse(line) if found else None
                    if record is not None:
                        yield record
                    elif unread is not None and len(unread) < MAX_UNREAD:
                        unread.append(f"{path.name}, line {number}")
        except FileNotFoundError:
            # Deleted to make room while we read what was before it.
            continue
        except OSError as error:
            raise AuditError(f"{path}: {error.strerror}") from error


def tail(folder: Path) -> Iterator[Record | None]:
    """Yield the records of a log, oldest first, and None whenever there is none yet; for ever."""
    current, offset = 0, 0
    while True:
        # Listed before it is read: once there is a next file, nothing more comes into this one.
        for path in segments(folder):
            if number_of(path) < current:
                continue
            if number_of(path) > current:
                current, offset = number_of(path), 0
            with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
                file.seek(offset)
                while (line := file.readline(MAX_LINE + 1)).endswith(b"\n"):
                    offset += len(line)
                    record = parse(line)
                    if record is not None:
                        yield record
        yield None
