"""The source `iec104.client`: stations behind one TCP connection, or a group of redundant ones."""

from __future__ import annotations

import ssl
from functools import partial
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from gateway import Dissector, Duration, Endpoint, LinkError, SourceContext, TlsClient
from gateway.channel import Channel, ChannelClosed, StreamChannel
from gateway_iec60870.apci import ApciSettings, Connection, describe
from gateway_iec60870.asdu import describe as describe_asdu
from gateway_iec60870.controlling import ControllingSource
from gateway_iec60870.iec104.redundancy import Redundancy
from gateway_iec60870.iec104.serving import serve

PORT = 2404
TLS_PORT = 19998
Host = Annotated[str, Field(min_length=1)]


class Iec104Client(ControllingSource):
    """Stations behind a connection."""

    type: Literal["iec104.client"] = "iec104.client"
    host: Annotated[
        Host | Annotated[tuple[Host, ...], Field(min_length=1, max_length=8)],
        Field(
            description="address of the device, or those of its redundancy group, of which "
            "one connection is started at a time: 10.0.0.11, [10.0.0.11, 10.0.1.11:2405]",
        ),
    ]
    port: Annotated[
        int | None,
        Field(ge=1, le=65535, description="port of hosts that name none; 2404, with tls 19998"),
    ] = None
    tls: Annotated[
        TlsClient | None, Field(description="certificates; without it the connection is open")
    ] = None
    k: Annotated[
        int, Field(ge=1, le=32767, description="most ASDUs that are sent and not acknowledged")
    ] = 12
    w: Annotated[
        int, Field(ge=1, le=32767, description="ASDUs after which the gateway acknowledges")
    ] = 8
    t0: Annotated[
        Duration, Field(gt=0, le=255, description="within which a connection must stand")
    ] = 30.0
    t1: Annotated[
        Duration, Field(gt=0, le=255, description="within which what is sent must be acknowledged")
    ] = 15.0
    t2: Annotated[
        Duration, Field(gt=0, le=255, description="after which the gateway acknowledges, below t1")
    ] = 10.0
    t3: Annotated[
        Duration, Field(gt=0, le=172_800, description="silence after which a connection is tested")
    ] = 20.0

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        addresses = self.addresses
        if len(set(addresses)) < len(addresses):
            raise ValueError(f"host: {', '.join(map(str, addresses))} names an address twice")
        self.apci  # noqa: B018 - raises ValueError
        return self

    @property
    def addresses(self) -> tuple[Endpoint, ...]:
        """Where the gateway connects to; raises ValueError."""
        default = TLS_PORT if self.tls is not None else PORT
        port = default if self.port is None else self.port
        hosts = (self.host,) if isinstance(self.host, str) else self.host
        return tuple(_address(host, port) for host in hosts)

    @property
    def apci(self) -> ApciSettings:
        """The parameters of the connections; raises ValueError."""
        return ApciSettings(self.k, self.w, self.t0, self.t1, self.t2, self.t3)

    def describe(self, direction: str, frame: bytes) -> str:
        """See `Link.describe`."""
        return describe(frame, partial(describe_asdu, sizes=self.sizes))

    def dissector(self) -> Dissector:
        """See `Link.dissector`."""
        return Dissector("iec60870_104", port=PORT, table="tcp.port", serves=False)

    async def run(self, ctx: SourceContext) -> None:
        """Connect, start and read; see `Source.run`."""
        if not ctx.points:
            raise LinkError(f"no point names an object of {self.name}")
        tls = None if self.tls is None else await ctx.tls(self.tls)

        async def connect(where: Endpoint) -> Channel:
            return await self._connect(where, tls)

        async def use(connection: Connection) -> None:
            await serve(self, ctx, connection)

        group = Redundancy(ctx, self.addresses, self.apci, self.reconnect, connect, use)
        try:
            await group.run()
        except ChannelClosed as closed:
            raise LinkError(str(closed)) from None

    async def _connect(self, where: Endpoint, tls: ssl.SSLContext | None) -> Channel:
        return await StreamChannel.connect(
            where.host, where.port, tls=tls, timeout=self.t0, send_timeout=self.t1
        )


def _address(host: str, port: int) -> Endpoint:
    """Return a host with its port; raises ValueError."""
    bare = host.count(":") > 1 and not host.startswith("[")  # an IPv6 address
    if bare or ":" not in host.rpartition("]")[2]:
        return Endpoint(host.strip("[]"), port)
    return Endpoint.parse(host)
