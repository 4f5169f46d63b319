"""The local socket: what an operator at the machine itself asks, a line of JSON each way.

Who may open the socket could stop the gateway as well, and needs no password to look.
To command, a user of the gateway's must log in, where it has users; where it has none,
the account of the machine is on record.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import os
import pwd
import socket
import struct
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.engine.frames import frames
from gateway.engine.report import report, samples
from gateway.model.access import AccessRefused
from gateway.model.command import Answer, Client, Operation, Request
from gateway.model.errors import GatewayError
from gateway.model.override import Override
from gateway.model.selector import selector

if TYPE_CHECKING:
    from gateway.engine.engine import Engine

log = logging.getLogger("gateway")

SOCKET = "gateway.sock"
"""In the data folder."""
SINK = "local"
"""What clients of the socket are on record with."""
ADMIN = "admin"
TIMEOUT = 5.0
"""Seconds that a line may take."""
PATIENCE = 3600.0
"""Seconds that a command may take at most; its own times are shorter."""
LAST_WORDS = 5.0
"""Seconds that what is under way has when the gateway ends."""
LONGEST_LINE = 65_536
MOST_CLIENTS = 32


class LocalError(GatewayError):
    """The gateway could not do what was asked; the sentence is for who asked."""


class _Session:
    """One connection."""

    def __init__(self, engine: Engine, account: str, number: int) -> None:
        self._engine = engine
        self._access = engine.authority.access
        role = "" if self._access.authenticates else ADMIN
        self.client = Client(SINK, account, account, role, str(number))
        self._account = account
        self._number = str(number)

    async def answer(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer; raises LocalError, and what a question of a wrong shape raises."""
        match asked["ask"]:
            case "health":
                return report(self._engine)
            case "points":
                return {"points": samples(self._engine, selector(tuple(asked["names"])))}
            case "frames":
                return await frames(self._engine, asked["links"], asked["after"], asked["past"])
            case "login":
                self.client = await self._access.login(
                    SINK, asked["user"], asked["password"], self._account, self._number
                )
                return {"role": self.client.role}
            case "command":
                request = Request(
                    self._point(asked),
                    Operation(asked["operation"]),
                    float(asked["value"]),
                    self.client,
                    test=bool(asked.get("test", False)),
                )
                return _said(await self._engine.authority.command(request))
            case "override":
                value = asked.get("value")
                return _said(
                    await self._engine.authority.override(
                        self.client,
                        self._point(asked),
                        Override(asked["action"]),
                        None if value is None else float(value),
                    )
                )
        raise LocalError(f"found the question {asked['ask']!r}")

    def _point(self, asked: Mapping[str, Any]) -> int:
        try:
            return self._engine.id(asked["point"])
        except KeyError:
            raise LocalError(f"there is no point '{asked['point']}'") from None

    def leave(self) -> None:
        self._engine.authority.desk.release(lambda client: client == self.client)


async def serve_local(engine: Engine, stop: asyncio.Event) -> None:
    """Answer every line of every connection, until `stop`; then what is under way."""
    writers: set[asyncio.StreamWriter] = set()
    idle: set[asyncio.StreamWriter] = set()
    gone = asyncio.Event()
    numbers = itertools.count(1)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        session = _Session(engine, _account(writer.get_extra_info("socket")), next(numbers))
        try:
            with contextlib.suppress(OSError, TimeoutError, ValueError):
                while len(writers) <= MOST_CLIENTS and not stop.is_set():
                    idle.add(writer)
                    line = await asyncio.wait_for(reader.readline(), PATIENCE)
                    idle.discard(writer)
                    if not line:
                        break
                    said = json.dumps(await _answered(session, line)).encode() + b"\n"
                    if writer.is_closing():
                        break
                    writer.write(said)
                    await asyncio.wait_for(writer.drain(), TIMEOUT)
        finally:
            writers.discard(writer)
            idle.discard(writer)
            if not writers:
                gone.set()
            session.leave()
            writer.close()

    try:
        async with _short(engine.data) as folder:
            path = folder / SOCKET
            path.unlink(missing_ok=True)
            server = await asyncio.start_unix_server(serve, path, limit=LONGEST_LINE)
            path.chmod(0o600)
    except OSError as error:
        log.warning("%s: %s: nobody can ask this gateway here", engine.data / SOCKET, error)
        return
    async with server:
        await stop.wait()
        server.close()
        for writer in idle:
            writer.close()
        gone.clear()
        if writers:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(gone.wait(), LAST_WORDS)
        for writer in writers:
            writer.close()
    with contextlib.suppress(OSError):
        (engine.data / SOCKET).unlink(missing_ok=True)


async def _answered(session: _Session, line: bytes) -> dict[str, Any]:
    try:
        return await session.answer(json.loads(line))
    except AccessRefused:
        return {"error": "not let in"}
    except GatewayError as error:
        return {"error": str(error)}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return {"error": f"this is no question: {type(error).__name__}: {error}"}


def _said(answer: Answer) -> dict[str, Any]:
    return {"status": answer.status.value, "detail": answer.detail, "id": answer.id}


def _account(connection: socket.socket) -> str:
    """Return the account of the machine at the other end (SO_PEERCRED)."""
    size = struct.calcsize("3i")
    _, user, _ = struct.unpack(
        "3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    )
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"uid {user}"


class Local:
    """A conversation with the gateway that runs with a data folder."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Use `conversation`."""
        self._reader = reader
        self._writer = writer

    async def ask(self, what: str, timeout: float = TIMEOUT, **more: Any) -> dict[str, Any]:
        """Return the answer; raises LocalError with what the gateway has against it,
        OSError or TimeoutError where it does not answer.
        """
        self._writer.write(json.dumps({"ask": what, **more}).encode() + b"\n")
        line = await asyncio.wait_for(self._reader.readline(), timeout)
        if not line:
            raise OSError("the gateway hung up")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise LocalError(answer["error"])
        return answer


@contextlib.asynccontextmanager
async def conversation(data: Path) -> AsyncIterator[Local]:
    """Speak to the gateway of a data folder; raises OSError or TimeoutError where none answers."""
    async with _short(data) as folder:
        reader, writer = await asyncio.wait_for(
            asyncio.open_unix_connection(folder / SOCKET, limit=64 * 2**20), TIMEOUT
        )
    try:
        yield Local(reader, writer)
    finally:
        writer.close()


async def ask(data: Path) -> dict[str, Any]:
    """Return the report of the gateway that runs with this data folder.

    Raises OSError where none runs, TimeoutError where it does not answer.
    """
    async with conversation(data) as local:
        return await local.ask("health")


@contextlib.asynccontextmanager
async def _short(folder: Path) -> AsyncIterator[Path]:
    """Name the folder by a handle: a socket's address has no room for a long path."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield Path(f"/proc/self/fd/{handle}")
    finally:
        os.close(handle)
