"""The source `iec101.master`: stations on a serial line, or on one behind a terminal server."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from gateway import Dissector, Duration, LinkError, LinkPoint, Settings, SourceContext, seconds_text
from gateway.channel import ChannelClosed
from gateway_iec60870.asdu import Sizes
from gateway_iec60870.asdu import describe as describe_asdu
from gateway_iec60870.controlling import ControllingSource, Manners
from gateway_iec60870.controlling.point import CommonAddress, address_of
from gateway_iec60870.ft12 import BalancedSettings, PolledSettings, describe
from gateway_iec60870.iec101.line_fields import READ_AT, LineFields, LinkAddress
from gateway_iec60870.iec101.serving import serve

ABREAST = 2
"""Stations that are interrogated at one time: more of them only wait for the line."""


class StationSettings(Settings):
    """A station of a multi-drop line whose link address is not its common address."""

    link: Annotated[LinkAddress, Field(description="its link address")]
    ca: Annotated[
        CommonAddress | Annotated[tuple[CommonAddress, ...], Field(min_length=1)] | None,
        Field(description="its common address, or several: 10, [10, 11]; default its link address"),
    ] = None

    @property
    def addresses(self) -> tuple[int, ...]:
        """Its common addresses."""
        if self.ca is None:
            return (self.link,)
        return (self.ca,) if isinstance(self.ca, int) else self.ca


class Iec101Master(LineFields, ControllingSource):
    """Stations on a line."""

    type: Literal["iec101.master"] = "iec101.master"
    cause_octets: Annotated[
        Literal[1, 2], Field(description="octets of the cause of transmission; 1: no originator")
    ] = 1
    ca_octets: Annotated[Literal[1, 2], Field(description="octets of the common address")] = 1
    ioa_octets: Annotated[
        Literal[1, 2, 3], Field(description="octets of the information object address")
    ] = 2
    stations: Annotated[
        tuple[StationSettings, ...],
        Field(
            description="unbalanced: stations whose link address is not their common address: "
            "[{link: 1, ca: 10}, {link: 2, ca: [20, 21]}]"
        ),
    ] = ()
    class_2: Annotated[
        Duration,
        Field(ge=0, description="unbalanced: how often class 2 data is asked for; 0s: always"),
    ] = 1.0
    class_1: Annotated[
        Annotated[Duration, Field(gt=0)] | Literal["never"],
        Field(
            description="unbalanced: how often class 1 data is asked for where no station says "
            "that it has some"
        ),
    ] = "never"
    pause: Annotated[
        Duration,
        Field(gt=0, description="before a station that does not answer is asked again; doubles"),
    ] = 2.0
    pause_max: Annotated[Duration, Field(gt=0, description="the longest such pause")] = 60.0
    probe_share: Annotated[
        float,
        Field(
            gt=0,
            le=1,
            description="unbalanced: largest part of the time spent on stations that do not "
            "answer, while others do",
        ),
    ] = 0.1

    @classmethod
    def only(cls) -> dict[str, tuple[str, str]]:
        """See `LineFields.only`."""
        names = ("stations", "class_2", "class_1", "probe_share")
        return dict.fromkeys(names, ("mode", "unbalanced"))

    @model_validator(mode="after")
    def _stations(self) -> Self:
        if self.stations and self.link is not None:
            raise ValueError("either link, for one station, or stations")
        known: dict[int, int] = {}
        links: set[int] = set()
        for one in self.stations:
            self._check_link("link", one.link)
            if one.link in links:
                raise ValueError(f"stations: link {one.link} is there twice")
            links.add(one.link)
            for address in one.addresses:
                if address >= self.sizes.broadcast or not address:
                    most = self.sizes.broadcast - 1
                    raise ValueError(
                        f"stations: found ca {address}, allowed with ca_octets {self.ca_octets}: "
                        f"1 to {most}"
                    )
                other = known.setdefault(address, one.link)
                if other != one.link:
                    raise ValueError(f"stations: ca {address} is of link {other} already")
        if self.balanced and self.link_octets and self.link is None and self.ca is None:
            raise ValueError("mode balanced needs link, the link address of the station")
        if self.pause > self.pause_max:
            raise ValueError(
                f"found pause_max {seconds_text(self.pause_max)}, "
                f"allowed: from pause ({seconds_text(self.pause)})"
            )
        if self.ca is not None:
            self.link_of(self.ca)
        return self

    @property
    def sizes(self) -> Sizes:
        """See `ControllingSource.sizes`."""
        return Sizes(self.cause_octets, self.ca_octets, self.ioa_octets, self.longest_asdu)

    def manners(self) -> Manners:
        """See `ControllingSource.manners`."""
        return replace(super().manners(), tagged_test=False, abreast=ABREAST)

    def link_of(self, address: int) -> int:
        """Return the link address of a station by its common address; raises ValueError."""
        if self.stations:
            for one in self.stations:
                if address in one.addresses:
                    return one.link
            known = ", ".join(str(ca) for one in self.stations for ca in one.addresses)
            raise ValueError(f"found ca {address}, allowed: {known} (stations)")
        link = self.link
        if link is None:
            # There is one other station on a balanced line.
            alone = self.ca if self.balanced else None
            link = self._default_link(address if alone is None else alone)
        return link if self.link_octets else 0

    def association(self, link: int) -> PolledSettings | BalancedSettings:
        """Return how the link layer deals with a station, by its link address."""
        if self.balanced:
            return BalancedSettings(
                controlling=True,
                local=link if self.master_link is None else self.master_link,
                remote=link,
                octets=self.link_octets,
                timeout=self.link_timeout,
                retries=self.link_retries,
                pause=self.pause,
                pause_max=self.pause_max,
                test=self.link_test,
                single=self.single_character,
            )
        return PolledSettings(
            address=link,
            octets=self.link_octets,
            timeout=self.link_timeout,
            retries=self.link_retries,
            pause=self.pause,
            pause_max=self.pause_max,
            single=self.single_character,
            class_2=self.class_2,
            class_1=None if isinstance(self.class_1, str) else self.class_1,
        )

    def check_points(self, points: Sequence[LinkPoint]) -> Iterable[tuple[LinkPoint, str, str]]:
        """See `Link.check_points`: besides, every station has a link address."""
        yield from super().check_points(points)
        for point in points:
            address = address_of(point).ca
            if address is not None and address < self.sizes.broadcast:
                try:
                    self.link_of(address)
                except ValueError as error:
                    yield point, "ca", str(error)

    def describe(self, direction: str, frame: bytes) -> str:
        """See `Link.describe`."""
        return describe(frame, self.link_octets, partial(describe_asdu, sizes=self.sizes))

    def dissector(self) -> Dissector:
        """See `Link.dissector`."""
        return Dissector("iec60870_101", port=READ_AT, table="tcp.port", serves=False)

    async def run(self, ctx: SourceContext) -> None:
        """Open the line and read; see `Source.run`."""
        if not ctx.points:
            raise LinkError(f"no point names an object of {self.name}")
        try:
            if self.listen is None:
                await serve(self, ctx, await self.open())
                return
            listener = await self.open_listener()
            try:
                await serve(self, ctx, await listener.accept(), listener)
            finally:
                await listener.close()
        except ChannelClosed as closed:
            raise LinkError(str(closed)) from None
