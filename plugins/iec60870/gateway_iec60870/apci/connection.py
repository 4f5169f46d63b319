"""A channel and the other station on it: ASDUs to it and from it."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Sequence

from gateway.channel import Channel, ChannelClosed
from gateway_iec60870.apci.carrier import Carrier, Tracer
from gateway_iec60870.apci.error import LinkBroken, NotStarted
from gateway_iec60870.apci.frame import check_asdus
from gateway_iec60870.apci.session import Session
from gateway_iec60870.apci.settings import ApciSettings
from gateway_iec60870.apci.turn import Event, State, Turn

BOUND = 4096
"""ASDUs that are not confirmed, at which nothing more is read."""

FAREWELL = 1.0
"""Seconds for the last acknowledgement to leave."""


class Connection:
    """One TCP connection with the other station.

    Make it in a running loop, `run` it in a task of its own for as long as it is used.
    Whoever waits when it ends gets what `run` raises: ChannelClosed, or LinkBroken (which is one)
    where this side closed it because of silence or of a breach of the rules.

    on_started:      controlled station: STARTDT act has come, its con leaves next; `end` the
                     connection here to refuse. Controlling station: STARTDT con has come.
    on_stopping:     controlled station: STOPDT act has come, and there are ASDUs to confirm, or of
                     ours that are not acknowledged.
    on_stopped:      STOPDT con has come or leaves next; not after `halt`.
    on_acknowledged: is told how many more ASDUs, oldest first, the other side has acknowledged.
    They are called before the ASDUs of the same read are received, and must return at once.

    bound: ASDUs that are not confirmed, at which nothing more is read until some are; the other
           side is held up, and nobody's t1 runs here meanwhile.
    """

    def __init__(
        self,
        channel: Channel,
        settings: ApciSettings,
        *,
        controlling: bool,
        tracer: Tracer | None = None,
        bound: int = BOUND,
        on_started: Callable[[], None] | None = None,
        on_stopping: Callable[[], None] | None = None,
        on_stopped: Callable[[], None] | None = None,
        on_acknowledged: Callable[[int], None] | None = None,
    ) -> None:
        self.channel = channel
        self.settings = settings
        self.controlling = controlling
        self.on_started = on_started
        self.on_stopping = on_stopping
        self.on_stopped = on_stopped
        self.on_acknowledged = on_acknowledged
        self._now = asyncio.get_running_loop().time
        self._session = Session(settings, controlling=controlling, now=self._now())
        self._carrier = Carrier(channel, self._session, tracer, bound, self._take, self._wake)
        self._inbox: list[bytes] = []
        self._arrived = asyncio.Event()
        self._changed = asyncio.Event()  # room, state, or the end
        self._sending = asyncio.Lock()
        self._tests = 0  # that were answered

    @property
    def state(self) -> State:
        """Where data transfer stands."""
        return self._session.state

    @property
    def started(self) -> bool:
        """Whether ASDUs may be sent: the state is STARTED."""
        return self._session.state is State.STARTED

    @property
    def room(self) -> int:
        """ASDUs that can be sent without waiting for the other side."""
        return self._session.room

    @property
    def unacknowledged(self) -> int:
        """ASDUs that were sent and are not acknowledged by the other side."""
        return self._session.unacknowledged

    @property
    def unconfirmed(self) -> int:
        """ASDUs that came and were not confirmed, those that wait to be received included."""
        return self._session.unconfirmed

    @property
    def counts(self) -> Counter[str]:
        """Those of `Session`, and `reading_paused`: times that reading stopped (`bound`)."""
        return self._session.counts + Counter(reading_paused=self._carrier.pauses)

    async def run(self) -> None:
        """Carry frames until the channel ends; raises ChannelClosed or LinkBroken with the reason.

        Cancelling it closes the channel.
        """
        await self._carrier.run()

    async def start(self) -> None:
        """Start data transfer (STARTDT); returns when it is confirmed.

        Without an answer within t1 the connection ends, as always. Started already: returns.
        Raises ValueError for the controlled station and while stopping.
        """
        self._check()
        if not self.controlling or self.state in (State.STOPPED, State.STOPPING):
            self._carrier.carry_out(self._session.start(self._now()))
        await self._until(lambda: self.state is not State.STARTING)

    async def stop(self) -> None:
        """Stop data transfer (STOPDT); returns when it is confirmed. Stopped already: returns.

        Meanwhile go on with `receive` and `confirm`: the other side waits for it.
        Raises ValueError for the controlled station and while starting.
        """
        self._check()
        if not self.controlling or self.state in (State.STARTED, State.STARTING):
            self._carrier.carry_out(self._session.stop(self._now()))
        await self._until(lambda: self.state is not State.STOPPING)

    def halt(self) -> None:
        """See `Session.halt`; whoever waits for room gets NotStarted."""
        self._session.halt()
        self._changed.set()

    async def receive(self) -> list[bytes]:
        """Return the ASDUs that have come, in their order, at least one; one task receives.

        Raises ChannelClosed after the last one.
        """
        while not self._inbox:
            self._check()
            self._arrived.clear()
            await self._arrived.wait()
        asdus, self._inbox = self._inbox, []
        return asdus

    def confirm(self, count: int) -> None:
        """See `Session.confirm`; does nothing on a connection that has ended."""
        if self._carrier.ended is None:
            self._carrier.carry_out(self._session.confirm(count, self._now()))
            self._carrier.relieve()

    async def room_free(self) -> int:
        """Wait until at least one ASDU may be sent and return how many.

        Raises NotStarted where data transfer is not started, ChannelClosed.
        """
        while True:
            self._check()
            if not self.started:
                raise NotStarted(f"{self.channel.name}: data transfer is {self.state.name}")
            if room := self._session.room:
                return room
            await self._change()

    async def send(self, asdus: Sequence[bytes]) -> None:
        """Send ASDUs of 1..249 octets in this order, without others between them.

        Waits for room as often as it takes; returns when all were handed to the socket.
        Raises NotStarted, ChannelClosed, and ValueError (nothing is sent) for an ASDU too long.
        Up to `room` ASDUs leave before anything is waited for. Of more, those that were sent are
        a matter of `unacknowledged` and `on_acknowledged`.
        """
        check_asdus(asdus)
        if not asdus:
            return
        async with self._sending:
            at = 0
            while at < len(asdus):
                part = asdus[at : at + await self.room_free()]
                self._carrier.carry_out(self._session.send(part, self._now()))
                at += len(part)
            handed = self._carrier.handed
        await handed.wait()
        self._check()

    async def test(self) -> None:
        """Test the connection (TESTFR) and return when the other side has answered."""
        self._check()
        answered = self._tests
        self._carrier.carry_out(self._session.test(self._now()))
        await self._until(lambda: self._tests > answered)

    def end(self, why: str) -> None:
        """End the connection without another octet; `run` raises LinkBroken with this reason."""
        self._carrier.stop(LinkBroken(f"{self.channel.name}: {why}"))

    async def close(self, why: str = "closed") -> None:
        """Acknowledge what is confirmed and close the channel; `run` raises ChannelClosed."""
        turn = self._session.acknowledge()
        if turn.frames and self._carrier.running:
            self._carrier.carry_out(turn)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FAREWELL):
                    await self._carrier.handed.wait()
        self._carrier.stop(ChannelClosed(f"{self.channel.name}: {why}"))
        await self.channel.close(why)

    def _take(self, turn: Turn) -> None:
        """Take what a turn has for the application."""
        if turn.acknowledged:
            self._changed.set()
            if self.on_acknowledged is not None:
                self.on_acknowledged(turn.acknowledged)
        for event in turn.events:
            self._changed.set()
            self._tell(event)
        if turn.received and self._carrier.ended is None:
            self._inbox += turn.received
            self._arrived.set()

    def _tell(self, event: Event) -> None:
        tell = None
        if event is Event.TESTED:
            self._tests += 1
        elif event is Event.STARTED:
            tell = self.on_started
        elif event is Event.STOPPING:
            tell = self.on_stopping
        else:
            tell = self.on_stopped
        if tell is not None:
            tell()

    def _wake(self) -> None:
        """Let whoever waits see that the connection has ended."""
        self._arrived.set()
        self._changed.set()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    async def _until(self, reached: Callable[[], bool]) -> None:
        while not reached():
            self._check()
            await self._change()
        self._check()

    def _check(self) -> None:
        if self._carrier.ended is not None:
            raise self._carrier.ended
