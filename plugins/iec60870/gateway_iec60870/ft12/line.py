"""A channel and the stations that are reached over it: a serial line, or TCP to one."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from typing import Protocol, TypeAlias

from gateway.channel import Channel, ChannelClosed
from gateway_iec60870.ft12.address import broadcast
from gateway_iec60870.ft12.balanced import Balanced
from gateway_iec60870.ft12.frame import LONGEST, Frame, encode
from gateway_iec60870.ft12.partner import NEVER
from gateway_iec60870.ft12.primary import Primary
from gateway_iec60870.ft12.reader import Reader
from gateway_iec60870.ft12.secondary import Secondary
from gateway_iec60870.ft12.settings import BalancedSettings, PolledSettings, SecondarySettings
from gateway_iec60870.ft12.station import Association, Listening, Station
from gateway_iec60870.ft12.turn import Asdu, LinkEvent, Turn

IDLE = 0.5
"""Seconds of silence after which an incomplete frame never will be complete, where the channel does
not know: a terminal server sends on what it has within a fraction of that."""

WAITING = 64
"""Frames that may wait to be written before nothing more is read."""

Session: TypeAlias = Primary | Secondary | Balanced
LineSettings: TypeAlias = PolledSettings | SecondarySettings | BalancedSettings


class Tracer(Protocol):
    """Whoever wants to see the frames; a gateway's context is one."""

    @property
    def tracing(self) -> bool:
        """Whether anybody looks."""

    def trace(self, direction: str, frame: bytes, note: str = "", peer: str = "") -> None:
        """Show a frame, `tx` or `rx`; see `SourceContext.trace`."""


