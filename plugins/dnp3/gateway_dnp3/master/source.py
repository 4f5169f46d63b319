"""The source `dnp3.master`: outstations, one or several, behind one connection or line."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from gateway import (
    Dissector,
    Duration,
    Endpoint,
    LinkError,
    LinkPoint,
    Source,
    SourceContext,
    TlsClient,
    TlsServer,
)
from gateway.channel import Channel, ChannelClosed, Listener, Parity, SerialChannel, StreamChannel
from gateway_dnp3.channel import UdpChannel
from gateway_dnp3.description import describe
from gateway_dnp3.master.manners import EVENT_CLASSES, Freeze, Manners, TimeSync
from gateway_dnp3.master.master import Lower
from gateway_dnp3.master.point import DnpPoint, faults
from gateway_dnp3.master.serving import serve
from gateway_dnp3.master.settings import (
    Address,
    Assignment,
    EventClass,
    FreezeSettings,
    Poll,
)

PORT = 20000
TLS_PORT = 19999
NEVER = "never"


class Transport(StrEnum):
    """What carries the frames."""

    TCP = "tcp"
    TLS = "tls"
    UDP = "udp"
    SERIAL = "serial"


class DnpMaster(Source):
    """Outstations behind one connection or on one line."""

    Point = DnpPoint
    takes_commands = True

    type: Literal["dnp3.master"] = "dnp3.master"
    transport: Annotated[Transport, Field(description="tcp, tls, udp or serial")] = Transport.TCP
    host: Annotated[
        str | None, Field(min_length=1, description="address of the outstation; not for serial")
    ] = None
    port: Annotated[
        int | str | None,
        Field(description="port, default 20000 (tls 19999); for serial the device: /dev/ttyUSB0"),
    ] = None
    listen: Annotated[
        Endpoint | None,
        Field(description="instead of host, tcp and tls: where an outstation that dials in does"),
    ] = None
    allow: Annotated[
        tuple[str, ...],
        Field(description="with listen: networks that may dial in, 10.0.0.0/24; default all"),
    ] = ()
    tls: Annotated[TlsClient, Field(description="certificates, for tls with host")] = TlsClient()
    tls_server: Annotated[
        TlsServer | None, Field(description="certificates, for tls with listen")
    ] = None
    baud: Annotated[int, Field(ge=50, le=4_000_000, description="serial: bits per second")] = 9600
    parity: Annotated[Parity, Field(description="serial: none, even or odd")] = Parity.NONE
    stop_bits: Annotated[Literal[1, 2], Field(description="serial: stop bits")] = 1
    rs485: Annotated[
        bool, Field(description="serial: the driver switches the transmitter for each frame")
    ] = False
    turnaround: Annotated[
        Duration, Field(ge=0, le=10, description="serial: silence before the gateway speaks")
    ] = 0.0
    address: Annotated[Address, Field(description="the gateway's own address")] = 1
    outstation: Annotated[
        Address | None, Field(description="address of the outstation of points that name none")
    ] = None
    integrity: Annotated[
        Duration | Literal["never"],
        Field(description="period of reading everything, which the start does in any case"),
    ] = 900.0
    event: Annotated[
        Duration | Literal["never"] | None,
        Field(description="period of reading events; default 1s, never where unsolicited"),
    ] = None
    unsolicited: Annotated[
        bool | tuple[EventClass, ...],
        Field(description="whether outstations report by themselves: true, or classes of 1 to 3"),
    ] = False
    polls: Annotated[
        tuple[Poll, ...], Field(description="what is read besides, and how often")
    ] = ()
    freeze: Annotated[
        FreezeSettings | None, Field(description="freeze the counters, and read what was frozen")
    ] = None
    assign: Annotated[
        tuple[Assignment, ...], Field(description="classes that points are put into at the start")
    ] = ()
    time_sync: Annotated[
        TimeSync, Field(description="lan, non_lan or none: an outstation asks, the gateway sets it")
    ] = TimeSync.NONE
    timeout: Annotated[
        Duration, Field(gt=0, description="for connecting and each fragment of an answer")
    ] = 5.0
    retries: Annotated[
        int, Field(ge=0, le=10, description="times that anything but a command is asked again")
    ] = 1
    keep_alive: Annotated[
        Duration | Literal["never"],
        Field(description="silence after which the link status is asked for"),
    ] = 60.0
    probe_share: Annotated[
        float,
        Field(
            gt=0,
            le=1,
            description="largest part of the time spent on an outstation that does not answer, "
            "while others do",
        ),
    ] = 0.1
    link_confirm: Annotated[
        bool, Field(description="have each frame confirmed, for lines that lose many")
    ] = False
    link_timeout: Annotated[
        Duration, Field(gt=0, description="for the answers of the link layer")
    ] = 2.0
    link_retries: Annotated[
        int, Field(ge=0, le=10, description="times that the link layer says it again")
    ] = 2
    max_fragment: Annotated[
        int, Field(ge=249, le=65536, description="octets of the longest answer in one fragment")
    ] = 2048

    @field_validator("allow")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            try:
                ipaddress.ip_network(one)
            except ValueError as error:
                raise ValueError(f"{error}; a network is 10.0.0.0/24 or 10.0.0.11") from None
        return value

    @model_validator(mode="after")
    def _transport_fields(self) -> Self:
        transport = self.transport
        if self.outstation == self.address:
            raise ValueError(f"address {self.address} is the gateway's and the outstation's")
        if "tls" in self.model_fields_set and (transport is not Transport.TLS or self.listen):
            raise ValueError("tls needs transport tls, with host")
        if (self.tls_server is not None) != (transport is Transport.TLS and bool(self.listen)):
            raise ValueError("tls_server is for transport tls with listen, which needs it")
        if self.allow and self.listen is None:
            raise ValueError("allow needs listen")
        if transport is Transport.SERIAL:
            if self.host is not None or self.listen is not None:
                raise ValueError("transport serial has neither host nor listen, but port")
            if not isinstance(self.port, str) or self.port.isdecimal():
                raise ValueError("transport serial needs port, the line: port: /dev/ttyUSB0")
            return self
        if self.listen is not None:
            if transport is Transport.UDP:
                raise ValueError("listen is for transport tcp and tls, not udp")
            if self.host is not None or self.port is not None:
                raise ValueError("either host and port, or listen")
            return self
        if self.host is None:
            raise ValueError(f"transport {transport} needs host, or listen")
        if isinstance(self.port, str) or not 0 < self._port < 65536:
            raise ValueError(f"port {self.port!r} is not a port, 1..65535")
        return self

    def check_points(self, points: Sequence[LinkPoint]) -> Iterable[tuple[LinkPoint, str, str]]:
        """See `Link.check_points`: no index twice, commands that an outstation can take."""
        return faults(points, self.outstation, self.address)

    def describe(self, direction: str, frame: bytes) -> str:
        """See `Link.describe`."""
        return describe(frame)

    def dissector(self) -> Dissector:
        """See `Link.dissector`."""
        return Dissector("dnp3.tcp", port=PORT, serves=False)

    async def run(self, ctx: SourceContext) -> None:
        """Connect and read; see `Source.run`."""
        if not ctx.points:
            raise LinkError(f"no point names an index of {self.name}")
        try:
            if self.listen is None:
                await serve(self, ctx, await self._connect(ctx))
            else:
                await self._dialled(ctx, self.listen)
        except ChannelClosed as closed:
            raise LinkError(str(closed)) from None

    def manners(self, outstation: int) -> Manners:
        """Return how an outstation is treated."""
        classes = self.unsolicited
        if isinstance(classes, bool):
            classes = EVENT_CLASSES if classes else ()
        event: float | str | None = self.event
        if event is None:
            event = NEVER if classes else 1.0
        return Manners(
            timeout=self.timeout,
            retries=self.retries,
            integrity=_period(self.integrity),
            event=_period(event),
            unsolicited=classes,
            time_sync=self.time_sync,
            keep_alive=_period(self.keep_alive),
            scans=tuple(one.scan() for one in self.polls if one.outstation in (None, outstation)),
            freeze=None if self.freeze is None else Freeze(self.freeze.every, self.freeze.clear),
            assign=tuple(
                one.objects() for one in self.assign if one.outstation in (None, outstation)
            ),
            probe_share=self.probe_share,
        )

    @property
    def lower(self) -> Lower:
        """The layers below."""
        return Lower(
            self.address,
            self.link_confirm,
            self.link_timeout,
            self.link_retries,
            self.max_fragment,
        )

    @property
    def _port(self) -> int:
        default = TLS_PORT if self.transport is Transport.TLS else PORT
        return default if self.port is None else int(self.port)

    async def _connect(self, ctx: SourceContext) -> Channel:
        if self.transport is Transport.SERIAL:
            return await SerialChannel.open(
                str(self.port),
                baud=self.baud,
                parity=self.parity,
                stop_bits=self.stop_bits,
                rs485=self.rs485,
                turnaround=self.turnaround,
            )
        host = self.host or ""
        if self.transport is Transport.UDP:
            return await UdpChannel.open(host, self._port)
        tls = await ctx.tls(self.tls) if self.transport is Transport.TLS else None
        return await StreamChannel.connect(host, self._port, tls=tls, timeout=self.timeout)

    async def _dialled(self, ctx: SourceContext, where: Endpoint) -> None:
        tls = None if self.tls_server is None else await ctx.tls(self.tls_server)
        listener = await Listener.open(
            where.host,
            where.port,
            tls=tls,
            max_clients=2,
            allowed=[ipaddress.ip_network(one) for one in self.allow],
        )
        try:
            await serve(self, ctx, await listener.accept(), listener)
        finally:
            await listener.close()


def _period(value: float | str) -> float | None:
    return None if isinstance(value, str) else value
