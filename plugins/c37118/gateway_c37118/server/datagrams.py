"""UDP sockets: bounded, and without a word where the other side is not there."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import struct
from collections.abc import Callable
from typing import Any, cast

from gateway import LinkError, reason
from gateway_c37118.server.settings import Destination

BUFFERED = 256 * 1024
"""Octets that wait in memory for a socket that is full; beyond, frames are dropped."""
MOST = 65_507
"""Octets of the longest datagram over IPv4."""

Address = tuple[Any, ...]
Hear = Callable[[bytes, Address], None]


class _Transport(asyncio.DatagramTransport):
    """What every event loop's transports have, whatever the type stubs say."""

    def get_write_buffer_size(self) -> int:
        raise NotImplementedError


class Datagrams(asyncio.DatagramProtocol):
    """One UDP socket.

    count: told of `udp_errors` and `frames_dropped`.
    """

    def __init__(self, count: Callable[[str], None], hear: Hear | None = None) -> None:
        self._count = count
        self._hear = hear
        self._transport: _Transport | None = None

    @classmethod
    async def open(
        cls,
        host: str,
        port: int,
        count: Callable[[str], None],
        hear: Hear | None = None,
        *,
        destination: Destination | None = None,
    ) -> Datagrams:
        """Bind to an address of this machine; raises LinkError where that is not possible."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        bound = socket.socket(family, socket.SOCK_DGRAM)
        try:
            bound.setblocking(False)
            if destination is not None:
                _prepare(bound, destination)
            bound.bind((host, port))
            loop = asyncio.get_running_loop()
            _, made = await loop.create_datagram_endpoint(lambda: cls(count, hear), sock=bound)
        except OSError as error:
            bound.close()
            raise LinkError(f"cannot use UDP at {host}:{port}: {reason(error)}") from None
        return made

    @property
    def port(self) -> int:
        """Where it is bound, which tells what 0 became."""
        if self._transport is None:
            return 0
        port: int = self._transport.get_extra_info("sockname")[1]
        return port

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(_Transport, transport)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        if self._hear is not None:
            self._hear(data, addr)

    def error_received(self, exc: Exception) -> None:
        self._count("udp_errors")

    def send(self, frame: bytes, to: Address) -> None:
        """Send a frame, or drop it; never waits."""
        if self._transport is None or self._transport.is_closing():
            return
        if len(frame) > MOST or self._transport.get_write_buffer_size() > BUFFERED:
            self._count("frames_dropped")
        else:
            self._transport.sendto(frame, to)

    def close(self) -> None:
        """Close the socket; what waits in it is lost."""
        if self._transport is not None:
            self._transport.abort()


def _prepare(bound: socket.socket, destination: Destination) -> None:
    address = ipaddress.ip_address(destination.to.host)
    if not address.is_multicast:
        return
    if bound.family == socket.AF_INET:
        bound.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, destination.ttl)
        bound.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
        if destination.interface is not None:
            own = socket.inet_aton(destination.interface)
            bound.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, own)
        return
    bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, destination.ttl)
    if destination.interface is not None:
        index = struct.pack("@I", socket.if_nametoindex(destination.interface))
        bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