class Line:
    """Everything between a channel's octets and the ASDUs of its stations.

    Add the stations, all of one kind: those that are polled, or secondary stations of our own, or
    the other one of a balanced line. `run` it in a task of its own for as long as they are used.

    octets:      of the link address.
    idle:        seconds of silence after which an incomplete frame never will be complete; None for
                 the channel's own, and `IDLE` where it has none.
    silence:     a connection on which nothing readable comes for so long is closed; None for never.
                 A half-open one would never end by itself.
    probe_share: see `Primary`.
    stations:    by link address.
    """

    def __init__(
        self,
        channel: Channel,
        octets: int = 1,
        *,
        idle: float | None = None,
        silence: float | None = 60.0,
        probe_share: float = 0.1,
        tracer: Tracer | None = None,
    ) -> None:
        self.channel = channel
        self.stations: dict[int, Station] = {}
        self._octets = octets
        self._reader = Reader(octets)
        self._idle = idle or channel.gap or IDLE
        self._silence = silence if channel.connection else None
        self._probe_share = probe_share
        self._tracer = tracer
        self._frames: Counter[str] = Counter()
        self._sessions: dict[int, Session] = {}
        self._primary: Primary | None = None
        self._ended: ChannelClosed | None = None
        self._loop = asyncio.get_running_loop()
        self._heard = self._loop.time()
        self._octets_in = 0
        self._outgoing: deque[tuple[Session, Frame]] = deque()
        self._to_write = asyncio.Event()
        self._written = asyncio.Event()
        self._wakes = NEVER  # when the timer looks next
        self._sooner = asyncio.Event()

    @property
    def counts(self) -> Counter[str]:
        """What passed, and what was left and why.

        `frames_in`, `frames_out`, `strangers` (frames for nobody here), the reader's errors (see
        `Reader`), and those of a polled line as a whole (see `Primary`).
        """
        counts = self._frames + self._reader.errors
        return counts if self._primary is None else counts + self._primary.counts

    def add(
        self,
        settings: LineSettings,
        *,
        on_up: Callable[[], None] | None = None,
        on_down: Callable[[str], None] | None = None,
        on_acknowledged: Callable[[int, int], None] | None = None,
        on_lost: Callable[[int, int], None] | None = None,
        on_event: Callable[[LinkEvent], None] | None = None,
    ) -> Station:
        """Add an association. Whoever is told something returns at once and raises nothing.

        on_up, on_down:  a life begins; it has ended, and why.
        on_acknowledged: how many ASDUs the other station has now, oldest first, and their group.
        on_lost:         before `on_down`: how many were not acknowledged, and their group.
        on_event:        what else becomes known.

        Raises ValueError for an address that is there already, another size of addresses than the
        line's, and stations that cannot share a line; ChannelClosed after the end.
        """
        if self._ended is not None:
            raise self._ended
        if settings.octets != self._octets:
            raise ValueError(
                f"a link address of {settings.octets} octets, the line's {self._octets}"
            )
        now = self._loop.time()
        association: Association
        session: Session
        if isinstance(settings, PolledSettings):
            address = settings.address
            self._check(address, Primary)
            if self._primary is None:
                self._primary = Primary(self._octets, self._probe_share)
            session = self._primary
            association = session.add(settings, now)
        elif isinstance(settings, SecondarySettings):
            address = settings.address
            self._check(address, Secondary)
            session = association = Secondary(settings, now)
        else:
            address = settings.other
            self._check(address, None)
            session = association = Balanced(settings, now)
        self._sessions[address] = session

        def carry_out(turn: Turn) -> None:
            self._carry_out(session, turn)

        listening = Listening(on_up, on_down, on_acknowledged, on_lost, on_event)
        station = Station(address, association, listening, carry_out)
        self.stations[address] = station
        self._sooner.set()
        return station

    def remove(self, address: int) -> None:
        """Forget an association; raises KeyError where there is none."""
        session = self._sessions.pop(address)
        station = self.stations.pop(address)
        station.end(ChannelClosed(f"{self.channel.name}: not used any more"))
        if isinstance(session, Primary):
            self._carry_out(session, session.remove(address, self._loop.time()))

    def broadcast(self, asdu: Asdu) -> None:
        """Send an ASDU to all stations that are polled, without reply, when the line is free.

        Raises LinkFull, and ValueError for what no frame carries and where no station is polled.
        """
        if self._primary is None:
            raise ValueError("only a primary station of an unbalanced line broadcasts")
        self._carry_out(self._primary, self._primary.broadcast(asdu, self._loop.time()))

    async def run(self) -> None:
        """Carry frames until the channel ends: raises ChannelClosed with the reason.

        Cancelling it closes the channel.
        """
        closed = ChannelClosed(f"{self.channel.name}: not used any more")
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._read())
                group.create_task(self._write())
                group.create_task(self._keep_time())
        except* ChannelClosed as ended:
            closed = ChannelClosed(str(ended.exceptions[0]))
        finally:
            self._ended = closed
            for station in tuple(self.stations.values()):
                station.end(closed)
            await self.channel.close()
        raise closed

    def _check(self, address: int, kind: type[Session] | None) -> None:
        if address in self._sessions:
            raise ValueError(f"station {address} is there already")
        for other in self._sessions.values():
            if kind is None or not isinstance(other, kind):
                raise ValueError("stations of different kinds, or two of a balanced line")

    async def _read(self) -> None:
        reader = self._reader
        while True:
            while len(self._outgoing) >= WAITING:
                self._written.clear()
                await self._written.wait()
            try:
                async with asyncio.timeout(self._idle if reader.waiting else None):
                    data = await self.channel.read()
            except TimeoutError:
                self._take(reader.flush())
            else:
                self._octets_in += len(data)
                self._take(reader.feed(data))
            self._sooner.set()

    def _take(self, frames: list[Frame]) -> None:
        now = self._loop.time()
        if frames:
            self._heard = now
        self._frames["frames_in"] += len(frames)
        for frame in frames:
            if self._tracer is not None and self._tracer.tracing:
                self._tracer.trace("rx", encode(frame, self._octets), "", self.channel.name)
            for session in self._hearers(frame):
                self._carry_out(session, session.receive(frame, now))

    def _hearers(self, frame: Frame) -> list[Session]:
        sessions = self._sessions
        if self._primary is not None:
            return [self._primary]
        one = sessions.get(frame.address)
        if one is None and len(sessions) == 1:
            one = next(iter(sessions.values()))
        if frame.address == broadcast(self._octets):
            return list(sessions.values())
        if one is None:
            self._frames["strangers"] += 1
            return []
        return [one]

    def _carry_out(self, session: Session, turn: Turn) -> None:
        """Do what a session wants done."""
        for frame in turn.frames:
            self._outgoing.append((session, frame))
            self._to_write.set()
        station = self.stations.get(turn.station)
        if station is not None:
            station.take(turn)
        if self._next() < self._wakes:
            self._sooner.set()

    async def _write(self) -> None:
        while True:
            await self._to_write.wait()
            self._to_write.clear()
            while self._outgoing:
                session, frame = self._outgoing.popleft()
                data = encode(frame, self._octets)
                if self._tracer is not None and self._tracer.tracing:
                    self._tracer.trace("tx", data, "", self.channel.name)
                session.leaves(frame)
                await self.channel.write([data])
                self._frames["frames_out"] += 1
                self._carry_out(session, session.sent(frame, self._loop.time()))
                self._written.set()

    def _all(self) -> list[Session]:
        return [self._primary] if self._primary is not None else list(self._sessions.values())

    def _next(self) -> float:
        times = [one.deadline for one in self._all()]
        if self._silence is not None:
            times.append(self._heard + self._silence)
        return min((time for time in times if time is not None), default=NEVER)

    async def _keep_time(self) -> None:
        while True:
            self._sooner.clear()
            self._wakes = self._next()
            try:
                async with asyncio.timeout_at(None if self._wakes == NEVER else self._wakes):
                    await self._sooner.wait()
            except TimeoutError:
                await self._let_come()
                await self._tick()

    async def _let_come(self) -> None:
        """Wait for a frame that is coming in: it may be what is overdue."""
        most = self._octets_in + LONGEST
        while self._reader.held and self._octets_in <= most:
            self._sooner.clear()
            await self._sooner.wait()

    async def _tick(self) -> None:
        now = self._loop.time()
        for session in self._all():
            deadline = session.deadline
            if deadline is not None and deadline <= now:
                self._carry_out(session, session.tick(now))
        if self._silence is not None and now >= self._heard + self._silence:
            await self.channel.close(f"nothing that can be read has come for {self._silence:g} s")
