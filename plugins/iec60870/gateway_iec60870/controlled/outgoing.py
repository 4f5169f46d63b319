"""What leaves a controlled station: in which order, and what becomes of it when it is lost."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable

Withdrawn = Callable[[], None]
Scan = Callable[[], list[bytes]]

LOW = 64
"""ASDUs of events that wait, below which more are made: a later value may replace those behind."""
MOST_ANSWERS = 64
"""Answers that wait, above which the controlling station is not listened to."""


class Outgoing:
    """ASDUs for one controlling station, until it has acknowledged them.

    Three lines wait, and the first one that has something goes first:

    answers   to what it asked; lost with its connection, as who asked is gone
    data      events, and between them what is interrogated, in their order; events are kept
              until they are acknowledged, the others are lost with the connection
    scans     cyclic and background data, which are made in the moment in which they are sent

    Whatever carries them calls `take`, `acknowledged` and `lost`; one connection at a time.

    delivered: is told the number of a delivery when all its ASDUs, and all before, are
               acknowledged.
    """

    def __init__(self, delivered: Callable[[int], None]) -> None:
        self._delivered = delivered
        self._open = False
        self._answers: deque[bytes] = deque()
        # ASDU (None for a delivery that has none), delivery that ends with it or 0, and who is
        # told that it has left or is withdrawn: None for an event.
        self._data: deque[tuple[bytes | None, int, Withdrawn | None]] = deque()
        self._scans: deque[Scan] = deque()
        self._scanned: deque[bytes] = deque()
        self._flight: deque[tuple[bytes | None, int, bool]] = deque()
        # By what is meant: urgent, scans.
        self._ready = {key: asyncio.Event() for key in ((True, True), (True, False), (False, True))}
        self._wanted = asyncio.Event()
        self._quiet = asyncio.Event()
        self._quiet.set()

    # What is put in

    def answer(self, asdu: bytes) -> None:
        """Put in an answer; without a connection there is nobody who asked."""
        if self._open:
            self._answers.append(asdu)
            if len(self._answers) > MOST_ANSWERS:
                self._quiet.clear()
            self._look()

    def events(self, asdus: list[bytes], number: int) -> None:
        """Put in the events of a delivery; it may have none."""
        if asdus:
            self._data.extend([(one, 0, None) for one in asdus[:-1]])
            self._data.append((asdus[-1], number, None))
        else:
            self._data.append((None, number, None))
        self._look()

    def interrogated(self, asdus: Iterable[bytes], left: Withdrawn) -> None:
        """Put in what was asked for, behind the events; `left` is told once, at the end."""
        if not self._open:
            left()
            return
        items: list[tuple[bytes | None, int, Withdrawn | None]] = []
        items += [(one, 0, _nobody) for one in asdus]
        items[-1] = (items[-1][0], 0, left)
        self._data.extend(items)
        self._look()

    def scan(self, scans: Iterable[Scan]) -> bool:
        """Put in cyclic data, each called when it is its turn; False without a connection."""
        if self._open:
            self._scans.extend(scans)
            self._look()
        return self._open

    @property
    def scanning(self) -> bool:
        """Whether scans wait."""
        return bool(self._scans or self._scanned)

    # What is taken out

    @property
    def waiting(self) -> int:
        """Answers and data that wait: class 1 of 101."""
        return len(self._answers) + len(self._data)

    def open(self) -> None:
        """Begin with a connection."""
        self._open = True
        self._look()

    def take(self, most: int, *, urgent: bool = True, scans: bool = True) -> list[bytes]:
        """Return at most so many ASDUs to be sent now, in this order; none without a connection.

        urgent, scans: whether answers and data (class 1 of 101), and scans (class 2), are meant.
        Scans that are taken alone have acknowledgements of their own, which nobody waits for:
        `acknowledged` is not told of them.
        """
        taken: list[bytes] = []
        answers, data, flight = self._answers, self._data, self._flight
        while self._open and len(taken) < most:
            if urgent and answers:
                asdu = answers.popleft()
                flight.append((asdu, 0, False))
            elif scans and self._scanned:
                asdu = self._scanned.popleft()
                if urgent:
                    flight.append((asdu, 0, False))
            elif urgent and data:
                item, number, left = data.popleft()
                flight.append((item, number, left is None))
                if left is not None:
                    left()
                if item is None:
                    self._settle()
                    continue
                asdu = item
            elif scans and self._scans:
                self._scanned.extend(self._scans.popleft()())
                continue
            else:
                break
            taken.append(asdu)
        self._look()
        return taken

    def acknowledged(self, count: int) -> None:
        """Take note that the oldest so many ASDUs have arrived."""
        flight, last = self._flight, 0
        while count > 0 and flight:
            asdu, number, _ = flight.popleft()
            count -= asdu is not None
            last = number or last
        if last:
            self._delivered(last)
        self._settle()

    def lost(self) -> None:
        """End with the connection: events that are not acknowledged are to be sent again."""
        self._open = False
        self._answers.clear()
        self._scans.clear()
        self._scanned.clear()
        kept: deque[tuple[bytes | None, int, Withdrawn | None]] = deque(
            (asdu, number, None) for asdu, number, event in self._flight if event
        )
        self._flight.clear()
        for item in self._data:
            if item[2] is None:
                kept.append(item)
            else:
                item[2]()
        self._data = kept
        self._look()

    def withdraw(self, left: Withdrawn) -> None:
        """Take back what is still to be sent of an interrogation, by what it gave as `left`."""
        at = next((n for n, item in enumerate(self._data) if item[2] is left), None)
        if at is None:
            return
        items = list(self._data)
        first = at
        while first and items[first - 1][2] is _nobody:
            first -= 1
        self._data = deque(items[:first] + items[at + 1 :])
        left()
        self._look()

    # Who waits

    async def ready(self, *, urgent: bool = True, scans: bool = True) -> None:
        """Wait until there is something to take of what is meant; see `take`."""
        await self._ready[urgent, scans].wait()

    async def wanted(self) -> None:
        """Wait until there is a connection, and few events wait for it."""
        await self._wanted.wait()

    async def quiet(self) -> None:
        """Wait until few answers wait."""
        await self._quiet.wait()

    def _settle(self) -> None:
        """Deliver what has no ASDU and has nothing before it."""
        flight, last = self._flight, 0
        while flight and flight[0][0] is None:
            last = flight.popleft()[1]
        if last:
            self._delivered(last)

    def _look(self) -> None:
        _turn(self._wanted, self._open and len(self._data) < LOW)
        urgent, scans = self._open and self.waiting > 0, self._open and self.scanning
        _turn(self._ready[True, True], urgent or scans)
        _turn(self._ready[True, False], urgent)
        _turn(self._ready[False, True], scans)
        _turn(self._quiet, len(self._answers) <= MOST_ANSWERS)


def _turn(event: asyncio.Event, on: bool) -> None:
    if on:
        event.set()
    else:
        event.clear()


def _nobody() -> None:
    """Stand for the ASDUs of an interrogation before its last one."""
