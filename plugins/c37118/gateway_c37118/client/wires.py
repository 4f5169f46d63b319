"""What carries frames between the gateway and a device: TCP, UDP, or one for each direction."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gateway import LinkError, reason
from gateway.channel import Channel, ChannelClosed, Network, StreamChannel, address_text
from gateway_c37118.client.arrivals import Arrivals
from gateway_c37118.client.datagrams import Datagrams, open_datagrams

FAREWELL = 1.0
"""Seconds for the last command."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where a device is, and how it sends.

    host:   None where it takes no commands.
    tcp:    commands, and data without `listen`, go over TCP; else over UDP.
    listen: where datagrams come; allow: who may send them, by default the host.
    """

    host: str | None
    port: int
    tcp: bool
    listen: tuple[str, int] | None
    group: str | None = None
    interface: str | None = None
    allow: Sequence[Network] = ()

    @property
    def name(self) -> str:
        """Where data come from, or where they are waited for."""
        if self.host is not None:
            return address_text((self.host, self.port))
        host, port = self.listen or ("", 0)
        return address_text((self.group or host, port))


class Wires:
    """The open connection.

    name:  of the other side.
    feeds: what arrives, and whether frames come whole there.
    some:  set when anything arrives; clear it before looking.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.some = asyncio.Event()
        self.feeds: list[tuple[Arrivals, bool]] = []
        self._channel: Channel | None = None
        self._reading: asyncio.Task[None] | None = None
        self._datagrams: Datagrams | None = None
        self._address: tuple[Any, ...] | None = None

    @classmethod
    async def open(
        cls,
        route: Route,
        timeout: float,
        count: Callable[[str, int], None],
        tls: ssl.SSLContext | None = None,
    ) -> Wires:
        """Connect, within so many seconds; raises LinkError where that does not work."""
        self = cls(route.name)
        allow = list(route.allow)
        try:
            address = None
            if route.host is not None and route.listen is not None:
                address = await _resolved(route.host, route.port, route.listen[0], timeout)
                allow = allow or [ipaddress.ip_network(address[0].partition("%")[0])]
            if route.listen is not None:
                await self._listen(route, route.listen, allow, count)
            if route.tcp and route.host is not None:
                await self._connect(route.host, route.port, timeout, tls)
            else:
                self._address = address
        except BaseException:
            await self.close()
            raise
        return self

    async def send(self, frame: bytes) -> None:
        """Send a frame; raises LinkError where the other side does not take it."""
        if self._channel is not None:
            try:
                await self._channel.write([frame])
            except ChannelClosed as closed:
                raise LinkError(str(closed)) from None
        elif self._datagrams is not None and self._address is not None:
            self._datagrams.send(frame, self._address)

    async def close(self, last: bytes | None = None) -> None:
        """Send the last frame, if there is one, and close everything, within two seconds."""
        if last is not None:
            with contextlib.suppress(LinkError, TimeoutError):
                async with asyncio.timeout(FAREWELL):
                    await self.send(last)
        if self._datagrams is not None:
            self._datagrams.close()
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        if self._channel is not None:
            await self._channel.close()

    async def _listen(
        self,
        route: Route,
        local: tuple[str, int],
        allow: Sequence[Network],
        count: Callable[[str, int], None],
    ) -> None:
        arrivals = Arrivals(self.some)
        receiver = Datagrams(arrivals, allow, count)
        await open_datagrams(receiver, local, group=route.group, interface=route.interface)
        self._datagrams = receiver
        self.feeds.append((arrivals, True))

    async def _connect(
        self, host: str, port: int, timeout: float, tls: ssl.SSLContext | None
    ) -> None:
        try:
            channel = await StreamChannel.connect(
                host, port, tls=tls, timeout=timeout, send_timeout=timeout
            )
        except ChannelClosed as closed:
            raise LinkError(str(closed)) from None
        arrivals = Arrivals(self.some)
        self._channel, self.name = channel, channel.name
        self._reading = asyncio.create_task(arrivals.read(channel))
        self.feeds.append((arrivals, False))


async def _resolved(host: str, port: int, local: str, timeout: float) -> tuple[Any, ...]:
    family = socket.AF_INET6 if ":" in local else socket.AF_INET
    try:
        async with asyncio.timeout(timeout):
            found = await asyncio.get_running_loop().getaddrinfo(
                host, port, family=family, type=socket.SOCK_DGRAM
            )
    except TimeoutError:
        raise LinkError(f"no address of {host} within {timeout:g} s") from None
    except OSError as error:
        raise LinkError(f"no address of {host}: {reason(error)}") from None
    address: tuple[Any, ...] = found[0][4]
    return address
