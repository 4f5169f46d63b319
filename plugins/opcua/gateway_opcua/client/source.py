"""The source `opcua.client` and its fields."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from gateway import (
    Dissector,
    Duration,
    LinkError,
    LinkPoint,
    Secret,
    Settings,
    Source,
    SourceContext,
)
from gateway_opcua.client.point import ClientPoint, faults
from gateway_opcua.settings import Mode, Policy, Trust


class Reading(StrEnum):
    """How values are fetched."""

    MONITORED = "monitored"
    POLLED = "polled"


class Stamp(StrEnum):
    """Whose time a sample has."""

    SOURCE = "source"
    SERVER = "server"
    RECEIPT = "receipt"


class ClearText(StrEnum):
    """Whether a password may travel unencrypted."""

    REFUSED = "refused"
    ALLOWED = "allowed"


class User(Settings):
    """Who the gateway is at the server: a name and a password, or a certificate and its key."""

    name: Annotated[str | None, Field(min_length=1, description="name of the user")] = None
    password: Annotated[Secret | None, Field(description="password of that user")] = None
    clear_text: Annotated[
        ClearText,
        Field(description="whether the password may travel where all can read it"),
    ] = ClearText.REFUSED
    certificate: Annotated[
        Path | None, Field(description="DER or PEM file of the user's certificate")
    ] = None
    key: Annotated[Path | None, Field(description="PEM file of its private key")] = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        by_name = self.name is not None and self.password is not None
        by_certificate = self.certificate is not None and self.key is not None
        found = [n for n in ("name", "password", "certificate", "key") if getattr(self, n)]
        if by_name == by_certificate or len(found) != 2:
            raise ValueError(
                f"found {', '.join(found) or 'nothing'}; allowed: name and password, "
                "or certificate and key"
            )
        return self


def _endpoint(text: str) -> str:
    try:
        parts = urlsplit(text)
        port = parts.port or 4840
    except ValueError as error:
        raise ValueError(f"{text!r}: {error}") from None
    if parts.scheme != "opc.tcp" or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"{text!r} is no endpoint; one is written opc.tcp://10.0.0.5:4840/path")
    if parts.username is not None:
        raise ValueError("an endpoint holds no user; give it in user: {name: …, password: …}")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"opc.tcp://{host}:{port}{parts.path}"


def _thumbprint(text: str) -> str:
    plain = text.replace(":", "").replace(" ", "").lower()
    if len(plain) not in (40, 64) or set(plain) - set("0123456789abcdef"):
        raise ValueError(
            f"{text!r} is no thumbprint: 40 hexadecimal digits of SHA-1 or 64 of SHA-256"
        )
    return plain


class OpcUaClient(Source):
    """A session with an OPC UA server that reads and commands its nodes."""

    Point = ClientPoint
    takes_commands = True

    type: Literal["opcua.client"] = "opcua.client"
    endpoint: Annotated[
        str,
        AfterValidator(_endpoint),
        Field(description="address of the server: opc.tcp://10.0.0.5:4840, with its path if any"),
    ]
    security: Annotated[
        Policy, Field(description="security policy; none: anybody may listen and pose as either")
    ] = Policy.BASIC256SHA256
    mode: Annotated[
        Mode, Field(description="message security mode of a policy that is not none")
    ] = Mode.SIGN_AND_ENCRYPT
    trust: Annotated[
        Trust,
        Field(
            description="listed: the server's certificate is in the folder `trusted` (or signed "
            "by a CA there); any: every valid one, for a test bed"
        ),
    ] = Trust.LISTED
    thumbprint: Annotated[
        str | None,
        AfterValidator(lambda text: None if text is None else _thumbprint(text)),
        Field(description="SHA-1 or SHA-256 of the server's certificate, instead of the folder"),
    ] = None
    user: Annotated[User | None, Field(description="who the gateway is; default anonymous")] = None
    reading: Annotated[
        Reading, Field(description="monitored: the server tells of changes; polled: it is asked")
    ] = Reading.MONITORED
    publishing: Annotated[
        Duration, Field(gt=0, description="interval in which the server tells of changes")
    ] = 0.25
    sampling: Annotated[
        Duration, Field(ge=0, description="how often the server looks at points that say nothing")
    ] = 0.25
    queue: Annotated[
        int,
        Field(
            ge=1,
            le=65_535,
            description="values that the server keeps of each point, for the time without a link",
        ),
    ] = 100
    keep_alive: Annotated[
        Duration, Field(gt=0, description="the server says something at least so often")
    ] = 5.0
    lifetime: Annotated[
        Duration,
        Field(gt=0, description="how long the server keeps the subscription without the gateway"),
    ] = 300.0
    session_timeout: Annotated[
        Duration, Field(gt=0, description="how long it keeps the session without the gateway")
    ] = 300.0
    publishes: Annotated[
        int, Field(ge=1, le=20, description="publish requests that wait at the server")
    ] = 3
    poll: Annotated[Duration, Field(gt=0, description="period of polled points")] = 1.0
    timestamps: Annotated[
        Stamp,
        Field(description="source, or else server: the time that it gives; receipt: the gateway's"),
    ] = Stamp.SOURCE
    max_items: Annotated[
        int,
        Field(ge=1, le=10_000, description="most nodes in one request, if the server allows them"),
    ] = 500
    connect_timeout: Annotated[
        Duration, Field(gt=0, description="for connecting and opening the session")
    ] = 10.0
    timeout: Annotated[Duration, Field(gt=0, description="for each answer")] = 5.0
    watch: Annotated[Duration, Field(gt=0, description="how often the session is looked after")] = (
        5.0
    )
    retry: Annotated[
        Duration, Field(gt=0, description="how often nodes that are not there are looked for")
    ] = 60.0

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.security is Policy.NONE:
            for name in ("mode", "thumbprint", "trust"):
                if name in self.model_fields_set:
                    raise ValueError(f"{name} is of a security policy, and security is none")
        if self.lifetime < 3 * self.keep_alive:
            raise ValueError(
                f"lifetime {self.lifetime:g} s is below three times keep_alive "
                f"{self.keep_alive:g} s (OPC 10000-4, 5.14.2)"
            )
        return self

    def check_points(self, points: Sequence[LinkPoint]) -> Iterable[tuple[LinkPoint, str, str]]:
        """See `Link.check_points`: what is commanded must have a way to the server."""
        for point in points:
            for field, sentence in faults(point, address_of(point), self._polls):
                yield point, field, sentence

    @property
    def _polls(self) -> bool:
        return self.reading is Reading.POLLED

    def period(self, point: LinkPoint) -> float | None:
        """Return the period in seconds at which a point is polled; None where it is monitored."""
        address = address_of(point)
        if address.poll is not None:
            return address.poll
        return self.poll if self._polls else None

    def describe(self, direction: str, frame: bytes) -> str:
        """See `Link.describe`."""
        from gateway_opcua.description import describe

        return describe(frame)

    def dissector(self) -> Dissector:
        """See `Link.dissector`."""
        return Dissector("opcua", port=4840, table="tcp.port", serves=False)

    async def run(self, ctx: SourceContext) -> None:
        """Open a session, take what changes and carry out commands; see `Source.run`."""
        if not ctx.points:
            raise LinkError(f"no point names a node of {self.name}")
        # asyncua takes a second to import: other links go on meanwhile, and `gateway check`
        # does without.
        connection = await asyncio.to_thread(
            importlib.import_module, "gateway_opcua.client.connection"
        )
        await connection.run(self, ctx)


def address_of(point: LinkPoint) -> ClientPoint:
    """Return the columns of a point at this link."""
    if not isinstance(point.address, ClientPoint):
        raise LinkError(f"point {point.name} has no node")
    return point.address
