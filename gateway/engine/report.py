"""What the gateway says of itself to `gateway health` and the like: JSON at a local socket."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gateway.engine.engine import Engine

log = logging.getLogger("gateway")

SOCKET = "gateway.sock"
"""In the data folder."""
TIMEOUT = 5.0


def report(engine: Engine) -> dict[str, Any]:
    """Return the state of links, ledgers and journal as JSON can hold it; times in ns."""
    held = engine.held
    return {
        "gateway": engine.configuration.gateway.name,
        "started": engine.started,
        "now": engine.clock.now(),
        "points": len(engine.configuration.points),
        "links": {
            name: {
                "type": link.type,
                "direction": link.direction,
                "state": link.state.value,
                "since": link.since,
                "error": link.error,
                "counters": dict(link.counters),
            }
            for name, link in engine.links.items()
        },
        "ledgers": {
            name: ledger.to_dict() | {"pending": held[name]}
            for name, ledger in engine.ledgers.items()
        },
        "journal": {
            "bytes": engine.journal.bytes if engine.journal else 0,
            "failing": engine.journal.failing if engine.journal else "",
        },
    }


async def serve_report(engine: Engine, stop: asyncio.Event) -> None:
    """Answer every connection with the report, until `stop`."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, TimeoutError):
            writer.write(json.dumps(report(engine)).encode())
            await asyncio.wait_for(writer.drain(), TIMEOUT)
        writer.close()

    try:
        async with _short(engine.data) as folder:
            path = folder / SOCKET
            path.unlink(missing_ok=True)
            server = await asyncio.start_unix_server(answer, path)
            path.chmod(0o600)
    except OSError as error:
        log.warning("%s: %s: `gateway health` cannot ask this gateway", engine.data / SOCKET, error)
        return
    async with server:
        await stop.wait()
    with contextlib.suppress(OSError):
        (engine.data / SOCKET).unlink(missing_ok=True)


async def ask(data: Path) -> dict[str, Any]:
    """Return the report of the gateway that runs with this data folder.

    Raises OSError where none runs, TimeoutError where it does not answer.
    """
    async with asyncio.timeout(TIMEOUT), _short(data) as folder:
        reader, writer = await asyncio.open_unix_connection(folder / SOCKET)
        try:
            answer: dict[str, Any] = json.loads(await reader.read())
        finally:
            writer.close()
    return answer


@contextlib.asynccontextmanager
async def _short(folder: Path) -> AsyncIterator[Path]:
    """Name the folder by a handle: a socket's address has no room for a long path."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield Path(f"/proc/self/fd/{handle}")
    finally:
        os.close(handle)
