"""The link layer of 101, as the partners of a test have it: by hand, and losing frames on demand.

An application is told when the link has been reset, what comes, and that what it gave has arrived.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Protocol

from iec101_wire import (
    ACD,
    ACK,
    CLASS_1,
    CLASS_2,
    DATA,
    DIR,
    FCB,
    FCV,
    NO_DATA,
    NOT_FUNCTIONING,
    PRM,
    RESET,
    RESPOND,
    SINGLE,
    STATUS,
    STATUS_ASKED,
    TEST,
    Frame,
    Frames,
    frame,
)

TIMEOUT = 1.0
TRIES = 4
POLL = 0.01
"""Seconds between requests for class 2."""


class Application(Protocol):
    """Who speaks over a link."""

    def begin(self) -> None:
        """The link has been reset: what was not acknowledged is to be given again."""

    def take(self, asdu: bytes) -> None:
        """An ASDU has come."""

    def next(self) -> bytes | None:
        """Return what is to be said next, which is then on its way."""

    def acknowledged(self) -> None:
        """That has arrived."""


class Losses:
    """Loses frames with a probability; `count` says how many."""

    def __init__(self, chance: random.Random) -> None:
        self.probability = 0.0
        self.count = 0
        self._chance = chance

    def happen(self) -> bool:
        lost = self._chance.random() < self.probability
        self.count += lost
        return lost


class Link:
    """One end of a connection.

    delay: seconds that it thinks before what has come is acknowledged.
    news:  set when there may be something to say.
    """

    def __init__(
        self,
        application: Application,
        writer: asyncio.StreamWriter,
        losses: Losses,
        delay: Callable[[], float],
    ) -> None:
        self.application = application
        self.news = asyncio.Event()
        self._writer = writer
        self._losses = losses
        self._delay = delay
        self._frames = Frames()

    def say(self, octets: bytes) -> None:
        if not self._losses.happen():
            self._writer.write(octets)

    def hang_up(self) -> None:
        self._writer.transport.abort()

    async def run(self, reader: asyncio.StreamReader) -> None:
        """Speak and hear until the connection ends."""
        talking = asyncio.create_task(self._talk())
        try:
            while data := await reader.read(65_536):
                for one in self._frames.feed(data):
                    if not self._losses.happen():
                        await self._hear(one)
                if talking.done():
                    talking.result()
        finally:
            talking.cancel()
            self.hang_up()

    async def _talk(self) -> None:
        """Speak by itself, where it does."""

    async def _hear(self, came: Frame) -> None:
        raise NotImplementedError


class Secondary(Link):
    """An unbalanced secondary station."""

    _fcb: int | None = None
    _latest = b""
    _out = False
    _held: bytes | None = None

    async def _hear(self, came: Frame) -> None:
        assert came.primary, came
        if came.code == STATUS_ASKED:
            self.say(frame(STATUS | self._acd))
        elif came.code == RESET:
            self._fcb, self._out, self._held = -1, False, None
            self.application.begin()
            self.say(frame(ACK | self._acd))
        elif self._fcb is None:
            self.say(frame(NOT_FUNCTIONING))
        else:
            assert came.control & FCV, came
            fcb = came.control & FCB
            if fcb != self._fcb:
                self._fcb = fcb
                self._latest = await self._new(came)
            self.say(self._latest)

    async def _new(self, came: Frame) -> bytes:
        if self._out:
            self._out = False
            self.application.acknowledged()
        if came.code == DATA:
            self.application.take(came.asdu)
            return frame(ACK | self._acd) if self._acd else SINGLE
        assert came.code in (CLASS_1, CLASS_2), came
        if came.code == CLASS_2 or self._first() is None:
            return frame(NO_DATA | self._acd) if self._acd else SINGLE
        asdu, self._held = self._held, None
        assert asdu is not None
        self._out = True
        return frame(RESPOND | self._acd, asdu)

    def _first(self) -> bytes | None:
        """Return what is next, fetched and not said yet."""
        if self._held is None:
            self._held = self.application.next()
        return self._held

    @property
    def _acd(self) -> int:
        # Only one at a time is fetched from the application.
        return ACD if not self._out and self._first() is not None else ACD * self._out


class _Speaker(Link):
    """A primary station: it asks, and waits for the answer."""

    direction = 0

    def __init__(
        self,
        application: Application,
        writer: asyncio.StreamWriter,
        losses: Losses,
        delay: Callable[[], float],
    ) -> None:
        super().__init__(application, writer, losses, delay)
        self._answers: asyncio.Queue[Frame] = asyncio.Queue()
        self._fcb = 0
        self._doubted = False

    async def _ask(self, code: int, asdu: bytes = b"") -> Frame | None:
        """Ask until it is answered; None where it is not. After a repetition the status is asked
        for, which no late answer can be mistaken for."""
        if self._doubted and code not in (STATUS_ASKED, RESET):
            self._doubted = False
            if await self._ask(STATUS_ASKED) is None:
                return None
        control = self.direction | PRM | code
        if code in (DATA, TEST, CLASS_1, CLASS_2):
            self._fcb ^= FCB
            control |= FCV | self._fcb
        while not self._answers.empty():
            self._answers.get_nowait()
        for turn in range(TRIES):
            self.say(frame(control, asdu))
            try:
                async with asyncio.timeout(TIMEOUT):
                    while True:
                        answer = await self._answers.get()
                        status = answer.control >= 0 and answer.code == STATUS
                        if status is (code == STATUS_ASKED):
                            break
            except TimeoutError:
                continue
            self._doubted = turn > 0 and code != STATUS_ASKED
            return answer
        return None

    async def _reset(self) -> bool:
        """Begin; returns whether that was answered."""
        self._doubted = False
        if await self._ask(STATUS_ASKED) is None or await self._ask(RESET) is None:
            return False
        self._fcb = 0
        self.application.begin()
        return True


class Primary(_Speaker):
    """An unbalanced primary station."""

    async def _talk(self) -> None:
        while True:
            if await self._reset():
                await self._poll()
            self.hang_up()
            await asyncio.sleep(POLL)

    async def _poll(self) -> None:
        demanded = False
        while True:
            asdu = self.application.next()
            if asdu is not None:
                answer = await self._ask(DATA, asdu)
            else:
                answer = await self._ask(CLASS_1 if demanded else CLASS_2)
            if answer is None or (answer.code == NOT_FUNCTIONING and answer.control >= 0):
                return
            if asdu is not None:
                self.application.acknowledged()
            if answer.asdu:
                self.application.take(answer.asdu)
            demanded = answer.control >= 0 and bool(answer.control & ACD)
            await asyncio.sleep(self._delay() if demanded else max(POLL, self._delay()))

    async def _hear(self, came: Frame) -> None:
        assert not came.primary, came
        self._answers.put_nowait(came)


class Balanced(_Speaker):
    """Either end of a balanced line."""

    _expected: int | None = None
    _is_reset = False

    async def _talk(self) -> None:
        while True:
            if await self._reset():
                await self._say_all()
            await asyncio.sleep(POLL)

    async def _say_all(self) -> None:
        while True:
            self.news.clear()
            asdu = self.application.next()
            if asdu is None:
                try:
                    async with asyncio.timeout(2.0):
                        await self.news.wait()
                except TimeoutError:
                    if await self._ask(TEST) is None:
                        return
                continue
            answer = await self._ask(DATA, asdu)
            if answer is None or (answer.code == NOT_FUNCTIONING and answer.control >= 0):
                return
            assert answer.control < 0 or answer.code == ACK, answer
            self.application.acknowledged()

    async def _hear(self, came: Frame) -> None:
        if not came.primary:
            self._answers.put_nowait(came)
            return
        assert (came.control & DIR) != self.direction, came
        answer = SINGLE
        if came.code == STATUS_ASKED:
            answer = frame(self.direction | STATUS)
        elif came.code == RESET:
            self._is_reset, self._expected = True, None
        else:
            assert came.code in (DATA, TEST), came
            assert came.control & FCV, came
            if not self._is_reset:
                answer = frame(self.direction | NOT_FUNCTIONING)
            elif self._expected is None or came.control & FCB == self._expected:
                self._expected = (came.control & FCB) ^ FCB
                if came.code == DATA:
                    self.application.take(came.asdu)
                    await asyncio.sleep(self._delay())
        self.say(answer)


class BalancedCentre(Balanced):
    """The controlling station's end."""

    direction = DIR
