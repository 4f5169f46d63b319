"""The columns of a point at a `dnp3.outstation`: what it is there, and how it is commanded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from gateway import ControlModel, Kind, LinkError, LinkPoint, SinkPoint
from gateway_dnp3.outstation.family import FAMILIES, PointType

HIGHEST_INDEX = 0xFFFF


class Type(StrEnum):
    """What a point is to the master; `iin` is an internal indication that follows the point."""

    BINARY_INPUT = "binary_input"
    DOUBLE_BIT_INPUT = "double_bit_input"
    BINARY_OUTPUT_STATUS = "binary_output_status"
    COUNTER = "counter"
    ANALOG_INPUT = "analog_input"
    ANALOG_OUTPUT_STATUS = "analog_output_status"
    IIN = "iin"

    @property
    def shown(self) -> PointType:
        """The type of point that it is."""
        return PointType(self.value)


class ControlType(StrEnum):
    """What the master commands it with."""

    CROB = "crob"
    ANALOG_OUTPUT = "analog_output"


BY_KIND = {
    Kind.STATUS: Type.BINARY_INPUT,
    Kind.DOUBLE: Type.DOUBLE_BIT_INPUT,
    Kind.COUNTER: Type.COUNTER,
    Kind.ANALOG: Type.ANALOG_INPUT,
}
"""What a point is unless its row says otherwise."""
KINDS = {
    Type.BINARY_INPUT: (Kind.STATUS, Kind.DOUBLE),
    Type.DOUBLE_BIT_INPUT: (Kind.DOUBLE, Kind.STATUS),
    Type.BINARY_OUTPUT_STATUS: (Kind.STATUS, Kind.DOUBLE),
    Type.COUNTER: (Kind.COUNTER,),
    Type.ANALOG_INPUT: (Kind.ANALOG, Kind.COUNTER),
    Type.ANALOG_OUTPUT_STATUS: (Kind.ANALOG, Kind.COUNTER),
    Type.IIN: (Kind.STATUS,),
}
"""Which kinds of points each can show."""
INDICATIONS = {4: "need time", 5: "local control", 6: "device trouble", 13: "config corrupt"}
"""The internal indications that a point may drive, by bit; the others are the session's own."""
STATES = (Kind.STATUS, Kind.DOUBLE)

Index = Annotated[int, Field(ge=0, le=HIGHEST_INDEX)]


class DnpOutstationPoint(SinkPoint):
    """The columns of a point at a `dnp3.outstation`."""

    index: Annotated[Index, Field(description="its index among those of its type")]
    type: Annotated[
        Type | None, Field(description="what it is to the master; default what fits its kind")
    ] = None
    event_class: Annotated[
        int | None,
        Field(ge=0, le=3, alias="class", description="1, 2 or 3; 0: no events; default the link's"),
    ] = None
    static_variation: Annotated[
        int | None, Field(ge=1, le=10, description="of its present value; default the type's")
    ] = None
    event_variation: Annotated[
        int | None, Field(ge=1, le=8, description="of its events; default the type's, with time")
    ] = None
    deadband: Annotated[
        float,
        Field(
            ge=0,
            description="analog: an event is due when the value has moved farther from the last "
            "one; in the unit that the master sees; masters may write it (g34)",
        ),
    ] = 0.0
    scale: Annotated[
        float, Field(description="the master sees (value - offset) / scale, and commands the same")
    ] = 1.0
    offset: Annotated[float, Field(description="see scale")] = 0.0
    control_index: Annotated[
        Index | None, Field(description="index of the output that commands it; default index")
    ] = None
    control_type: Annotated[
        ControlType | None,
        Field(description="crob, or analog_output (default for setpoints)"),
    ] = None

    @model_validator(mode="after")
    def _divides(self) -> DnpOutstationPoint:
        if not self.scale:
            raise ValueError("scale 0 leaves nothing to divide by")
        return self


def address_of(point: LinkPoint) -> DnpOutstationPoint:
    """Return the columns of a point; raises LinkError where it has none."""
    if not isinstance(point.address, DnpOutstationPoint):
        raise LinkError(f"point {point.name} has no index at this link")
    return point.address


def type_of(point: LinkPoint) -> Type:
    """Return what a point is to the master."""
    return address_of(point).type or BY_KIND[point.kind]


def output_of(point: LinkPoint) -> tuple[ControlType, int] | None:
    """Return what the master commands a point with, and at which index; None for a measurement."""
    if point.command is None:
        return None
    address = address_of(point)
    kind = address.control_type
    if kind is None:
        setpoint = point.command.model is ControlModel.SETPOINT
        kind = ControlType.ANALOG_OUTPUT if setpoint else ControlType.CROB
    return kind, address.index if address.control_index is None else address.control_index


def faults(points: Sequence[LinkPoint]) -> Iterable[tuple[LinkPoint, str, str]]:
    """Yield what is wrong with the rows of a link; see `Link.check_points`."""
    shown: dict[tuple[Type, int], str] = {}
    commanded: dict[tuple[ControlType, int], str] = {}
    for point in points:
        address, kind = address_of(point), type_of(point)
        if point.kind not in KINDS[kind]:
            allowed = ", ".join(one.value for one, kinds in KINDS.items() if point.kind in kinds)
            yield point, "type", f"a {kind} cannot show a point of kind {point.kind}; {allowed} can"
            continue
        other = shown.setdefault((kind, address.index), point.name)
        if other != point.name:
            yield point, "index", f"{kind} {address.index} is {other} already"
        yield from _of_shape(point, address, kind)
        output = output_of(point)
        if output is None:
            for name in ("control_index", "control_type"):
                if getattr(address, name) is not None:
                    yield point, name, f"{name} commands a point, and command.model is empty"
            continue
        other = commanded.setdefault(output, point.name)
        if other != point.name:
            name = "index" if address.control_index is None else "control_index"
            yield point, name, f"{output[0]} {output[1]} commands {other} already"
        if (output[0] is ControlType.CROB) != (point.kind in STATES):
            allowed = "crob" if point.kind in STATES else "analog_output"
            yield (
                point,
                "control_type",
                f"{output[0]} cannot command a point of kind {point.kind}; {allowed} can",
            )


def _of_shape(
    point: LinkPoint, address: DnpOutstationPoint, kind: Type
) -> Iterator[tuple[LinkPoint, str, str]]:
    if kind is Type.IIN:
        if address.index not in INDICATIONS:
            known = ", ".join(f"{bit} ({name})" for bit, name in INDICATIONS.items())
            yield point, "index", f"found indication {address.index}, allowed: {known}"
        return
    family = FAMILIES[kind.shown]
    for name, given, allowed in (
        ("static_variation", address.static_variation, family.statics),
        ("event_variation", address.event_variation, family.events),
    ):
        if given is not None and given not in allowed:
            known = ", ".join(map(str, sorted(allowed)))
            yield point, name, f"found variation {given} of {kind}, allowed: {known}"
    if address.deadband and kind is not Type.ANALOG_INPUT:
        yield point, "deadband", f"a deadband is of an analog_input, not of a {kind}"
    if point.kind in STATES and (address.scale != 1.0 or address.offset):
        yield point, "scale", f"a point of kind {point.kind} has no scale"
