"""A network between gateway and broker that a test can cut, mute or close."""

from __future__ import annotations

import asyncio
import contextlib
from enum import StrEnum


class Mode(StrEnum):
    """What the network does."""

    PASS = "pass"
    MUTE = "mute"
    """What the gateway sends arrives; of what comes back only the first packet, the CONNACK."""
    REFUSE = "refuse"
    """Connections are closed as soon as they are there."""


class Proxy:
    """Forwards TCP from its own port to another one on loopback.

    near: address of this machine that the target sees as the other end's.
    """

    def __init__(self, target: int, near: str = "127.0.0.1") -> None:
        self.target = target
        self.near = near
        self.mode = Mode.PASS
        self.port = 0
        self.connections = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Break every connection at once, in the middle of whatever it was."""
        for writer in self._writers:
            writer.transport.abort()

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        self.cut()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self.mode is Mode.REFUSE:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(
                "127.0.0.1", self.target, local_addr=(self.near, 0)
            )
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        with contextlib.suppress(OSError):
            await asyncio.gather(
                self._forward(reader, far_writer, back=False),
                self._forward(far_reader, writer, back=True),
            )
        self._writers -= {writer, far_writer}
        writer.transport.abort()
        far_writer.transport.abort()

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, back: bool
    ) -> None:
        first = True
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                if not back or first or self.mode is Mode.PASS:
                    writer.write(data)
                    await writer.drain()
                first = False
        writer.transport.abort()
