"""The life of a stream: sockets, clients, frames."""

from __future__ import annotations

import asyncio
import ipaddress
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from gateway import Endpoint, LinkError, SinkContext
from gateway.channel import ChannelClosed, Listener
from gateway_c37118.server.alignment import Alignment
from gateway_c37118.server.answers import Answers
from gateway_c37118.server.changes import counted
from gateway_c37118.server.datagrams import Datagrams
from gateway_c37118.server.frames import Frames
from gateway_c37118.server.hub import Hub
from gateway_c37118.server.instants import SECOND, Instants
from gateway_c37118.server.settings import Transport
from gateway_c37118.server.tcp import TcpClients
from gateway_c37118.server.udp import Target, UdpClients, spontaneous

if TYPE_CHECKING:
    from gateway_c37118.server.sink import C37Server

LEAST_BUFFER = 16 * 1024
"""Octets that the system may keep for a client, or else a second of data: what is older when it
goes is of no use to a PDC."""


async def serve(sink: C37Server, ctx: SinkContext) -> None:
    """Serve a stream until cancelled; raises LinkError where it cannot listen."""
    stream = sink.stream(ctx.points)
    configuration, changed = counted(stream.configuration, ctx.data)
    wait = round(sink.wait * SECOND)
    alignment = Alignment(stream.columns, Instants(sink.rate), wait, ctx.now(), ctx.image)
    header = sink.header or f"{ctx.gateway} {sink.station_name}: grid-gateway"
    hub = Hub(
        ctx,
        alignment,
        Frames(replace(stream, configuration=configuration)),
        Answers(configuration, header),
        wait=sink.wait,
        changed=changed,
        rate=sink.rate if sink.rate > 0 else -1 / sink.rate,
    )
    try:
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
            await _open(sink, hub, stack, tasks)
            for duty in (hub.receive, hub.pace, hub.count, hub.announce):
                tasks.create_task(duty())
    except* (ChannelClosed, LinkError) as errors:
        raise LinkError(str(_first(errors))) from None
    finally:
        hub.look()


async def _open(sink: C37Server, hub: Hub, stack: AsyncExitStack, tasks: asyncio.TaskGroup) -> None:
    said = []
    for destination in sink.spontaneous:
        host = "::" if ":" in destination.to.host else "0.0.0.0"  # noqa: S104 - it only sends
        socket = await Datagrams.open(host, 0, hub.ctx.count, destination=destination)
        stack.callback(socket.close)
        tasks.create_task(spontaneous(hub, socket, (destination.to.host, destination.to.port)))
        said.append(f"sends to {destination.to}")
    if sink.listen is not None:
        listen = _listen_udp if sink.transport is Transport.UDP else _listen_tcp
        said.insert(0, f"listens at {await listen(sink, sink.listen, hub, stack, tasks)}")
    hub.ctx.up(", ".join(said))


async def _listen_udp(
    sink: C37Server, at: Endpoint, hub: Hub, stack: AsyncExitStack, _: asyncio.TaskGroup
) -> Endpoint:
    allowed = [ipaddress.ip_network(one) for one in sink.clients]
    heard = UdpClients(hub, most=sink.max_clients, allowed=allowed)
    socket = await heard.open(at.host, at.port)
    stack.callback(socket.close)
    return Endpoint(at.host, socket.port)


async def _listen_tcp(
    sink: C37Server, at: Endpoint, hub: Hub, stack: AsyncExitStack, tasks: asyncio.TaskGroup
) -> Endpoint:
    sender: Datagrams | None = None
    if sink.transport is Transport.TCP_UDP:
        sender = await Datagrams.open(at.host, 0, hub.ctx.count)
        stack.callback(sender.close)
    listener = await Listener.open(
        at.host,
        at.port,
        tls=None if sink.tls is None else await hub.ctx.tls(sink.tls),
        max_clients=sink.max_clients,
        allowed=[ipaddress.ip_network(one) for one in sink.clients],
        send_timeout=sink.send_timeout,
        send_buffer=max(LEAST_BUFFER, round(hub.octets_per_second)),
    )
    stack.push_async_callback(listener.close)

    def over_udp(name: str) -> Target:
        return Target(lambda: sender, (Endpoint.parse(name).host, sink.data_port), on=False)

    clients = TcpClients(
        hub,
        listener,
        buffer=sink.buffer,
        idle=sink.idle,
        data=None if sender is None else over_udp,
    )
    tasks.create_task(clients.run())
    return Endpoint(at.host, listener.port)


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
