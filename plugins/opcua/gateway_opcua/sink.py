"""The `opcua.server` sink and its fields."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Iterable, Sequence
from typing import Annotated, Literal, Self

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
from gateway_opcua.port import bind
from gateway_opcua.settings import Anonymous, Mode, Policy, Trust
from gateway_opcua.tree import doubles, identifier
from gateway_opcua.user import User


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
        if self.users and Mode.SIGN_AND_ENCRYPT not in self.modes and self.secure:
            raise ValueError("users need the mode sign_and_encrypt: passwords travel encrypted")
        if self.users and not self.secure:
            raise ValueError(
                "users with security [none]: their passwords would travel in clear; "
                f"add one of {', '.join(policy for policy in Policy if policy != Policy.NONE)}"
            )
        return self

    @property
    def secure(self) -> tuple[Policy, ...]:
        """The policies that are not none."""
        return tuple(policy for policy in self.security if policy is not Policy.NONE)

    @property
    def open(self) -> bool:
        """Whether a client may read without a user."""
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
        ctx.watch(())
        try:
            bound = bind(self.listen.host, self.listen.port)
        except OSError as error:
            raise LinkError(f"cannot listen at {self.listen}: {error.strerror}") from error
        with bound:
            # asyncua takes a second to import: other links go on meanwhile, and `gateway check`
            # does without.
            serving = await asyncio.to_thread(importlib.import_module, "gateway_opcua.serving")
            await serving.serve(self, ctx, bound)
