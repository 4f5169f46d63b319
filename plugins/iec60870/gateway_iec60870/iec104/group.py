"""A redundancy group: connections of one controlling station, of which one is started."""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
from collections import Counter
from collections.abc import Collection

from gateway import Client, SinkContext
from gateway.channel import Channel, ChannelClosed, Network
from gateway_iec60870.apci import ApciSettings, Connection, LinkBroken, NotStarted
from gateway_iec60870.controlled import Controlled

Closeness = tuple[int, bool]
"""How much of an address is named (bits; -1 for nothing), and whether a certificate is."""


class _Seat:
    """One connection of the group.

    ready: set while data may be sent on it.
    past:  ASDUs that were sent before another connection took over, and are sent there again.
    """

    def __init__(self, client: Client) -> None:
        self.client = client
        self.ready = asyncio.Event()
        self.past = 0
        self.connection: Connection


class Group:
    """All who may speak with one controlled station (IEC 60870-5-104:2006, 10).

    The connection that was started last counts: the one before it is stopped without a word, and
    what it has not acknowledged is sent on the new one, in its order.

    networks:     where connections may come from; empty for anywhere.
    fingerprints: SHA-256 of the certificates that may be shown, DER; empty for any.
    limit:        connections at one time.
    counts:       `connections`, `refused_full`, `switchovers`, and those of the connections.
    """

    def __init__(
        self,
        ctx: SinkContext,
        controlled: Controlled,
        settings: ApciSettings,
        *,
        networks: Collection[Network] = (),
        fingerprints: Collection[str] = (),
        limit: int = 16,
    ) -> None:
        self.networks = frozenset(networks)
        self.fingerprints = frozenset(fingerprints)
        self._ctx = ctx
        self._controlled = controlled
        self._settings = settings
        self._limit = limit
        self._counts: Counter[str] = Counter()
        self._seats: set[_Seat] = set()
        self._active: _Seat | None = None

    @property
    def counts(self) -> Counter[str]:
        """What happened, on the connections that are open, too."""
        counts = Counter(self._counts)
        for seat in self._seats:
            counts += seat.connection.counts
        return counts

    def knows(self, channel: Channel) -> Closeness | None:
        """Return how closely the group names who is at a channel; None where it is not meant."""
        closest = -1
        if self.networks:
            host = ipaddress.ip_address(channel.name.rpartition(":")[0].strip("[]").split("%")[0])
            if isinstance(host, ipaddress.IPv6Address) and host.ipv4_mapped is not None:
                host = host.ipv4_mapped
            found = [one.prefixlen for one in self.networks if host in one]
            if not found:
                return None
            closest = max(found)
        if self.fingerprints:
            shown = channel.certificate
            if shown is None or hashlib.sha256(shown).hexdigest() not in self.fingerprints:
                return None
        return closest, bool(self.fingerprints)

    async def serve(self, channel: Channel) -> None:
        """Serve a connection until it ends."""
        if len(self._seats) >= self._limit:
            self._counts["refused_full"] += 1
            await channel.close(f"the group has {self._limit} connections already")
            return
        self._counts["connections"] += 1
        seat = _Seat(self._ctx.client(channel.name, certificate=channel.certificate))
        connection = seat.connection = Connection(
            channel,
            self._settings,
            controlling=False,
            tracer=self._ctx,
            on_started=lambda: self._started(seat),
            on_stopping=seat.ready.clear,
            on_stopped=lambda: self._stopped(seat),
            on_acknowledged=lambda count: self._acknowledged(seat, count),
        )
        self._seats.add(seat)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(connection.run())
                tasks.create_task(self._receive(seat))
                tasks.create_task(self._send(seat))
        except* LinkBroken as group:
            self._ctx.log.warning("%s", group.exceptions[0])
        except* ChannelClosed as group:
            self._ctx.log.info("%s", group.exceptions[0])
        except* Exception:
            # A mistake of ours ends this connection, and no other.
            self._ctx.log.exception("%s: the connection ends", channel.name)
        finally:
            self._seats.discard(seat)
            self._counts += connection.counts
            self._stopped(seat)

    # Which one is started

    def _started(self, seat: _Seat) -> None:
        before = self._active
        if before is not None:
            # Also where it is the same one, which had asked to stop: what it was sent comes again.
            before.past = before.connection.unacknowledged
        if before is not None and before is not seat:
            before.ready.clear()
            before.connection.halt()
            self._counts["switchovers"] += 1
        self._active = seat
        self._controlled.started(seat.client)
        seat.ready.set()
        took = "" if before is None else f" in the place of {before.client.address}"
        self._ctx.log.info("%s has started%s", seat.client.address, took)

    def _stopped(self, seat: _Seat) -> None:
        seat.ready.clear()
        if self._active is seat:
            self._active = None
            self._controlled.stopped()

    def _acknowledged(self, seat: _Seat, count: int) -> None:
        past = min(seat.past, count)
        seat.past -= past
        if self._active is seat and count > past:
            self._controlled.outgoing.acknowledged(count - past)

    # What passes

    async def _receive(self, seat: _Seat) -> None:
        while True:
            asdus = await seat.connection.receive()
            if self._active is not seat:
                self._counts["too_late"] += len(asdus)
                seat.connection.end("another connection took over before it was heard")
                continue
            await self._controlled.take(asdus)
            seat.connection.confirm(len(asdus))

    async def _send(self, seat: _Seat) -> None:
        connection, outgoing = seat.connection, self._controlled.outgoing
        while True:
            await seat.ready.wait()
            try:
                await connection.room_free()
                await outgoing.ready()
                if self._active is seat:
                    # Nothing else runs between these: what is taken is sent here, or nowhere.
                    await connection.send(outgoing.take(connection.room))
            except NotStarted:
                seat.ready.clear()
