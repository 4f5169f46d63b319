"""Carries out what a session wants done: octets to and from a channel, and its timer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from gateway.channel import Channel, ChannelClosed
from gateway_iec60870.apci.error import LinkBroken
from gateway_iec60870.apci.frame import encode
from gateway_iec60870.apci.session import Session
from gateway_iec60870.apci.turn import State, Turn

ANSWERS = 256
"""Answers that wait for the other side to take them, above which nothing more is read."""

STALL = 0.1
"""Seconds after its time that a timer may run; later, this process has not heard either."""

HEARING = 0.05
"""Seconds to hear what has come meanwhile."""


class Tracer(Protocol):
    """Whoever wants to see the frames; a gateway's context is one."""

    @property
    def tracing(self) -> bool:
        """Whether anybody looks."""

    def trace(self, direction: str, frame: bytes, note: str = "", peer: str = "") -> None:
        """Show a frame, `tx` or `rx`; see `SourceContext.trace`."""


class Carrier:
    """A channel, a session and the tasks between them.

    bound:  ASDUs that are not confirmed, at which reading stops until some are.
    take:   is given each turn before its frames leave.
    wake:   is called when the connection has ended.
    ended:  why it has, None before.
    handed: is set when all frames that wait now have been handed to the socket, or never will be.
    pauses: times that reading stopped.
    """

    def __init__(
        self,
        channel: Channel,
        session: Session,
        tracer: Tracer | None,
        bound: int,
        take: Callable[[Turn], None],
        wake: Callable[[], None],
    ) -> None:
        self.channel = channel
        self.session = session
        self.ended: ChannelClosed | None = None
        self.handed = asyncio.Event()
        self.running = False
        self.pauses = 0
        self._take = take
        self._wake = wake
        self._tracer = tracer
        self._bound = bound
        self._loop = asyncio.get_running_loop()
        self._end: asyncio.Future[ChannelClosed] = self._loop.create_future()
        self._outbox: list[bytes] = []
        self._leaving = asyncio.Event()
        self._handing = self.handed  # the same of what is being written
        self._relieved = asyncio.Event()
        self._timer: asyncio.Handle | None = None
        self._when = 0.0  # it runs; uvloop's handles of what is due at once do not know
        self._stalled = False

    async def run(self) -> None:
        """Carry until the connection ends; raises `ended`."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._read())
                group.create_task(self._write())
                self._set_timer()
                self.running = True
                raise await self._end
        except* ChannelClosed as closed:
            self.stop(ChannelClosed(str(closed.exceptions[0])))
        finally:
            self.running = False
            self.stop(ChannelClosed(f"{self.channel.name}: not used any more"))
            await self.channel.close(str(self.ended))
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            # A task group forgets a cancellation that comes as one of its tasks fails.
            raise asyncio.CancelledError
        assert self.ended is not None  # noqa: S101 - for mypy: stop() has set it
        raise self.ended

    def stop(self, ended: ChannelClosed) -> None:
        """End the connection for this reason, if it has not ended."""
        if self.ended is not None:
            return
        self.ended = ended
        self.session.close(str(ended))
        if self._timer is not None:
            self._timer.cancel()
        if not self._end.done():
            self._end.set_result(ended)
        self._handing.set()
        self.handed.set()
        self._wake()

    def carry_out(self, turn: Turn) -> None:
        """Do what the session wants done."""
        if self._tracer is not None and self._tracer.tracing:
            _trace(self._tracer, turn, self.channel.name)
        self._take(turn)
        if turn.broken:
            self.stop(LinkBroken(f"{self.channel.name}: {turn.broken}"))
        elif turn.frames and self.session.state is not State.CLOSED:
            self._outbox += turn.frames
            self._leaving.set()
        self._set_timer()

    def relieve(self) -> None:
        """Take note that less waits: reading may go on."""
        self._relieved.set()

    async def _read(self) -> None:
        session, read, clock = self.session, self.channel.read, self._loop.time
        while True:
            if self._laden:
                await self._relief()
            data = await read()
            self.carry_out(session.receive(data, clock()))

    @property
    def _laden(self) -> bool:
        answers = len(self._outbox) - self.session.settings.k
        return self.session.unconfirmed >= self._bound or answers >= ANSWERS

    async def _relief(self) -> None:
        """Leave what comes unread, so that the other side is held up."""
        self.pauses += 1
        self.session.deafen(self._loop.time())
        while self._laden:
            self._relieved.clear()
            await self._relieved.wait()
        self.session.listen(self._loop.time())
        self._set_timer()

    async def _write(self) -> None:
        while True:
            if not self._outbox:
                self._leaving.clear()
                await self._leaving.wait()
            frames, self._outbox = self._outbox, []
            self._handing, self.handed = self.handed, asyncio.Event()
            await self.channel.write(frames)
            self._handing.set()
            self._relieved.set()

    def _set_timer(self) -> None:
        if self.ended is not None:
            return
        deadline = self.session.deadline
        if self._timer is not None:
            # Most deadlines move away with every frame: the timer looks again when it runs.
            if deadline is None or deadline >= self._when:
                return
            self._timer.cancel()
        self._timer = None
        if deadline is not None:
            self._timer, self._when = self._loop.call_at(deadline, self._tick), deadline

    def _tick(self) -> None:
        self._timer = None
        now, deadline = self._loop.time(), self.session.deadline
        if not self._stalled and deadline is not None and now > deadline + STALL:
            # The process stood still: what came meanwhile is heard before silence is judged.
            self._stalled = True
            self._when = now + HEARING
            self._timer = self._loop.call_at(self._when, self._tick)
            return
        self._stalled = False
        self.carry_out(self.session.tick(now))


def _trace(tracer: Tracer, turn: Turn, peer: str) -> None:
    for frame in turn.heard:
        tracer.trace("rx", encode(frame), "", peer)
    if turn.unreadable:
        tracer.trace("rx", turn.unreadable, turn.broken, peer)
    for octets in turn.frames:
        tracer.trace("tx", octets, "", peer)
