"""A controlled station that does what a test says, made of octets and of nothing of the plugin.

APDUs by IEC 60870-5-104:2006 clause 5, ASDUs by IEC 60870-5-101:2003 clause 7.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import struct
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from itertools import groupby

STARTDT_ACT, STARTDT_CON = 0x07, 0x0B
STOPDT_ACT, STOPDT_CON = 0x13, 0x23
TESTFR_ACT, TESTFR_CON = 0x43, 0x83
C_IC, C_CI, C_CS = 100, 101, 103


def asdu(kind: int, cause: int, body: bytes, ca: int = 1, count: int = 1, origin: int = 0) -> bytes:
    """Type, structure, cause (with P/N 0x40 and T 0x80), originator, address, objects."""
    return struct.pack("<BBBBH", kind, count, cause, origin, ca) + body


def at(address: int) -> bytes:
    """An information object address of three octets."""
    return address.to_bytes(3, "little")


def cp56(when: datetime, flags: int = 0, summer: bool = False) -> bytes:
    """Milliseconds, minute with IV, hour with SU, day, month, year (101 clause 7.2.6.18)."""
    ms = when.second * 1000 + when.microsecond // 1000
    return struct.pack(
        "<HBBBBB", ms, when.minute | flags, when.hour | summer << 7, when.day, when.month,
        when.year % 100,
    )  # fmt: skip


def mirrored(request: bytes, cause: int) -> bytes:
    """The same with another cause: how commands and interrogations are answered."""
    return request[:2] + bytes((cause,)) + request[3:]


Script = Callable[[bytes], Sequence[bytes]]


def obedient(request: bytes) -> Sequence[bytes]:
    """Confirm everything, and end what has an end."""
    if request[2] & 0x3F == 8:
        return [mirrored(request, 9)]
    if request[0] in (C_CS, 104, 107):
        return [mirrored(request, 7)]
    return [mirrored(request, 7), mirrored(request, 10)]


class Link:
    """One connection with the gateway.

    asdus:        what came, in order.
    acknowledged: N(R) of the latest frame that came: ASDUs of ours that the gateway has.
    """

    def __init__(self, station: Station, writer: asyncio.StreamWriter) -> None:
        self.station = station
        self.asdus: list[bytes] = []
        self.acknowledged = 0
        self.started = False
        self.sent = 0
        self._writer = writer

    def say(self, *asdus: bytes) -> None:
        """Send ASDUs, whatever k says."""
        for one in asdus:
            head = struct.pack("<BBHH", 0x68, 4 + len(one), self.sent << 1, len(self.asdus) << 1)
            self._writer.write(head + one)
            self.sent = (self.sent + 1) % 32768

    def control(self, function: int) -> None:
        """Send a U frame."""
        self._writer.write(bytes((0x68, 4, function, 0, 0, 0)))

    def acknowledge(self) -> None:
        """Send an S frame."""
        self._writer.write(struct.pack("<BBHH", 0x68, 4, 1, len(self.asdus) << 1))

    def hang_up(self) -> None:
        self._writer.close()

    async def serve(self, reader: asyncio.StreamReader) -> None:
        while True:
            start, length = await reader.readexactly(2)
            assert start == 0x68
            octets = await reader.readexactly(length)
            if octets[0] & 3 == 3:
                self.station.functions.append(octets[0])
                self._function(octets[0])
            else:
                self.acknowledged = int.from_bytes(octets[2:4], "little") >> 1
                if octets[0] & 1 == 0:
                    assert self.started, "an I frame before STARTDT"
                    assert int.from_bytes(octets[:2], "little") >> 1 == len(self.asdus)
                    self._asdu(octets[4:])
            async with self.station.came:
                self.station.came.notify_all()

    def _function(self, function: int) -> None:
        if function == STARTDT_ACT and self.station.starts:
            self.started = True
            self.control(STARTDT_CON)
            self.say(*self.station.greeting)
        elif function == STOPDT_ACT:
            self.started = False
            self.control(STOPDT_CON)
        elif function == TESTFR_ACT and self.station.tests:
            self.control(TESTFR_CON)

    def _asdu(self, octets: bytes) -> None:
        self.asdus.append(octets)
        self.station.asdus.append(octets)
        self.station.times.append(asyncio.get_running_loop().time())
        mute = int.from_bytes(octets[4:6], "little") in self.station.mute
        answers = [] if mute or not self.station.acknowledges else self.station.script(octets)
        if answers:
            self.say(*answers)
        elif self.station.acknowledges:
            self.acknowledge()


class Station:
    """Listens at a port of the loopback; `script` says what is answered to each ASDU.

    links:     the connections that there were, in order.
    asdus:     what came through any of them, in order; `times` when.
    functions: the U frames that came.
    greeting:  ASDUs that follow each STARTDT con.
    mute:      common addresses that say nothing.
    """

    def __init__(self, script: Script = obedient, port: int = 0) -> None:
        self.script = script
        self.port = port
        self.links: list[Link] = []
        self.asdus: list[bytes] = []
        self.times: list[float] = []
        self.functions: list[int] = []
        self.greeting: Sequence[bytes] = ()
        self.mute: set[int] = set()
        self.starts = True
        self.tests = True
        self.acknowledges = True
        self.tls: ssl.SSLContext | None = None
        self.came = asyncio.Condition()

    @property
    def link(self) -> Link:
        """The latest connection."""
        return self.links[-1]

    def requests(self, *kinds: int) -> list[bytes]:
        """Return what came of these types."""
        return [one for one in self.asdus if one[0] in kinds]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Station]:
        """Listen for the length of the block."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self.tls)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for link in self.links:
                link.hang_up()

    async def until(self, what: Callable[[], object], within: float = 1000) -> None:
        """Wait until something holds that a frame of the gateway may have brought about."""
        async with asyncio.timeout(within), self.came:
            await self.came.wait_for(what)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = Link(self, writer)
        self.links.append(link)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await link.serve(reader)
        writer.close()


def kinds(asdus: Sequence[bytes]) -> list[tuple[int, int]]:
    """Return types and causes, repetitions once."""
    return [key for key, _ in groupby((one[0], one[2]) for one in asdus)]
