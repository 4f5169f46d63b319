"""Stations and control centres on a line, made of octets and of nothing of the plugin.

Frames by IEC 60870-5-1 clause 6.2.4.2 (FT1.2), procedures by 60870-5-2, ASDUs by 60870-5-101:2003
clause 7 with its usual sizes: one octet of cause, one of common address, two of object address.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

PRM, FCB, FCV, DIR = 0x40, 0x20, 0x10, 0x80
ACD, DFC = 0x20, 0x10
E5 = b"\xe5"


def fixed(control: int, address: int = 1, octets: int = 1) -> bytes:
    """A frame of fixed length."""
    body = bytes((control,)) + address.to_bytes(octets, "little")
    return b"\x10" + body + bytes((sum(body) & 0xFF, 0x16))


def variable(control: int, asdu: bytes, address: int = 1, octets: int = 1) -> bytes:
    """A frame of variable length."""
    body = bytes((control,)) + address.to_bytes(octets, "little") + asdu
    return bytes((0x68, len(body), len(body), 0x68)) + body + bytes((sum(body) & 0xFF, 0x16))


class Heard(NamedTuple):
    """A frame that came; the control field of the single character is -1."""

    control: int
    address: int
    asdu: bytes

    @property
    def code(self) -> int:
        return self.control & 0x0F


async def heard(reader: asyncio.StreamReader, octets: int = 1) -> Heard:
    """Return the next frame; AssertionError where one is not as the standard has it."""
    start = await reader.readexactly(1)
    if start == E5:
        return Heard(-1, 0, b"")
    if start == b"\x10":
        body = await reader.readexactly(1 + octets)
    else:
        assert start == b"\x68", start
        length, again, once_more = await reader.readexactly(3)
        assert length == again
        assert once_more == 0x68
        body = await reader.readexactly(length)
    assert await reader.readexactly(2) == bytes((sum(body) & 0xFF, 0x16))
    return Heard(body[0], int.from_bytes(body[1 : 1 + octets], "little"), body[1 + octets :])


# ASDUs


def asdu(kind: int, cause: int, body: bytes, ca: int = 1, count: int = 1) -> bytes:
    """Type, structure, cause (with P/N 0x40 and T 0x80), common address, objects."""
    return bytes((kind, count, cause, ca)) + body


def at(address: int) -> bytes:
    """An information object address of two octets."""
    return address.to_bytes(2, "little")


def cp56(when: datetime) -> bytes:
    """Milliseconds, minute, hour, day, month, year (101 clause 7.2.6.18)."""
    ms = when.second * 1000 + when.microsecond // 1000
    return struct.pack(
        "<HBBBBB", ms, when.minute, when.hour, when.day, when.month, when.year % 100
    )  # fmt: skip


def mirrored(request: bytes, cause: int) -> bytes:
    """The same with another cause: how commands and interrogations are answered."""
    return request[:2] + bytes((cause,)) + request[3:]


Script = Callable[[bytes], Sequence[bytes]]


def obedient(request: bytes) -> Sequence[bytes]:
    """Confirm everything, and end what has an end."""
    if request[2] & 0x3F == 8:
        return [mirrored(request, 9)]
    if request[0] in (103, 104):
        return [mirrored(request, 7)]
    return [mirrored(request, 7), mirrored(request, 10)]


def kinds(asdus: Iterable[bytes]) -> list[tuple[int, int]]:
    """Return types and causes, repetitions once."""
    return [key for key, _ in groupby((one[0], one[2]) for one in asdus)]


class Rtu:
    """A secondary station of an unbalanced line.

    asdus:     what came, in order; `times` when.
    class_1, class_2: what is to be asked for; the first of each may have been said already.
    released:  what the other side has by its next FCB, in order.
    said:      how often user data was given, repetitions included.
    script:    what is put into class 1 for each ASDU that comes.
    mute:      hears nothing and says nothing.
    busy:      accepts no user data (DFC).
    functions: codes of what was asked, in order.
    """

    def __init__(self, address: int = 1, script: Script = obedient) -> None:
        self.address = address
        self.script = script
        self.mute = self.busy = False
        self.single = True
        self.asdus: list[bytes] = []
        self.times: list[float] = []
        self.functions: list[int] = []
        self.class_1: deque[bytes] = deque()
        self.class_2: deque[bytes] = deque()
        self.released: list[bytes] = []
        self.said = 0
        self._fcb = -1
        self._latest = b""
        self._out: deque[bytes] | None = None

    def requests(self, *kinds: int) -> list[bytes]:
        return [one for one in self.asdus if one[0] in kinds]

    def restart(self) -> None:
        """Forget the link, and what was said of it; the data stays."""
        self._fcb, self._out = -1, None

    @property
    def _acd(self) -> int:
        return ACD * (len(self.class_1) > (self._out is self.class_1))

    def answer(self, frame: Heard, octets: int) -> bytes:
        """Return what is said to a frame; nothing where it is for another one."""
        if self.mute or frame.address != self.address or not frame.control & PRM:
            return b""
        self.functions.append(frame.code)
        if frame.code == 9:
            return fixed(0x0B | self._acd, self.address, octets)
        if frame.code == 0:
            self._fcb, self._out = 0, None
            return fixed(self._acd, self.address, octets)
        assert frame.code in (3, 10, 11), frame
        assert frame.control & FCV, frame
        fcb = 1 if frame.control & FCB else 0
        if self._fcb < 0:
            return fixed(0x0E, self.address, octets)
        if fcb == self._fcb:
            self.said += self._out is not None
            return self._latest
        if self.busy and frame.code == 3:
            return fixed(0x01 | DFC | self._acd, self.address, octets)
        self._fcb = fcb
        if self._out is not None:
            self.released.append(self._out.popleft())
            self._out = None
        self._latest = self._new(frame, octets)
        return self._latest

    def _new(self, frame: Heard, octets: int) -> bytes:
        if frame.code == 3:
            self.asdus.append(frame.asdu)
            self.times.append(asyncio.get_running_loop().time())
            self.class_1 += self.script(frame.asdu)
            return self._short(0x00, octets)
        queue = self.class_1 if frame.code == 10 else self.class_2
        if not queue:
            return self._short(0x09, octets)
        self._out = queue
        self.said += 1
        return variable(0x08 | self._acd, queue[0], self.address, octets)

    def _short(self, code: int, octets: int) -> bytes:
        if self.single and not self._acd:
            return E5
        return fixed(code | self._acd, self.address, octets)


class TerminalServer:
    """Listens, with stations on the line behind it.

    connections: how many there were.
    frames:      all that were heard, with when.
    trace:       all octets in their order: who has said them, True for the stations.
    """

    def __init__(self, *rtus: Rtu, octets: int = 1) -> None:
        self.rtus = rtus
        self.octets = octets
        self.port = 0
        self.connections = 0
        self.frames: list[tuple[float, Heard]] = []
        self.trace: list[tuple[bool, bytes]] = []
        self.came = asyncio.Condition()
        self._writers: list[asyncio.StreamWriter] = []

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[TerminalServer]:
        """Listen for the length of the block."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.cut()

    def cut(self) -> None:
        """Break the connections."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def until(self, what: Callable[[], object], within: float = 1000) -> None:
        """Wait until something holds that a frame may have brought about."""
        async with asyncio.timeout(within), self.came:
            await self.came.wait_for(what)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                frame = await heard(reader, self.octets)
                self.frames.append((asyncio.get_running_loop().time(), frame))
                for rtu in self.rtus:
                    answer = rtu.answer(frame, self.octets)
                    if answer:
                        writer.write(answer)
                async with self.came:
                    self.came.notify_all()
        writer.close()


class Line:
    """One end of a connection that a test speaks at, frame by frame."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, octets: int = 1
    ) -> None:
        self.reader = reader
        self.writer = writer
        self.octets = octets

    @classmethod
    @contextlib.asynccontextmanager
    async def to(cls, port: int, octets: int = 1) -> AsyncIterator[Line]:
        """Connect to a port of this machine."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            yield cls(reader, writer, octets)
        finally:
            writer.transport.abort()

    @classmethod
    @contextlib.asynccontextmanager
    async def at(cls, port: int, octets: int = 1) -> AsyncIterator[asyncio.Queue[Line]]:
        """Listen at a port of this machine; who connects comes in the queue."""
        came: asyncio.Queue[Line] = asyncio.Queue()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            came.put_nowait(cls(reader, writer, octets))

        server = await asyncio.start_server(serve, "127.0.0.1", port)
        try:
            yield came
        finally:
            server.close()

    def say(self, *frames: bytes) -> None:
        self.writer.write(b"".join(frames))

    async def hear(self, timeout: float = 10.0) -> Heard:
        """Return the next frame."""
        async with asyncio.timeout(timeout):
            return await heard(self.reader, self.octets)

    async def quiet(self, seconds: float) -> None:
        """Hear nothing for so long."""
        with contextlib.suppress(TimeoutError):
            frame = await self.hear(seconds)
            raise AssertionError(f"heard {frame}")

    async def ask(self, frame: bytes, timeout: float = 10.0) -> Heard:
        """Say a frame and return the next one."""
        self.say(frame)
        return await self.hear(timeout)


class Poller(Line):
    """The primary station of an unbalanced line, for one station."""

    address = 1
    fcb = 0
    """The latest one that counted."""

    async def reset(self) -> None:
        """Begin: status, reset."""
        status = await self.ask(fixed(PRM | 9, self.address, self.octets))
        assert (status.control & ~ACD, status.address) == (0x0B, self.address)
        done = await self.ask(fixed(PRM | 0, self.address, self.octets))
        assert done.control == -1 or done.control & 0x0F == 0
        self.fcb = 0

    async def next(self, code: int, asdu: bytes = b"", *, again: bool = False) -> Heard:
        """Say something that counts, with the next FCB or once more with the same."""
        if not again:
            self.fcb = 0 if self.fcb else FCB
        control = PRM | FCV | self.fcb | code
        frame = (
            variable(control, asdu, self.address, self.octets)
            if asdu
            else fixed(control, self.address, self.octets)
        )
        answer = await self.ask(frame)
        assert answer.control == -1 or answer.address == self.address
        return answer

    async def poll(self, group: int = 1, *, again: bool = False) -> bytes:
        """Ask for class 1 or 2 and return the ASDU, or nothing."""
        answer = await self.next(9 + group, again=again)
        assert answer.control == -1 or answer.code in (8, 9)
        return answer.asdu

    async def drain(self) -> list[bytes]:
        """Return all class 1 data, asked for as long as there is some."""
        found = []
        while data := await self.poll():
            found.append(data)
        return found

    async def send(self, asdu: bytes) -> None:
        """SEND/CONFIRM."""
        answer = await self.next(3, asdu)
        assert answer.control == -1 or answer.code == 0


def octets(text: str) -> bytes:
    """Return octets written in hexadecimal, with any blanks between them."""
    return bytes.fromhex("".join(text.split()))
