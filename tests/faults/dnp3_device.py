"""An outstation with a log of its events: it forgets one only when a CONFIRM for it has come."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from dataclasses import dataclass

from dnp3_wire import (
    CON,
    CONFIRM,
    DISABLE,
    ENABLE,
    READ,
    RESPONSE,
    UNS,
    UNSOLICITED,
    WHOLE,
    Wire,
    event,
    event_objects,
)

MOST = 40
"""Events in one response: three frames."""
OVERDUE = 0.25
"""Seconds until an unsolicited response is sent again."""
EVENTS_WAIT = 0x02
"""IIN1.1"""


@dataclass(slots=True)
class _Offer:
    """A response that waits for its confirmation."""

    sequence: int
    unsolicited: bool
    last: int
    fragment: bytes
    since: float


class Device:
    """Listens for the gateway; what its points show is only told by events.

    generated: number of the latest event; they begin with 1.
    released:  all up to this one were confirmed.
    offers:    in how many different responses each event stood.
    deaf:      probability that a confirmation is lost.
    stutter:   probability that a response is sent twice.
    """

    def __init__(self, chance: random.Random, *, local: int = 10, remote: int = 1) -> None:
        self.chance = chance
        self.deaf = self.stutter = 0.0
        self.generated = self.released = 0
        self.offers: Counter[int] = Counter()
        self.counts: Counter[str] = Counter()
        self.port = 0
        self._ends = local, remote
        self._server: asyncio.Server | None = None
        self._session: _Session | None = None
        self._news = asyncio.Event()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self.hang_up()
        if self._server is not None:
            self._server.close()

    def hang_up(self) -> None:
        if self._session is not None:
            self._session.writer.transport.abort()

    async def generate(self, rate: float, count: int) -> None:
        """Have so many more events, at a rate, in small bursts."""
        last = self.generated + count
        loop = asyncio.get_running_loop()
        began, first = loop.time(), self.generated
        while self.generated < last:
            await asyncio.sleep(self.chance.random() * 0.02)
            self.generated = min(last, first + round((loop.time() - began) * rate))
            self._news.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.hang_up()
        self.counts["connections"] += 1
        session = self._session = _Session(self, Wire(*self._ends, master=False), writer)
        ticking = asyncio.create_task(self._tick(session))
        try:
            with contextlib.suppress(OSError):
                while data := await reader.read(65_536):
                    session.take(data)
        finally:
            ticking.cancel()
            writer.transport.abort()
            if self._session is session:
                self._session = None

    async def _tick(self, session: _Session) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(OVERDUE / 4):
                    await self._news.wait()
            self._news.clear()
            session.go_on()


class _Session:
    """What is said on one connection."""

    def __init__(self, device: Device, wire: Wire, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self._device = device
        self._wire = wire
        self._loop = asyncio.get_running_loop()
        self._offer: _Offer | None = None
        self._read: int | None = None  # sequence of a READ that waits
        self._enabled = False
        self._sequence = 0

    def take(self, data: bytes) -> None:
        for fragment in self._wire.feed(data):
            control, function = fragment[:2]
            if function == CONFIRM:
                self._confirmed(control & 0xF, bool(control & UNS))
                continue
            offer = self._offer
            if offer is not None and not offer.unsolicited:
                self._offer = offer = None  # a new request ends the wait
            if function == READ:
                self._read = control & 0xF if b"\x3c\x02" in fragment else None
                if self._read is not None:
                    continue
            elif function in (ENABLE, DISABLE):
                self._enabled = function == ENABLE
            self._send(bytes((WHOLE | control & 0xF, RESPONSE)) + self._iin())
        self.writer.write(self._wire.answers)
        self._wire.answers = b""
        self.go_on()

    def go_on(self) -> None:
        """Send what is due."""
        device, offer = self._device, self._offer
        if offer is not None:
            if self._loop.time() < offer.since + OVERDUE:
                return
            if offer.unsolicited:
                offer.since = self._loop.time()
                device.counts["sent again"] += 1
                self._send(offer.fragment)
                return
            self._offer = None
        if self._read is not None:
            self._respond(self._read, RESPONSE)
            self._read = None
        elif self._enabled and device.generated > device.released:
            self._respond(self._sequence, UNSOLICITED)

    def _respond(self, sequence: int, function: int) -> None:
        device = self._device
        first = device.released + 1
        numbers = range(first, min(device.generated + 1, first + MOST))
        control = WHOLE | sequence | (CON if numbers else 0)
        control |= UNS if function == UNSOLICITED else 0
        objects = event_objects(event(number) for number in numbers)
        fragment = bytes((control, function)) + self._iin(numbers.stop - 1) + objects
        if numbers:
            device.offers.update(numbers)
            unsolicited = function == UNSOLICITED
            self._offer = _Offer(sequence, unsolicited, numbers[-1], fragment, self._loop.time())
        self._send(fragment)
        if device.chance.random() < device.stutter:
            device.counts["sent twice"] += 1
            self._send(fragment)

    def _iin(self, told: int | None = None) -> bytes:
        device = self._device
        more = device.generated > (device.released if told is None else told)
        return bytes((EVENTS_WAIT if more else 0, 0))

    def _confirmed(self, sequence: int, unsolicited: bool) -> None:
        device, offer = self._device, self._offer
        if offer is None or (offer.sequence, offer.unsolicited) != (sequence, unsolicited):
            device.counts["unexpected"] += 1
            return
        if device.chance.random() < device.deaf:
            device.counts["lost confirms"] += 1
            return
        device.released = offer.last
        self._offer = None
        if unsolicited:
            self._sequence = (self._sequence + 1) % 16

    def _send(self, fragment: bytes) -> None:
        self.writer.write(self._wire.pack(fragment))
