"""Clients over UDP: commands and data at one port, and data that nobody has commanded."""

from __future__ import annotations

from collections.abc import Callable, Collection

from gateway.c37118 import FrameKind
from gateway.channel import Network, address_text, allows
from gateway_c37118.server.answers import Reader
from gateway_c37118.server.datagrams import Address, Datagrams
from gateway_c37118.server.hub import Hub

CONFIGURED = 60.0
"""Seconds from one configuration to the next where nobody can ask for it (annex E)."""


class Target:
    """Data to an address: see `Receiver`."""

    def __init__(self, socket: Callable[[], Datagrams | None], to: Address, on: bool) -> None:
        self.on = on
        self.to = to
        self._socket = socket

    def put(self, frame: bytes) -> None:
        """Send a frame, or drop it."""
        socket = self._socket()
        if socket is not None:
            socket.send(frame, self.to)

    def forget(self) -> None:
        """Nothing waits here."""


class UdpClients:
    """Whoever sends commands to a UDP port; data go back to where they came from.

    most:    clients that get data at once. Nobody says good-bye over UDP, so that a new one takes
             the place of the oldest one at its own host; others are refused.
    allowed: where clients may come from; empty for anywhere.
    """

    def __init__(self, hub: Hub, *, most: int, allowed: Collection[Network]) -> None:
        self._hub = hub
        self._most = most
        self._allowed = tuple(allowed)
        self._socket: Datagrams | None = None
        self._targets: dict[Address, Target] = {}

    async def open(self, host: str, port: int) -> Datagrams:
        """Listen for commands; raises LinkError."""
        self._socket = await Datagrams.open(host, port, self._hub.ctx.count, self._hear)
        return self._socket

    def _hear(self, octets: bytes, address: Address) -> None:
        hub, ctx = self._hub, self._hub.ctx
        if not allows(self._allowed, address[0]):
            ctx.count("refused_address")
            return
        name = address_text(address)
        for frame, whole in Reader(hub.answers.counts).feed(octets):
            ctx.trace("rx", whole, name)
            answer = hub.answers.answer(frame, ctx.now())
            if answer is None:
                continue
            if answer.on is not None:
                self._switch(address, name, answer.on)
            elif self._socket is not None:
                ctx.trace("tx", answer.frame, name)
                self._socket.send(answer.frame, address)

    def _switch(self, address: Address, name: str, on: bool) -> None:
        hub, ctx = self._hub, self._hub.ctx
        if on == (address in self._targets):
            return
        if not on:
            hub.receivers.discard(self._targets.pop(address))
        else:
            if len(self._targets) >= self._most:
                same = next((one for one in self._targets if one[0] == address[0]), None)
                if same is None:
                    ctx.count("refused_full")
                    return
                hub.receivers.discard(self._targets.pop(same))
                ctx.count("clients_replaced")
            target = Target(lambda: self._socket, address, on=True)
            self._targets[address] = target
            hub.receivers.add(target)
            ctx.count("accepted")
        ctx.log.info("%s: %s data to %s", ctx.name, "on" if on else "off", name)


async def spontaneous(hub: Hub, socket: Datagrams, to: Address) -> None:
    """Send data to an address from now on, and a configuration now and every minute."""
    target = Target(lambda: socket, to, on=True)
    send = hub.answers.configured
    target.put(send(FrameKind.CONFIG_2, hub.ctx.now()))
    hub.receivers.add(target)
    async for _ in hub.ctx.every(CONFIGURED):
        target.put(send(FrameKind.CONFIG_2, hub.ctx.now()))
