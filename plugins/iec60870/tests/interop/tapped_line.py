"""A TCP connection between two stations with somebody on the line, who takes frames down.

APDUs by IEC 60870-5-104:2006 clause 5, read by hand: nothing of the plugin looks at them here.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

PORT = 2404
"""The port that a capture shows."""
NUMBERS = 32768


@dataclass(frozen=True)
class Frame:
    """One APDU.

    connection: counts from 1.
    outward:    it is of the controlling station, who connects.
    """

    connection: int
    outward: bool
    octets: bytes

    @property
    def asdu(self) -> bytes:
        """The ASDU of an I frame, empty of others."""
        return self.octets[6:]

    @property
    def numbered(self) -> bool:
        """Whether it is an I frame."""
        return not self.octets[2] & 1

    @property
    def function(self) -> int:
        """The control octet of a U frame, 0 of others."""
        return self.octets[2] if self.octets[2] & 3 == 3 else 0

    @property
    def acknowledges(self) -> int | None:
        """N(R) of an I or S frame."""
        return None if self.function else int.from_bytes(self.octets[4:6], "little") >> 1


class _Pair:
    """The two halves of one connection."""

    def __init__(self, *writers: asyncio.StreamWriter) -> None:
        self.writers = writers

    def abort(self) -> None:
        for writer in self.writers:
            writer.transport.abort()


class TappedLine:
    """Listens at `port` of the loopback, and passes everything on to port `to`.

    by: the address that the other end sees.
    """

    def __init__(self, to: int, by: str = "127.0.0.1") -> None:
        self.to = to
        self.port = 0
        self.frames: list[Frame] = []
        self.connections = 0
        self.refuses = False
        """Whether connections are closed as soon as they are open."""
        self._by = by
        self._pairs: set[_Pair] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._flows = {True: asyncio.Event(), False: asyncio.Event()}
        for flow in self._flows.values():
            flow.set()

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[TappedLine]:
        """Listen for the length of the block."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.cut()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Reset every connection; octets that are on their way are lost."""
        for pair in self._pairs:
            pair.abort()

    def hold(self, *, outward: bool) -> None:
        """Keep what is said in a direction, until `release`."""
        self._flows[outward].clear()

    def release(self, *, outward: bool) -> None:
        self._flows[outward].set()

    # What was said

    def asdus(self, *kinds: int, outward: bool | None = None) -> list[bytes]:
        """Return the ASDUs of these types, or all, in one direction or in both."""
        return [
            frame.asdu
            for frame in self.frames
            if frame.numbered
            and (not kinds or frame.asdu[0] in kinds)
            and outward in (None, frame.outward)
        ]

    def functions(self, connection: int | None = None) -> list[int]:
        """Return the control octets of the U frames, of one connection or of all."""
        return [
            frame.function
            for frame in self.frames
            if frame.function and connection in (None, frame.connection)
        ]

    def acknowledged(self, connection: int, *, outward: bool) -> int:
        """Return how many I frames that were said in a direction the other end acknowledged."""
        said = [
            frame.acknowledges
            for frame in self.frames
            if frame.connection == connection and frame.outward is not outward
        ]
        return max((number for number in said if number is not None), default=0)

    def most_unacknowledged(self, *, outward: bool) -> int:
        """Return how many I frames were out at a time, at the most: never above the sender's k.

        Who sends has seen every acknowledgement that has passed here, or fewer.
        """
        most, sent, acknowledged, connection = 0, 0, 0, 0
        for frame in self.frames:
            if frame.connection != connection:
                connection, sent, acknowledged = frame.connection, 0, 0
            if frame.outward is outward:
                sent += frame.numbered
                most = max(most, sent - acknowledged)
            elif frame.acknowledges is not None:
                acknowledged += (frame.acknowledges - acknowledged) % NUMBERS
        return most

    def write(self, path: Path) -> None:
        """Write a capture of raw IPv4 (link type 101) with a TCP segment for each frame."""
        sent: dict[tuple[int, bool], int] = {}
        with path.open("wb") as file:
            file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
            for second, frame in enumerate(self.frames):
                number, outward = frame.connection, frame.outward
                ports = (40000 + number, PORT) if outward else (PORT, 40000 + number)
                before, heard = (sent.get((number, way), 0) for way in (outward, not outward))
                sent[number, outward] = before + len(frame.octets)
                tcp = struct.pack(
                    ">HHIIBBHHH", *ports, 1 + before, 1 + heard, 0x50, 0x18, 65535, 0, 0
                )
                ip = struct.pack(
                    ">BBHHHBBH4s4s", 0x45, 0, 40 + len(frame.octets), second & 0xFFFF, 0, 64, 6, 0,
                    b"\x7f\0\0\1", b"\x7f\0\0\1",
                )  # fmt: skip
                packet = ip + tcp + frame.octets
                file.write(struct.pack("<IIII", second, 0, len(packet), len(packet)) + packet)

    # What passes

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if self.refuses:
            writer.close()
            return
        try:
            there = await asyncio.open_connection("127.0.0.1", self.to, local_addr=(self._by, 0))
        except OSError:
            writer.close()
            return
        self.connections += 1
        number, pair = self.connections, _Pair(writer, there[1])
        self._pairs.add(pair)
        try:
            await asyncio.gather(
                self._pass_on(number, True, reader, there[1]),
                self._pass_on(number, False, there[0], writer),
            )
        finally:
            pair.abort()
            self._pairs.discard(pair)

    async def _pass_on(
        self,
        number: int,
        outward: bool,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        rest = b""
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self._flows[outward].wait()
                rest = self._take_down(number, outward, rest + data)
                writer.write(data)
                await writer.drain()
        writer.close()

    def _take_down(self, number: int, outward: bool, data: bytes) -> bytes:
        while len(data) > 1 and len(data) >= data[1] + 2:
            assert data[0] == 0x68, data.hex(" ")
            self.frames.append(Frame(number, outward, data[: data[1] + 2]))
            data = data[data[1] + 2 :]
        return data
