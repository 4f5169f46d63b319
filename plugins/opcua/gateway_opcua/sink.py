"""The `opcua.server` sink: its fields, and its life from start to stop."""

# mypy: disable-error-code="attr-defined,name-defined,arg-type,no-untyped-call"
# asyncua.ua re-exports its names by stars and types its constructors by wire types.

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterable, Sequence
from enum import StrEnum
from importlib.metadata import version
from typing import Annotated, Literal, Self

from asyncua import ua
from pydantic import Field, model_validator

from gateway import (
    Duration,
    Endpoint,
    Keep,
    KeepRule,
    LinkError,
    LinkPoint,
    Sink,
    SinkContext,
    SinkPoint,
)
from gateway_opcua.certificate import identity, own_hosts
from gateway_opcua.listener import bind
from gateway_opcua.monitor import Monitor
from gateway_opcua.nodes import plant
from gateway_opcua.reading import Reading
from gateway_opcua.server import Core, GatewayServer, Limits
from gateway_opcua.tree import doubles, grow, identifier
from gateway_opcua.trust import Trust, TrustList
from gateway_opcua.user import User, Users


class Policy(StrEnum):
    """Security policies of OPC 10000-7 that are not deprecated, and none."""

    NONE = "none"
    BASIC256SHA256 = "basic256sha256"
    AES128_SHA256_RSAOAEP = "aes128_sha256_rsaoaep"
    AES256_SHA256_RSAPSS = "aes256_sha256_rsapss"


class Mode(StrEnum):
    """What a secure channel does with its messages."""

    SIGN = "sign"
    SIGN_AND_ENCRYPT = "sign_and_encrypt"


class Anonymous(StrEnum):
    """Whether a client may read without a user."""

    ALLOWED = "allowed"
    REFUSED = "refused"


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


class ServerPoint(SinkPoint):
    """A point's columns for an OPC UA server; all are optional."""

    node: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=512,
            description="its string node id in namespace 2 instead of the point's name",
        ),
    ] = None
    browse_name: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=512,
            description="its browse and display name instead of the last part of model or name",
        ),
    ] = None


