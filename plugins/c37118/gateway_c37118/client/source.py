"""The source `c37118.client`: what a PMU or a PDC sends."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from gateway import Duration, Endpoint, LinkError, LinkPoint, Source, SourceContext, TlsClient
from gateway.c37118 import Command, FrameKind
from gateway_c37118.client.point import C37Point, faults
from gateway_c37118.client.serving import Service
from gateway_c37118.client.session import Manners
from gateway_c37118.client.wires import Route, Wires

TCP_PORT = 4712
UDP_PORT = 4713
"""The standard's ports (annex E of IEEE C37.118.2-2011)."""


class Transport(StrEnum):
    """What carries commands and data."""

    TCP = "tcp"
    UDP = "udp"
    TCP_UDP = "tcp-udp"
    SPONTANEOUS = "spontaneous"


class C37Client(Source):
    """A stream of synchrophasors, of one PMU or of several behind a PDC."""

    Point = C37Point

    type: Literal["c37118.client"] = "c37118.client"
    transport: Annotated[
        Transport,
        Field(
            description="tcp; udp; tcp-udp: commands over TCP, data over UDP; "
            "spontaneous: UDP that comes without a command, multicast or not"
        ),
    ] = Transport.TCP
    host: Annotated[
        str | None,
        Field(min_length=1, description="address of the PMU or PDC; not for spontaneous"),
    ] = None
    port: Annotated[
        int | None,
        Field(ge=1, le=65535, description="where it takes commands; default 4712, udp 4713"),
    ] = None
    tls: Annotated[
        TlsClient | None, Field(description="certificates, for TLS over the TCP connection")
    ] = None
    listen: Annotated[
        Endpoint | None,
        Field(
            description="where datagrams come: 0.0.0.0:4713; default for tcp-udp and spontaneous "
            "port 4713 everywhere, for udp any port"
        ),
    ] = None
    group: Annotated[
        str | None, Field(description="spontaneous: multicast group that is joined: 239.1.2.3")
    ] = None
    interface: Annotated[
        str | None,
        Field(min_length=1, description="with group: address or name of the network interface"),
    ] = None
    allow: Annotated[
        tuple[str, ...],
        Field(
            description="networks that datagrams may come from: 10.0.0.0/24; "
            "default the host, for spontaneous all"
        ),
    ] = ()
    idcode: Annotated[int, Field(ge=1, le=65534, description="IDCODE of the stream")]
    configuration: Annotated[
        Literal[2, 3],
        Field(description="configuration frame that is asked for; the other one if it has none"),
    ] = 2
    header: Annotated[bool, Field(description="ask for the header frame, for the log")] = False
    timeout: Annotated[
        Duration, Field(gt=0, description="for connecting, and for each answer to a command")
    ] = 5.0
    attempts: Annotated[
        int, Field(ge=1, le=10, description="how often a command is sent that has no answer")
    ] = 2
    silence: Annotated[
        Duration | None,
        Field(
            gt=0,
            description="time without data after which the link is down; "
            "default 5 frames, 2s or more",
        ),
    ] = None
    announce: Annotated[
        Duration,
        Field(gt=0, description="spontaneous: time within which a configuration frame comes"),
    ] = 90.0
    gather: Annotated[
        Duration,
        Field(ge=0, le=0.1, description="how long frames wait for more, to be taken together"),
    ] = 0.0

    @field_validator("allow")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            try:
                ipaddress.ip_network(one)
            except ValueError as error:
                raise ValueError(f"{error}; a network is 10.0.0.0/24 or 10.0.0.11") from None
        return value

    @field_validator("group")
    @classmethod
    def _multicast(cls, value: str | None) -> str | None:
        if value is not None and not ipaddress.ip_address(value).is_multicast:
            raise ValueError(f"found {value}, allowed: 224.0.0.0 to 239.255.255.255, ff00::/8")
        return value

    @field_validator("listen")
    @classmethod
    def _local(cls, value: Endpoint | None) -> Endpoint | None:
        if value is not None:
            ipaddress.ip_address(value.host)
        return value

    @model_validator(mode="after")
    def _transport_fields(self) -> Self:
        transport = self.transport
        spontaneous = transport is Transport.SPONTANEOUS
        tcp = transport in (Transport.TCP, Transport.TCP_UDP)
        if (self.host is None) is not spontaneous:
            raise ValueError(f"transport {transport} {'has no' if spontaneous else 'needs'} host")
        if spontaneous and self.port is not None:
            raise ValueError("transport spontaneous has no port, but listen")
        if transport is Transport.TCP and (self.listen is not None or self.allow):
            raise ValueError("transport tcp has neither listen nor allow")
        if self.tls is not None and not tcp:
            raise ValueError(f"found tls with transport {transport}, allowed: tcp, tcp-udp")
        if self.group is not None and not spontaneous:
            raise ValueError("group needs transport spontaneous")
        if self.interface is not None and self.group is None:
            raise ValueError("interface needs group")
        for field in ("announce",) if not spontaneous else ("header", "attempts", "timeout"):
            if field in self.model_fields_set:
                raise ValueError(f"transport {transport} has no {field}")
        return self

    def check_points(self, points: Sequence[LinkPoint]) -> Iterable[tuple[LinkPoint, str, str]]:
        """See `Link.check_points`: no item twice, and each of a kind that can hold it."""
        return faults(points)

    async def run(self, ctx: SourceContext) -> None:
        """Connect and read; see `Source.run`."""
        if not ctx.points:
            raise LinkError(f"no point names an item of {self.name}")
        tls = None if self.tls is None else await ctx.tls(self.tls)
        wires = await Wires.open(self.route, self.timeout, ctx.count, tls)
        service = Service(ctx, wires, self.idcode, self.manners, self.gather)
        try:
            await service.run()
        finally:
            await wires.close(service.frame(Command.STOP) if self.manners.commands else None)

    @property
    def manners(self) -> Manners:
        """How the device is treated."""
        kinds = (FrameKind.CONFIG_2, FrameKind.CONFIG_3)
        return Manners(
            commands=self.transport is not Transport.SPONTANEOUS,
            kinds=kinds if self.configuration == 2 else kinds[::-1],
            timeout=self.timeout,
            attempts=self.attempts,
            silence=self.silence,
            announce=self.announce,
            header=self.header,
        )

    @property
    def route(self) -> Route:
        """Where the device is."""
        tcp = self.transport in (Transport.TCP, Transport.TCP_UDP)
        listen: tuple[str, int] | None = None
        if self.transport is not Transport.TCP:
            address = self.host if self.host and ":" in self.host else self.group
            everywhere = "::" if address and ":" in address else "0.0.0.0"  # noqa: S104 - as documented
            port = 0 if self.transport is Transport.UDP else UDP_PORT
            listen = (everywhere, port)
            if self.listen is not None:
                listen = (self.listen.host, self.listen.port)
        return Route(
            host=self.host,
            port=self.port or (TCP_PORT if tcp else UDP_PORT),
            tcp=tcp,
            listen=listen,
            group=self.group,
            interface=self.interface,
            allow=[ipaddress.ip_network(one) for one in self.allow],
        )
