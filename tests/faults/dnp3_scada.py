"""A master that writes down what it receives, on one connection polling, on the next waiting."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from dnp3_wire import (
    CLEAR_RESTART,
    CON,
    CONFIRM,
    DISABLE,
    ENABLE,
    EPOCH,
    EVENT_CLASSES,
    FIN,
    FIR,
    READ,
    RESPONSE,
    STATIC_CLASS,
    UNS,
    UNSOLICITED,
    WHOLE,
    WRITE,
    Event,
    Wire,
    events,
)

ANSWER = 1.0
"""Seconds to wait for a response, or its next fragment."""
RECENT = EPOCH + 10**9
"""ms since 1970; what is later was made by the gateway."""
PAUSE = 0.02
"""Seconds between polls, and between tries to connect."""


@dataclass(slots=True)
class Record:
    """One response that was not recognised as one that had come before.

    life:       of the gateway. connection: number of it, from 1.
    sequence:   application sequence number; `unsolicited` ones count for themselves.
    lost:       no confirmation was sent.
    """

    life: int
    connection: int
    sequence: int
    unsolicited: bool
    objects: bytes
    found: list[tuple[Event, int]]
    lost: bool = False

    def __str__(self) -> str:
        numbers = [found.time - EPOCH for found, _ in self.found if found.time < RECENT]
        kind = "unsolicited" if self.unsolicited else "read"
        return (
            f"{kind} {self.sequence} on connection {self.connection} of life {self.life}: "
            f"{numbers[:1]} to {numbers[-1:]}{' without confirmation' if self.lost else ''}"
        )


class Scada:
    """Connects again and again until cancelled.

    life:    tells which life the gateway is in.
    polls:   whether it polled on the last connection.
    mute:    probability that a confirmation is not sent.
    stutter: probability that a request or a confirmation is sent twice.
    delay:   seconds until a confirmation is sent.
    """

    def __init__(
        self, port: int, chance: random.Random, life: Callable[[], int], *, local: int = 2
    ) -> None:
        self.polls = False
        self.port = port
        self.chance = chance
        self.mute = self.stutter = self.delay = 0.0
        self.records: list[Record] = []
        self.counts: Counter[str] = Counter()
        self.have: set[int] = set()
        """Times of the events of the outstation that are here."""
        self._life = life
        self._local = local
        self._connection = 0
        self._writer: asyncio.StreamWriter | None = None

    def hang_up(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()

    async def run(self) -> None:
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                await asyncio.sleep(PAUSE)
                continue
            self._writer = writer
            self._connection += 1
            try:
                with contextlib.suppress(OSError, EOFError):
                    await self._speak(reader, writer)
            finally:
                writer.transport.abort()
            await asyncio.sleep(PAUSE)

    async def _speak(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = _Talk(self, Wire(self._local, 10, master=True), reader, writer)
        await talk.ask(DISABLE, EVENT_CLASSES)
        self.counts["connections"] += 1
        await talk.ask(WRITE, CLEAR_RESTART)
        await talk.ask(READ, EVENT_CLASSES + STATIC_CLASS)
        self.polls = not self.polls
        if not self.polls:
            await talk.ask(ENABLE, EVENT_CLASSES)
            await talk.listen()
        while True:
            await talk.ask(READ, EVENT_CLASSES)
            await asyncio.sleep(PAUSE)

    def note(self, fragment: bytes) -> Record:
        """Write down what came."""
        control = fragment[0]
        record = Record(
            self._life(),
            self._connection,
            control & 0xF,
            bool(control & UNS),
            fragment[4:],
            list(events(fragment[4:])),
        )
        self.records.append(record)
        self.have.update(found.time for found, _ in record.found if found.time < RECENT)
        return record


class _Talk:
    """One connection."""

    def __init__(
        self,
        scada: Scada,
        wire: Wire,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._scada = scada
        self._wire = wire
        self._reader = reader
        self._writer = writer
        self._sequence = 15
        self._last: dict[bool, Record | None] = {False: None, True: None}
        self._ready: list[bytes] = []

    async def ask(self, function: int, objects: bytes) -> None:
        """Ask until it is answered, with a new sequence number each time."""
        while True:
            self._sequence = (self._sequence + 1) % 16
            self._send(bytes((WHOLE | self._sequence, function)) + objects)
            try:
                async with asyncio.timeout(ANSWER) as limit:
                    async for fragment in self._fragments():
                        if await self._take(fragment) and fragment[0] & FIN:
                            return
                        limit.reschedule(asyncio.get_running_loop().time() + ANSWER)
            except TimeoutError:
                self._scada.counts["not answered"] += 1

    async def listen(self) -> None:
        """Take what comes unasked until the connection ends."""
        async for fragment in self._fragments():
            await self._take(fragment)

    async def _take(self, fragment: bytes) -> bool:
        """Take one response; returns whether it answers the question."""
        control, function = fragment[:2]
        assert function in (RESPONSE, UNSOLICITED), f"function {function}"
        unsolicited, sequence = function == UNSOLICITED, control & 0xF
        last = self._last[unsolicited]
        # What answers an earlier question is left where it is; the outstation tells it again.
        late = not unsolicited and bool(control & FIR) and sequence != self._sequence
        if last is not None and (last.sequence, last.objects) == (sequence, fragment[4:]):
            self._scada.counts["recognised"] += bool(last.objects)
        elif not late:
            last = self._last[unsolicited] = self._scada.note(fragment)
        if late or last is None:
            self._scada.counts["late"] += 1
            return False
        if control & CON:
            await self._confirm(last)
        if unsolicited:
            return False
        self._sequence = sequence
        return not last.lost

    async def _confirm(self, record: Record) -> None:
        scada = self._scada
        record.lost = True
        if scada.chance.random() < scada.mute:
            scada.counts["confirms withheld"] += 1
            return
        if scada.delay:
            await asyncio.sleep(scada.delay)
        control = WHOLE | record.sequence | (UNS if record.unsolicited else 0)
        self._send(bytes((control, CONFIRM)))
        record.lost = False

    def _send(self, fragment: bytes) -> None:
        scada = self._scada
        for _ in range(2 if scada.chance.random() < scada.stutter else 1):
            self._writer.write(self._wire.pack(fragment))

    async def _fragments(self) -> AsyncIterator[bytes]:
        while True:
            while self._ready:
                yield self._ready.pop(0)
            data = await self._reader.read(65_536)
            if not data:
                raise EOFError
            self._ready += self._wire.feed(data)
            self._writer.write(self._wire.answers)
            self._wire.answers = b""
