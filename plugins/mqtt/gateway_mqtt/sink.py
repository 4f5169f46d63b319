"""The sink `mqtt.json`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from gateway import Duration, LinkPoint, Sink, SinkContext, Size
from gateway_mqtt.broker import BrokerFields
from gateway_mqtt.command_settings import Commands
from gateway_mqtt.message import QualityFormat, TimeFormat
from gateway_mqtt.packet import LARGEST
from gateway_mqtt.session import Session
from gateway_mqtt.settings import Presence, Retain
from gateway_mqtt.topic import POINT_FIELDS, check, render


class JsonSink(BrokerFields, Sink):
    """Publishes samples as JSON messages of columns at QoS 1; a PUBACK moves the cursor."""

    type: Literal["mqtt.json"] = "mqtt.json"

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

    commands: Annotated[
        Commands | None,
        Field(
            description="topics at which commands are taken and answered; without it there are none"
        ),
    ] = None

    def check_points(self, points: Sequence[LinkPoint]) -> Iterable[tuple[LinkPoint, str, str]]:
        """See `Link.check_points`: a topic of commands must tell points apart."""
        if self.commands is None or "{name}" not in self.commands.topic:
            return
        first: dict[str, str] = {}
        for point in points:
            level = render("{name}", name=point.name)
            other = first.setdefault(level, point.name)
            if other != point.name:
                yield point, "", f"found the level {level} of topics, which {other} has already"

    async def run(self, ctx: SinkContext) -> None:
        """Connect, announce presence, publish; see `Sink.run`."""
        tls = None if self.tls is None else await ctx.tls(self.tls)
        session = Session(self, ctx, tls)
        try:
            await session.connection.open(self.connect_timeout)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(session.watch())
                tasks.create_task(session.publish())
                tasks.create_task(session.obey())
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
        except asyncio.CancelledError:
            await session.farewell()
            raise
        finally:
            await session.connection.abort()
