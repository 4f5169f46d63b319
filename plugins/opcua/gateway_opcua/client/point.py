"""The columns of a point at an `opcua.client`: where it is read, where it is commanded."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from gateway import (
    Control,
    ControlModel,
    Duration,
    Kind,
    LinkPoint,
    Point,
    SelectRule,
    seconds_text,
)
from gateway_opcua.client.address import parse, parse_node, parse_path


def _checked_node(text: str) -> str:
    parse_node(text)
    return text


def _checked_path(text: str) -> str:
    parse_path(text)
    return text


def _checked(text: str) -> str:
    parse(text)
    return text


NodeText = Annotated[str, Field(max_length=4096), AfterValidator(_checked_node)]
"""A node id: `nsu=urn:plant;s=Feeder1.Voltage`."""
PathText = Annotated[str, Field(max_length=4096), AfterValidator(_checked_path)]
"""A browse path from the Root folder: `/Objects/2:Plant/2:Feeder1`."""
PlaceText = Annotated[str, Field(max_length=4096), AfterValidator(_checked)]
"""Either of them."""


class ValueType(StrEnum):
    """Built-in types of numbers (OPC 10000-6, 5.1.2), as they are written."""

    BOOLEAN = "boolean"
    SBYTE = "sbyte"
    BYTE = "byte"
    INT16 = "int16"
    UINT16 = "uint16"
    INT32 = "int32"
    UINT32 = "uint32"
    INT64 = "int64"
    UINT64 = "uint64"
    FLOAT = "float"
    DOUBLE = "double"


class ClientPoint(Point):
    """The columns of a point at an `opcua.client`."""

    node: Annotated[
        NodeText | None,
        Field(
            description="node id: nsu=<namespace URI>;s=…, i=…, g=…, b=…; "
            "ns=<index> instead of nsu= breaks when the server numbers its namespaces anew"
        ),
    ] = None
    path: Annotated[
        PathText | None,
        Field(
            description="browse path from the Root folder instead: /Objects/2:Plant/2:Feeder1, "
            "or with URIs /Objects/nsu=urn:plant;Plant"
        ),
    ] = None
    index: Annotated[
        int | None, Field(ge=0, le=0xFFFF_FFFF, description="element of an array, 0 the first")
    ] = None
    sampling: Annotated[
        Duration | None,
        Field(description="how often the server looks; 0ms: at every change; default the link's"),
    ] = None
    queue: Annotated[
        int | None,
        Field(ge=1, le=65_535, description="values that the server keeps; default the link's"),
    ] = None
    deadband: Annotated[
        float | None,
        Field(
            gt=0,
            description="asked of the server, in its own unit: smaller changes are not sent; "
            "the point's own deadband is the gateway's",
        ),
    ] = None
    poll: Annotated[
        Duration | None, Field(gt=0, description="read at this period instead of monitored")
    ] = None
    write: Annotated[
        PlaceText | None,
        Field(description="node id or path of what a command writes; default what is read"),
    ] = None
    write_type: Annotated[
        ValueType | None, Field(description="type that is written; default the node's own")
    ] = None
    write_on: Annotated[
        float | None,
        Field(description="what is written for 1; default 1, for double points of integers 2"),
    ] = None
    write_off: Annotated[
        float | None,
        Field(description="what is written for 0; default 0, for double points of integers 1"),
    ] = None
    trip: Annotated[
        PlaceText | None,
        Field(description="model trip_close: where write_on trips; a close is at write"),
    ] = None
    object: Annotated[
        PlaceText | None, Field(description="node id or path of the object of the methods")
    ] = None
    method: Annotated[
        PlaceText | None,
        Field(description="called with the value to execute a command, instead of a write"),
    ] = None
    select_method: Annotated[
        PlaceText | None, Field(description="called with the value to select the point")
    ] = None
    cancel_method: Annotated[
        PlaceText | None, Field(description="called without a value to cancel a selection")
    ] = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.node is not None and self.path is not None:
            raise ValueError("node and path both say where it is; give one")
        if self.read is None and self.write is None and self.method is None:
            raise ValueError(
                "neither node nor path says where it is read; "
                "allowed without: a point with write or method, which is commanded only"
            )
        methods = [n for n in ("method", "select_method", "cancel_method") if getattr(self, n)]
        if methods and self.object is None:
            raise ValueError(f"{methods[0]} needs object, whose method it is")
        if self.object is not None and self.method is None:
            raise ValueError("object needs method, which executes a command")
        return self

    @property
    def read(self) -> str | None:
        """Where it is read."""
        return self.node or self.path

    @property
    def written(self) -> str | None:
        """Where a command writes, if no method takes it."""
        return None if self.method is not None else self.write or self.read


_WRITES = ("write", "write_type", "write_on", "write_off", "trip")
_METHODS = ("method", "select_method", "cancel_method", "object")
_MONITORS = ("sampling", "queue", "deadband")


def faults(point: LinkPoint, address: ClientPoint, polled: bool) -> Iterator[tuple[str, str]]:
    """Yield the column and a sentence for what cannot be as the row of a point says."""
    given = {name for name in type(address).model_fields if getattr(address, name) is not None}
    for name in _MONITORS:
        if name in given and (polled or address.poll is not None):
            yield name, f"{name} is of monitored points, and this one is polled"
    if address.read is None:
        for name in (*_MONITORS, "poll", "index"):
            if name in given:
                yield name, f"{name} is of what is read, and neither node nor path says where"
    if "deadband" in given and point.kind not in (Kind.ANALOG, Kind.COUNTER):
        yield "deadband", f"deadband is of analog and counter points, not of {point.kind}"
    control = point.command
    if control is None:
        for name in (*_WRITES, *_METHODS):
            if name in given:
                yield (
                    name,
                    f"{name} commands a point, and command.model is empty: nobody may command it",
                )
        return
    yield from _command_faults(point, address, control, given)


def _command_faults(
    point: LinkPoint, address: ClientPoint, control: Control, given: set[str]
) -> Iterator[tuple[str, str]]:
    if address.method is not None:
        for name in _WRITES:
            if name in given:
                yield name, f"a command is either written or a method; found {name} and method"
    forward = control.select is SelectRule.FORWARD
    if forward and address.select_method is None:
        yield (
            "",
            "command.select forward needs select_method, method and object: a server knows no "
            "other select; allowed: none, or local, where the gateway holds the select",
        )
    for name in ("select_method", "cancel_method"):
        if name in given and not forward:
            yield name, f"{name} is of command.select forward, not of {control.select}"
    if point.kind not in (Kind.STATUS, Kind.DOUBLE):
        for name in ("write_on", "write_off"):
            if name in given:
                yield name, f"{name} is for status and double points, not for {point.kind}"
    if address.write_on is not None and address.write_on == address.write_off:
        yield "write_on", f"1 and 0 are both written as {address.write_on:g}"
    if address.trip is not None and control.model is not ControlModel.TRIP_CLOSE:
        yield "trip", f"trip is of model trip_close, not of {control.model}"
    pulse = control.pulse
    if pulse is not None and address.method is None:
        lasts = pulse.count * pulse.on_time + (pulse.count - 1) * pulse.off_time
        if lasts >= control.timeout:
            yield (
                "",
                f"the output is driven for {seconds_text(lasts)}, and command.timeout is "
                f"{seconds_text(control.timeout)}: the answer could not come in time",
            )
