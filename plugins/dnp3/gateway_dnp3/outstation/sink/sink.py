"""The sink `dnp3.outstation`: the gateway as an outstation of one master."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

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
    TlsServer,
)
from gateway.channel import Channel, ChannelClosed, Listener, Parity, SerialChannel
from gateway_dnp3.channel import UdpListener
from gateway_dnp3.description import describe
from gateway_dnp3.link import HIGHEST, LinkSettings
from gateway_dnp3.outstation.association import Association
from gateway_dnp3.outstation.reception import PlaceTaken, Reception, reception
from gateway_dnp3.outstation.settings import SessionSettings, UnsolicitedSettings
from gateway_dnp3.outstation.sink.point import DnpOutstationPoint, faults
from gateway_dnp3.outstation.sink.serving import Serving
from gateway_dnp3.outstation.sink.transport import Transport

Address = Annotated[int, Field(ge=0, le=HIGHEST)]
Holds = tuple[
    Annotated[Duration, Field(ge=0)],
    Annotated[Duration, Field(ge=0)],
    Annotated[Duration, Field(ge=0)],
]
PORT = 20000
Count = Annotated[int, Field(ge=1, le=100_000)]


class DnpOutstation(Sink):
    """An outstation for one master; several at one `listen` share its socket."""

    Point = DnpOutstationPoint
    by_name = False
    # About two fragments: what a master confirmed shortly before a crash comes again.
    portion = 500

    type: Literal["dnp3.outstation"] = "dnp3.outstation"
    transport: Annotated[Transport, Field(description="tcp, tls, udp or serial")] = Transport.TCP
    listen: Annotated[
        Endpoint | None,
        Field(description="where the master connects: 0.0.0.0:20000; not for serial"),
    ] = None
    port: Annotated[
        str | None, Field(min_length=1, description="serial: the line, /dev/ttyUSB0")
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
    tls: Annotated[TlsServer | None, Field(description="certificates, for transport tls")] = None
    allow: Annotated[
        tuple[str, ...],
        Field(description="networks that the master may connect from, 10.0.0.0/24; default all"),
    ] = ()
    fingerprints: Annotated[
        tuple[str, ...],
        Field(description="tls: SHA-256 of the certificates that the master may show; default all"),
    ] = ()
    max_clients: Annotated[
        int, Field(ge=1, le=1000, description="connections at once, of all who share the socket")
    ] = 16
    address: Annotated[Address, Field(description="the outstation's own address")]
    master: Annotated[Address, Field(description="address of the master")]
    link_confirm: Annotated[
        bool, Field(description="have each frame confirmed, for lines that lose many")
    ] = False
    link_timeout: Annotated[
        Duration, Field(gt=0, description="for the answers of the link layer")
    ] = 2.0
    link_retries: Annotated[
        int, Field(ge=0, le=10, description="times that the link layer says it again")
    ] = 2
    keep_alive: Annotated[
        Duration | Literal["never"],
        Field(description="silence after which the link status is asked for"),
    ] = 60.0
    max_fragment: Annotated[
        int, Field(ge=249, le=65535, description="octets of the longest fragment")
    ] = 2048
    confirm_timeout: Annotated[
        Duration, Field(gt=0, description="within which the master confirms a response")
    ] = 5.0
    event_class: Annotated[
        int, Field(ge=0, le=3, description="of points that name none; 0 for no events")
    ] = 1
    max_events: Annotated[
        int | None,
        Field(
            gt=0,
            description="events held for the master, above which the oldest are shed and IIN2.3 "
            "says so; default: none are, those that it does not fetch wait in the journal",
        ),
    ] = None
    unsolicited: Annotated[
        bool, Field(description="whether events are reported without being asked for")
    ] = False
    hold_times: Annotated[
        Holds, Field(description="unsolicited: how long events of class 1, 2, 3 wait for more")
    ] = (0.0, 0.0, 0.0)
    hold_counts: Annotated[
        tuple[Count, Count, Count],
        Field(description="unsolicited: events of class 1, 2, 3 that do not wait any longer"),
    ] = (1, 1, 1)
    retry: Annotated[
        Duration, Field(gt=0, description="unsolicited: pause before it is sent again; doubles")
    ] = 5.0
    retry_max: Annotated[Duration, Field(gt=0, description="unsolicited: the longest pause")] = 60.0
    retries: Annotated[
        int,
        Field(ge=0, le=100, description="unsolicited: times that the same response is sent again"),
    ] = 3
    max_controls: Annotated[int, Field(ge=1, le=255, description="controls in one request")] = 16
    command_timeout: Annotated[
        Duration | None,
        Field(
            gt=0,
            description="a control is answered within this, with status 127 where it is not over; "
            "default the times of its point",
        ),
    ] = None
    need_time: Annotated[
        Duration | Literal["never"],
        Field(description="how often the master is asked for the time (IIN1.4), which is compared"),
    ] = "never"
    restart: Annotated[
        bool, Field(description="whether the master may restart this link, cold or warm")
    ] = False
    keep: Annotated[
        KeepRule,
        Field(description="every or latest, by kind; latest: one event of a point waits at most"),
    ] = KeepRule(analog=Keep.LATEST)
    live_first: Annotated[
        bool, Field(description="events stand in their order: keep this false")
    ] = False

    @field_validator("allow")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            try:
                ipaddress.ip_network(one)
            except ValueError as error:
                raise ValueError(f"{error}; a network is 10.0.0.0/24 or 10.0.0.11") from None
        return value

    @field_validator("fingerprints")
    @classmethod
    def _digits(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        plain = tuple(one.replace(":", "").lower() for one in value)
        for one, found in zip(plain, value, strict=True):
            if len(one) != 64 or set(one) - set("0123456789abcdef"):
                raise ValueError(f"found {found!r}, allowed: 64 hexadecimal digits")
        return plain

    @model_validator(mode="after")
    def _fits(self) -> Self:
        serial = self.transport is Transport.SERIAL
        if self.address == self.master:
            raise ValueError(f"address {self.address} is the outstation's and the master's")
        if (self.listen is None) != serial or (self.port is not None) != serial:
            raise ValueError("transport serial needs port (the line), the others need listen")
        if (self.transport is Transport.TLS) != (self.tls is not None):
            raise ValueError("transport tls and tls: {certificate: …, key: …} go together")
        if self.fingerprints and self.tls is None:
            raise ValueError("fingerprints are of certificates: they need transport tls")
        if self.fingerprints and self.tls is not None and self.tls.ca is None:
            raise ValueError("fingerprints need tls.ca: without it nobody is asked to show one")
        if self.max_events is not None and self.max_events > self.window:
            raise ValueError(f"max_events {self.max_events} is above window {self.window}")
        return self

    def check_points(self, points: Sequence[LinkPoint]) -> Iterable[tuple[LinkPoint, str, str]]:
        """See `Link.check_points`: no index twice, variations that there are."""
        return faults(points)

    def profile(self, points: Sequence[LinkPoint]) -> str:
        """See `Sink.profile`: the DNP3 device profile."""
        from gateway_dnp3.outstation.sink.profile import profile

        return profile(self, points)

    def describe(self, direction: str, frame: bytes) -> str:
        """See `Link.describe`."""
        return describe(frame)

    def dissector(self) -> Dissector:
        """See `Link.dissector`."""
        return Dissector("dnp3.tcp", port=PORT, serves=True)

    async def run(self, ctx: SinkContext) -> None:
        """Serve the master until cancelled; raises LinkError where it cannot be reached."""
        tls = None if self.tls is None else await ctx.tls(self.tls)

        async def opener() -> Listener | UdpListener | Channel:
            if self.transport is Transport.SERIAL:
                return await SerialChannel.open(
                    str(self.port),
                    baud=self.baud,
                    parity=self.parity,
                    stop_bits=self.stop_bits,
                    rs485=self.rs485,
                    turnaround=self.turnaround,
                )
            assert self.listen is not None  # noqa: S101 - the model says so
            host, port = self.listen.host, self.listen.port
            if self.transport is Transport.UDP:
                return await UdpListener.open(host, port, max_clients=self.max_clients)
            return await Listener.open(host, port, tls=tls, max_clients=self.max_clients)

        association = Association(
            self.link_settings,
            lambda channel: serving.changed(channel),
            hosts=[ipaddress.ip_network(one) for one in self.allow],
            fingerprints=self.fingerprints,
            limit=self.max_fragment,
        )
        serving = Serving(self, ctx, association)
        association.bind(serving.session)
        try:
            async with reception(self.place, self._terms, opener, association, ctx) as here:
                await self._serve(ctx, serving, here)
        except* (PlaceTaken, ChannelClosed, LinkError) as group:
            raise LinkError(str(_first(group))) from None
        finally:
            association.close()
            serving.look()

    async def _serve(self, ctx: SinkContext, serving: Serving, here: Reception) -> None:
        serving.here = here
        ctx.up(f"listens at {here.where.result()} for master {self.master}")
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(serving.feed())
                tasks.create_task(serving.count())
                tasks.create_task(serving.restarted())
                tasks.create_task(here.ended())
        finally:
            await serving.commands.close()

    @property
    def place(self) -> str:
        """Where the master arrives, which is what outstations share."""
        if self.transport is Transport.SERIAL:
            return str(self.port)
        return f"{'udp' if self.transport is Transport.UDP else 'tcp'} {self.listen}"

    @property
    def _terms(self) -> tuple[object, ...]:
        line = (self.baud, self.parity, self.stop_bits, self.rs485, self.turnaround)
        return self.transport, self.tls, self.max_clients, line

    @property
    def software(self) -> str:
        """The version that the device attributes show."""
        return version("grid-gateway")

    @property
    def link_settings(self) -> LinkSettings:
        """How the link layer behaves."""
        return LinkSettings(
            local=self.address,
            remote=self.master,
            master=False,
            confirmed=self.link_confirm,
            timeout=self.link_timeout,
            retries=self.link_retries,
            keep_alive=_period(self.keep_alive),
        )

    @property
    def session_settings(self) -> SessionSettings:
        """How the session behaves."""
        unsolicited = UnsolicitedSettings(
            self.hold_times, self.hold_counts, self.retry, self.retry_max, self.retries
        )
        return SessionSettings(
            fragment=self.max_fragment,
            confirm_timeout=self.confirm_timeout,
            unsolicited=unsolicited if self.unsolicited else None,
            controls=self.max_controls,
            need_time=_period(self.need_time),
        )


def _period(value: float | str) -> float | None:
    return None if isinstance(value, str) else value


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
