"""The fields that both ends of a 101 line have in common: what carries it, and its link layer."""

from __future__ import annotations

import ipaddress
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, field_validator, model_validator

from gateway import Duration, Endpoint
from gateway.channel import Channel, Listener, Parity, SerialChannel, StreamChannel
from gateway_iec60870.ft12 import Line, Tracer, line_idle, longest

READ_AT = 60870
"""TCP port at which Wireshark is told to read 101: it has no well-known one."""
HIGHEST_LINK = 65534
OCTET_BITS = 11
GAP_OCTETS = 3
"""Octets of silence within which a frame goes on, however slow the line is."""
GAP = 0.1
"""Seconds of silence after which it does not, on a line that is fast enough."""
MOST_DIALLING = 2
"""The connection that there is, and the one that takes its place."""


class Mode(StrEnum):
    """How the link layer is spoken (60870-5-2)."""

    UNBALANCED = "unbalanced"
    BALANCED = "balanced"


class Transport(StrEnum):
    """What carries the frames."""

    SERIAL = "serial"
    TCP = "tcp"


LinkAddress = Annotated[int, Field(ge=0, le=HIGHEST_LINK)]


class LineFields(BaseModel):
    """A line, and how its link layer is spoken.

    only: fields that count only with one mode or transport: elsewhere they keep their default.
    """

    mode: Annotated[
        Mode,
        Field(
            description="unbalanced: the controlling station polls, one station or several; "
            "balanced: both speak when they have something to say"
        ),
    ] = Mode.UNBALANCED
    transport: Annotated[
        Transport, Field(description="serial, or tcp to or from a terminal server")
    ] = Transport.SERIAL
    port: Annotated[
        int | str | None,
        Field(description="serial: the line, /dev/ttyUSB0; tcp: the port of host"),
    ] = None
    host: Annotated[
        str | None, Field(min_length=1, description="tcp: address of the terminal server")
    ] = None
    listen: Annotated[
        Endpoint | None,
        Field(description="tcp, instead of host: where the other end connects: 0.0.0.0:2410"),
    ] = None
    allow: Annotated[
        tuple[str, ...],
        Field(description="with listen: networks to connect from, 10.0.0.0/24; default all"),
    ] = ()
    baud: Annotated[int, Field(ge=50, le=4_000_000, description="serial: bits per second")] = 9600
    parity: Annotated[Parity, Field(description="serial: even (FT1.2), none or odd")] = Parity.EVEN
    stop_bits: Annotated[Literal[1, 2], Field(description="serial: stop bits")] = 1
    rs485: Annotated[
        bool, Field(description="serial: the driver switches the transmitter for each frame")
    ] = False
    turnaround: Annotated[
        Duration | None,
        Field(ge=0, le=10, description="serial: silence before it speaks; default 33 bits"),
    ] = None
    idle: Annotated[
        Duration | None,
        Field(
            gt=0,
            le=10,
            description="silence within a frame after which it is given up; "
            "default 100ms, on slow lines more, with tcp 500ms",
        ),
    ] = None
    link_octets: Annotated[
        Literal[0, 1, 2],
        Field(description="octets of the link address; 0, none, only in mode balanced"),
    ] = 1
    link: Annotated[
        LinkAddress | None,
        Field(description="link address of the station; default its common address"),
    ] = None
    master_link: Annotated[
        LinkAddress | None,
        Field(description="balanced: link address of the controlling station; default link"),
    ] = None
    link_timeout: Annotated[
        Duration, Field(gt=0, description="for the answer to a frame, from its last octet")
    ] = 1.0
    link_retries: Annotated[
        int, Field(ge=0, le=10, description="times that a frame without an answer is sent again")
    ] = 3
    keep_alive: Annotated[
        Duration | Literal["never"],
        Field(description="balanced: silence after which the link is tested"),
    ] = 20.0
    single_character: Annotated[
        bool, Field(description="whether E5 stands for an acknowledgement, or for no data")
    ] = True

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
    def _line(self) -> Self:
        for name, (field, needed) in (_ONLY | self.only()).items():
            found = getattr(self, name)
            if found != type(self).model_fields[name].default and getattr(self, field) != needed:
                raise ValueError(f"{name} is for {field} {needed}")
        if self.keep_alive != "never" and not self.keep_alive > 0:
            raise ValueError("keep_alive 0s: give a time, or never")
        if self.mode is Mode.UNBALANCED and not self.link_octets:
            raise ValueError("mode unbalanced needs link_octets 1 or 2: stations have addresses")
        for name in ("link", "master_link"):
            self._check_link(name, getattr(self, name))
        self._check_transport()
        return self

    @classmethod
    def only(cls) -> dict[str, tuple[str, str]]:
        """Return fields of the link's own that count only where another one has a value."""
        return {}

    def _check_link(self, name: str, address: int | None) -> None:
        """Raise ValueError for a link address that its octets cannot say."""
        if address is not None and self.link_octets and address > self.highest_link:
            allowed = f"allowed with link_octets {self.link_octets}: 0 to {self.highest_link}"
            raise ValueError(f"found {name} {address}, {allowed}")

    def _default_link(self, address: int) -> int:
        """Return the link address of a station that has a common address and no other; raises
        ValueError."""
        if self.link_octets and address > self.highest_link:
            raise ValueError(
                f"found ca {address} and no link address of its own, "
                f"allowed with link_octets {self.link_octets}: 0 to {self.highest_link}"
            )
        return address

    def _check_transport(self) -> None:
        port = self.port
        if self.transport is Transport.SERIAL:
            if not isinstance(port, str) or not port or port.isdecimal():
                raise ValueError("transport serial needs port, the line: port: /dev/ttyUSB0")
        elif self.listen is not None:
            if self.host is not None or port is not None:
                raise ValueError("either host and port, or listen")
        elif self.host is None:
            raise ValueError("transport tcp needs host and port, or listen")
        elif not isinstance(port, int) or not 0 < port < 65536:
            raise ValueError(f"found port {port!r}, allowed with host: 1 to 65535")
        if self.allow and self.listen is None:
            raise ValueError("allow needs listen")

    @property
    def balanced(self) -> bool:
        """Whether both ends speak by themselves."""
        return self.mode is Mode.BALANCED

    @property
    def highest_link(self) -> int:
        """The highest link address of a station; above it is that of all."""
        return (1 << 8 * self.link_octets) - 2

    @property
    def longest_asdu(self) -> int:
        """Octets of the longest ASDU that a frame can carry."""
        return longest(self.link_octets)

    @property
    def link_test(self) -> float | None:
        """Silence after which a balanced link is tested; None for never."""
        return None if isinstance(self.keep_alive, str) else self.keep_alive

    @property
    def place(self) -> str:
        """Where the line is."""
        if self.transport is Transport.SERIAL:
            return str(self.port)
        return str(self.listen or Endpoint(self.host or "", int(self.port or 0)))

    def line(
        self,
        channel: Channel,
        tracer: Tracer | None,
        *,
        silence: float | None = None,
        probe_share: float = 0.1,
    ) -> Line:
        """Return the link layer on a channel; see `Line`."""
        return Line(
            channel,
            self.link_octets,
            idle=self.idle,
            silence=silence,
            probe_share=probe_share,
            tracer=tracer,
        )

    async def open(self) -> Channel:
        """Open the line, or connect; raises ChannelClosed."""
        if self.transport is Transport.TCP:
            return await StreamChannel.connect(self.host or "", int(self.port or 0))
        octet = OCTET_BITS / self.baud
        return await SerialChannel.open(
            str(self.port),
            baud=self.baud,
            parity=self.parity,
            stop_bits=self.stop_bits,
            rs485=self.rs485,
            turnaround=line_idle(self.baud) if self.turnaround is None else self.turnaround,
            gap=self.idle or max(GAP, GAP_OCTETS * octet),
        )

    async def open_listener(self) -> Listener:
        """Listen at `listen`; raises ChannelClosed."""
        assert self.listen is not None  # noqa: S101 - whoever calls has looked
        return await Listener.open(
            self.listen.host,
            self.listen.port,
            max_clients=MOST_DIALLING,
            allowed=[ipaddress.ip_network(one) for one in self.allow],
        )


_ONLY = {
    "host": ("transport", "tcp"),
    "listen": ("transport", "tcp"),
    "allow": ("transport", "tcp"),
    "baud": ("transport", "serial"),
    "parity": ("transport", "serial"),
    "stop_bits": ("transport", "serial"),
    "rs485": ("transport", "serial"),
    "turnaround": ("transport", "serial"),
    "master_link": ("mode", "balanced"),
    "keep_alive": ("mode", "balanced"),
}
"""The fields that count only where another one has a value."""
