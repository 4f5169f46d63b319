"""One master of an outstation, on whatever connection it speaks, in asyncio."""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
from collections import Counter, deque
from collections.abc import Callable, Collection
from dataclasses import replace

from gateway.channel import Channel, ChannelClosed, Network, StreamChannel, allows
from gateway_dnp3.channel import Line, Peer, Unconfirmed
from gateway_dnp3.link import LinkSettings
from gateway_dnp3.outstation.session import Session

MOST_WAITING = 8
"""Fragments that may wait to be sent before the next request is looked at."""


class _Connection:
    """A line that the master may speak on, and what waits to be sent to it."""

    def __init__(self, line: Line, peer: Peer) -> None:
        self.line = line
        self.peer = peer
        self.outbox: deque[bytes] = deque()
        self.ready = asyncio.Event()
        self.room = asyncio.Event()
        self.ousted = ""

    @property
    def name(self) -> str:
        return self.line.channel.name


class Association:
    """Joins a session with the connection that its master has.

    The connection on which the master spoke last counts: an older one is closed where it is TCP,
    because a master that comes back has lost it.

    link:         the two addresses, and how the link layer behaves.
    hosts:        where the master may connect from; empty for anywhere.
    fingerprints: SHA-256 of the certificates that it may show, DER; empty for any.
    changed:      told the channel on which the master is there from now on, None where it has left.
    """

    def __init__(
        self,
        link: LinkSettings,
        changed: Callable[[Channel | None], None],
        *,
        hosts: Collection[Network] = (),
        fingerprints: Collection[str] = (),
        limit: int = 2048,
    ) -> None:
        self.link = link
        self.limit = limit
        self._changed = changed
        self._hosts = tuple(hosts)
        self._fingerprints = frozenset(fingerprints)
        self._session: Session | None = None
        self._connection: _Connection | None = None
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._counts: Counter[str] = Counter()

    @property
    def session(self) -> Session:
        assert self._session is not None  # noqa: S101 - `bind` comes first
        return self._session

    def bind(self, session: Session) -> None:
        """Say whose connections these are; before the first of them."""
        self._session = session

    @property
    def counts(self) -> Counter[str]:
        """What happened, and what was left and why, of all layers."""
        counts = self._counts + self.session.counts
        if self._connection is not None:
            counts += self._connection.peer.counts
        return counts

    def admits(self, channel: Channel) -> bool:
        """Return whether the master may speak on this channel."""
        if isinstance(channel, StreamChannel) or not channel.connection:
            host = channel.name.rpartition(":")[0].strip("[]")
            if self._hosts and not (_is_address(host) and allows(self._hosts, host)):
                return False
        if not self._fingerprints:
            return True
        shown = channel.certificate
        return shown is not None and hashlib.sha256(shown).hexdigest() in self._fingerprints

    def on(self, line: Line) -> bool:
        """Return whether the master speaks on this line now."""
        return self._connection is not None and self._connection.line is line

    def seat(self, line: Line) -> Peer:
        """Make room for the master at a line; it is silent until it speaks."""
        peer = line.add(replace(self.link, keep_alive=None), limit=self.limit)
        peer.silent = True
        return peer

    async def serve(self, line: Line, peer: Peer, *, at_once: bool) -> None:
        """Take what comes for this outstation from this master, until the line ends.

        at_once: nobody else can be there: what is to be said is said without waiting for a word.
        """
        connection = _Connection(line, peer)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._write(connection))
                # Whoever only connects does not take the place of a master that is there.
                if at_once and self._connection is None:
                    self._attach(connection)
                while True:
                    message = await peer.receive()
                    self._attach(connection)
                    self.session.receive(message.fragment, message.broadcast)
                    self._arm()
                    while len(connection.outbox) >= MOST_WAITING:
                        connection.room.clear()
                        await connection.room.wait()
        except* ChannelClosed:
            pass
        finally:
            self._detach(connection)

    def send(self, fragment: bytes) -> None:
        """Send a fragment on the connection that the master has; without one it is lost."""
        connection = self._connection
        if connection is None:
            self._counts["unsent"] += 1
            return
        connection.outbox.append(fragment)
        connection.ready.set()

    def arm(self) -> None:
        """Look at the session's deadline again: something has happened to it."""
        self._arm()

    def leave(self) -> None:
        """End the connection that the master has."""
        if self._connection is not None:
            self._oust(self._connection, "the outstation has stopped")

    async def _write(self, connection: _Connection) -> None:
        peer = connection.peer
        while True:
            while not connection.outbox:
                if connection.ousted:
                    await connection.line.channel.close(connection.ousted)
                    return
                connection.ready.clear()
                await connection.ready.wait()
            fragment = connection.outbox.popleft()
            connection.room.set()
            try:
                await peer.send(fragment)
            except Unconfirmed:
                self._counts["unconfirmed"] += 1

    def _attach(self, connection: _Connection) -> None:
        before = self._connection
        if before is connection:
            return
        if before is not None:
            self._counts["connections_replaced"] += 1
            self._forget(before)
            if before.line.channel.connection:
                self._oust(before, f"replaced by {connection.name}")
        self._connection = connection
        peer = connection.peer
        peer.session.settings = replace(peer.session.settings, keep_alive=self.link.keep_alive)
        peer.silent = False
        self._changed(connection.line.channel)
        self.session.connected()
        self._arm()

    def _oust(self, connection: _Connection, why: str) -> None:
        connection.ousted = why
        connection.ready.set()

    def _detach(self, connection: _Connection) -> None:
        if self._connection is connection:
            self._forget(connection)
            self._changed(None)

    def _forget(self, connection: _Connection) -> None:
        self._connection = None
        self._counts += connection.peer.counts
        self.session.disconnected()
        self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self.session.deadline
        if deadline is not None:
            self._timer = self._loop.call_at(deadline, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self.session.tick()
        self._arm()

    def close(self) -> None:
        """Stop the clock."""
        if self._timer is not None:
            self._timer.cancel()


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
