"""The source `mqtt`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from gateway import Duration, LinkError, LinkPoint, Size, Source, SourceContext
from gateway_mqtt.broker import BrokerFields
from gateway_mqtt.packet import HEAD, LARGEST
from gateway_mqtt.source.availability import AvailabilityWords
from gateway_mqtt.source.moment import TimeFormat
from gateway_mqtt.source.point import Format, MqttPoint, Path, faults
from gateway_mqtt.source.reply import ReplyWords
from gateway_mqtt.source.session import Session
from gateway_mqtt.source.word import QualityFormat, quality
from gateway_mqtt.topic import topic_filter


class Retained(StrEnum):
    """What a message is worth that the broker kept, and sends to who comes later.

    questionable: a value of doubtful age, until the device speaks; not where it says its time.
    good:         the device keeps its present state there.
    ignore:       nothing.
    """

    QUESTIONABLE = "questionable"
    GOOD = "good"
    IGNORE = "ignore"


class MqttSource(BrokerFields, Source):
    """Devices at a broker: each message is acknowledged when the gateway has its samples."""

    Point = MqttPoint
    takes_commands = True
    type: Literal["mqtt"] = "mqtt"

    qos: Annotated[
        Literal[0, 1],
        Field(
            description="1: the broker gives again what the gateway has not taken; 0: it forgets"
        ),
    ] = 1
    session: Annotated[
        Duration,
        Field(
            ge=0,
            le=2**32 - 2,
            description="how long the broker keeps messages while the gateway is away; "
            "3.1.1: any time is for ever; 0s is not at all",
        ),
    ] = 86400.0
    subscribe: Annotated[
        tuple[Annotated[str, AfterValidator(topic_filter)], ...],
        Field(description="filters in the place of one subscription per topic: plant/+/state"),
    ] = ()
    inflight: Annotated[
        int,
        Field(gt=0, le=65535, description="most messages that wait for being acknowledged (5)"),
    ] = 2000
    max_message: Annotated[
        Size,
        Field(ge=HEAD, le=LARGEST, description="largest packet that is read"),
    ] = 1_000_000
    format: Annotated[
        Format, Field(description="json, text or grid-gateway, of points that say none")
    ] = Format.JSON
    time_path: Annotated[
        Path | None, Field(description="of the time in JSON documents; else it is that of receipt")
    ] = None
    time: Annotated[
        TimeFormat, Field(description="ns, us, ms, s: since 1970 UTC; iso8601: a text")
    ] = TimeFormat.NS
    quality_path: Annotated[Path | None, Field(description="of the quality in JSON documents")] = (
        None
    )
    quality: Annotated[
        QualityFormat,
        Field(description="words: questionable,oldData; number: flags; boolean: true is good"),
    ] = QualityFormat.WORDS
    quality_words: Annotated[
        Mapping[str, str],
        Field(description="what devices say, and the words that it stands for: {'192': good}"),
    ] = {}
    retained: Annotated[
        Retained,
        Field(description="questionable, good or ignore: what the broker kept of each topic"),
    ] = Retained.QUESTIONABLE
    stale_after: Annotated[
        Duration | None,
        Field(gt=0, description="silence after which a point is stale, of points that say none"),
    ] = None
    availability: Annotated[
        AvailabilityWords, Field(description="how devices say that they are there")
    ] = AvailabilityWords()
    reply: Annotated[ReplyWords, Field(description="how devices answer commands")] = ReplyWords()

    @model_validator(mode="after")
    def _readable(self) -> Self:
        for word in self.quality_words.values():
            quality(word)
        return self

    def check_points(self, points: Sequence[LinkPoint]) -> Iterable[tuple[LinkPoint, str, str]]:
        """See `Link.check_points`."""
        return faults(points, self.format, self.subscribe, by_id=self.reply.id is not None)

    async def run(self, ctx: SourceContext) -> None:
        """Connect, subscribe, take messages, give commands; see `Source.run`."""
        if not ctx.points:
            raise LinkError(f"no point names a topic of {self.name}")
        tls = None if self.tls is None else await ctx.tls(self.tls)
        session = Session(self, ctx, tls)
        try:
            await session.connection.open(self.connect_timeout)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(session.watch())
                tasks.create_task(session.work())
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
        except asyncio.CancelledError:
            await session.farewell()
            raise
        finally:
            await session.connection.abort()
