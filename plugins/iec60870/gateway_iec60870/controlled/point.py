"""The columns of a point at a controlled station."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from gateway import Duration, LinkError, LinkPoint, SinkPoint
from gateway_iec60870.controlled.type import BY_KIND, ControlType, TimeTag, Type, control_type

HIGHEST_OBJECT = 0xFFFFFF
HIGHEST_ADDRESS = 0xFFFE

ObjectAddress = Annotated[int, Field(ge=1, le=HIGHEST_OBJECT)]
CommonAddress = Annotated[int, Field(ge=1, le=HIGHEST_ADDRESS)]


class Iec60870ServerPoint(SinkPoint):
    """The columns of a point at `iec104.server` and `iec101.slave`."""

    ioa: Annotated[
        ObjectAddress | None,
        Field(description="information object address; without it: not shown, commanded only"),
    ] = None
    ca: Annotated[CommonAddress | None, Field(description="common address; default the link's")] = (
        None
    )
    type: Annotated[
        Type | None,
        Field(description="what it is to the controlling station; default what fits its kind"),
    ] = None
    time: Annotated[TimeTag, Field(description="time tag of its events: cp56, cp24 or none")] = (
        TimeTag.CP56
    )
    group: Annotated[
        int, Field(ge=0, le=16, description="group of interrogation; 0: the station's only")
    ] = 0
    counter_group: Annotated[
        int, Field(ge=0, le=4, description="totals: group of counter interrogation; 0: none")
    ] = 0
    cycle: Annotated[
        Duration | None, Field(gt=0, description="period of cyclic transmission (cause 1)")
    ] = None
    background: Annotated[
        bool, Field(description="whether it is in the background scan (cause 2) of the link")
    ] = True
    spontaneous: Annotated[
        bool | None,
        Field(description="whether its changes are events (cause 3); default unless cyclic"),
    ] = None
    scale: Annotated[
        float,
        Field(description="it shows (value - offset) / scale, and is commanded the same way"),
    ] = 1.0
    offset: Annotated[float, Field(description="see scale")] = 0.0
    control_ioa: Annotated[
        ObjectAddress | None, Field(description="object address that commands it; default ioa")
    ] = None
    control_type: Annotated[
        ControlType | None,
        Field(description="what commands it; default double for trip_close, single, float"),
    ] = None
    long_pulse: Annotated[
        Duration | None,
        Field(gt=0, description="model pulse: on time of a long pulse (qualifier 2)"),
    ] = None

    @model_validator(mode="after")
    def _divides(self) -> Iec60870ServerPoint:
        if not self.scale:
            raise ValueError("scale 0 leaves nothing to divide by")
        return self

    @property
    def eventful(self) -> bool:
        """Whether its changes are events."""
        if self.ioa is None:
            return False
        return self.cycle is None if self.spontaneous is None else self.spontaneous


def address_of(point: LinkPoint) -> Iec60870ServerPoint:
    """Return the columns of a point; raises LinkError where it has none."""
    if not isinstance(point.address, Iec60870ServerPoint):
        raise LinkError(f"point {point.name} has no object address at this link")
    return point.address


def ca_of(point: LinkPoint, default: int | None) -> int:
    """Return the common address of a point, `default` where it names none; raises LinkError."""
    ca = address_of(point).ca or default
    if ca is None:
        raise LinkError(f"point {point.name} has no common address, nor has the link")
    return ca


def type_of(point: LinkPoint) -> Type:
    """Return what a point is to the controlling station."""
    return address_of(point).type or BY_KIND[point.kind]


def output_of(point: LinkPoint) -> tuple[int, ControlType] | None:
    """Return the object address and type that command a point; None for a measurement."""
    address = address_of(point)
    ioa = address.ioa if address.control_ioa is None else address.control_ioa
    if point.command is None or ioa is None:
        return None
    return ioa, address.control_type or control_type(point.command.model, type_of(point))
