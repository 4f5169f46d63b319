"""An echo server of ours, and OpenSSL's own client and server as the other side."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from gateway import TlsClient, TlsServer
from gateway.testing import free_port
from gateway.tls.context import Context
from gateway.tls.watched import Watched

PATIENCE = 10.0


def server_settings(folder: Path, name: str = "server", **more: Any) -> TlsServer:
    """Settings of a listener that wants certificates of clients."""
    own = {
        "ca": folder / "ca.pem",
        "certificate": folder / f"{name}.pem",
        "key": folder / f"{name}.key",
    }
    return TlsServer.model_validate(own | more)


def client_settings(folder: Path, name: str | None = "client", **more: Any) -> TlsClient:
    """Settings of a client that trusts the authority and shows a certificate, or none."""
    own: dict[str, Any] = {"ca": folder / "ca.pem"}
    if name is not None:
        own |= {"certificate": folder / f"{name}.pem", "key": folder / f"{name}.key"}
    return TlsClient.model_validate(own | more)


class Heard:
    """What a link would count and log."""

    def __init__(self) -> None:
        self.counted: list[str] = []
        self.lines: list[str] = []

    def count(self, what: str) -> None:
        self.counted.append(what)

    def warning(self, text: str, *values: Any) -> None:
        self.lines.append(text % values)


def context_of(settings: TlsServer | TlsClient, heard: Heard | None = None) -> Context:
    heard = heard or Heard()
    return Watched("link", settings).open(heard.count, heard)  # type: ignore[arg-type]


@contextlib.asynccontextmanager
async def echoing(context: ssl.SSLContext) -> AsyncIterator[int]:
    """A server of ours that sends back what it hears; yields its port."""
    tasks: set[asyncio.Task[None]] = set()

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(1000):
                writer.write(data)
                await writer.drain()
        writer.close()

    def start(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(echo(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(start, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def s_client(port: int, *options: str, send: bytes = b"hello\n") -> str:
    """Connect with `openssl s_client`, hear the echo of one line, and return what it printed."""
    client = await asyncio.create_subprocess_exec(
        "openssl", "s_client", "-connect", f"127.0.0.1:{port}", *options,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    assert client.stdin is not None
    assert client.stdout is not None
    printed = b""
    try:
        async with asyncio.timeout(PATIENCE):
            client.stdin.write(send)
            while more := await client.stdout.read(65536):
                printed += more
                if b"\nhello\n" in printed:
                    client.stdin.write(b"Q\n")
    finally:
        with contextlib.suppress(ProcessLookupError):
            client.kill()
        await client.wait()
    return printed.decode(errors="replace")


@contextlib.asynccontextmanager
async def s_server(*options: str) -> AsyncIterator[int]:
    """Run `openssl s_server`, which sends lines back reversed; yields its port."""
    port = free_port()
    server = await asyncio.create_subprocess_exec(
        "openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-rev", *options,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    assert server.stdout is not None
    printed = b""
    try:
        async with asyncio.timeout(PATIENCE):
            while b"ACCEPT" not in printed:
                more = await server.stdout.read(1000)
                assert more, printed.decode()
                printed += more
        yield port
    finally:
        with contextlib.suppress(ProcessLookupError):
            server.kill()
        await server.wait()


async def talk(port: int, context: ssl.SSLContext, host: str = "127.0.0.1") -> ssl.SSLObject:
    """Connect, send a line, hear it (or its reverse), and return the session; raises OSError."""
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection(host, port, ssl=context)
        try:
            writer.write(b"hello\n")
            line = await reader.readline()
            if line not in (b"hello\n", b"olleh\n"):
                raise ConnectionError(f"heard {line!r}")
            session: ssl.SSLObject = writer.get_extra_info("ssl_object")
            return session
        finally:
            writer.transport.abort()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.005)
