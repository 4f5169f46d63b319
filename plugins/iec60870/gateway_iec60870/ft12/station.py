"""Another station at a line: ASDUs to it and from it, over all lives of the association."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.channel import ChannelClosed
from gateway_iec60870.ft12.turn import Asdu, LinkEvent, Turn


class LinkDown(Exception):  # noqa: N818 - it says what has happened
    """No life of the association is under way, or it has ended before the ASDU was acknowledged.

    doubtful: whether the ASDU was on the line: it may have arrived.
    """

    def __init__(self, sentence: str, doubtful: bool = False) -> None:
        super().__init__(sentence)
        self.doubtful = doubtful


class Association(Protocol):
    """What `Polled`, `Secondary` and `Balanced` have in common."""

    @property
    def up(self) -> bool:
        """Whether a life is under way."""

    @property
    def unconfirmed(self) -> int:
        """ASDUs that were received and are neither confirmed nor refused."""

    @property
    def counts(self) -> Counter[str]:
        """What was left and why."""

    def room(self, group: int = 1) -> int:
        """How many ASDUs may be sent now."""

    def send(self, asdus: Sequence[Asdu], now: float, group: int = 1) -> Turn:
        """Send ASDUs."""

    def withdraw(self, index: int) -> bool:
        """Take an unacknowledged ASDU back."""

    def confirm(self, count: int, now: float) -> Turn:
        """Take note of custody."""

    def refuse(self, now: float) -> Turn:
        """Take note that there is none."""


@dataclass(frozen=True, slots=True)
class Listening:
    """Who is told what happens; they return at once and raise nothing."""

    on_up: Callable[[], None] | None = None
    on_down: Callable[[str], None] | None = None
    on_acknowledged: Callable[[int, int], None] | None = None
    on_lost: Callable[[int, int], None] | None = None
    on_event: Callable[[LinkEvent], None] | None = None


class Station:
    """One association at a line; made by `Line.add`. One task receives, any number send.

    address: the link address: of the other station or, on a secondary station's line, ours.
    """

    def __init__(
        self,
        address: int,
        association: Association,
        listening: Listening,
        carry_out: Callable[[Turn], None],
    ) -> None:
        self.address = address
        self._association = association
        self._listening = listening
        self._carry_out = carry_out
        self._loop = asyncio.get_running_loop()
        self._inbox: deque[bytes] = deque()  # bounded by the session, which counts them
        self._ready = asyncio.Event()
        # What was sent and is not acknowledged, as the session's queues have it.
        self._pending: dict[int, deque[asyncio.Future[None] | None]] = {1: deque(), 2: deque()}
        self._sending = {1: asyncio.Lock(), 2: asyncio.Lock()}
        self._changed = asyncio.Event()  # there may be room, or a life has begun or ended
        self._lives = 0
        self._why = f"station {address} has not been heard yet"
        self._closed: ChannelClosed | None = None

    @property
    def up(self) -> bool:
        """Whether a life of the association is under way."""
        return self._closed is None and self._association.up

    @property
    def room(self) -> int:
        """How many ASDUs may be sent without waiting; 0 unless `up`."""
        return self._association.room() if self.up else 0

    @property
    def unconfirmed(self) -> int:
        """ASDUs that have come and are neither confirmed nor refused."""
        return self._association.unconfirmed

    @property
    def counts(self) -> Counter[str]:
        """What was left and why; see the association's class."""
        return self._association.counts

    async def started(self) -> None:
        """Return when a life is under way; raises ChannelClosed."""
        while not self.up:
            await self._change()

    async def receive(self) -> list[bytes]:
        """Return all ASDUs that have come, at least one; raises ChannelClosed after the last."""
        while not self._inbox:
            if self._closed is not None:
                raise self._closed
            self._ready.clear()
            await self._ready.wait()
        came = list(self._inbox)
        self._inbox.clear()
        return came

    def confirm(self, count: int = 1) -> None:
        """Let the other station know that the oldest `count` ASDUs are in custody."""
        if self._closed is None:
            self._carry_out(self._association.confirm(count, self._loop.time()))

    def refuse(self) -> None:
        """Have all unconfirmed ASDUs said again, those that wait to be received too."""
        if self._closed is None:
            self._inbox.clear()
            self._carry_out(self._association.refuse(self._loop.time()))

    async def send(self, asdus: Sequence[Asdu], group: int = 1) -> None:
        """Send ASDUs in their order; returns when all of them are in the queue.

        group: the class of user data, 1 or 2; anybody but a secondary station has only 1.

        Raises LinkDown where no life is under way, or it ends meanwhile: what became of those that
        were in the queue `on_lost` has said; ChannelClosed; ValueError for what no frame carries.
        """
        left = list(asdus)
        async with self._sending[group]:
            life = self._life()
            while left:
                room = await self._room(group, life)
                part, left = left[:room], left[room:]
                self._hand_over(part, group, None)

    async def deliver(self, asdu: Asdu) -> None:
        """Send one ASDU; returns when the link has acknowledged it.

        Where this is cancelled before the ASDU was on the line, it never will be.
        Raises as `send`, and LinkDown where the life ends first.
        """
        through = self._loop.create_future()
        async with self._sending[1]:
            await self._room(1, self._life())
            self._hand_over([asdu], 1, through)
        try:
            await through
        except asyncio.CancelledError:
            pending = self._pending[1]
            if through in pending:
                index = pending.index(through)
                if self._association.withdraw(index):
                    del pending[index]
                    self._changed.set()
            raise

    def take(self, turn: Turn) -> None:
        """Take what became known of the other station."""
        listening = self._listening
        if turn.received:
            self._inbox.extend(turn.received)
            self._ready.set()
        for group, number in ((1, turn.acknowledged), (2, turn.acknowledged_2)):
            if number:
                self._acknowledged(group, number)
        if turn.broken:
            self._down(turn.broken, turn.lost, turn.lost_2, turn.doubtful)
        for event in turn.events:
            if event is LinkEvent.UP:
                self._changed.set()
                if listening.on_up is not None:
                    listening.on_up()
            elif listening.on_event is not None:
                listening.on_event(event)

    def end(self, closed: ChannelClosed) -> None:
        """Take note that the channel has ended, or that the station is not used any more."""
        if self._closed is not None:
            return
        was_up = self._association.up
        self._closed = closed
        self._ready.set()
        self._changed.set()
        if was_up:
            one, two = self._pending.values()
            doubtful = bool(one) and not self._association.withdraw(0)
            self._down(str(closed), len(one), len(two), doubtful)

    def _life(self) -> int:
        if self._closed is not None:
            raise self._closed
        if not self._association.up:
            raise LinkDown(self._why)
        return self._lives

    async def _room(self, group: int, life: int) -> int:
        while True:
            if self._lives != life:
                raise LinkDown(self._why)
            room = self._association.room(group)
            if room:
                return room
            await self._change()

    async def _change(self) -> None:
        if self._closed is not None:
            raise self._closed
        self._changed.clear()
        await self._changed.wait()

    def _hand_over(
        self, asdus: Sequence[Asdu], group: int, through: asyncio.Future[None] | None
    ) -> None:
        turn = self._association.send(asdus, self._loop.time(), group)
        self._pending[group].extend([through] * len(asdus))
        self._carry_out(turn)

    def _acknowledged(self, group: int, number: int) -> None:
        for _ in range(number):
            _settle(self._pending[group].popleft(), None)
        self._changed.set()
        if self._listening.on_acknowledged is not None:
            self._listening.on_acknowledged(number, group)

    def _down(self, why: str, lost: int, lost_2: int, doubtful: bool) -> None:
        self._lives += 1
        self._why = why
        for group, number in ((1, lost), (2, lost_2)):
            pending = self._pending[group]
            for index, through in enumerate(pending):
                _settle(through, LinkDown(why, doubtful and index == 0))
            pending.clear()
            if number and self._listening.on_lost is not None:
                self._listening.on_lost(number, group)
        self._changed.set()
        if self._listening.on_down is not None:
            self._listening.on_down(why)


def _settle(through: asyncio.Future[None] | None, error: Exception | None) -> None:
    if through is None or through.done():
        return
    if error is None:
        through.set_result(None)
    else:
        through.set_exception(error)
