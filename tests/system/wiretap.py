"""A connection with somebody on the line, who writes a capture of what both sides say."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator
from pathlib import Path

PORT = 20000
"""The port that the capture shows, which dissectors know as DNP3."""


class Wiretap:
    """Listens at a port, passes everything on to another one, and remembers it."""

    def __init__(self, port: int, to: int) -> None:
        self.port = port
        self._to = to
        self._said: list[tuple[int, bool, bytes]] = []
        self._connections = 0
        self._open: list[asyncio.Task[None]] = []
        self._writers: list[asyncio.StreamWriter] = []

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[Wiretap]:
        """Listen for the length of the block."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        try:
            yield self
        finally:
            server.close()
            for writer in self._writers:
                writer.close()
            if self._open:
                await asyncio.wait(self._open, timeout=5)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        number = self._connections
        task = asyncio.current_task()
        assert task is not None
        self._open.append(task)
        self._writers.append(writer)
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            writer.close()
            return
        self._writers.append(far_writer)
        await asyncio.gather(
            self._pass_on(number, True, reader, far_writer),
            self._pass_on(number, False, far_reader, writer),
        )

    async def _pass_on(
        self,
        number: int,
        outward: bool,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                self._said.append((number, outward, data))
                writer.write(data)
                await writer.drain()
        writer.close()

    def write(self, path: Path) -> None:
        """Write a capture of raw IPv4 (link type 101) with a TCP segment for each piece."""
        sent: dict[tuple[int, bool], int] = {}
        with path.open("wb") as file:
            file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
            for second, (number, outward, data) in enumerate(self._said):
                ports = (40000 + number, PORT) if outward else (PORT, 40000 + number)
                before = sent.get((number, outward), 0)
                heard = sent.get((number, not outward), 0)
                sent[number, outward] = before + len(data)
                tcp = struct.pack(
                    ">HHIIBBHHH", *ports, 1 + before, 1 + heard, 0x50, 0x18, 65535, 0, 0
                )
                ip = struct.pack(
                    ">BBHHHBBH4s4s", 0x45, 0, 40 + len(data), second & 0xFFFF, 0, 64, 6, 0,
                    b"\x7f\0\0\1", b"\x7f\0\0\1",
                )  # fmt: skip
                packet = ip + tcp + data
                file.write(struct.pack("<IIII", second, 0, len(packet), len(packet)) + packet)
