"""Whoever connects over TCP or TLS, as channels, within bounds."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections import Counter
from collections.abc import Collection

from gateway.channel.channel import SEND_TIMEOUT, ChannelClosed
from gateway.channel.stream import BUFFERED, StreamChannel, address_text
from gateway.model.errors import reason

HANDSHAKE_TIMEOUT = 10.0
"""Seconds that a client has to prove who it is; before, it counts for nothing."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Listener:
    """Listens; `accept` hands out each connection.

    port:   where it listens, which tells what 0 became.
    counts: `accepted`, and turned away: `refused_full`, `refused_address`.
    """

    def __init__(
        self,
        *,
        max_clients: int,
        allowed: Collection[Network],
        send_timeout: float,
        send_buffer: int | None,
    ) -> None:
        self.port = 0
        self.counts: Counter[str] = Counter()
        self._max_clients = max_clients
        self._allowed = tuple(allowed)
        self._send_timeout = send_timeout
        self._send_buffer = send_buffer
        self._open: set[StreamChannel] = set()
        self._fresh: asyncio.Queue[StreamChannel | None] = asyncio.Queue()
        self._server: asyncio.Server | None = None

    @classmethod
    async def open(
        cls,
        host: str,
        port: int,
        *,
        tls: ssl.SSLContext | None = None,
        max_clients: int = 16,
        allowed: Collection[Network] = (),
        send_timeout: float = SEND_TIMEOUT,
        send_buffer: int | None = None,
    ) -> Listener:
        """Listen at an address of this machine; raises ChannelClosed where that is not possible.

        max_clients: connections at one time; whoever comes above it is turned away.
        allowed:     where clients may come from; empty for anywhere.
        send_buffer: octets that the system keeps for a client that does not take them, about; what
                     is written then waits outside, where it can still be dropped. None leaves it
                     to the system, which keeps megabytes.
        """
        self = cls(
            max_clients=max_clients,
            allowed=allowed,
            send_timeout=send_timeout,
            send_buffer=send_buffer,
        )
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            bound = socket.create_server((host, port), family=family)
            self.port = bound.getsockname()[1]
            self._server = await asyncio.start_server(
                self._connected,
                sock=bound,
                limit=BUFFERED,
                ssl=tls,
                ssl_handshake_timeout=None if tls is None else HANDSHAKE_TIMEOUT,
            )
        except OSError as error:
            where = address_text((host, port))
            raise ChannelClosed(f"cannot listen at {where}: {reason(error)}") from None
        return self

    @property
    def clients(self) -> int:
        """Connections that are open."""
        return len(self._open)

    async def accept(self) -> StreamChannel:
        """Return the next connection; raises ChannelClosed when listening has ended."""
        channel = await self._fresh.get()
        if channel is None:
            self._fresh.put_nowait(None)
            raise ChannelClosed("not listening any more")
        return channel

    async def close(self) -> None:
        """Stop listening and close every connection."""
        if self._server is not None:
            self._server.close()
        await asyncio.gather(*(channel.close() for channel in list(self._open)))
        self._fresh.put_nowait(None)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peername")
        if not peer or not allows(self._allowed, peer[0]):
            self.counts["refused_address"] += 1
            writer.transport.abort()
        elif len(self._open) >= self._max_clients:
            self.counts["refused_full"] += 1
            writer.transport.abort()
        else:
            self.counts["accepted"] += 1
            channel = StreamChannel(
                reader,
                writer,
                send_timeout=self._send_timeout,
                send_buffer=self._send_buffer,
                on_close=self._open.discard,
            )
            self._open.add(channel)
            self._fresh.put_nowait(channel)


def allows(networks: Collection[Network], host: str) -> bool:
    """Return whether a host is in one of the networks, or there are none."""
    if not networks:
        return True
    address = ipaddress.ip_address(host.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in networks)
