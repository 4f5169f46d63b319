"""`gateway audit`: prove the audit log, and look at it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from gateway.audit import Record, Verdict

FOLDER = click.Path(path_type=Path)
CANNOT_SAY = 2
"""The exit code where a log is neither proven nor broken."""
MAX_NOTES = 20
"""Most records about the log itself that `verify` prints."""
POLL = 0.5
"""Seconds between looks for new records."""

_ANCHOR = re.compile(r"([1-9]\d{0,18}):([0-9a-fA-F]{64})")


@click.group()
def audit() -> None:
    """Prove the audit log in DATA, a gateway's data folder (or a copy of the log), or show it."""


@audit.command()
@click.argument("data", type=FOLDER)
@click.option("--key-file", type=FOLDER, help="File with the key of the log.")
@click.option("--key-env", metavar="NAME", help="Environment variable with the key of the log.")
@click.option("--anchor", metavar="N:HASH", help="Head that was printed and kept before.")
@click.option("--json", "as_json", is_flag=True, help="Print it for machines.")
def verify(
    data: Path, key_file: Path | None, key_env: str | None, anchor: str | None, as_json: bool
) -> None:
    """Prove that no record was changed, deleted, inserted or moved.

    Exits with 0 where that is so, with 1 where it is not, with 2 where it cannot be said.
    """
    from gateway.audit import AuditError
    from gateway.audit import verify as prove

    key, noted = _key(key_file, key_env), _anchor(anchor)
    try:
        verdict = prove(_log_of(data), key, noted)
    except AuditError as error:
        click.echo(f"gateway: {error}", err=True)
        sys.exit(CANNOT_SAY)
    click.echo(json.dumps(_plain(verdict), indent=2) if as_json else _words(_log_of(data), verdict))
    sys.exit(0 if verdict else 1)


@audit.command()
@click.argument("data", type=FOLDER)
@click.option("--point", multiple=True, help="Name of the point, with * and ?.")
@click.option("--user", multiple=True, help="Who asked.")
@click.option("--sink", multiple=True, help="Through which sink.")
@click.option("--step", multiple=True, help="received, refused, forwarded, answered, login, …")
@click.option("--status", multiple=True, help="How it ended: success, interlocked, timeout, …")
@click.option("--id", "number", multiple=True, help="Of the command.")
@click.option("--since", metavar="WHEN", help="2h ago, or 2026-03-01T06:00 (UTC).")
@click.option("--until", metavar="WHEN", help="The same.")
@click.option("--last", type=click.IntRange(1), metavar="N", help="Only the last N of them.")
@click.option("--follow", is_flag=True, help="Wait for more, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print the records as they stand in the log.")
def show(
    data: Path,
    number: tuple[str, ...],
    since: str | None,
    until: str | None,
    last: int | None,
    follow: bool,
    as_json: bool,
    **texts: tuple[str, ...],
) -> None:
    """Print the records that fit all filters; a filter given twice fits either.

    Every text may have * and ?, and a leading ! leaves out. Times are UTC.
    """
    from gateway.audit import AuditError, records, tail
    from gateway.cli.record_lines import lines

    _check_status(texts["status"])
    begin, end = _when("--since", since), _when("--until", until)
    fits = _filter(texts | {"id": number}, begin, end)
    unread: list[str] = []
    write = _as_json if as_json else lines(_width())
    folder = _log_of(data)
    try:
        if follow:
            with contextlib.suppress(KeyboardInterrupt):
                _follow(tail(folder), fits, last, write)
            return
        found: Iterable[Record] = filter(fits, records(folder, begin or 0, unread=unread))
        for record in found if last is None else deque(found, last):
            click.echo(write(record))
    except AuditError as error:
        click.echo(f"gateway: {error}", err=True)
        sys.exit(1)
    for place in unread[:MAX_NOTES]:
        click.echo(f"{place} is no record: see gateway audit verify", err=True)


def _follow(
    records: Iterator[Record | None],
    fits: Callable[[Record], bool],
    last: int | None,
    write: Callable[[Record], str],
) -> None:
    """Print what is there, then what comes, for ever."""
    there: deque[Record] = deque(maxlen=last)
    for record in records:
        if record is None:
            break
        if fits(record):
            there.append(record)
    for one in there:
        click.echo(write(one))
    for record in records:
        if record is None:
            time.sleep(POLL)
        elif fits(record):
            click.echo(write(record))


def _log_of(data: Path) -> Path:
    """Return the folder of the log: that of a gateway's data, or the one that is named."""
    inside = data / "audit"
    return inside if inside.is_dir() else data


