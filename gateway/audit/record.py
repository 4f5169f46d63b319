"""A record: one step on one line, as bytes and as a value."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gateway.audit.error import AuditError

RESERVED = frozenset({"n", "time", "step", "hash"})
"""Names that no fact may have."""
MAX_TEXT = 2_000
"""Most characters of a text in a record: what a client sends must not fill the disk."""
MAX_LINE = 65_536
"""Most bytes of a record."""

_START = re.compile(rb'\{"n":([1-9]\d{0,18}),"time":"([0-9T:.-]{29}Z)","step":"(\w{1,64})"')
_STEP = re.compile(r"[a-z]\w{0,63}", re.ASCII)
_END = re.compile(rb',"hash":"([0-9a-f]{64})"\}\n')
END_LENGTH = len(',"hash":""}\n') + 64
"""Bytes of a line behind its body."""


@dataclass(frozen=True, slots=True)
class Record:
    """One step.

    n:     counts from 1 without gaps.
    time:  ns since the Unix epoch, UTC.
    facts: what was said of it; floats that JSON has no word for are the texts
           NaN, Infinity and -Infinity, which `float()` reads.
    hash:  ties it to all records before it; hexadecimal.
    """

    n: int
    time: int
    step: str
    facts: Mapping[str, Any]
    hash: str


@dataclass(frozen=True, slots=True)
class Line:
    """A record as it stands in the file; what its hash is over is `body`."""

    n: int
    time: bytes
    step: bytes
    body: bytes
    hash: bytes


def render(n: int, time: int, step: str, facts: Mapping[str, Any]) -> bytes:
    """Return the body of a record: its line up to the hash, in ASCII."""
    if not _STEP.fullmatch(step):
        raise AuditError(f"found the step '{step[:80]}', allowed: a word in lower case")
    if not RESERVED.isdisjoint(facts):
        raise AuditError(f"a record has its own {', '.join(sorted(RESERVED & facts.keys()))}")
    head = {"n": n, "time": time_text(time), "step": step}
    plain = head | {name: _plain(value) for name, value in facts.items()}
    body = json.dumps(plain, separators=(",", ":"), allow_nan=False)[:-1].encode("ascii")
    if len(body) + END_LENGTH > MAX_LINE:
        raise AuditError(
            f"found a record of {len(body) + END_LENGTH} bytes, allowed: at most {MAX_LINE}"
        )
    return body


def finish(body: bytes, digest: bytes) -> bytes:
    """Return the whole line of a record."""
    return b'%b,"hash":"%b"}\n' % (body, digest.hex().encode())


def label(line: bytes) -> tuple[bytes, bytes] | None:
    """Return time and step of a line at little cost; None where it does not begin as a record."""
    start = _START.match(line)
    return None if start is None else (start[2], start[3])


def split(line: bytes) -> Line | None:
    """Take a line apart; None where it is no whole record."""
    start, end = _START.match(line), _END.fullmatch(line, max(0, len(line) - END_LENGTH))
    if start is None or end is None:
        return None
    return Line(
        int(start[1]), start[2], start[3], line[:-END_LENGTH], bytes.fromhex(end[1].decode())
    )


def parse(line: bytes) -> Record | None:
    """Read a line; None where it is no whole record."""
    parts = split(line)
    if parts is None:
        return None
    try:
        facts = json.loads(line)
        time = time_of(parts.time.decode())
    except (ValueError, RecursionError):
        return None
    for name in RESERVED:
        del facts[name]
    return Record(parts.n, time, parts.step.decode(), facts, parts.hash.hex())


def time_text(time: int) -> str:
    """Write ns since the Unix epoch as `2026-01-01T00:00:00.000000000Z`: 30 characters."""
    seconds, ns = divmod(time, 10**9)
    return f"{datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat()}.{ns:09d}Z"


def time_of(text: str) -> int:
    """Read what `time_text` wrote; raises ValueError where it is not."""
    whole, _, ns = text.removesuffix("Z").partition(".")
    return int(datetime.fromisoformat(whole + "+00:00").timestamp()) * 10**9 + int(ns)


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        if len(value) <= MAX_TEXT:
            return value
        return f"{value[:MAX_TEXT]}… ({len(value)} characters)"
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if hasattr(value, "item"):
        return _plain(value.item())
    return _plain(str(value))
