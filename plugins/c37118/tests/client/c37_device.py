"""A PMU or PDC at the end of real sockets, made of octets; it does what the test says."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Sequence
from typing import Any

import c37_octets as c37


class Device:
    """Answers commands with these frames, by CMD; what it was told stands in `heard`."""

    def __init__(self, answers: dict[int, Sequence[bytes]] | None = None) -> None:
        self.answers = answers or {}
        self.heard: list[int] = []
        self.commands: list[bytes] = []
        self.connections = 0
        self.port = 0
        self.some = asyncio.Event()
        self._writer: asyncio.StreamWriter | None = None
        self._datagrams: asyncio.DatagramTransport | None = None
        self._partner: tuple[str, int] | None = None
        self._closing: list[Any] = []

    def took(self, octets: bytes) -> None:
        """Take one command frame, and answer."""
        sync, size = octets[:2], struct.unpack(">H", octets[2:4])[0]
        assert sync[0] == 0xAA
        assert sync[1] >> 4 == c37.COMMAND
        assert size == len(octets) == 18
        self.commands.append(octets)
        self.heard.append(struct.unpack(">H", octets[14:16])[0])
        self.some.set()
        self.send(*self.answers.get(self.heard[-1], ()))

    def send(self, *frames: bytes) -> None:
        """Send octets, a datagram for each where that is what it speaks."""
        if self._datagrams is not None:
            for one in frames:
                self._datagrams.sendto(one, self._partner)
        elif self._writer is not None:
            self._writer.write(b"".join(frames))

    async def until(self, *heard: int) -> None:
        """Wait until it has heard exactly these commands."""
        async with asyncio.timeout(60):
            while self.heard != list(heard):
                self.some.clear()
                await self.some.wait()

    def hang_up(self) -> None:
        """Close the connection."""
        assert self._writer is not None
        self._writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writer = writer
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while True:
                self.took(await reader.readexactly(18))


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, device: Device) -> None:
        self.device = device

    def datagram_received(self, octets: bytes, address: tuple[str, int]) -> None:
        self.device._partner = address
        self.device.took(octets)


@contextlib.asynccontextmanager
async def tcp_device(answers: dict[int, Sequence[bytes]]) -> AsyncIterator[Device]:
    """A device behind a TCP port."""
    device = Device(answers)
    server = await asyncio.start_server(device._serve, "127.0.0.1", 0)
    device.port = server.sockets[0].getsockname()[1]
    try:
        yield device
    finally:
        server.close()


@contextlib.asynccontextmanager
async def udp_device(
    answers: dict[int, Sequence[bytes]],
    partner: tuple[str, int] | None = None,
    address: str = "127.0.0.1",
) -> AsyncIterator[Device]:
    """A device at a UDP port; it sends to the partner, or to who spoke last."""
    device = Device(answers)
    device._partner = partner
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Udp(device), local_addr=(address, 0)
    )
    device._datagrams = transport
    device.port = transport.get_extra_info("sockname")[1]
    try:
        yield device
    finally:
        transport.close()
