"""The sink `c37118.server`: the gateway as a PMU, or as a phasor data concentrator."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from gateway import (
    Duration,
    Endpoint,
    Keep,
    KeepRule,
    LinkPoint,
    Sink,
    SinkContext,
    TlsServer,
)
from gateway.c37118 import DataLayout, FrameKind
from gateway_c37118.server.places import places, problems
from gateway_c37118.server.point import C37ServerPoint, name_of
from gateway_c37118.server.settings import (
    IDCODES,
    Coordinates,
    Destination,
    Numbers,
    PmuSettings,
    Transport,
)
from gateway_c37118.server.stream import Stream, stream_of


class C37Server(Sink):
    """A stream of synchrophasors, for the data concentrators of control centres."""

    Point = C37ServerPoint
    by_name = False

    type: Literal["c37118.server"] = "c37118.server"
    listen: Annotated[
        Endpoint | None,
        Field(description="where clients send commands: 0.0.0.0:4712 (UDP: 4713)"),
    ] = None
    transport: Annotated[
        Transport,
        Field(description="tcp; tcp-udp: commands over TCP, data over UDP; udp: both over UDP"),
    ] = Transport.TCP
    data_port: Annotated[
        int, Field(ge=1, le=65535, description="tcp-udp: the client's port that data go to")
    ] = 4713
    spontaneous: Annotated[
        tuple[Destination, ...],
        Field(description="where data go over UDP, with a configuration 2 a minute, unasked"),
    ] = ()
    tls: Annotated[TlsServer | None, Field(description="certificates, for TLS over TCP")] = None
    clients: Annotated[
        tuple[str, ...],
        Field(description="networks that clients come from, 10.0.0.0/24; default all"),
    ] = ()
    max_clients: Annotated[int, Field(ge=1, le=1000, description="clients at once")] = 16
    idcode: Annotated[int, Field(**IDCODES, description="IDCODE of the stream")] = 1
    station: Annotated[
        str | None,
        Field(description="station of the one PMU where pmus is empty; default the link's name"),
    ] = None
    rate: Annotated[
        int,
        Field(
            ge=-3600,
            le=480,
            description="frames per second, or below zero seconds per frame: 50, -10",
        ),
    ] = 50
    nominal: Annotated[Literal[50, 60], Field(description="nominal frequency, Hz")] = 50
    wait: Annotated[
        Duration,
        Field(gt=0, le=60, description="how long after its instant a frame waits for samples"),
    ] = 0.2
    numbers: Annotated[
        Numbers, Field(description="float or integer, of PMUs that say nothing else")
    ] = Numbers.FLOAT
    phasors: Annotated[
        Coordinates, Field(description="polar or rectangular, of PMUs that say nothing else")
    ] = Coordinates.POLAR
    pmus: Annotated[
        tuple[PmuSettings, ...],
        Field(description="the PMUs of the stream; default one with the stream's IDCODE"),
    ] = ()
    header: Annotated[str, Field(max_length=4096, description="text of the header frame")] = ""
    buffer: Annotated[
        int,
        Field(
            ge=1, le=10_000, description="frames that wait for a slow client, then the oldest go"
        ),
    ] = 100
    send_timeout: Annotated[
        Duration, Field(gt=0, description="a client that takes nothing for so long is dropped")
    ] = 10.0
    idle: Annotated[
        Duration,
        Field(gt=0, description="a TCP client without data and commands for so long is dropped"),
    ] = 300.0
    keep: Annotated[
        KeepRule, Field(description="every: each report has its frame; latest may leave some out")
    ] = KeepRule.all(Keep.EVERY)

    @field_validator("clients")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            try:
                ipaddress.ip_network(one)
            except ValueError as error:
                raise ValueError(f"{error}; a network is 10.0.0.0/24 or 10.0.0.11") from None
        return value

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.listen is None and not self.spontaneous:
            raise ValueError("found neither listen nor spontaneous, allowed: one of them or both")
        if self.tls is not None and self.transport is Transport.UDP:
            raise ValueError("found tls with transport udp, allowed: tcp, tcp-udp")
        if not self.rate:
            raise ValueError("found rate 0, allowed: frames per second, or seconds below zero")
        name_of(self.station_name)
        for what in ("idcode", "station"):
            seen = [getattr(pmu, what) for pmu in self.pmus]
            twice = [one for one in seen if seen.count(one) > 1]
            if twice:
                raise ValueError(f"found two PMUs of {what} {twice[0]}, allowed: one of each")
        return self

    @property
    def station_name(self) -> str:
        """The station of a stream of one PMU."""
        return self.name[:16] if self.station is None else self.station

    def units(self) -> tuple[PmuSettings, ...]:
        """Return the PMUs of the stream, with what they have from it."""
        pmus = self.pmus or (PmuSettings(idcode=self.idcode, station=self.station_name),)
        return tuple(
            pmu.model_copy(
                update={
                    "numbers": pmu.numbers or self.numbers,
                    "phasors": pmu.phasors or self.phasors,
                }
            )
            for pmu in pmus
        )

    def check_points(self, points: Sequence[LinkPoint]) -> Iterable[tuple[LinkPoint, str, str]]:
        """See `Link.check_points`: whole phasors, each item once, and a stream that fits."""
        placed = places(points, self.units())
        found = list(problems(placed, self.units()))
        yield from found
        if placed and not found:
            try:
                configuration = self.stream(points).configuration
                DataLayout(configuration)
                for kind in (FrameKind.CONFIG_2, FrameKind.CONFIG_3):
                    configuration.encode(kind)
            except ValueError as error:
                yield placed[0].point, "", f"no frame holds all of them: {error}"

    def stream(self, points: Iterable[LinkPoint]) -> Stream:
        """Return the stream of points without problems."""
        pmus = self.units()
        return stream_of(
            places(points, pmus), pmus, idcode=self.idcode, rate=self.rate, nominal=self.nominal
        )

    def profile(self, points: Sequence[LinkPoint]) -> str:
        """Return what an engineer enters at the PDC, and what its channels are, as Markdown."""
        from gateway_c37118.server.sheet import sheet

        return sheet(self, points)

    async def run(self, ctx: SinkContext) -> None:
        """Serve until cancelled; raises LinkError where it cannot listen."""
        # What a configuration is checked with needs none of it.
        from gateway_c37118.server.serving import serve

        await serve(self, ctx)