def _key(file: Path | None, env: str | None) -> bytes | None:
    if file is not None and env is not None:
        raise click.UsageError("found --key-file and --key-env, allowed: one of them")
    if env is not None:
        if not os.environ.get(env):
            raise click.BadParameter(f"there is nothing in {env}", param_hint="--key-env")
        return os.environ[env].encode()
    if file is not None:
        try:
            # The configuration's `{file: …}` takes a line feed away as well.
            text = file.read_bytes().removesuffix(b"\n").removesuffix(b"\r")
        except OSError as error:
            raise click.BadParameter(f"{file}: {error.strerror}", param_hint="--key-file") from None
        if not text:
            raise click.BadParameter(f"{file} is empty", param_hint="--key-file")
        return text
    return None


def _anchor(text: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
    match = _ANCHOR.fullmatch(text)
    if match is None:
        raise click.BadParameter(
            f"found '{text}', allowed: number:hash, as verify prints it behind 'head'",
            param_hint="--anchor",
        )
    return int(match[1]), match[2]


def _check_status(patterns: Iterable[str]) -> None:
    from gateway.config.problem import did_you_mean, listing
    from gateway.model.command import CommandStatus

    known = [status.value for status in CommandStatus]
    for pattern in patterns:
        word = pattern.removeprefix("!")
        if word not in known and not set("*?") & set(word):
            raise click.BadParameter(
                f"found '{word}', allowed: {listing(known)}{did_you_mean(word, known)}",
                param_hint="--status",
            )


def _when(option: str, text: str | None) -> int | None:
    """Return ns since the Unix epoch of a time, or of a duration before now."""
    from datetime import UTC, datetime

    from pydantic import TypeAdapter, ValidationError

    from gateway.model.fields import Duration

    if text is None:
        return None
    try:
        ago: float = TypeAdapter(Duration).validate_python(text)
    except ValidationError:
        try:
            then = datetime.fromisoformat(text)
        except ValueError:
            raise click.BadParameter(
                f"found '{text}', allowed: a duration such as 30min, 2h or 7d, "
                "or a time such as 2026-03-01 or 2026-03-01T06:00",
                param_hint=option,
            ) from None
        then = then if then.tzinfo else then.replace(tzinfo=UTC)
        return max(0, round(then.timestamp() * 1e6) * 1000)
    return max(0, time.time_ns() - round(ago * 1e9))


def _filter(
    patterns: dict[str, tuple[str, ...]], begin: int | None, end: int | None
) -> Callable[[Record], bool]:
    from gateway.model.selector import selector

    takes = {name: selector(some) for name, some in patterns.items() if some}

    def fits(record: Record) -> bool:
        if (begin is not None and record.time < begin) or (end is not None and record.time > end):
            return False
        for name, take in takes.items():
            said = record.step if name == "step" else record.facts.get(name)
            if said is None or not take(str(said)):
                return False
        return True

    return fits


def _width() -> int:
    import shutil

    return max(60, shutil.get_terminal_size((100, 24)).columns)


def _as_json(record: Record) -> str:
    from gateway.audit.record import time_text

    head = {"n": record.n, "time": time_text(record.time), "step": record.step}
    return json.dumps(head | dict(record.facts) | {"hash": record.hash}, separators=(",", ":"))


def _plain(verdict: Verdict) -> dict[str, Any]:
    from dataclasses import asdict

    return {"proven": bool(verdict)} | asdict(verdict)


def _words(folder: Path, verdict: Verdict) -> str:
    from gateway.audit.record import time_text
    from gateway.cli.record_lines import facts_text

    held = max(0, verdict.last - verdict.first + 1) if verdict.first else 0
    how = "HMAC-SHA-256 with the key" if verdict.keyed else "SHA-256 without a key"
    count = f"{held:,} record{'' if held == 1 else 's'}"
    span = f", {verdict.first} to {verdict.last}" if held else ""
    if verdict.broken is None:
        parts = [f"{folder}: proven: {count}{span}, {how}"]
    else:
        parts = [
            f"{folder}: BROKEN: {verdict.broken}",
            f"what holds before it: {count}{span}, {how}",
        ]
    if held:
        parts.append(f"from {time_text(verdict.began)} to {time_text(verdict.ended)}")
    if verdict.first > 1:
        parts.append(f"what was before record {verdict.first} was deleted to make room")
    if verdict.rest:
        parts.append(
            f"{verdict.rest} bytes behind the last record are unfinished: "
            "it is being written, or a crash cut it short"
        )
    notes = [note for note in verdict.notes if note.step != "file_deleted"]
    parts += [
        f"record {note.n}, {time_text(note.time)}: {note.step}: {facts_text(note.facts)}"
        for note in notes[:MAX_NOTES]
    ]
    if len(notes) > MAX_NOTES:
        parts.append(f"… {len(notes) - MAX_NOTES} more records about the log itself")
    if held and verdict.broken is None:
        parts.append(f"head {verdict.last}:{verdict.hash}")
    return "\n".join(parts)
