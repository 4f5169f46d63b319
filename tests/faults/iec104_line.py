"""One connection of a control centre: it checks every frame that comes, and acknowledges."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from typing import TYPE_CHECKING

from iec104_wire import (
    MODULO,
    STARTDT_ACT,
    STARTDT_CON,
    STOPDT_ACT,
    STOPDT_CON,
    TESTFR_ACT,
    TESTFR_CON,
    Breach,
    Frame,
    Frames,
    K,
    W,
    i,
    s,
    u,
)
from iec_asdu import (
    INITIALISED,
    INTERROGATION,
    SETPOINT,
    SPONTANEOUS,
    TEST,
    Event,
    interrogation,
    measurements,
    probe,
)
from iec_log import Leg

if TYPE_CHECKING:
    from iec104_centre import Centre

T2 = 0.1
"""Seconds after which it acknowledges fewer than w."""
PATIENCE = 20.0
"""Seconds for an answer."""


class Line:
    """Speaks as the controlling station.

    started: whether STARTDT was confirmed, and no other connection has taken over.
    ended:   set when the connection is gone.
    """

    def __init__(self, centre: Centre, writer: asyncio.StreamWriter, leg: Leg) -> None:
        self.leg = leg
        self.started = False
        self.ended = asyncio.Event()
        self._centre = centre
        self._writer = writer
        self._frames = Frames()
        self._came = 0
        self._told = 0  # of theirs
        self._sent = 0
        self._settled = 0  # of ours
        self._quiet = True  # no I frame may come
        self._leaving = False  # quiet with the next answer to a test
        self._due = asyncio.Event()
        self._full = asyncio.Event()
        self._functions: dict[int, asyncio.Event] = defaultdict(asyncio.Event)
        self._shown: dict[int, Event] = {}
        self._asked: dict[bytes, asyncio.Queue[bytes | None]] = {}

    async def run(self, reader: asyncio.StreamReader) -> None:
        """Hear until the connection ends."""
        acknowledging = asyncio.create_task(self._acknowledge())
        try:
            with contextlib.suppress(OSError):
                while data := await reader.read(65_536):
                    for frame in self._frames.feed(data):
                        self._take(frame)
        finally:
            acknowledging.cancel()
            self.hang_up()
            self.started = False
            self.leg.ended = True
            self.ended.set()
            self.forget()

    def hang_up(self) -> None:
        self._writer.transport.abort()

    # What it does

    async def start(self) -> bool:
        """Start data transfer; returns whether the connection has lived to see it confirmed."""
        self._leaving = False
        self.started = await self._ask(STARTDT_ACT, STARTDT_CON)
        return self.started

    async def stop(self) -> bool:
        """Stop data transfer."""
        self._tell()
        confirmed = await self._ask(STOPDT_ACT, STOPDT_CON)
        self.started = False
        self.forget()
        return confirmed

    async def replaced(self) -> bool:
        """Another connection was started: what has left before is all that may still come."""
        self.started = False
        self._leaving = True
        self.forget()
        return await self._ask(TESTFR_ACT, TESTFR_CON)

    def say(self, asdu: bytes) -> None:
        """Send an ASDU."""
        self._told = self._came
        self._writer.write(i(self._sent, self._came, asdu))
        self._sent += 1

    def interrogate(self) -> None:
        self.say(interrogation())

    def offend(self, how: Breach) -> None:
        """Do something against the rules; the gateway must close the connection."""
        if how is Breach.AHEAD:
            self._writer.write(s(self._came + K + 1))
            return
        self._sent += how is Breach.LEFT_OUT
        self._writer.write(i(self._sent, self._came, probe()) * (1 + (how is Breach.TWICE)))

    def command(self, asdu: bytes) -> asyncio.Queue[bytes | None]:
        """Send a command; its answers come, and None when there will be none any more."""
        answers = self._asked[asdu[6:]] = asyncio.Queue()
        self.say(asdu)
        return answers

    async def heard(self) -> bool:
        """Wait until the gateway has acknowledged what was said; returns whether it has."""
        async with asyncio.timeout(PATIENCE):
            while self._settled < self._sent and not self.ended.is_set():
                await asyncio.sleep(0.005)
        return not self.ended.is_set()

    def forget(self) -> None:
        """Expect no answers any more."""
        for answers in self._asked.values():
            answers.put_nowait(None)
        self._asked.clear()

    async def _ask(self, act: int, con: int) -> bool:
        self._functions[con].clear()
        self._writer.write(u(act))
        confirmed = asyncio.create_task(self._functions[con].wait())
        gone = asyncio.create_task(self.ended.wait())
        done, left = await asyncio.wait(
            {confirmed, gone}, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED
        )
        for task in left:
            task.cancel()
        assert done, f"no answer to {act:#x} on {self.leg}"
        return gone not in done

    # What it hears

    def _take(self, frame: Frame) -> None:
        if frame.function == TESTFR_ACT:
            self._writer.write(u(TESTFR_CON))
        elif frame.function:
            assert frame.function in self._functions, f"{frame.function:#x} on {self.leg}"
            if frame.function == STARTDT_CON:
                self._quiet = False
                self._shown.clear()
            elif frame.function == STOPDT_CON or self._leaving:
                self._quiet = True
            self._functions[frame.function].set()
        else:
            count = (frame.receive - self._settled) % MODULO
            assert count <= self._sent - self._settled, f"N(R) {frame.receive} on {self.leg}"
            self._settled += count
            if frame.send >= 0:
                self._information(frame)

    def _information(self, frame: Frame) -> None:
        assert not self._quiet, f"an I frame on {self.leg}, which is not started"
        assert frame.send == self._came % MODULO, f"N(S) {frame.send}, not {self._came}"
        self._came += 1
        assert self._came - self._told <= K, f"more than k on {self.leg}"
        self._due.set()
        if self._came - self._told >= W:
            self._full.set()
        self._asdu(frame.asdu)

    def _asdu(self, asdu: bytes) -> None:
        kind, cause = asdu[0], asdu[2]
        if kind in (INITIALISED, INTERROGATION, TEST):
            assert not cause & 0x40, f"{asdu.hex(' ')} on {self.leg}"
            self._centre.counts[f"{kind} {cause}"] += 1
        elif kind == SETPOINT:
            answers = self._asked.get(asdu[6:])
            if answers is not None:
                answers.put_nowait(asdu)
        elif cause == SPONTANEOUS:
            found = measurements(asdu)
            self._shown.update((one.object, one) for one, _ in found)
            self._centre.log.note(self.leg, found)
        else:
            self._interrogated(asdu)

    def _interrogated(self, asdu: bytes) -> None:
        """What is interrogated stands behind the events that have led to it."""
        for one, flags in measurements(asdu):
            told = self._shown.get(one.object)
            if told is not None and not flags:
                assert one.value == told.value, f"{one} after {told} on {self.leg}"
                self._centre.counts["compared"] += 1

    def _tell(self) -> None:
        if self._came > self._told:
            self._told = self._came
            self._writer.write(s(self._came))

    async def _acknowledge(self) -> None:
        centre = self._centre
        while True:
            self._full.clear()
            self._due.clear()
            await self._due.wait()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(T2):
                    await self._full.wait()
            if centre.delay:
                await asyncio.sleep(centre.delay)
            await centre.acknowledges.wait()
            if centre.chance.random() < centre.mute:
                centre.counts["acknowledgements kept back"] += 1
                self.hang_up()
                return
            self._tell()
