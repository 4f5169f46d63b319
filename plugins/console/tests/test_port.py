"""The port."""

from __future__ import annotations

import asyncio
import socket

from gateway_console.port import bind


async def test_answers_are_sent_at_once() -> None:
    """No answer waits for the other side's acknowledgement of its first half (RFC 896)."""
    seen: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("socket")
        seen.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    with bind("127.0.0.1", 0) as bound:
        async with await asyncio.start_server(served, sock=bound):
            _, writer = await asyncio.open_connection(*bound.getsockname())
            async with asyncio.timeout(5):
                assert await seen
            writer.close()
