"""What the YAML of a controlling station has, whatever carries its ASDUs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from gateway import Duration, LinkPoint, Settings, Source
from gateway_iec60870.asdu import Sizes
from gateway_iec60870.controlling.faults import faults
from gateway_iec60870.controlling.manners import GENERAL, Counters, Freeze, Manners, Scan
from gateway_iec60870.controlling.point import CommonAddress, Iec60870Point
from gateway_iec60870.zone import Zone

Never = Literal["never"]
Period = Annotated[Duration, Field(gt=0)]


class GroupSettings(Settings):
    """A group that is interrogated besides."""

    group: Annotated[int, Field(ge=1, le=16, description="number of the group")]
    every: Annotated[Period, Field(description="how often")]
    ca: Annotated[
        CommonAddress | None, Field(description="of which station; default every one of the link")
    ] = None


class CountersSettings(Settings):
    """Counters that are read at whole multiples of a period, wall clock, and at the start."""

    every: Annotated[Period, Field(description="how often")]
    group: Annotated[int, Field(ge=0, le=4, description="number of the group; 0 for all")] = GENERAL
    freeze: Annotated[
        Freeze, Field(description="none, freeze or freeze_reset before, reset after reading")
    ] = Freeze.NONE


class ControllingSource(Source):
    """The fields that `iec104.client` and `iec101.master` have in common."""

    Point = Iec60870Point
    takes_commands = True

    ca: Annotated[
        CommonAddress | None, Field(description="common address of points that name none")
    ] = None
    originator: Annotated[
        int, Field(ge=0, le=255, description="originator address of the gateway; 0 for none")
    ] = 0
    cause_octets: Annotated[
        Literal[1, 2], Field(description="octets of the cause of transmission; 1: no originator")
    ] = 2
    ca_octets: Annotated[Literal[1, 2], Field(description="octets of the common address")] = 2
    ioa_octets: Annotated[
        Literal[1, 2, 3], Field(description="octets of the information object address")
    ] = 3
    interrogation: Annotated[
        Period | Never,
        Field(description="period of general interrogations; at the start there is one anyway"),
    ] = 900.0
    groups: Annotated[
        tuple[GroupSettings, ...], Field(description="groups that are interrogated, how often")
    ] = ()
    counters: Annotated[
        CountersSettings | None, Field(description="how often counters are read, and frozen")
    ] = None
    clock: Annotated[
        Period | Literal["never", "start"],
        Field(description="period of setting the stations' clocks, or at the start only"),
    ] = "never"
    time_zone: Annotated[
        str, Field(description="zone of the times in ASDUs: UTC, Europe/Berlin")
    ] = "UTC"
    timeout: Annotated[
        Duration,
        Field(gt=0, description="for each answer to an interrogation, clock or test command"),
    ] = 15.0
    test: Annotated[
        Period | Never,
        Field(description="silence of a station after which it is sent a test command"),
    ] = "never"

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        return Zone(value).name

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.originator and self.cause_octets == 1:
            raise ValueError(
                f"originator {self.originator} needs cause_octets 2: there is no room for it"
            )
        for address in (self.ca, *(one.ca for one in self.groups)):
            if address is not None and address >= self.sizes.broadcast:
                most = self.sizes.broadcast - 1
                raise ValueError(
                    f"found ca {address}, allowed with ca_octets {self.ca_octets}: 1 to {most}"
                )
        return self

    @property
    def sizes(self) -> Sizes:
        """How long the fields of an ASDU are."""
        return Sizes(self.cause_octets, self.ca_octets, self.ioa_octets)

    def manners(self) -> Manners:
        """Return how the stations are treated."""
        counters = self.counters
        return Manners(
            timeout=self.timeout,
            interrogation=_period(self.interrogation),
            scans=tuple(Scan(one.group, one.every, one.ca) for one in self.groups),
            counters=None
            if counters is None
            else Counters(counters.every, counters.group, counters.freeze),
            clock=math.inf if self.clock == "start" else _period(self.clock),
            test=_period(self.test),
            originator=self.originator,
            zone=Zone(self.time_zone),
        )

    def check_points(self, points: Sequence[LinkPoint]) -> Iterable[tuple[LinkPoint, str, str]]:
        """See `Link.check_points`: no object twice, commands that a station can take."""
        return faults(points, self.ca, self.sizes)


def _period(value: float | str) -> float | None:
    return None if isinstance(value, str) else value
