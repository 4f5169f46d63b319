"""Proving a log: whether every record stands where and as it was written."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from gateway.audit.chain import Chain
from gateway.audit.error import AuditError
from gateway.audit.head import HEAD, Head, HeadError, read_head
from gateway.audit.record import Record, time_of
from gateway.audit.segment import segment, segments
from gateway.audit.trail import Break, KeyNeededError, Trail

ATTEMPTS = 5
"""How often a log that changes under our eyes is looked at again."""
PAUSE = 0.2
"""Seconds between."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found.

    first, last: numbers of the first and the last record that hold; last < first: none does.
    began, ended: their times, ns since the Unix epoch; 0 where there is none.
    hash:    of the last one, hexadecimal.
    keyed:   whether the chain was checked with a key.
    broken:  the first thing that is wrong; None where the log is proven.
    rest:    bytes of an unfinished record at the end: it is being written, or a crash cut it short.
    notes:   records about the log itself: repairs after a crash, deleted files, records not kept.
    """

    first: int
    last: int
    began: int
    ended: int
    hash: str
    keyed: bool
    broken: Break | None
    rest: int
    notes: tuple[Record, ...]

    def __bool__(self) -> bool:
        return self.broken is None


def verify(
    folder: Path, key: bytes | None = None, anchor: tuple[int, str] | None = None
) -> Verdict:
    """Prove the chain from the first record that is kept to the last.

    The log may be one that a gateway writes at this moment, or a copy.
    anchor: number and hash (hexadecimal) of a record, as they were noted down elsewhere before.
    Raises AuditError where there is no log, or it cannot be checked: no key for one that has a key,
    a file that cannot be read, an anchor that is not kept any more.
    """
    chain = Chain(key)
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE)
        before = _head_bytes(folder)
        try:
            verdict = _verify(folder, chain, anchor)
        except FileNotFoundError:
            continue
        except KeyNeededError:
            raise AuditError(
                f"{folder}: the log has a key; it can only be checked with it"
            ) from None
        except OSError as error:
            raise AuditError(f"{folder}: {error.strerror}: {error.filename}") from error
        if verdict or _head_bytes(folder) == before:
            return verdict
    raise AuditError(f"{folder}: the log changes faster than it can be read")


def _verify(folder: Path, chain: Chain, anchor: tuple[int, str] | None) -> Verdict:
    # The head before the files: so it never counts what they did not have yet.
    complaint = ""
    try:
        head = read_head(folder, chain)
    except HeadError as error:
        head, complaint = Head(), str(error)
    files = segments(folder)
    if not files and not (folder / HEAD).exists():
        raise AuditError(f"{folder}: there is no audit log")
    trail = Trail(chain, head, frozenset({head.records, anchor[0] if anchor else 0}))
    trail.follow(files)
    name = files[-1].name if files else segment(folder, 1).name
    if trail.broken is None and complaint:
        trail.broken = Break(HEAD, 0, trail.n, f"head: {complaint}")
    trail.judge(name, whole=True)
    if anchor is not None and trail.broken is None:
        _hold_against(trail, name, anchor)
    return Verdict(
        trail.first,
        trail.n,
        time_of(trail.began.decode()) if trail.began else 0,
        time_of(trail.ended.decode()) if trail.ended else 0,
        trail.hash.hex(),
        chain.name is not None,
        trail.broken,
        trail.rest,
        tuple(trail.notes),
    )


def _hold_against(trail: Trail, name: str, anchor: tuple[int, str]) -> None:
    number, noted = anchor
    known = trail.seen | {max(trail.first, 1) - 1: trail.claimed}
    if number > trail.n:
        what = f"cut: record {number} was noted down, and is not there"
        trail.broken = Break(name, trail.line + 1, trail.n + 1, what)
    elif number not in known:
        raise AuditError(
            f"record {number} was deleted to make room: the log begins with {trail.first}"
        )
    elif known[number].hex() != noted.lower():
        what = "edited: the whole log, for the hash that was noted down is another one"
        trail.broken = Break(name, 0, number, what)


def _head_bytes(folder: Path) -> bytes:
    try:
        return (folder / HEAD).read_bytes()
    except OSError:
        return b""
