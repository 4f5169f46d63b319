"""The columns of a point at a `dnp3.master`: where it is read, and how it is commanded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from gateway import ControlModel, Duration, Kind, LinkError, LinkPoint, Point

HIGHEST_INDEX = 0xFFFF


class PointType(StrEnum):
    """What a point is at an outstation; `iin` are its internal indications, bit 0 to 15."""

    BINARY_INPUT = "binary_input"
    DOUBLE_BIT_INPUT = "double_bit_input"
    BINARY_OUTPUT_STATUS = "binary_output_status"
    COUNTER = "counter"
    FROZEN_COUNTER = "frozen_counter"
    ANALOG_INPUT = "analog_input"
    FROZEN_ANALOG_INPUT = "frozen_analog_input"
    ANALOG_OUTPUT_STATUS = "analog_output_status"
    OCTET_STRING = "octet_string"
    IIN = "iin"


GROUPS: dict[PointType, tuple[int, ...]] = {
    PointType.BINARY_INPUT: (1, 2),
    PointType.DOUBLE_BIT_INPUT: (3, 4),
    PointType.BINARY_OUTPUT_STATUS: (10, 11),
    PointType.COUNTER: (20, 22),
    PointType.FROZEN_COUNTER: (21, 23),
    PointType.ANALOG_INPUT: (30, 32),
    PointType.FROZEN_ANALOG_INPUT: (31, 33),
    PointType.ANALOG_OUTPUT_STATUS: (40, 42),
    PointType.IIN: (80,),
}
"""The object groups of each type, the static one first."""

_BY_KIND = {
    Kind.STATUS: PointType.BINARY_INPUT,
    Kind.DOUBLE: PointType.DOUBLE_BIT_INPUT,
    Kind.COUNTER: PointType.COUNTER,
    Kind.ANALOG: PointType.ANALOG_INPUT,
}
_NUMBERS = (Kind.ANALOG, Kind.COUNTER)
_KINDS: dict[PointType, tuple[Kind, ...]] = {
    PointType.BINARY_INPUT: (Kind.STATUS,),
    PointType.DOUBLE_BIT_INPUT: (Kind.DOUBLE,),
    PointType.BINARY_OUTPUT_STATUS: (Kind.STATUS,),
    PointType.COUNTER: _NUMBERS,
    PointType.FROZEN_COUNTER: _NUMBERS,
    PointType.ANALOG_INPUT: _NUMBERS,
    PointType.FROZEN_ANALOG_INPUT: _NUMBERS,
    PointType.ANALOG_OUTPUT_STATUS: _NUMBERS,
    PointType.IIN: (Kind.STATUS,),
}
_OUTPUTS = (PointType.BINARY_OUTPUT_STATUS, PointType.ANALOG_OUTPUT_STATUS)


class ControlType(StrEnum):
    """What carries a command: a control relay output block, an analog output, a restart."""

    CROB = "crob"
    INT32 = "int32"
    INT16 = "int16"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    COLD_RESTART = "cold_restart"
    WARM_RESTART = "warm_restart"


VARIATIONS = {
    ControlType.INT32: 1,
    ControlType.INT16: 2,
    ControlType.FLOAT32: 3,
    ControlType.FLOAT64: 4,
}
"""Variations of g41."""
RESTARTS = (ControlType.COLD_RESTART, ControlType.WARM_RESTART)


class Operate(StrEnum):
    """How a command is carried out that the device has not been asked to select before."""

    DIRECT = "direct"
    SELECT = "select"


Index = Annotated[int, Field(ge=0, le=HIGHEST_INDEX)]


class DnpPoint(Point):
    """The columns of a point at a `dnp3.master`."""

    outstation: Annotated[
        int | None, Field(ge=0, le=0xFFEF, description="its address; default the link's")
    ] = None
    type: Annotated[
        PointType | None, Field(description="what it is there; default what fits its kind")
    ] = None
    index: Annotated[
        Index | None, Field(description="its index among those of its type; without it: not read")
    ] = None
    control_type: Annotated[
        ControlType | None,
        Field(description="crob (default but for setpoints), int16, int32, float32, float64, …"),
    ] = None
    control_index: Annotated[
        Index | None,
        Field(description="index of the output; default index, where the type is an output's"),
    ] = None
    operate: Annotated[
        Operate,
        Field(description="direct, or select before operate for devices that take nothing else"),
    ] = Operate.DIRECT
    trip_time: Annotated[
        Duration, Field(ge=0, le=3600, description="model trip_close: how long the output is on")
    ] = 0.1


def address_of(point: LinkPoint) -> DnpPoint:
    """Return the columns of a point; raises LinkError where it has none."""
    if not isinstance(point.address, DnpPoint):
        raise LinkError(f"point {point.name} has no columns for this link")
    return point.address


def type_of(point: LinkPoint) -> PointType:
    """Return what a point is at its outstation."""
    return address_of(point).type or _BY_KIND[point.kind]


def output_of(point: LinkPoint) -> tuple[ControlType, int] | None:
    """Return what carries the commands of a point, and to which index; None where nothing does."""
    command, address = point.command, address_of(point)
    if command is None:
        return None
    kind = address.control_type
    if kind is None:
        if command.model is ControlModel.SETPOINT:
            return None
        kind = ControlType.CROB
    if kind in RESTARTS:
        return kind, 0
    index = address.control_index
    if index is None and type_of(point) in _OUTPUTS:
        index = address.index
    return None if index is None else (kind, index)


def faults(
    points: Sequence[LinkPoint], outstation: int | None, master: int
) -> Iterable[tuple[LinkPoint, str, str]]:
    """Yield what is wrong with the rows of a link; see `Link.check_points`.

    outstation: of rows that name none; master: the gateway's own address.
    """
    seen: dict[tuple[int, PointType, int], str] = {}
    for point in points:
        address = address_of(point)
        where = outstation if address.outstation is None else address.outstation
        if where is None:
            yield point, "outstation", "no outstation: name it here, or for the link"
            continue
        if where == master:
            yield point, "outstation", f"{where} is the gateway's own address"
            continue
        yield from _of_reading(point, where, seen)
        yield from _of_command(point)


def _of_reading(
    point: LinkPoint, where: int, seen: dict[tuple[int, PointType, int], str]
) -> Iterator[tuple[LinkPoint, str, str]]:
    address, kind = address_of(point), type_of(point)
    if kind is PointType.OCTET_STRING:
        yield point, "type", "a point is a number: octet strings have no place in the gateway"
        return
    if point.kind not in _KINDS[kind]:
        allowed = " or ".join(one.value for one in _KINDS[kind])
        yield (
            point,
            "type",
            f"a point of kind {point.kind} cannot be a {kind}, only one of {allowed}",
        )
        return
    if address.index is None:
        if point.command is None:
            yield point, "index", "no index: a point without one is a command's only"
        return
    if kind is PointType.IIN and address.index > 15:
        yield point, "index", f"indication {address.index}: they are 0 (IIN1.0) to 15 (IIN2.7)"
        return
    other = seen.setdefault((where, kind, address.index), point.name)
    if other != point.name:
        sentence = f"{kind} {address.index} of outstation {where} is {other} already"
        yield point, "index", sentence


def _of_command(point: LinkPoint) -> Iterator[tuple[LinkPoint, str, str]]:
    address, command = address_of(point), point.command
    if command is None:
        for name in ("control_type", "control_index", "operate", "trip_time"):
            if name in address.model_fields_set and getattr(address, name) is not None:
                yield point, name, "only a point with columns command.… has it"
        return
    setpoint = command.model is ControlModel.SETPOINT
    kind = address.control_type
    if kind is None and setpoint:
        yield point, "control_type", "a setpoint is one of int16, int32, float32, float64"
    elif kind is not None and setpoint is not (kind in VARIATIONS):
        allowed = ", ".join(one for one in ControlType if (one in VARIATIONS) is setpoint)
        yield point, "control_type", f"{kind} is not of the model {command.model}: {allowed} are"
    elif kind in RESTARTS:
        if command.select.forwarded:
            yield point, "control_type", f"a {kind} cannot be selected: not with select forward"
    elif output_of(point) is None:
        sentence = f"no index of the output; that of a {type_of(point)} may be another one"
        yield point, "control_index", sentence
    if "trip_time" in address.model_fields_set and command.model is not ControlModel.TRIP_CLOSE:
        yield point, "trip_time", f"it is of the model trip_close, not of {command.model}"
