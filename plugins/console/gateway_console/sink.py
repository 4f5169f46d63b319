"""The `console` sink and its fields."""

from __future__ import annotations

import asyncio
import importlib
import ipaddress
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from gateway import (
    Duration,
    Endpoint,
    Keep,
    KeepRule,
    LinkError,
    Secret,
    Sink,
    SinkContext,
    Size,
    TlsServer,
)
from gateway_console.port import bind
from gateway_console.settings import Anonymous


class Console(Sink):
    """The gateway for operators and their programs, at one port."""

    by_name = True

    type: Literal["console"] = "console"
    keep: Annotated[KeepRule, Field(description="every or latest, for all points or by kind")] = (
        KeepRule.all(Keep.LATEST)
    )
    listen: Annotated[Endpoint, Field(description="address and port to listen at")] = Endpoint(
        "127.0.0.1", 8443
    )
    tls: Annotated[
        TlsServer | Literal["none"],
        Field(
            description="certificate and key; none must be said, and is for a loopback address "
            "only, where passwords and tokens do not leave the machine"
        ),
    ]
    hostnames: Annotated[
        tuple[str, ...],
        Field(
            description="with tls none: names, beside localhost and addresses, by which browsers "
            "may reach it, so that no other site's name leads here"
        ),
    ] = ()
    anonymous: Annotated[
        Anonymous | None,
        Field(
            description="whether clients may come without a user, with the link's `role`; "
            "by default allowed while the gateway has no users, refused once it has"
        ),
    ] = None
    metrics_token: Annotated[
        Secret | None,
        Field(description="bearer token that opens /metrics, and nothing else, for a collector"),
    ] = None
    required: Annotated[
        tuple[str, ...] | None,
        Field(description="names of the links that must be up for /readyz; by default all"),
    ] = None
    session_idle: Annotated[
        Duration, Field(gt=0, description="a session without a request for so long ends")
    ] = 1800.0
    session_lasts: Annotated[
        Duration, Field(gt=0, description="how long a session lasts at most")
    ] = 43200.0
    max_sessions: Annotated[
        int, Field(ge=1, le=100_000, description="sessions at one time, of all users")
    ] = 500
    max_clients: Annotated[int, Field(ge=1, le=10_000, description="connections at one time")] = 200
    max_streams: Annotated[int, Field(ge=1, le=10_000, description="event streams at one time")] = (
        50
    )
    max_commands: Annotated[
        int, Field(ge=1, le=1000, description="commands of one client under way at once")
    ] = 8
    rate: Annotated[
        float,
        Field(
            gt=0, le=100_000, description="requests per second of one client; twice as many at once"
        ),
    ] = 50.0
    max_body: Annotated[Size, Field(description="of a request")] = 262_144
    max_upload: Annotated[
        Size, Field(description="of a configuration that is handed in to be checked")
    ] = 32_000_000
    stream_samples: Annotated[
        int,
        Field(
            ge=1000,
            le=10_000_000,
            description="samples that are kept for streams that come back, and most that wait "
            "for one stream before they are coalesced by point",
        ),
    ] = 100_000
    stream_resume: Annotated[
        Duration, Field(ge=0, description="how long a stream that broke off can be gone on with")
    ] = 60.0
    stream_stall: Annotated[
        Duration,
        Field(gt=0, description="a connection whose client takes nothing for so long ends"),
    ] = 30.0

    @model_validator(mode="after")
    def _secret(self) -> Self:
        if self.tls == "none" and not _loopback(self.listen.host):
            raise ValueError(
                f"found tls none at {self.listen}, allowed: a loopback address such as "
                "127.0.0.1:8080, or tls: {certificate: …, key: …}"
            )
        return self

    def open(self, users: bool) -> bool:
        """Return whether a client may come without a user, where there are `users` or not."""
        if self.anonymous is None:
            return not users
        return self.anonymous is Anonymous.ALLOWED

    async def run(self, ctx: SinkContext) -> None:
        """Serve until cancelled.

        Raises LinkError where the port is taken, the certificate cannot be used, or a required
        link is not there.
        """
        ctx.watch(())
        try:
            bound = bind(self.listen.host, self.listen.port)
        except OSError as error:
            raise LinkError(f"cannot listen at {self.listen}: {error.strerror}") from error
        with bound:
            # The libraries take a second to import: other links go on meanwhile, and
            # `gateway check` does without.
            serving = await asyncio.to_thread(importlib.import_module, "gateway_console.serving")
            await serving.serve(self, ctx, bound)


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
