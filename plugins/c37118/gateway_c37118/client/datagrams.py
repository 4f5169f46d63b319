"""UDP: a socket that takes datagrams of one device, or of a group."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import struct
from collections.abc import Callable, Collection
from typing import Any, cast

from gateway import LinkError, reason
from gateway.channel import Network, address_text, allows
from gateway_c37118.client.arrivals import Arrivals

BUFFERED = 1 << 20
"""Octets that the system keeps for us, where it lets us."""


class Datagrams(asyncio.DatagramProtocol):
    """A socket, and what arrives at it from those who may send.

    count: told `other_senders`, `dropped_datagrams` (no room), `network_errors`.
    """

    def __init__(
        self,
        arrivals: Arrivals,
        allowed: Collection[Network],
        count: Callable[[str, int], None],
    ) -> None:
        self._arrivals = arrivals
        self._allowed = tuple(allowed)
        self._count = count
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not every event loop derives its transports from asyncio's.
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, address: tuple[Any, ...]) -> None:
        if not allows(self._allowed, address[0]):
            self._count("other_senders", 1)
        elif self._arrivals.full:
            self._count("dropped_datagrams", 1)
        elif data:
            self._arrivals.put(data)

    def error_received(self, error: Exception) -> None:
        # Nobody listens there: the time-outs tell whether that is so for long.
        self._count("network_errors", 1)

    def send(self, frame: bytes, address: tuple[Any, ...]) -> None:
        """Send a datagram."""
        if self._transport is not None:
            self._transport.sendto(frame, address)

    def close(self) -> None:
        """Close the socket."""
        if self._transport is not None:
            self._transport.close()


async def open_datagrams(
    receiver: Datagrams, local: tuple[str, int], *, group: str | None, interface: str | None
) -> None:
    """Open the socket of a receiver at an address of this machine.

    group: of a multicast that is joined, at the interface of this address or name.
    Raises LinkError where that is not possible.
    """
    where = address_text((group or local[0], local[1]))
    try:
        opened = _socket(group or local[0], local, group, interface)
    except (OSError, ValueError) as error:
        raise LinkError(f"cannot listen at {where}: {reason(error)}") from None
    try:
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: receiver, sock=opened)
    except OSError as error:
        opened.close()
        raise LinkError(f"cannot listen at {where}: {reason(error)}") from None


def _socket(
    host: str, local: tuple[str, int], group: str | None, interface: str | None
) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_DGRAM)
    try:
        made.setblocking(False)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFERED)
        if group is None:
            made.bind(local)
        else:
            # Others of this machine may listen to the same group.
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            _join(made, group, local[1], interface)
    except BaseException:
        made.close()
        raise
    return made


def _join(made: socket.socket, group: str, port: int, interface: str | None) -> None:
    if made.family == socket.AF_INET6:
        index = 0 if interface is None else socket.if_nametoindex(interface)
        made.bind((group, port, 0, index))
        packed = socket.inet_pton(socket.AF_INET6, group) + struct.pack("@I", index)
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, packed)
        return
    made.bind((group, port))
    address, index = b"\0\0\0\0", 0
    if interface is not None:
        try:
            address = ipaddress.IPv4Address(interface).packed
        except ValueError:
            index = socket.if_nametoindex(interface)
    packed = socket.inet_aton(group) + address + struct.pack("@i", index)
    made.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, packed)
