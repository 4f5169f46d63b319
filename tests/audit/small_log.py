"""Small logs for the tests, and the proof that the documentation gives."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from gateway.audit import AuditLog, Verdict, verify
from gateway.model.configuration import AuditSettings

START = 1_767_225_600 * 10**9
"""2026-01-01T00:00:00Z, by `date -u -d @1767225600`."""
SECOND = 10**9
DOCUMENT = Path(__file__).parents[2] / "docs" / "audit.md"


class Wall:
    """A wall clock that goes on by a second with every look."""

    def __init__(self, now: int = START) -> None:
        self.now = now

    def __call__(self) -> int:
        self.now += SECOND
        return self.now


def settings(key: str | None = None, **others: Any) -> AuditSettings:
    return AuditSettings(key=None if key is None else SecretStr(key), **others)


def written(
    folder: Path,
    records: Iterable[tuple[str, Mapping[str, Any]]],
    key: str | None = None,
    *,
    closed: bool = True,
    now: Callable[[], int] | None = None,
    **others: Any,
) -> None:
    """Write a log; one that is not closed is left as by a process that is killed when all is on
    disk.
    """

    async def write() -> None:
        log = AuditLog.open(folder, settings(key, **others), now or Wall())
        for step, facts in records:
            log.write(step, **facts)
            await log.durable()
        if closed:
            await log.close()
        else:
            abandon(log)

    asyncio.run(write())


def abandon(log: AuditLog) -> None:
    """Let go of a log as the system does for a process that is killed."""
    import os

    log._closed = True
    if log._later is not None:
        log._later.cancel()
    log._thread.shutdown()
    log._writer.abandon()
    os.close(log._held)


def proof(folder: Path, key: str | None = None) -> str:
    """Run the proof that docs/audit.md gives; returns what it printed, or its complaint."""
    (code,) = re.findall(r"^```python\n(.*?)^```", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
    words = [sys.executable, "-c", code, str(folder), *([key] if key else [])]
    done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
    return done.stdout.strip() if done.returncode == 0 else done.stderr.strip().splitlines()[-1]


def judged(folder: Path, key: str | None = None) -> Verdict:
    return verify(folder, None if key is None else key.encode())


def steps(count: int) -> list[tuple[str, dict[str, Any]]]:
    """Return records such as a command leaves."""
    words = ("received", "forwarded", "answered")
    return [
        (words[i % 3], {"id": f"c-{i // 3}", "point": "feeder1.breaker", "value": float(i % 2)})
        for i in range(count)
    ]
