"""A connection or a wire with somebody on it, who takes frames down, cuts it, and asks tshark.

FT1.2 by IEC 60870-5-1 clause 6.2.4.2, read by hand: nothing of the plugin looks at it here.
"""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
import os
import pty
import shutil
import struct
import subprocess
import tty
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

RTAC_SERIAL = 250
"""The link type of captures of serial lines, whose payload tshark can be told to read as 101."""
MARKS = ("_ws.malformed", "_ws.expert", "_ws.expert.message")
HEAD = ("typeid", "causetx", "nega", "addr", "ioa")


def frames(octets: bytes, link: int = 1) -> list[bytes]:
    """Split what one side has said into its frames; the last one may be incomplete."""
    found = []
    while octets:
        match octets[0]:
            case 0xE5:
                size = 1
            case 0x10:
                size = 4 + link
            case start:
                assert start == 0x68, octets[:8].hex(" ")
                size = octets[1] + 6 if len(octets) > 1 else 2
        if size > len(octets):
            break
        found.append(octets[:size])
        octets = octets[size:]
    return found


class Tap:
    """Passes octets on, and remembers them in their order.

    said: who has said them (True: the one that connected), and the octets.
    """

    def __init__(self, link: int = 1) -> None:
        self.link = link
        self.port = 0
        self.connections = 0
        self.left: int | None = None
        self.said: list[tuple[bool, bytes]] = []
        self._target = 0
        self._writers: set[asyncio.StreamWriter] = set()

    @contextlib.asynccontextmanager
    async def to(self, port: int) -> AsyncIterator[Tap]:
        """Listen for the length of the block, and pass on to this port of the loopback."""
        self._target = port
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.cut()

    def cut(self) -> None:
        """Break what there is."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def cut_after(self, octets: int) -> None:
        """Break it when so many octets more have passed, in either direction."""
        self.left = octets

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        await asyncio.gather(
            self._pass_on(True, reader, far_writer), self._pass_on(False, far_reader, writer)
        )
        for one in (writer, far_writer):
            one.transport.abort()
        self._writers -= {writer, far_writer}

    async def _pass_on(
        self, first: bool, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if self.left is not None and len(data) >= self.left:
                    writer.write(data[: self.left])
                    self.left = None
                    # What is on its way arrives; everything else ends.
                    writer.close()
                    for other in self._writers - {writer}:
                        other.transport.abort()
                    return
                if self.left is not None:
                    self.left -= len(data)
                self.said.append((first, data))
                writer.write(data)
                await writer.drain()
        writer.transport.abort()

    def capture(self) -> list[tuple[bool, bytes]]:
        """Return the frames of both sides, in the order in which they were complete."""
        found: list[tuple[bool, bytes]] = []
        held = {True: b"", False: b""}
        for first, octets in self.said:
            held[first] += octets
            for frame in frames(held[first], self.link):
                held[first] = held[first][len(frame) :]
                found.append((first, frame))
        return found

    def verdict(self, folder: Path, **sizes: int) -> list[dict[str, str]]:
        """Return what tshark reads in each ASDU; asserts that it has no remark to any frame.

        sizes: of `cot`, `asdu_addr`, `asdu_ioa`, where they are not 1, 1, 2.
        """
        captured = self.capture()
        path = folder / "line.pcap"
        with path.open("wb") as file:
            file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, RTAC_SERIAL))
            for second, (_, frame) in enumerate(captured):
                packet = struct.pack(">IIBBH", second, 0, 1, 0, 0) + frame
                head = struct.pack("<IIII", second, 0, len(packet), len(packet))
                file.write(head + packet)
        rows = _dissected(path, {"linkaddr": self.link} | sizes)
        assert len(rows) == len(captured)
        found: list[dict[str, str]] = []
        for row, (first, frame) in zip(rows, captured, strict=True):
            remarks = [row[mark] for mark in MARKS]
            assert not any(remarks), (frame.hex(" "), remarks)
            if frame[0] != 0xE5:
                assert row["iec60870_101.ctrlfield"], frame.hex(" ")
            if row["iec60870_asdu.typeid"]:
                said = {name: row[f"iec60870_asdu.{name}"] for name in HEAD}
                found.append(said | {"first": str(first)})
        return found


def _dissected(path: Path, sizes: dict[str, int]) -> list[dict[str, str]]:
    tshark = shutil.which("tshark")
    if tshark is None:
        pytest.fail("tshark is missing: apt-get install tshark")
    names = ("iec60870_101.ctrlfield", *MARKS, *(f"iec60870_asdu.{name}" for name in HEAD))
    command = [tshark, "-r", str(path), "-d", "rtacser.data,iec60870_101"]
    for name, octets in sizes.items():
        command += ["-o", f"iec60870_101.{name}_len:{octets} octet"]
    command += ["-T", "fields", "-E", "separator=|", "-E", "aggregator=;"]
    command += [word for name in names for word in ("-e", name)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    rows = csv.reader(io.StringIO(done.stdout), delimiter="|")
    return [dict(zip(names, row, strict=True)) for row in rows]


class Bus:
    """Serial ports on one wire.

    names: of the ports.
    mute:  ends that nobody hears, by their place.
    """

    def __init__(self, names: list[str]) -> None:
        self.names = names
        self.mute: set[int] = set()


@contextlib.asynccontextmanager
async def bus(ends: int) -> AsyncIterator[Bus]:
    """Have so many serial ports on one wire: what one says all others hear."""
    pairs = [pty.openpty() for _ in range(ends)]
    loop = asyncio.get_running_loop()
    wire = Bus([os.ttyname(far) for _, far in pairs])

    def carry(place: int, own: int) -> None:
        data = os.read(own, 4096)
        for other, _ in pairs:
            if other != own and place not in wire.mute:
                os.write(other, data)

    for place, (own, far) in enumerate(pairs):
        tty.setraw(own)
        tty.setraw(far)
        os.set_blocking(own, False)
        loop.add_reader(own, carry, place, own)
    try:
        yield wire
    finally:
        for own, far in pairs:
            loop.remove_reader(own)
            os.close(own)
            os.close(far)
