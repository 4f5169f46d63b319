"""A control centre: a redundancy group of one connection or more, of which one is started."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Callable
from enum import Enum, auto

from iec104_line import Line
from iec_log import Leg, Log

PAUSE = 0.02
"""Seconds between tries to connect."""


class TakeOver(Enum):
    """How a control centre changes its connection."""

    STRAIGHT = auto()
    """It starts the new one, and acknowledges on the old one what still comes."""
    STOP_BEFORE = auto()
    STOP_AFTER = auto()


class Centre:
    """Connects again and again until cancelled.

    life:         tells which life the gateway is in.
    delay:        seconds until an acknowledgement is sent.
    mute:         probability that an acknowledgement is lost, and the connection with it.
    acknowledges: set while it does.
    """

    def __init__(
        self, port: int, chance: random.Random, life: Callable[[], int], log: Log, lines: int = 1
    ) -> None:
        self.port = port
        self.chance = chance
        self.log = log
        self.delay = self.mute = 0.0
        self.acknowledges = asyncio.Event()
        self.acknowledges.set()
        self.counts: Counter[str] = Counter()
        self.active: Line | None = None
        self._life = life
        self._lines: list[Line | None] = [None] * lines
        self._changed = asyncio.Event()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for place in range(len(self._lines)):
                tasks.create_task(self._keep(place))

    async def started(self) -> Line:
        """Wait for a connection that is started."""
        while True:
            if self.active is not None and self.active.started:
                return self.active
            self._changed.clear()
            await self._changed.wait()

    async def standing_by(self) -> Line:
        """Wait for a connection that is open and not started, besides one that is."""
        while True:
            await self.started()
            for line in self._lines:
                if line is not None and line is not self.active:
                    return line
            self._changed.clear()
            await self._changed.wait()

    async def command(self, asdu: bytes) -> asyncio.Queue[bytes | None]:
        """Send a command, see `Line.command`."""
        return (await self.started()).command(asdu)

    async def take_over(self, how: TakeOver) -> bool:
        """Have another connection take over; returns whether both have lived through it."""
        new, old = await self.standing_by(), self.active
        assert old is not None
        if not await old.heard():
            return False
        if how is TakeOver.STOP_BEFORE and not await old.stop():
            return False
        lived = await self._start(new)
        if not old.started:
            return lived
        if how is TakeOver.STOP_AFTER:
            return await old.stop() and lived
        return await old.replaced() and lived

    async def _start(self, line: Line) -> bool:
        self.active = line
        lived = await line.start()
        if lived:
            self.counts["starts"] += 1
            line.interrogate()
            self._changed.set()
        return lived

    async def _keep(self, place: int) -> None:
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                await asyncio.sleep(PAUSE)
                continue
            self.counts["connections"] += 1
            line = Line(self, writer, Leg(self._life(), self.counts["connections"]))
            self._lines[place] = line
            async with asyncio.TaskGroup() as tasks:
                hearing = tasks.create_task(line.run(reader))
                if self.active is None:
                    await self._start(line)
                self._changed.set()
                await hearing
            self._lines[place] = None
            if self.active is line:
                self.active = None
                await self._go_over()
            await asyncio.sleep(PAUSE)

    async def _go_over(self) -> None:
        """Start what stands by, if it does."""
        with contextlib.suppress(StopIteration):
            await self._start(next(line for line in self._lines if line is not None))
