"""UDP: datagrams of whole frames, with one other station or with whoever speaks first."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Collection, Sequence
from typing import Any, cast

from gateway import reason
from gateway.channel import Channel, ChannelClosed, Network, address_text, allows

WAITING = 64
"""Datagrams that may wait to be read; what comes above is dropped and counted."""

START = b"\x05\x64"


class UdpChannel(Channel):
    """Datagrams to and from one address.

    counts: besides octets `dropped_in` and `dropped_out`, datagrams for which there was no room,
            and `errors`, what the network said of those that were sent (nobody listens there).
    """

    gap = 0.0

    def __init__(self, socket: _Socket, address: tuple[Any, ...], name: str) -> None:
        super().__init__(name)
        self.address = address
        self.heard = asyncio.get_running_loop().time()
        self._socket = socket
        self._came: deque[bytes] = deque()
        self._ready = asyncio.Event()
        self._closed: ChannelClosed | None = None

    @classmethod
    async def open(
        cls, host: str, port: int, *, local: tuple[str, int] | None = None
    ) -> UdpChannel:
        """Speak with this address only; raises ChannelClosed where there is no way to it.

        local: where to send from and listen, by default any port.
        """
        where = address_text((host, port))
        udp = _Socket()
        try:
            _, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: udp, local_addr=local, remote_addr=(host, port)
            )
        except OSError as error:
            raise ChannelClosed(f"no way to {where}: {reason(error)}") from None
        channel = cls(protocol, (host, port), where)
        udp.only = channel
        return channel

    def came(self, data: bytes) -> None:
        """Take a datagram."""
        self.heard = asyncio.get_running_loop().time()
        if self._closed is not None or not data:
            return
        if len(self._came) >= WAITING:
            self.counts["dropped_in"] += 1
            return
        self._came.append(data)
        self._ready.set()

    async def read(self) -> bytes:
        """See `Channel.read`; returns one datagram."""
        while not self._came or self._closed is not None:
            if self._closed is not None:
                raise self._closed
            self._ready.clear()
            await self._ready.wait()
        data = self._came.popleft()
        self.counts["received"] += len(data)
        return data

    async def write(self, frames: Sequence[bytes]) -> None:
        """See `Channel.write`; a datagram for each frame, which is less than any network takes."""
        if self._closed is not None:
            raise self._closed
        for frame in frames:
            if self._socket.send(frame, self):
                self.counts["sent"] += len(frame)
            else:
                self.counts["dropped_out"] += 1

    async def close(self, why: str = "closed") -> None:
        """See `Channel.close`."""
        self.end(why)

    def end(self, why: str) -> None:
        """Close at once: there is nothing to wait for."""
        if self._closed is None:
            self._closed = ChannelClosed(f"{self.name}: {why}")
            self._came.clear()
            self._ready.set()
            self._socket.left(self)


class UdpListener:
    """Listens; `accept` hands out a channel for each address that speaks.

    port:   where it listens, which tells what 0 became.
    counts: `accepted`, and datagrams left: `refused_full`, `refused_address`, `strange` (no frame).
    """

    def __init__(self, *, max_clients: int, allowed: Collection[Network], idle: float) -> None:
        self.port = 0
        self.counts: Counter[str] = Counter()
        self._max_clients = max_clients
        self._allowed = tuple(allowed)
        self._idle = idle
        self._socket = _Socket(self)
        self._fresh: asyncio.Queue[UdpChannel | None] = asyncio.Queue()

    @classmethod
    async def open(
        cls,
        host: str,
        port: int,
        *,
        max_clients: int = 16,
        allowed: Collection[Network] = (),
        idle: float = 300.0,
    ) -> UdpListener:
        """Listen at an address of this machine; raises ChannelClosed where that is not possible.

        max_clients: addresses at one time.
        allowed:     where datagrams may come from; empty for anywhere.
        idle:        seconds of silence after which an address makes room for another one.
        """
        self = cls(max_clients=max_clients, allowed=allowed, idle=idle)
        try:
            transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: self._socket, local_addr=(host, port)
            )
        except OSError as error:
            where = address_text((host, port))
            raise ChannelClosed(f"cannot listen at {where}: {reason(error)}") from None
        self.port = transport.get_extra_info("sockname")[1]
        return self

    @property
    def clients(self) -> int:
        """Addresses that are known."""
        return len(self._socket.channels)

    async def accept(self) -> UdpChannel:
        """Return the next address that speaks; raises ChannelClosed when listening has ended."""
        channel = await self._fresh.get()
        if channel is None:
            self._fresh.put_nowait(None)
            raise ChannelClosed("not listening any more")
        return channel

    async def close(self) -> None:
        """Stop listening and close every channel."""
        for channel in list(self._socket.channels.values()):
            await channel.close()
        self._socket.close()
        self._fresh.put_nowait(None)

    def stranger(self, data: bytes, address: tuple[Any, ...]) -> UdpChannel | None:
        """Return a channel for an address that has none, or None where it gets none."""
        if not data.startswith(START):
            self.counts["strange"] += 1
        elif not allows(self._allowed, address[0]):
            self.counts["refused_address"] += 1
        elif not self._room():
            self.counts["refused_full"] += 1
        else:
            self.counts["accepted"] += 1
            channel = UdpChannel(self._socket, address, address_text(address))
            self._fresh.put_nowait(channel)
            return channel
        return None

    def _room(self) -> bool:
        channels = self._socket.channels
        if len(channels) < self._max_clients:
            return True
        quietest = min(channels.values(), key=lambda channel: channel.heard)
        if asyncio.get_running_loop().time() - quietest.heard < self._idle:
            return False
        quietest.end(f"nothing heard for {self._idle:g} s")
        return True


class _Socket(asyncio.DatagramProtocol):
    """The socket: of one channel alone, or of a listener and its channels."""

    def __init__(self, listener: UdpListener | None = None) -> None:
        self.only: UdpChannel | None = None
        self.channels: dict[tuple[Any, ...], UdpChannel] = {}
        self._listener = listener
        self._transport: asyncio.DatagramTransport | None = None
        self._paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not every event loop derives its transports from asyncio's.
        self._transport = cast(asyncio.DatagramTransport, transport)

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False

    def datagram_received(self, data: bytes, address: tuple[Any, ...]) -> None:
        channel = self.only or self.channels.get(address)
        if channel is None and self._listener is not None:
            channel = self._listener.stranger(data, address)
            if channel is not None:
                self.channels[address] = channel
        if channel is not None:
            channel.came(data)

    def error_received(self, error: Exception) -> None:
        if self.only is not None:
            self.only.counts["errors"] += 1

    def send(self, data: bytes, channel: UdpChannel) -> bool:
        """Send a datagram; returns False where too many wait already."""
        if self._transport is None or self._paused:
            return False
        self._transport.sendto(data, None if channel is self.only else channel.address)
        return True

    def left(self, channel: UdpChannel) -> None:
        """Take note that a channel was closed."""
        self.channels.pop(channel.address, None)
        if channel is self.only:
            self.close()

    def close(self) -> None:
        """Close the socket."""
        if self._transport is not None:
            self._transport.close()
