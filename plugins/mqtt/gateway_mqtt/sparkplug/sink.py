"""The sink `mqtt.sparkplug`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from gateway import Duration, LinkError, LinkPoint, Sink, SinkContext, Size
from gateway_mqtt.broker import BrokerFields
from gateway_mqtt.packet import LARGEST
from gateway_mqtt.sparkplug.bdseq import advance
from gateway_mqtt.sparkplug.session import Session
from gateway_mqtt.sparkplug.topic import fault
from gateway_mqtt.sparkplug.tree import Devices, Names, SparkplugPoint, faults
from gateway_mqtt.topic import LINK_FIELDS, check


def _level(value: str) -> str:
    wrong = fault(value)
    if wrong:
        raise ValueError(f"{value!r}: {wrong}")
    return value


def _template(value: str) -> str:
    return _level(check(value, LINK_FIELDS))


class SparkplugSink(BrokerFields, Sink):
    """An edge node of Sparkplug B 3.0: births, data by alias, deaths, commands."""

    Point = SparkplugPoint
    image_first = True
    type: Literal["mqtt.sparkplug"] = "mqtt.sparkplug"

    group: Annotated[
        str,
        AfterValidator(_template),
        Field(description="Group ID; may name {gateway} and {link}"),
    ] = "grid"
    node: Annotated[
        str,
        AfterValidator(_template),
        Field(description="Edge Node ID, unique in its group; may name {gateway} and {link}"),
    ] = "{gateway}"
    devices: Annotated[
        Devices,
        Field(
            description="source: each source is a device; prefix: the first part of a point's "
            "name is; none: all points are metrics of the node"
        ),
    ] = Devices.SOURCE
    metrics: Annotated[
        Names,
        Field(
            description="name: a metric is called as its point, / for the dots; model: as its "
            "`model` column where it has one"
        ),
    ] = Names.NAME
    primary_host: Annotated[
        str | None,
        AfterValidator(lambda value: None if value is None else _level(value)),
        Field(description="host application without which nothing is sent; by its Host ID"),
    ] = None
    hold: Annotated[
        Duration,
        Field(
            ge=0,
            le=600,
            description="how long samples are kept beyond the broker's taking them, to be sent "
            "again should the primary host turn out to be gone",
        ),
    ] = 0.0
    command_window: Annotated[
        Duration,
        Field(gt=0, le=3600, description="how far the time in a command may be from ours"),
    ] = 30.0
    ack_timeout: Annotated[
        Duration,
        Field(
            gt=0, le=3600, description="longest wait for the broker's proof before a new connection"
        ),
    ] = 15.0
    max_message: Annotated[
        Size,
        Field(ge=1000, le=LARGEST, description="largest data message; the broker may want less"),
    ] = 128_000

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.hold and self.primary_host is None:
            raise ValueError("hold needs primary_host: nobody else says that it is gone")
        return self

    def check_points(self, points: Sequence[LinkPoint]) -> Iterable[tuple[LinkPoint, str, str]]:
        return faults(points, self.devices, self.metrics)

    async def run(self, ctx: SinkContext) -> None:
        """Connect, be born, publish, take commands; see `Sink.run`."""
        tls = await ctx.tls(self.tls) if self.tls is not None else None
        try:
            bdseq = await asyncio.to_thread(advance, ctx.data)
        except OSError as error:
            raise LinkError(f"cannot keep bdSeq in {ctx.data}: {error}") from None
        session = Session(self, ctx, tls, bdseq)
        try:
            await session.connection.open(self.connect_timeout)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(session.watch())
                tasks.create_task(session.work())
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
        finally:
            await session.farewell()
            await session.connection.abort()
