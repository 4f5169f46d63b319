"""The `opcua.server` sink and its fields."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Iterable, Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from gateway import (
    Dissector,
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
    anonymous: Annotated[
        Anonymous | None,
        Field(
            description="whether clients may come without a user, with the link's `role` or that "
            "of their application's certificate; "
            "by default allowed while the gateway has no users, refused once it has"
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
    max_commands: Annotated[
        int,
        Field(
            gt=0,
            le=1000,
            description="most commands of one session that are under way, "
            "and most elements of one Write or Call",
        ),
    ] = 100
    max_queue: Annotated[
        int, Field(gt=0, le=100_000, description="most values queued for one monitored item")
    ] = 100
    min_publishing_interval: Annotated[
        Duration, Field(description="the shortest publishing interval a client gets")
    ] = 0.05

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if not self.secure and self.anonymous is Anonymous.REFUSED:
            raise ValueError(
                "security [none] and anonymous refused: nobody could connect, for passwords would "
                "travel in clear; "
                f"add one of {', '.join(policy for policy in Policy if policy != Policy.NONE)}"
            )
        return self

    @property
    def secure(self) -> tuple[Policy, ...]:
        """The policies that are not none."""
        return tuple(policy for policy in self.security if policy is not Policy.NONE)

    @property
    def secret(self) -> bool:
        """Whether no password can travel in clear, whatever endpoint a client takes."""
        clear = Policy.NONE in self.security and Mode.SIGN_AND_ENCRYPT not in self.modes
        return bool(self.secure) and not clear

    def open(self, users: bool) -> bool:
        """Return whether a client may come without a user, where there are `users` or not."""
        if self.anonymous is None:
            return not users
        return self.anonymous is Anonymous.ALLOWED

    def check_points(self, points: Sequence[LinkPoint]) -> Iterable[tuple[LinkPoint, str, str]]:
        for point, other in doubles(points):
            yield (
                point,
                "node",
                f"node id {identifier(point)} is that of {other} already; "
                "each point needs its own, in its column `node`",
            )

    def describe(self, direction: str, frame: bytes) -> str:
        """See `Link.describe`."""
        from gateway_opcua.description import describe

        return describe(frame)

    def dissector(self) -> Dissector:
        """See `Link.dissector`."""
        return Dissector("opcua", port=4840, table="tcp.port", serves=True)

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
