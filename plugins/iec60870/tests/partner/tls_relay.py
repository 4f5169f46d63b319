"""TLS for a client that has none: a relay of this process, plain on one side."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


@asynccontextmanager
async def tls_relay(
    port: int, context: ssl.SSLContext, host: str = "127.0.0.1"
) -> AsyncIterator[int]:
    """Yield a port of the loopback: what connects to it is connected to `port` by TLS.

    Where one side ends, or TLS is refused, both end.
    """
    pairs: set[asyncio.Task[None]] = set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()

    async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        pairs.add(task)
        try:
            with suppress(OSError):
                there = await asyncio.open_connection(host, port, ssl=context)
                await asyncio.gather(
                    pump(reader, there[1]), pump(there[0], writer), return_exceptions=True
                )
        finally:
            writer.close()
            pairs.discard(task)

    server = await asyncio.start_server(join, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(pairs):
            task.cancel()
        await asyncio.gather(*pairs, return_exceptions=True)