class OpcUaServer(Sink):
    """The gateway's points as an OPC UA server."""

    Point = ServerPoint
    by_name = True

    type: Literal["opcua.server"] = "opcua.server"
    keep: Annotated[
        KeepRule,
        Field(description="every or latest, for all points or by kind"),
    ] = KeepRule.all(Keep.LATEST)
    listen: Annotated[Endpoint, Field(description="address and port to listen at")] = Endpoint(
        "0.0.0.0",  # noqa: S104 - a server listens to everybody; the policies decide who is served
        4840,
    )
    security: Annotated[
        tuple[Policy, ...],
        Field(
            min_length=1,
            description="security policies that are offered; none must be named to be there",
        ),
    ] = (Policy.BASIC256SHA256, Policy.AES128_SHA256_RSAOAEP, Policy.AES256_SHA256_RSAPSS)
    modes: Annotated[
        tuple[Mode, ...],
        Field(min_length=1, description="message security modes of the secure policies"),
    ] = (Mode.SIGN_AND_ENCRYPT,)
    trust: Annotated[
        Trust,
        Field(
            description="listed: client certificates in the folder `trusted` (or signed by a CA "
            "there); any: every valid one, for a test bed"
        ),
    ] = Trust.LISTED
    users: Annotated[
        tuple[User, ...],
        Field(description="who may log in with a password"),
    ] = ()
    anonymous: Annotated[
        Anonymous | None,
        Field(
            description="whether clients may read without a user; "
            "by default allowed while there are no users, refused once there are"
        ),
    ] = None
    hostnames: Annotated[
        tuple[str, ...],
        Field(
            description="further host names and addresses by which clients reach the server, "
            "for its certificate"
        ),
    ] = ()
    max_clients: Annotated[
        int, Field(gt=0, le=10_000, description="most connections at one time")
    ] = 50
    max_subscriptions: Annotated[
        int, Field(gt=0, description="most subscriptions of all clients")
    ] = 200
    max_monitored_items: Annotated[
        int, Field(gt=0, description="most monitored items of all clients")
    ] = 200_000
    max_queue: Annotated[
        int, Field(gt=0, le=100_000, description="most values queued for one monitored item")
    ] = 100
    min_publishing_interval: Annotated[
        Duration, Field(description="the shortest publishing interval a client gets")
    ] = 0.05

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if not self.users and self.anonymous is Anonymous.REFUSED:
            raise ValueError("no users and anonymous refused: nobody could connect")
        names = [user.name for user in self.users]
        double = {name for name in names if names.count(name) > 1}
        if double:
            raise ValueError(f"users named twice: {', '.join(sorted(double))}")
        if self.users and Mode.SIGN_AND_ENCRYPT not in self.modes and self._secure:
            raise ValueError("users need the mode sign_and_encrypt: passwords travel encrypted")
        if self.users and not self._secure:
            raise ValueError(
                "users with security [none]: their passwords would travel in clear; "
                f"add one of {', '.join(policy for policy in Policy if policy != Policy.NONE)}"
            )
        return self

    @property
    def _secure(self) -> tuple[Policy, ...]:
        return tuple(policy for policy in self.security if policy is not Policy.NONE)

    @property
    def _open(self) -> bool:
        return (self.anonymous or Anonymous.ALLOWED) is Anonymous.ALLOWED and not (
            self.users and self.anonymous is None
        )

    def check_points(self, points: Sequence[LinkPoint]) -> Iterable[tuple[LinkPoint, str, str]]:
        for point, other in doubles(points):
            yield (
                point,
                "node",
                f"node id {identifier(point)} is that of {other} already; "
                "each point needs its own, in its column `node`",
            )

    async def run(self, ctx: SinkContext) -> None:
        """Serve until cancelled.

        Raises LinkError where the port is taken or the certificate cannot be used.
        """
        _quiet(ctx.log)
        ctx.watch(())
        try:
            bound = bind(self.listen.host, self.listen.port)
        except OSError as error:
            raise LinkError(f"cannot listen at {self.listen}: {error.strerror}") from error
        with bound:
            await self._serve(ctx, bound)

    async def _serve(self, ctx: SinkContext, bound: socket.socket) -> None:
        tree = grow(ctx.points)
        uri = f"urn:grid-gateway:{ctx.gateway}"
        users = Users(self.users, self._open, ctx.count)
        core = Core(users, Limits(self.max_clients, self.max_subscriptions, self.max_queue))
        server = GatewayServer(core, ctx.gateway, uri, version("grid-gateway-opcua"))
        try:
            await server.prepare()
            namespace = await server.register_namespace(f"{uri}:points")
            reading = Reading(ctx)
            monitor = Monitor(ctx, reading, self.max_monitored_items)
            core.monitor(monitor, self.min_publishing_interval)
            reading.nodes = plant(core.aspace, tree, ctx.gateway, namespace, reading.read)
            trust = await self._secure_endpoints(server, uri, ctx)
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
        self, server: GatewayServer, uri: str, ctx: SinkContext
    ) -> TrustList | None:
        policies = [_POLICY_TYPES[policy, mode] for policy in self._secure for mode in self.modes]
        if Policy.NONE in self.security:
            policies.append(_TYPES.NoSecurity)
            ctx.log.warning("anybody on the network can read without security: policy none is on")
        if not self._secure:
            server.secure(policies, None, self._open)
            return None
        hosts = own_hosts(self.listen.host, self.hostnames)
        own = await asyncio.to_thread(identity, ctx.data / "own", uri, hosts, ctx.log)
        server.secure(policies, own, self._open)
        return TrustList(ctx.data, self.trust, ctx.log)


async def _clock(server: GatewayServer, ctx: SinkContext) -> None:
    async for _ in ctx.every(1.0):
        await server.tick()


def _quiet(log: logging.Logger) -> None:
    """Keep the library's lines for those who debug: the link says what matters itself."""
    level = logging.DEBUG if log.isEnabledFor(logging.DEBUG) else logging.CRITICAL
    for name in ("asyncua", "asyncuagds"):
        logging.getLogger(name).setLevel(level)
