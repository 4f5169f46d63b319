"""The fields that the sinks of a controlled station have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from gateway import Duration, Keep, KeepRule, LinkPoint, Sink
from gateway_iec60870.asdu import Sizes
from gateway_iec60870.controlled.faults import faults
from gateway_iec60870.controlled.manners import Manners
from gateway_iec60870.controlled.point import CommonAddress, Iec60870ServerPoint
from gateway_iec60870.zone import Zone

if TYPE_CHECKING:
    from gateway_iec60870.controlled.sheet import LowerLayers


class ControlledLink(Sink):
    """A controlled station, for one controlling station or one group of its connections."""

    Point = Iec60870ServerPoint
    by_name = False
    # What the controlling station acknowledged shortly before a crash comes again.
    portion = 500

    ca: Annotated[
        CommonAddress | None, Field(description="common address of points that name none")
    ] = None
    cause_octets: Annotated[
        Literal[1, 2], Field(description="octets of the cause of transmission")
    ] = 2
    ca_octets: Annotated[Literal[1, 2], Field(description="octets of the common address")] = 2
    ioa_octets: Annotated[
        Literal[1, 2, 3], Field(description="octets of the information object address")
    ] = 3
    time_zone: Annotated[
        str, Field(description="zone of the civil time in time tags: UTC, Europe/Berlin")
    ] = "UTC"
    background: Annotated[
        Duration | Literal["never"], Field(description="period of the background scan (cause 2)")
    ] = "never"
    interrogation_wait: Annotated[
        Duration,
        Field(gt=0, description="most that an interrogation waits for the events before it"),
    ] = 5.0
    command_timeout: Annotated[
        Duration | None,
        Field(
            gt=0,
            description="a command is answered within this, negatively where it is not over; "
            "default the times of its point",
        ),
    ] = None
    command_window: Annotated[
        Duration,
        Field(gt=0, description="how far the time of a command may be from the gateway's"),
    ] = 30.0
    restart: Annotated[
        bool, Field(description="whether the controlling station may restart this link (C_RP)")
    ] = False
    keep: Annotated[
        KeepRule,
        Field(description="every or latest, by kind; latest: one event of a point waits at most"),
    ] = KeepRule(analog=Keep.LATEST)
    live_first: Annotated[
        bool, Field(description="events stand in their order: keep this false")
    ] = False

    @model_validator(mode="after")
    def _station(self) -> Self:
        Zone(self.time_zone)
        if self.background != "never" and not self.background > 0:
            raise ValueError("background 0s: give a period, or never")
        most = self.sizes.broadcast - 1
        if self.ca is not None and self.ca > most:
            raise ValueError(
                f"found ca {self.ca}, allowed with ca_octets {self.ca_octets}: 1 to {most}"
            )
        return self

    @property
    def longest(self) -> int:
        """Octets of the longest ASDU."""
        return 249

    @property
    def sizes(self) -> Sizes:
        """The sizes of the fields of an ASDU."""
        return Sizes(self.cause_octets, self.ca_octets, self.ioa_octets, self.longest)

    @property
    def manners(self) -> Manners:
        """How the station behaves."""
        return Manners(
            sizes=self.sizes,
            ca=self.ca,
            zone=Zone(self.time_zone),
            background=None if isinstance(self.background, str) else self.background,
            interrogation_wait=self.interrogation_wait,
            command_timeout=self.command_timeout,
            command_window=self.command_window,
            restart=self.restart,
        )

    def check_points(self, points: Sequence[LinkPoint]) -> Iterable[tuple[LinkPoint, str, str]]:
        """See `Link.check_points`: no object twice, types that can show their points."""
        return faults(points, self.sizes, self.ca)

    def lower_layers(self) -> LowerLayers | None:
        """Return what the interoperability sheet says of the transport; None for no sheet."""
        return None

    def profile(self, points: Sequence[LinkPoint]) -> str | None:
        """See `Sink.profile`: the interoperability sheet of the standard."""
        from gateway_iec60870.controlled.sheet import sheet

        lower = self.lower_layers()
        return None if lower is None else sheet(self, points, lower)
