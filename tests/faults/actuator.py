"""A Modbus TCP device that remembers every write it ever received, and fails at them on demand.

Written from the frames of the standard (application protocol V1.1b3, messaging V1.0b), and from
nothing that the gateway uses. What it remembers outlives its power; its registers do not.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

READS = 1000
"""Register that counts the requests to read."""
DEVICE_FAILURE = 4
READ, WRITE = 3, 16


class Manner(StrEnum):
    """What the device does with a write."""

    PROMPT = "prompt"
    LATE = "late"
    """Acts, and answers after `delay`."""
    SILENT = "silent"
    """Acts, and says nothing."""
    LOST = "lost"
    """Neither acts nor says anything."""
    REFUSE = "refuse"
    """Answers with an exception, and does not act."""
    LEAVE = "leave"
    """Hangs up instead of acting."""
    ACT_AND_LEAVE = "act_and_leave"
    """Acts, and hangs up instead of answering."""


@dataclass(frozen=True, slots=True)
class Received:
    """A write as it came in, when (ns) and on which connection; and whether the device acted."""

    time: int
    connection: int
    unit: int
    register: int
    value: int
    acted: bool


class Actuator:
    """Takes setpoints of 32 bits in two registers, and shows them to who reads.

    on_write: looked at when a write is there and before anything is done about it.
    powered:  without power nothing is answered, and all registers are 0 afterwards.
    """

    def __init__(self, on_write: Callable[[Received], None] = lambda received: None) -> None:
        self.manner = Manner.PROMPT
        self.delay = 0.0
        self.powered = True
        self.received: list[Received] = []
        self.reads: list[float] = []
        self.connections = 0
        self.port = 0
        self._on_write = on_write
        self._registers: dict[int, int] = {}
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        self._hang_up()

    def lose_power(self) -> None:
        self.powered = False
        self._registers.clear()
        self._hang_up()

    def _hang_up(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        self.connections += 1
        number = self.connections
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                while self.powered:
                    head = await reader.readexactly(6)
                    transaction, protocol, length = struct.unpack(">HHH", head)
                    assert protocol == 0
                    unit, *pdu = await reader.readexactly(length)
                    answer = await self._answer(number, unit, bytes(pdu))
                    if answer is None:
                        break
                    if answer:
                        writer.write(
                            struct.pack(">HHHB", transaction, 0, len(answer) + 1, unit) + answer
                        )
                        await writer.drain()
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def _answer(self, connection: int, unit: int, pdu: bytes) -> bytes | None:
        """Return the answer, nothing for silence, None to hang up."""
        function, start, count = struct.unpack(">BHH", pdu[:5])
        if function == READ:
            self.reads.append(asyncio.get_running_loop().time())
            words = [self._word(start + n) for n in range(count)]
            return struct.pack(f">BB{count}H", READ, 2 * count, *words)
        assert (function, count, len(pdu)) == (WRITE, 2, 10)
        manner = self.manner if self.powered else Manner.LEAVE
        acts = manner not in (Manner.REFUSE, Manner.LEAVE, Manner.LOST)
        (value,) = struct.unpack(">I", pdu[6:])
        received = Received(time.time_ns(), connection, unit, start, value, acts)
        self._on_write(received)
        self.received.append(received)
        if acts:
            self._registers[start], self._registers[start + 1] = value >> 16, value & 0xFFFF
        match manner:
            case Manner.REFUSE:
                return bytes((WRITE | 0x80, DEVICE_FAILURE))
            case Manner.LEAVE | Manner.ACT_AND_LEAVE:
                return None
            case Manner.SILENT | Manner.LOST:
                return b""
            case Manner.LATE:
                await asyncio.sleep(self.delay)
        return pdu[:5]

    def _word(self, register: int) -> int:
        return len(self.reads) & 0xFFFF if register == READS else self._registers.get(register, 0)
