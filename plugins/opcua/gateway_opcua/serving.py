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

from gateway import Endpoint, LinkError, SinkContext
from gateway_opcua.access import Access
from gateway_opcua.certificate import Identity, identity, own_hosts
from gateway_opcua.commands import Commands
from gateway_opcua.login import Login
from gateway_opcua.monitor import Monitor
from gateway_opcua.nodes import plant
from gateway_opcua.reading import Reading
from gateway_opcua.server import Core, GatewayServer, Limits
from gateway_opcua.settings import Mode, Policy, Trust
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

_RECHECK = 10.0
"""Seconds; a user may have lost a role meanwhile. Reads and commands ask every time."""


async def serve(sink: OpcUaServer, ctx: SinkContext, bound: socket.socket) -> None:
    """Serve on a bound socket until cancelled."""
    _quiet(ctx.log)
    tree = grow(ctx.points)
    uri = f"urn:grid-gateway:{ctx.gateway}"
    access = Access(ctx)
    core = Core(
        access,
        Limits(sink.max_clients, sink.max_subscriptions, sink.max_queue, sink.max_commands),
    )
    server = GatewayServer(core, ctx.gateway, uri, version("grid-gateway-opcua"))
    try:
        await server.prepare()
        namespace = await server.register_namespace(f"{uri}:points")
        reading = Reading(ctx)
        monitor = Monitor(ctx, reading, sink.max_monitored_items)
        core.monitor(monitor, sink.min_publishing_interval)
        nodes = plant(core.aspace, tree, ctx.gateway, namespace, reading.read)
        reading.nodes = access.nodes = nodes
        core.commands = Commands(ctx, core.aspace, sink.max_commands)
        await core.say_limits()
        trust = await _secure_endpoints(sink, server, uri, ctx)
        await server.listen(bound, trust, ctx.count, ctx)
        ctx.up(f"opc.tcp://{Endpoint(*bound.getsockname()[:2])}/")
        async with asyncio.TaskGroup() as tasks:
            others = [
                tasks.create_task(_clock(server, ctx)),
                tasks.create_task(_recheck(server, ctx)),
            ]
            async for delivery in ctx.batches():
                if not delivery.historical:  # who monitors wants to know what is now
                    monitor.deliver(delivery.batch)
                ctx.delivered(delivery.seq)
            for task in others:
                task.cancel()
    finally:
        await server.close()


async def _secure_endpoints(
    sink: OpcUaServer, server: GatewayServer, uri: str, ctx: SinkContext
) -> TrustList | None:
    policies = [_POLICY_TYPES[policy, mode] for policy in sink.secure for mode in sink.modes]
    if Policy.NONE in sink.security:
        policies.append(_TYPES.NoSecurity)
        most = f"has the role {sink.role}" if sink.role else "can read"
        ctx.log.warning("anybody on the network %s without security: policy none is on", most)
    if not sink.open(ctx.authenticates) and not sink.secure:
        raise LinkError(
            "nobody could connect: there are users, and no secure policy to log in through; "
            "add one to `security`, or say `anonymous: allowed`"
        )
    if ctx.authenticates and not sink.secret:
        ctx.log.warning(
            "nobody can log in with a password: it would travel in clear with "
            "security none and without the mode sign_and_encrypt"
        )
    own: Identity | None = None
    people: TrustList | None = None
    if sink.secure:
        hosts = own_hosts(sink.listen.host, sink.hostnames)
        own = await asyncio.to_thread(identity, ctx.data / "own", uri, hosts, ctx.log)
        # a test bed may trust every application, but a user is whom the gateway knows
        people = TrustList(ctx.data / "users", Trust.LISTED, ctx.log)
    server.secure(policies, own)
    server.core.login = Login(ctx, sink, own, people)
    return TrustList(ctx.data, sink.trust, ctx.log) if sink.secure else None


async def _clock(server: GatewayServer, ctx: SinkContext) -> None:
    async for _ in ctx.every(1.0):
        await server.tick()


async def _recheck(server: GatewayServer, ctx: SinkContext) -> None:
    async for _ in ctx.every(_RECHECK):
        await server.core.recheck()


def _quiet(log: logging.Logger) -> None:
    """Keep the library's lines for those who debug: the link says what matters itself."""
    level = logging.DEBUG if log.isEnabledFor(logging.DEBUG) else logging.CRITICAL
    for name in ("asyncua", "asyncuagds"):
        logging.getLogger(name).setLevel(level)
