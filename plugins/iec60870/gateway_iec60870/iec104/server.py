"""The sink `iec104.server`: the gateway as a controlled station of one control centre."""

from __future__ import annotations

import asyncio
import ipaddress
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from gateway import Dissector, Duration, Endpoint, LinkError, SinkContext, TlsServer
from gateway.channel import ChannelClosed, Listener
from gateway_iec60870.apci import ApciSettings, describe
from gateway_iec60870.asdu import describe as describe_asdu
from gateway_iec60870.controlled import Controlled, ControlledLink
from gateway_iec60870.iec104.group import Group
from gateway_iec60870.iec104.reception import MOST_CLIENTS, PlaceTaken, Reception, reception

if TYPE_CHECKING:
    from gateway_iec60870.controlled.sheet import LowerLayers

PORT = 2404
COUNTED = 1.0
"""Seconds from one look at the counters to the next."""
_QUIET = {"i_in", "i_out", "s_in", "s_out", "u_in", "u_out", "tests", "accepted"}
"""Counters of what goes well."""


class Iec104Server(ControlledLink):
    """One control centre, or a redundancy group of it; several at one `listen` share its socket."""

    type: Literal["iec104.server"] = "iec104.server"
    listen: Annotated[
        Endpoint, Field(description="where the control centre connects: 0.0.0.0:2404")
    ]
    tls: Annotated[
        TlsServer | None, Field(description="certificates, for IEC 62351-3; usual port 19998")
    ] = None
    clients: Annotated[
        tuple[str, ...],
        Field(
            description="networks that the control centre connects from, 10.0.0.0/24; default all, "
            "after those that other links at this listen name"
        ),
    ] = ()
    fingerprints: Annotated[
        tuple[str, ...],
        Field(description="tls: SHA-256 of the certificates that it may show; default all"),
    ] = ()
    max_clients: Annotated[
        int, Field(ge=1, le=MOST_CLIENTS, description="connections of this link at once")
    ] = 8
    k: Annotated[int, Field(ge=1, le=32767, description="most ASDUs sent and not acknowledged")] = (
        12
    )
    w: Annotated[
        int, Field(ge=1, le=32767, description="ASDUs after which an acknowledgement is sent")
    ] = 8
    t1: Annotated[
        Duration, Field(gt=0, le=255, description="for an acknowledgement or the answer to a test")
    ] = 15.0
    t2: Annotated[
        Duration, Field(gt=0, le=255, description="most that an acknowledgement waits; below t1")
    ] = 10.0
    t3: Annotated[
        Duration,
        Field(gt=0, le=172_800, description="silence after which the connection is tested"),
    ] = 20.0

    @field_validator("clients")
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
        if self.fingerprints and self.tls is None:
            raise ValueError("fingerprints are of certificates: they need tls")
        if self.fingerprints and self.tls is not None and self.tls.ca is None:
            raise ValueError("fingerprints need tls.ca: without it nobody is asked to show one")
        _ = self.apci_settings
        return self

    @property
    def apci_settings(self) -> ApciSettings:
        """The parameters of its connections."""
        return ApciSettings(k=self.k, w=self.w, t1=self.t1, t2=self.t2, t3=self.t3)

    def lower_layers(self) -> LowerLayers:
        """See `ControlledLink.lower_layers`."""
        from gateway_iec60870.iec104.lower_layers import lower_layers

        return lower_layers(self)

    def describe(self, direction: str, frame: bytes) -> str:
        """See `Link.describe`."""
        return describe(frame, partial(describe_asdu, sizes=self.sizes))

    def dissector(self) -> Dissector:
        """See `Link.dissector`."""
        return Dissector("iec60870_104", port=PORT, table="tcp.port", serves=True)

    async def run(self, ctx: SinkContext) -> None:
        """Serve the control centre until cancelled; raises LinkError where it cannot be reached."""
        tls = None if self.tls is None else await ctx.tls(self.tls)

        async def opener() -> Listener:
            return await Listener.open(
                self.listen.host, self.listen.port, tls=tls, max_clients=MOST_CLIENTS
            )

        controlled = Controlled(ctx, self.manners)
        group = Group(
            ctx,
            controlled,
            self.apci_settings,
            networks=[ipaddress.ip_network(one) for one in self.clients],
            fingerprints=self.fingerprints,
            limit=self.max_clients,
        )
        books = _Books(ctx, group)
        try:
            async with reception(str(self.listen), self.tls, opener, group) as here:
                books.here = here
                ctx.up(f"listens at {here.where.result()}")
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(controlled.run())
                    tasks.create_task(books.run())
                    tasks.create_task(here.ended())
        except* (PlaceTaken, ChannelClosed, LinkError) as errors:
            raise LinkError(str(_first(errors))) from None
        finally:
            books.look()


class _Books:
    """Hands counters on to the operator."""

    def __init__(self, ctx: SinkContext, group: Group) -> None:
        self._ctx = ctx
        self._group = group
        self._known: Counter[str] = Counter()
        self.here: Reception | None = None

    async def run(self) -> None:
        """Look every second."""
        async for _ in self._ctx.every(COUNTED):
            self.look()

    def look(self) -> None:
        """Hand on what has been counted since the last look."""
        counts = self._group.counts
        if self.here is not None and self.here.first is self._group:
            # What happens at the door is counted once, whoever is behind it.
            counts += self.here.counts
        for name, number in (counts - self._known).items():
            if name not in _QUIET:
                self._ctx.count(name, number)
        self._known = counts


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
