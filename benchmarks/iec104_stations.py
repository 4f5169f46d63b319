"""The ends of a 104 run, one by one: a station that reports events, a master that hears them."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.iec104_wire import (
    ACTIVATION,
    ANALOGS,
    C_IC_NA_1,
    CONFIRMED,
    INTERROGATED,
    LONGEST,
    M_ME_NC_1,
    M_SP_NA_1,
    POINTS,
    SPONTANEOUS,
    STARTDT_ACT,
    TERMINATED,
    End,
    Numbers,
    events,
    head,
    made,
    read,
)

PATIENCE = 30.0
MOST = 127
"""Objects of an ASDU."""

Look = Callable[[], None]


class Station(End):
    """Reports its events in their order, as far as the gateway's acknowledgements leave room.

    look:      is called when it is started, and when events were acknowledged.
    objects:   of an ASDU at the most.
    others:    measured values besides that never change.
    confirmed: events that the gateway has acknowledged.
    """

    def __init__(self, look: Look, k: int, w: int, objects: int, others: int) -> None:
        super().__init__(k, w)
        self.queue: deque[Numbers] = deque()
        self.confirmed = 0
        self._look = look
        self._objects = objects
        self._others = others
        self._answers: deque[bytes] = deque()
        self._flight: deque[tuple[int, int]] = deque()

    def start(self) -> None:
        self._look()

    def take(self, asdus: list[bytes]) -> None:
        for asdu in asdus:
            if asdu[0] == C_IC_NA_1:
                self._answers.append(asdu[:2] + bytes([CONFIRMED]) + asdu[3:])
                self._answers += self._image()
                self._answers.append(asdu[:2] + bytes([TERMINATED]) + asdu[3:])

    def _image(self) -> list[bytes]:
        """Return all points, packed: measured values of 0, single points off."""
        found = []
        spans = ((1, ANALOGS), (POINTS + 1, self._others)), ((ANALOGS + 1, POINTS - ANALOGS),)
        for kind, width, those in zip((M_ME_NC_1, M_SP_NA_1), (5, 1), spans, strict=True):
            most = min(MOST, (LONGEST - 3) // width)
            for first, many in those:
                for at in range(first, first + many, most):
                    count = min(most, first + many - at)
                    address = at.to_bytes(3, "little")
                    body = address + bytes(count * width)
                    found.append(head(kind, 0x80 | count, INTERROGATED) + body)
        return found

    def go_on(self) -> None:
        while self._flight and self._flight[0][0] <= self.acknowledged:
            self.confirmed += self._flight.popleft()[1]
            self._look()
        while self.room > 0 and (self._answers or self.queue):
            if self._answers:
                self.send([self._answers.popleft()])
                continue
            numbers = self.queue.popleft()
            while self.queue and len(numbers) < self.room * self._objects:
                numbers = np.concatenate([numbers, self.queue.popleft()])
            asdus, done = events(numbers, self._objects, self.room)
            if done < len(numbers):
                self.queue.appendleft(numbers[done:])
            self._flight.append((self.sent + len(asdus), done))
            self.send(asdus)


class Master(End):
    """Takes what comes, and acknowledges it when w ASDUs have come.

    look: is called when it is started, and when something came.
    got:  events that came.
    """

    def __init__(self, look: Look, k: int, w: int) -> None:
        super().__init__(k, w)
        self.got = 0
        self.heard: list[tuple[float, bytes]] = []
        self._look = look
        self._rows = 0
        self._read: asyncio.Future[int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.function(STARTDT_ACT)

    def start(self) -> None:
        self._look()

    async def interrogate(self) -> tuple[float, int]:
        """Read everything; returns ms and how many points there are."""
        self._read = asyncio.get_running_loop().create_future()
        self._rows = 0
        began = time.perf_counter()
        self.send([head(C_IC_NA_1, 1, ACTIVATION) + b"\0\0\0\x14"])
        rows = await asyncio.wait_for(self._read, PATIENCE)
        return (time.perf_counter() - began) * 1e3, rows

    def take(self, asdus: list[bytes]) -> None:
        now = time.perf_counter()
        for asdu in asdus:
            cause = asdu[2] & 0x3F
            if cause == SPONTANEOUS:
                if made(asdu):
                    self.heard.append((now, asdu))
                    self.got += asdu[1]
            elif cause == INTERROGATED:
                self._rows += asdu[1] & 0x7F
            elif asdu[0] == C_IC_NA_1 and cause == TERMINATED and self._read is not None:
                self._read.set_result(self._rows)
        self._look()

    def save(self, path: Path) -> None:
        """Write what was heard: when, the object address, the number, the value."""
        parts = [read(asdu) for _, asdu in self.heard]
        point, number, value = (
            np.concatenate([part[column] for part in parts] or [np.empty(0, np.int64)])
            for column in range(3)
        )
        when = np.repeat([at for at, _ in self.heard], [asdu[1] for _, asdu in self.heard])
        np.savez(path, when=when, point=point - 1, number=number, value=value)
