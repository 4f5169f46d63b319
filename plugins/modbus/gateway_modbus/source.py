"""The source `modbus`: a device, or a gateway with units behind it, polled by its registers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Annotated, Literal, Self
from zlib import crc32

from pydantic import Field, model_validator

from gateway import Dissector, Duration, LinkError, LinkPoint, Source, SourceContext, TlsClient
from gateway_modbus.description import describe_mbap, describe_rtu, dissector
from gateway_modbus.line import Line, Manners
from gateway_modbus.output import Output, faults
from gateway_modbus.plan import Item, Limits, plan_reads
from gateway_modbus.point import NEVER, ModbusPoint
from gateway_modbus.poll import poll
from gateway_modbus.query import Connection
from gateway_modbus.register import Order, UnitId
from gateway_modbus.tcp import TcpConnection


class Transport(StrEnum):
    """What the frames travel on."""

    TCP = "tcp"
    TLS = "tls"
    RTU = "rtu"
    RTU_OVER_TCP = "rtu-over-tcp"


class Parity(StrEnum):
    """The parity of a serial line."""

    NONE = "none"
    EVEN = "even"
    ODD = "odd"


class AfterRead(StrEnum):
    """What is done with the connection when a round of reads is over."""

    KEEP = "keep"
    CLOSE = "close"


class Phase(StrEnum):
    """Where in its period a link polls."""

    SPREAD = "spread"
    ALIGNED = "aligned"


class Modbus(Source):
    """A connection to a device, or to a gateway with several units behind it."""

    Point = ModbusPoint
    takes_commands = True

    type: Literal["modbus"] = "modbus"
    transport: Annotated[
        Transport, Field(description="tcp, tls (Modbus/TCP Security), rtu or rtu-over-tcp")
    ] = Transport.TCP
    host: Annotated[
        str | None, Field(min_length=1, description="address of the device; not for rtu")
    ] = None
    port: Annotated[
        int | str | None,
        Field(description="TCP port, default 502 (tls 802); for rtu the device: /dev/ttyUSB0"),
    ] = None
    baud: Annotated[int, Field(ge=50, le=4_000_000, description="rtu: bits per second")] = 19200
    parity: Annotated[Parity, Field(description="rtu: none, even or odd")] = Parity.EVEN
    stop_bits: Annotated[Literal[1, 2], Field(description="rtu: stop bits")] = 1
    tls: Annotated[TlsClient, Field(description="certificates, for transport tls")] = TlsClient()
    unit: Annotated[UnitId, Field(description="unit id of points that name none")] = 1
    order: Annotated[Order, Field(description="byte order of points that name none")] = Order.ABCD
    poll: Annotated[Duration, Field(gt=0, description="period of points that name none")] = 1.0
    phase: Annotated[
        Phase,
        Field(
            description="aligned polls at whole multiples of the period; spread adds a part of it "
            "that follows from the link's name, so that links do not all poll at once"
        ),
    ] = Phase.SPREAD
    timeout: Annotated[Duration, Field(gt=0, description="for connecting and each answer")] = 1.0
    retries: Annotated[
        int, Field(ge=0, le=10, description="times a read without an answer is asked again")
    ] = 1
    busy_retries: Annotated[
        int, Field(ge=0, le=100, description="times a busy device is asked again")
    ] = 3
    busy_pause: Annotated[Duration, Field(ge=0, description="wait before each of those")] = 0.1
    max_registers: Annotated[
        int, Field(ge=4, le=125, description="most registers in one request")
    ] = 125
    max_bits: Annotated[
        int, Field(ge=1, le=2000, description="most coils or discrete inputs in one request")
    ] = 2000
    max_gap: Annotated[
        int,
        Field(
            ge=0,
            le=124,
            description="registers that nobody needs and that are read all the same, "
            "to save a request (16 bits count as one)",
        ),
    ] = 10
    pause: Annotated[Duration, Field(ge=0, description="rest between answer and request")] = 0.0
    pipeline: Annotated[
        int, Field(ge=1, le=16, description="tcp: most requests on the way at once")
    ] = 1
    after_read: Annotated[
        AfterRead, Field(description="keep the connection, or close it after each round")
    ] = AfterRead.KEEP
    probe_share: Annotated[
        float,
        Field(
            gt=0,
            le=1,
            description="largest part of the time spent waiting for units that do not answer, "
            "while others do",
        ),
    ] = 0.1

    @model_validator(mode="after")
    def _transport_fields(self) -> Self:
        if "tls" in self.model_fields_set and self.transport is not Transport.TLS:
            raise ValueError(f"tls needs transport tls, not {self.transport}")
        if self.transport is Transport.RTU:
            if self.host is not None:
                raise ValueError("host is not for transport rtu; port names the serial line")
            if not isinstance(self.port, str) or self.port.isdecimal():
                raise ValueError("transport rtu needs port, the serial line: port: /dev/ttyUSB0")
            return self
        if self.host is None:
            raise ValueError(f"transport {self.transport} needs host")
        if isinstance(self.port, str) or not 0 < (self.port or 502) < 65536:
            raise ValueError(f"port {self.port!r} is not a TCP port, 1..65535")
        if self.pipeline > 1 and self.transport is not Transport.TCP:
            raise ValueError(f"pipeline {self.pipeline} needs transport tcp, not {self.transport}")
        return self

    def check_points(self, points: Sequence[LinkPoint]) -> Iterable[tuple[LinkPoint, str, str]]:
        """See `Link.check_points`: what is commanded must be writable."""
        for point in points:
            address = _address(point)
            for field, sentence in faults(point, address, self._unit(address)):
                yield point, field, sentence

    def describe(self, direction: str, frame: bytes) -> str:
        """See `Link.describe`."""
        words = describe_rtu if self._serial else describe_mbap
        return words(frame, asks=direction == "tx")

    def dissector(self) -> Dissector:
        """See `Link.dissector`."""
        return dissector(rtu=self._serial, serves=False)

    @property
    def _serial(self) -> bool:
        return self.transport in (Transport.RTU, Transport.RTU_OVER_TCP)

    async def run(self, ctx: SourceContext) -> None:
        """Connect and poll; see `Source.run`."""
        if not ctx.points:
            raise LinkError(f"no point names a register of {self.name}")
        manners = Manners(
            retries=self.retries,
            busy_retries=self.busy_retries,
            busy_pause=self.busy_pause,
            probe_share=self.probe_share,
            pipeline=self.pipeline,
            close_after_read=self.after_read is AfterRead.CLOSE,
        )
        spread = crc32(self.name.encode()) / 2**32 if self.phase is Phase.SPREAD else 0.0
        # Planned when connected: a device that is away costs next to nothing.
        await poll(
            ctx,
            lambda: self._connect(ctx),
            lambda: self._line(ctx, manners),
            manners,
            spread,
            dict(self._outputs(ctx.points)),
        )

    def _line(self, ctx: SourceContext, manners: Manners) -> Line:
        limits = Limits(self.max_registers, self.max_bits, self.max_gap)
        reads = plan_reads(self._items(ctx.points), limits)
        return Line(ctx, reads, limits, manners)

    def _items(self, points: Sequence[LinkPoint]) -> Iterator[Item]:
        for point in points:
            address = _address(point)
            if address.poll == NEVER:
                continue
            yield Item(
                point.id,
                self._unit(address),
                address.table,
                address.address,
                address.type,
                address.order or self.order,
                address.bit or 0,
                address.poll or self.poll,
            )

    def _outputs(self, points: Sequence[LinkPoint]) -> Iterator[tuple[int, Output]]:
        for point in points:
            if point.command is None:
                continue
            address = _address(point)
            order = address.order or self.order
            output = Output.of(point, address, self._unit(address), order)
            if output is not None:
                yield point.id, output

    def _unit(self, address: ModbusPoint) -> int:
        return self.unit if address.unit is None else address.unit

    async def _connect(self, ctx: SourceContext) -> Connection:
        host = self.host or ""
        if self.transport is Transport.TCP:
            return await TcpConnection.open(
                ctx,
                host,
                int(self.port or 502),
                timeout=self.timeout,
                pause=self.pause,
                pipeline=self.pipeline,
            )
        # Links of plain TCP, of which there may be thousands, do not pay for the library.
        from gateway_modbus.library import LibraryConnection

        if self.transport is Transport.RTU:
            return await LibraryConnection.open_serial(
                ctx,
                str(self.port),
                baud=self.baud,
                parity=self.parity.value[0].upper(),
                stop_bits=self.stop_bits,
                timeout=self.timeout,
                pause=self.pause,
            )
        if self.transport is Transport.RTU_OVER_TCP:
            return await LibraryConnection.open_rtu_over_tcp(
                ctx, host, int(self.port or 502), timeout=self.timeout, pause=self.pause
            )
        return await LibraryConnection.open_tls(
            ctx,
            host,
            int(self.port or 802),
            tls=await ctx.tls(self.tls),
            timeout=self.timeout,
            pause=self.pause,
        )


def _address(point: LinkPoint) -> ModbusPoint:
    if not isinstance(point.address, ModbusPoint):
        raise LinkError(f"point {point.name} has no register")
    return point.address
