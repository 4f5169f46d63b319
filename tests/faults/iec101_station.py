"""A controlled station behind a terminal server: an event is forgotten when the link has it."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, deque

from iec101_link import Balanced, Link, Losses, Secondary
from iec_asdu import (
    CONFIRMED,
    INTERROGATION,
    SETPOINT,
    TERMINATED,
    event,
    events,
    image,
    mirrored,
)
from iec_history import History
from iec_orders import Orders

MOST = 12
"""Events in one ASDU."""


class Station:
    """Listens for the gateway; the latest connection counts.

    losses: frames that do not come through, in either direction.
    awake:  set while it does something.
    wrong:  what the gateway has done that no controlling station may do.
    """

    def __init__(self, history: History, orders: Orders, balanced: bool) -> None:
        self.history = history
        self.orders = orders
        self.losses = Losses(history.chance)
        self.counts: Counter[str] = Counter()
        self.wrong: list[Exception] = []
        self.port = 0
        self.awake = asyncio.Event()
        self.awake.set()
        self._balanced = balanced
        self._server: asyncio.Server | None = None
        self._links: set[Link] = set()
        history.tell(self._news)

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for link in self._links:
            link.hang_up()

    def _news(self) -> None:
        for link in self._links:
            link.news.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.counts["connections"] += 1
        session = _Session(self)
        kind = Balanced if self._balanced else Secondary
        link = session.link = kind(session, writer, self.losses, lambda: 0.0)
        self._links.add(link)
        try:
            with contextlib.suppress(OSError):
                await link.run(reader)
        except AssertionError as error:
            self.wrong.append(error)
        finally:
            self._links.discard(link)
            link.hang_up()


class _Session:
    """What the station says on one connection."""

    link: Link

    def __init__(self, station: Station) -> None:
        self._station = station
        self._history = station.history
        self._offered = 0
        self._out = 0  # the last event of what is on its way, or 0
        self._answers: deque[bytes] = deque()

    def begin(self) -> None:
        self._station.counts["starts"] += 1
        self._offered = self._history.released
        self._out = 0
        self._answers.clear()

    def next(self) -> bytes | None:
        history = self._history
        if not self._station.awake.is_set():
            return None
        self._out = 0
        if self._answers:
            return self._answers.popleft()
        if history.generated <= self._offered:
            return None
        numbers = history.offer(self._offered, history.chance.randint(1, MOST))
        self._offered = self._out = numbers[-1]
        return events(map(event, numbers))

    def acknowledged(self) -> None:
        self._history.release(self._out)

    def take(self, asdu: bytes) -> None:
        if asdu[0] == SETPOINT:
            self._station.orders.take(asdu, self._answer, self.link.hang_up)
            return
        assert asdu[0] == INTERROGATION, asdu.hex(" ")
        self._answers.append(mirrored(asdu, CONFIRMED))
        self._answers += image(self._history.state)
        self._answers.append(mirrored(asdu, TERMINATED))
        self.link.news.set()

    def _answer(self, asdu: bytes) -> None:
        self._answers.append(asdu)
        self.link.news.set()
