"""Checking a configuration that somebody hands in, in a process of its own.

What is handed in is not trusted: the process has little time and memory, sees no environment,
and opens no file of the machine but those of Python itself and of the plugins.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import resource
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway.model.errors import GatewayError
from gateway.model.observation import Flaw, Verdict

TIMEOUT = 30.0
"""Seconds that a check may take, of the wall clock and of a processor."""
MEMORY = 2 * 2**30
"""Bytes of address space that it may use."""
LARGEST_ANSWER = 8 * 2**20
"""Bytes."""
MOST_FILES = 16
NICE = 10
"""Steps by which the field goes first."""

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")


async def check(files: Mapping[str, bytes], timeout: float = TIMEOUT) -> Verdict:
    """See `Observation.check`."""
    if not 0 < len(files) <= MOST_FILES:
        raise GatewayError(f"found {len(files)} files, allowed: 1 to {MOST_FILES}")
    for name in files:
        if not _NAME.fullmatch(name):
            raise GatewayError(
                f"found the file name {name[:100]!r}, allowed: letters, digits, '.', '_' and '-', "
                "no folders"
            )
    with tempfile.TemporaryDirectory(prefix="gateway-check-") as folder:
        await asyncio.to_thread(_write, Path(folder), files)
        told = await _ask(Path(folder), next(iter(files)), timeout)
    return Verdict([Flaw(**one) for one in told.pop("flaws")], **told)


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        (folder / name).write_bytes(data)


async def _ask(folder: Path, name: str, timeout: float) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-I", "-m", "gateway.engine.checking", str(folder), name),
        cwd=folder,
        env={"LANG": "C.UTF-8", "PATH": os.defpath},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=LARGEST_ANSWER,
    )
    assert process.stdout is not None  # noqa: S101 - a pipe was asked for
    try:
        async with asyncio.timeout(timeout):
            said = await process.stdout.read(LARGEST_ANSWER)
            await process.wait()
    except TimeoutError:
        raise GatewayError(f"the check was not finished within {timeout:g} s") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    try:
        told: dict[str, Any] = json.loads(said)
    except ValueError:
        raise GatewayError("the check did not finish: too large, or a plugin failed") from None
    return told


def _confine(folder: Path) -> None:
    """Bound what this process may use, and which files it may open."""
    seconds = int(TIMEOUT)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(NICE)
    python = {sys.prefix, sys.base_prefix, sys.exec_prefix, *filter(None, sys.path)}
    roots = (*(os.path.realpath(one) + os.sep for one in python), os.path.realpath(folder) + os.sep)
    code = (".py", ".pyc", ".so", ".json", "METADATA", "entry_points.txt", "RECORD")

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event != "open" or not isinstance(arguments[0], str | bytes):
            return
        path = os.path.realpath(os.fsdecode(arguments[0]))
        if not path.startswith(roots) and not path.endswith(code):
            raise PermissionError(f"{path}: a check opens files of its own only")

    sys.addaudithook(hook)


def main(folder: Path, name: str) -> None:
    """Check one configuration, and print the verdict as a line of JSON."""
    _confine(folder)
    from gateway.config import ConfigError, load

    try:
        found = load(folder / name, {}, sealed=True)
        told: dict[str, Any] = {
            "flaws": [],
            "sources": len(found.sources),
            "sinks": len(found.sinks),
            "points": len(found.points),
        }
    except ConfigError as error:
        flaws = [
            {
                "file": one.path.name,
                "line": one.line,
                "column": one.column,
                "sentence": one.sentence.replace(f"{folder}{os.sep}", ""),
            }
            for one in error.problems
        ]
        told = {"flaws": flaws}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
