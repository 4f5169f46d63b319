"""A control centre on a 101 line: it checks every event, and acknowledges."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter, deque
from collections.abc import Callable

from iec101_link import BalancedCentre, Link, Losses, Primary
from iec_asdu import (
    INITIALISED,
    INTERROGATION,
    SETPOINT,
    SPONTANEOUS,
    TEST,
    Event,
    interrogation,
    measurements,
)
from iec_log import Leg, Log

PAUSE = 0.02
"""Seconds between tries to connect."""


class Centre:
    """Connects again and again until cancelled.

    life:   tells which life the gateway is in.
    delay:  seconds that it thinks about each ASDU.
    losses: frames that do not come through, in either direction.
    """

    def __init__(
        self, port: int, chance: random.Random, life: Callable[[], int], log: Log, balanced: bool
    ) -> None:
        self.port = port
        self.log = log
        self.delay = 0.0
        self.losses = Losses(chance)
        self.counts: Counter[str] = Counter()
        self._balanced = balanced
        self._life = life
        self._leg = Leg(0, 0)
        self._link: Link | None = None
        self._begun = asyncio.Event()
        self._asked: dict[bytes, asyncio.Queue[bytes | None]] = {}
        self._requests: deque[bytes] = deque()
        self._shown: dict[int, Event] = {}

    async def run(self) -> None:
        kind = BalancedCentre if self._balanced else Primary
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                await asyncio.sleep(PAUSE)
                continue
            self.counts["connections"] += 1
            life = self._life()
            link = self._link = kind(self, writer, self.losses, lambda: self.delay)
            self._new_leg(life)
            try:
                with contextlib.suppress(OSError):
                    await link.run(reader)
            finally:
                self._end()
            await asyncio.sleep(PAUSE)

    async def command(self, asdu: bytes) -> asyncio.Queue[bytes | None]:
        """See `iec_scene.Centre.command`."""
        await self._begun.wait()
        assert self._link is not None
        answers = self._asked[asdu[6:]] = asyncio.Queue()
        self._requests.append(asdu)
        self._link.news.set()
        return answers

    def _end(self) -> None:
        self._leg.ended = True
        self._begun.clear()
        for answers in self._asked.values():
            answers.put_nowait(None)
        self._asked.clear()

    def _new_leg(self, life: int) -> None:
        self._end()
        self.counts["legs"] += 1
        self._leg = Leg(life, self.counts["legs"])

    def begin(self) -> None:
        self.counts["starts"] += 1
        self._new_leg(self._leg.life)
        self._shown.clear()
        self._requests.clear()
        self._requests.append(interrogation())
        self._begun.set()

    def next(self) -> bytes | None:
        return self._requests.popleft() if self._requests else None

    def acknowledged(self) -> None:
        self.counts["requests"] += 1

    def take(self, asdu: bytes) -> None:
        kind, cause = asdu[0], asdu[2]
        if kind in (INITIALISED, INTERROGATION, TEST):
            assert not cause & 0x40, f"{asdu.hex(' ')} on {self._leg}"
            self.counts[f"{kind} {cause}"] += 1
        elif kind == SETPOINT:
            answers = self._asked.get(asdu[6:])
            if answers is not None:
                answers.put_nowait(asdu)
        elif cause == SPONTANEOUS:
            found = measurements(asdu)
            self._shown.update((one.object, one) for one, _ in found)
            self.log.note(self._leg, found)
        else:
            self._interrogated(asdu)

    def _interrogated(self, asdu: bytes) -> None:
        """What is interrogated stands behind the events that have led to it."""
        for one, flags in measurements(asdu):
            told = self._shown.get(one.object)
            if told is not None and not flags:
                assert one.value == told.value, f"{one} after {told} on {self._leg}"
                self.counts["compared"] += 1
