"""A server's life, from the address space to the last client."""

# mypy: disable-error-code="attr-defined,name-defined,arg-type,no-untyped-call"
# asyncua.ua re-exports its names by stars and types its constructors by wire types.

from __future__ import annotations

import asyncio
import logging
import socket
from importlib.metadata import version
from typing import TYPE_CHECKING

from asyncua import ua

from gateway import Endpoint, SinkContext
from gateway_opcua.certificate import identity, own_hosts
from gateway_opcua.login import Users
from gateway_opcua.monitor import Monitor
from gateway_opcua.nodes import plant
from gateway_opcua.reading import Reading
from gateway_opcua.server import Core, GatewayServer, Limits
from gateway_opcua.settings import Mode, Policy
from gateway_opcua.tree import grow
from gateway_opcua.trust import TrustList

if TYPE_CHECKING:
    from gateway_opcua.sink import OpcUaServer

_TYPES = ua.SecurityPolicyType
_POLICY_TYPES = {
    (Policy.BASIC256SHA256, Mode.SIGN): _TYPES.Basic256Sha256_Sign,
    (Policy.BASIC256SHA256, Mode.SIGN_AND_ENCRYPT): _TYPES.Basic256Sha256_SignAndEncrypt,
    (Policy.AES128_SHA256_RSAOAEP, Mode.SIGN): _TYPES.Aes128Sha256RsaOaep_Sign,
    (Policy.AES128_SHA256_RSAOAEP, Mode.SIGN_AND_ENCRYPT): (
        _TYPES.Aes128Sha256RsaOaep_SignAndEncrypt
    ),
    (Policy.AES256_SHA256_RSAPSS, Mode.SIGN): _TYPES.Aes256Sha256RsaPss_Sign,
    (Policy.AES256_SHA256_RSAPSS, Mode.SIGN_AND_ENCRYPT): _TYPES.Aes256Sha256RsaPss_SignAndEncrypt,
}


async def serve(sink: OpcUaServer, ctx: SinkContext, bound: socket.socket) -> None:
    """Serve on a bound socket until cancelled."""
    _quiet(ctx.log)
    tree = grow(ctx.points)
    uri = f"urn:grid-gateway:{ctx.gateway}"
    users = Users(sink.users, sink.open, ctx.count)
    core = Core(users, Limits(sink.max_clients, sink.max_subscriptions, sink.max_queue))
    server = GatewayServer(core, ctx.gateway, uri, version("grid-gateway-opcua"))
    try:
        await server.prepare()
        namespace = await server.register_namespace(f"{uri}:points")
        reading = Reading(ctx)
        monitor = Monitor(ctx, reading, sink.max_monitored_items)
        core.monitor(monitor, sink.min_publishing_interval)
        reading.nodes = plant(core.aspace, tree, ctx.gateway, namespace, reading.read)
        trust = await _secure_endpoints(sink, server, uri, ctx)
        await server.listen(bound, trust, ctx.count)
        ctx.up(f"opc.tcp://{Endpoint(*bound.getsockname()[:2])}/")
        async with asyncio.TaskGroup() as tasks:
            clock = tasks.create_task(_clock(server, ctx))
            async for delivery in ctx.batches():
                if not delivery.historical:  # who monitors wants to know what is now
                    monitor.deliver(delivery.batch)
                ctx.delivered(delivery.seq)
            clock.cancel()
    finally:
        await server.close()


async def _secure_endpoints(
    sink: OpcUaServer, server: GatewayServer, uri: str, ctx: SinkContext
) -> TrustList | None:
    policies = [_POLICY_TYPES[policy, mode] for policy in sink.secure for mode in sink.modes]
    if Policy.NONE in sink.security:
        policies.append(_TYPES.NoSecurity)
        ctx.log.warning("anybody on the network can read without security: policy none is on")
    if not sink.secure:
        server.secure(policies, None, sink.open)
        return None
    hosts = own_hosts(sink.listen.host, sink.hostnames)
    own = await asyncio.to_thread(identity, ctx.data / "own", uri, hosts, ctx.log)
    server.secure(policies, own, sink.open)
    return TrustList(ctx.data, sink.trust, ctx.log)


async def _clock(server: GatewayServer, ctx: SinkContext) -> None:
    async for _ in ctx.every(1.0):
        await server.tick()


def _quiet(log: logging.Logger) -> None:
    """Keep the library's lines for those who debug: the link says what matters itself."""
    level = logging.DEBUG if log.isEnabledFor(logging.DEBUG) else logging.CRITICAL
    for name in ("asyncua", "asyncuagds"):
        logging.getLogger(name).setLevel(level)
