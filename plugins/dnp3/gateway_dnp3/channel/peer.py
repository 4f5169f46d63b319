"""Another station at a line: fragments to it and from it."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from gateway.channel import ChannelClosed
from gateway_dnp3.link import Broadcast, Frame, LinkEvent, LinkSession, LinkSettings, Payload, Turn
from gateway_dnp3.transport import Reassembly, count, split

SEQUENCES = 64


class Unconfirmed(Exception):  # noqa: N818 - it says what has happened
    """The other station has not confirmed user data, retries included; the channel stays open."""


class Message(NamedTuple):
    """A fragment that came; `broadcast` where it was for everybody."""

    fragment: bytes
    broadcast: Broadcast | None = None


class Peer:
    """One association at a line: the link session, transport in both directions, an inbox.

    Made by `Line.add`; one task sends at a time, one receives.

    silent: whether it has not answered the last question for its link status.
    counts: `inbox_full` (fragments dropped), and those of the layers: `link_…`, `transport_…`.
    """

    def __init__(
        self,
        settings: LinkSettings,
        write: Callable[[list[Frame]], Awaitable[None]],
        *,
        limit: int,
        inbox: int,
        on_event: Callable[[LinkEvent], None] | None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self.session = LinkSession(settings, self._loop.time())
        self.silent = False
        self._write = write
        self._inbox: deque[Message] = deque()
        self._most = inbox
        self._dropped = 0
        self._on_event = on_event
        self._ready = asyncio.Event()
        self._sending = asyncio.Lock()
        self._pending: deque[asyncio.Future[None]] = deque()
        self._sequence = 0
        self._alone = Reassembly(limit)
        self._to_all = Reassembly(limit)
        self._closed: ChannelClosed | None = None

    @property
    def settings(self) -> LinkSettings:
        """How the two stations speak with each other."""
        return self.session.settings

    @property
    def counts(self) -> Counter[str]:
        """What was left and why, of all layers."""
        counts = Counter({f"link_{name}": n for name, n in self.session.counts.items()})
        for part in (self._alone, self._to_all):
            counts.update({f"transport_{name}": n for name, n in part.counts.items()})
        counts["inbox_full"] = self._dropped
        return counts

    async def send(self, fragment: bytes, broadcast: Broadcast | None = None) -> None:
        """Send a fragment; a master may send it to all.

        Returns when it was handed to the channel or, where user data is confirmed, to the other
        station. Raises Unconfirmed, ChannelClosed, and ValueError for a fragment without octets.
        """
        async with self._sending:
            if self._closed is not None:
                raise self._closed
            segments = list(split(fragment, self._sequence))
            self._sequence = (self._sequence + count(len(fragment))) % SEQUENCES
            if self.settings.confirmed and broadcast is None:
                for segment in segments:
                    await self._confirmed(segment)
                return
            frames: list[Frame] = []
            for segment in segments:
                frames += self.session.send(segment, self._loop.time(), broadcast).frames
            await self._write(frames)

    async def receive(self) -> Message:
        """Return the next fragment that has come; raises ChannelClosed after the last one."""
        while not self._inbox:
            if self._closed is not None:
                raise self._closed
            self._ready.clear()
            await self._ready.wait()
        message = self._inbox.popleft()
        self.session.full = False
        return message

    async def ask(self) -> None:
        """Ask for its link status now; `silent` and the event tell what came of it."""
        await self.carry_out(self.session.ask(self._loop.time()))

    async def _confirmed(self, segment: bytes) -> None:
        turn = self.session.send(segment, self._loop.time())
        through = self._loop.create_future()
        self._pending.append(through)
        await self.carry_out(turn)
        await through

    async def take(self, frame: Frame) -> None:
        """Take a frame that has come."""
        await self.carry_out(self.session.receive(frame, self._loop.time()))

    async def tick(self) -> None:
        """Do what is due."""
        await self.carry_out(self.session.tick(self._loop.time()))

    async def carry_out(self, turn: Turn) -> None:
        """Do what the link session wants done."""
        for payload in turn.received:
            self._assemble(payload)
        for _ in range(turn.sent):
            _settle(self._pending.popleft(), None)
        for _ in range(turn.lost):
            remote, tries = self.settings.remote, self.settings.retries + 1
            why = f"station {remote} has not confirmed user data, sent {tries} times"
            _settle(self._pending.popleft(), Unconfirmed(why))
        if turn.sent or turn.received:
            self.silent = False
        for event in turn.events:
            if event is not LinkEvent.FAILED:
                self.silent = event is LinkEvent.SILENT
            if self._on_event is not None:
                self._on_event(event)
        if turn.frames:
            await self._write(turn.frames)

    def end(self, closed: ChannelClosed) -> None:
        """Take note that the channel has ended."""
        self._closed = closed
        self._ready.set()
        while self._pending:
            _settle(self._pending.popleft(), closed)

    def _assemble(self, payload: Payload) -> None:
        part = self._alone if payload.broadcast is None else self._to_all
        fragment = part.feed(payload.data)
        if fragment is None:
            return
        if len(self._inbox) >= self._most:
            self._dropped += 1
            return
        self._inbox.append(Message(fragment, payload.broadcast))
        self.session.full = len(self._inbox) >= self._most
        self._ready.set()


def _settle(through: asyncio.Future[None], error: Exception | None) -> None:
    if through.done():
        return
    if error is None:
        through.set_result(None)
    else:
        through.set_exception(error)
