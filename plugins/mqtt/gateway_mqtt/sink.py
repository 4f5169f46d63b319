"""The sink `mqtt.json`."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from gateway import Duration, Endpoint, Secret, Sink, SinkContext, Size, TlsClient
from gateway_mqtt.message import QualityFormat, TimeFormat
from gateway_mqtt.packet import LARGEST
from gateway_mqtt.session import Session
from gateway_mqtt.settings import Presence, Retain, Version
from gateway_mqtt.topic import POINT_FIELDS, check


class JsonSink(Sink):
    """Publishes samples as JSON messages of columns at QoS 1; a PUBACK moves the cursor."""

    type: Literal["mqtt.json"] = "mqtt.json"

    broker: Annotated[Endpoint, Field(description="address of the broker: 1883, with TLS 8883")]
    version: Annotated[
        Version,
        BeforeValidator(lambda value: "5" if value == 5 else value),
        Field(description="only 5 says why a message was refused; 3.1.1 for brokers without it"),
    ] = Version.V5
    client_id: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=256,
            description="unique at the broker; <gateway>-<link> if not given",
        ),
    ] = None
    username: Annotated[str | None, Field(min_length=1, description="user at the broker")] = None
    password: Annotated[Secret | None, Field(description="of that user")] = None
    tls: Annotated[
        TlsClient | None, Field(description="TLS; `{}` trusts the system's authorities")
    ] = None
    keepalive: Annotated[
        Duration,
        Field(ge=5, le=65535, description="a silent broker is noticed within it"),
    ] = 30.0
    connect_timeout: Annotated[
        Duration,
        Field(gt=0, le=300, description="most that TCP, TLS and the CONNACK may take together"),
    ] = 10.0
    ack_timeout: Annotated[
        Duration,
        Field(
            gt=0, le=3600, description="longest wait for the next PUBACK before a new connection"
        ),
    ] = 15.0
    topic: Annotated[
        str,
        AfterValidator(lambda topic: check(topic, POINT_FIELDS)),
        Field(
            description="may name {gateway}, {source}, {device}, {point} and {name}; "
            "points of one topic share a message: {gateway} alone gives one per batch, "
            "with {device} one per device, with {name} one per point"
        ),
    ] = "{gateway}/{device}"
    retain: Annotated[
        Retain,
        Field(description="live: the broker keeps the last live message of each topic"),
    ] = Retain.NEVER
    presence: Annotated[
        Presence | None,
        Field(description="online and offline words at a topic of their own; null for none"),
    ] = Presence()
    time: Annotated[
        TimeFormat,
        Field(description="ns: integer since 1970 UTC; iso8601: text, cut to microseconds"),
    ] = TimeFormat.NS
    quality: Annotated[
        QualityFormat,
        Field(description="words: `invalid,oldData`; number: the 16 flags of the gateway"),
    ] = QualityFormat.WORDS
    inflight: Annotated[
        int,
        Field(gt=0, le=65534, description="most messages without PUBACK; the broker may want less"),
    ] = 200
    max_message: Annotated[
        Size,
        Field(ge=1000, le=LARGEST, description="largest packet; the broker may want less"),
    ] = 128_000

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.password is not None and self.username is None:
            raise ValueError("a password needs its username")
        return self

    async def run(self, ctx: SinkContext) -> None:
        """Connect, announce presence, publish; see `Sink.run`."""
        tls = None if self.tls is None else await ctx.tls(self.tls)
        session = Session(self, ctx, tls)
        try:
            await session.connection.open(self.connect_timeout)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(session.watch())
                tasks.create_task(session.publish())
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
        except asyncio.CancelledError:
            await session.farewell()
            raise
        finally:
            await session.connection.abort()
