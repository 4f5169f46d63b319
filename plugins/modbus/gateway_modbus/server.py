"""The sink `modbus.server`: the gateway as a Modbus slave."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
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
    TlsServer,
)
from gateway_modbus.bank import Bank, Place, WhenInvalid, clashes
from gateway_modbus.commands import Commands
from gateway_modbus.description import describe_mbap, describe_rtu, dissector
from gateway_modbus.listener import Framing, Listener
from gateway_modbus.place import RegisterPoint
from gateway_modbus.register import Order, UnitId


class ServerTransport(StrEnum):
    """What the frames travel on."""

    TCP = "tcp"
    TLS = "tls"
    RTU_OVER_TCP = "rtu-over-tcp"


class UnknownUnit(StrEnum):
    """What a request to a unit that is not there gets."""

    EXCEPTION = "exception"
    SILENCE = "silence"


class ModbusServerPoint(RegisterPoint, SinkPoint):
    """The columns of a point at a `modbus.server` sink."""

    scale: Annotated[
        float,
        Field(description="the register holds (value - offset) / scale, rounded and saturated"),
    ] = 1.0
    offset: Annotated[float, Field(description="see scale")] = 0.0

    @model_validator(mode="after")
    def _divides(self) -> Self:
        if not self.scale:
            raise ValueError("scale 0 leaves nothing to divide by")
        return self


class ModbusServer(Sink):
    """A slave whose registers are the points' last values, and whose writes are commands."""

    Point = ModbusServerPoint
    by_name = False

    type: Literal["modbus.server"] = "modbus.server"
    listen: Annotated[Endpoint, Field(description="where masters connect: 0.0.0.0:502")]
    transport: Annotated[
        ServerTransport, Field(description="tcp, tls (Modbus/TCP Security) or rtu-over-tcp")
    ] = ServerTransport.TCP
    tls: Annotated[TlsServer | None, Field(description="certificates, for transport tls")] = None
    unit: Annotated[UnitId, Field(description="unit id of points that name none")] = 1
    order: Annotated[Order, Field(description="byte order of points that name none")] = Order.ABCD
    unknown_unit: Annotated[
        UnknownUnit, Field(description="exception 0x0B, or silence as on a serial line")
    ] = UnknownUnit.EXCEPTION
    when_invalid: Annotated[
        WhenInvalid,
        Field(
            description="what is read of an invalid point: its last value, nan (floats only), "
            "sentinel (integers too, as SunSpec has it), or exception 4 for the whole read"
        ),
    ] = WhenInvalid.LAST
    max_clients: Annotated[int, Field(ge=1, le=10_000, description="connections at once")] = 32
    idle: Annotated[
        Duration, Field(gt=0, description="a client without a request for so long is dropped")
    ] = 300.0
    max_commands: Annotated[
        int,
        Field(ge=1, le=1000, description="writes of one client under way at once, else busy"),
    ] = 8
    command_timeout: Annotated[
        Duration | None,
        Field(
            gt=0,
            description="a write is answered within this, with exception 0x0B where it is not "
            "over; default the times of its points",
        ),
    ] = None
    keep: Annotated[
        KeepRule, Field(description="every or latest; a slave that is only read shows the latest")
    ] = KeepRule.all(Keep.LATEST)

    @model_validator(mode="after")
    def _transport_fields(self) -> Self:
        if (self.transport is ServerTransport.TLS) != (self.tls is not None):
            raise ValueError("transport tls and tls: {certificate: …, key: …} go together")
        return self

    def check_points(self, points: Sequence[LinkPoint]) -> Iterable[tuple[LinkPoint, str, str]]:
        """See `Link.check_points`: a register, or a bit of one, is one point's."""
        of_id = {point.id: point for point in points}
        for place, sentence in clashes(map(self._place, points)):
            yield of_id[place.point], "register", sentence

    def describe(self, direction: str, frame: bytes) -> str:
        """See `Link.describe`."""
        words = describe_rtu if self._serial else describe_mbap
        return words(frame, asks=direction == "rx")

    def dissector(self) -> Dissector:
        """See `Link.dissector`."""
        return dissector(rtu=self._serial, serves=True)

    @property
    def _serial(self) -> bool:
        return self.transport is ServerTransport.RTU_OVER_TCP

    async def run(self, ctx: SinkContext) -> None:
        """Serve until cancelled; raises LinkError where it cannot listen."""
        places = [self._place(point) for point in ctx.points]
        bank = Bank(
            places,
            ctx.image,
            self.when_invalid,
            silent=self.unknown_unit is UnknownUnit.SILENCE,
            count=ctx.count,
        )
        rtu = self.transport is ServerTransport.RTU_OVER_TCP
        listener = Listener(
            ctx,
            bank,
            framing=Framing.RTU if rtu else Framing.MBAP,
            max_clients=self.max_clients,
            idle=self.idle,
            commander=Commands(places, bank, ctx, self.command_timeout),
            max_pending=self.max_commands,
        )
        # Masters are served from the image, so that a point costs nothing until it is read.
        ctx.watch(())
        try:
            tls = None if self.tls is None else await ctx.tls(self.tls)
            at = await listener.start(self.listen, tls)
            ctx.up(f"listens at {at}")
            async for delivery in ctx.batches():
                ctx.delivered(delivery.seq)
        finally:
            await listener.close()

    def _place(self, point: LinkPoint) -> Place:
        address = point.address
        if not isinstance(address, ModbusServerPoint):
            raise LinkError(f"point {point.name} has no register at {self.name}")
        return Place(
            point=point.id,
            name=point.name,
            unit=self.unit if address.unit is None else address.unit,
            table=address.table,
            register=address.address,
            type=address.type,
            order=address.order or self.order,
            bit=address.bit or 0,
            scale=address.scale,
            offset=address.offset,
            kind=point.kind,
        )
