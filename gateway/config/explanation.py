"""Where a point comes from, what is done to it, and where it goes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from gateway.config.selection import takes
from gateway.model.access import BUILT_IN, Permission
from gateway.model.command import Control, ControlModel, SelectRule
from gateway.model.configuration import Configuration
from gateway.model.explanation import Explanation, Hop
from gateway.model.fields import seconds_text
from gateway.model.link import Link, Sink
from gateway.model.point import DeadbandKind, Definition, Keep, Kind, SinkPoint
from gateway.model.selector import selector


def explain(configuration: Configuration, name: str | Definition) -> Explanation:
    """Return what happens to the point of this name; KeyError where there is none.

    A definition stands for itself: a health point's is in no file.
    """
    point = _named(configuration, name) if isinstance(name, str) else name
    source = next((one for one in configuration.sources if one.name == point.source), None)
    return Explanation(
        point,
        None if source is None else _hop(source, point),
        tuple(_conversions(point)),
        tuple(_at_sink(sink, point) for sink in configuration.sinks),
        () if point.command is None else tuple(_command(point, point.command, configuration)),
    )


def _named(configuration: Configuration, name: str) -> Definition:
    for point in configuration.points:
        if point.name == name:
            return point
    raise KeyError(name)


def settings_of(link: Link) -> dict[str, Any]:
    """Return what the YAML says of a link, secrets masked."""
    settings = _dump(link, exclude_unset=True)
    for key in ("name", "type"):
        settings.pop(key, None)
    return settings


def _hop(link: Link, point: Definition) -> Hop:
    settings = _dump(link, exclude_unset=True)
    for key in ("name", "type", "select", "keep"):
        settings.pop(key, None)
    address = point.addresses.get(link.name)
    if address is None:
        return Hop(link.name, link.type, settings)
    # A column that is left to the plugin says nothing of the point.
    given = _dump(address, exclude_unset=True)
    columns = {key: one for key, one in _dump(address).items() if key in given or one != "auto"}
    return Hop(link.name, link.type, settings, columns)


def _at_sink(sink: Sink, point: Definition) -> Hop:
    if not takes(sink, point):
        selected = sink.by_name or sink.name in point.addresses
        reason = (
            f"its select is {', '.join(sink.select)}"
            if selected
            else f"the row has no {sink.name}.… columns"
        )
        return Hop(sink.name, sink.type, left_out=reason)
    hop = _hop(sink, point)
    hop.address.pop("keep", None)
    address = point.addresses.get(sink.name)
    keep: Keep | None = address.keep if isinstance(address, SinkPoint) else None
    rule = f"column {sink.name}.keep" if keep else f"the sink's rule for {point.kind.value}"
    keep = keep or sink.keep.of(point.kind)
    return Hop(sink.name, sink.type, hop.settings, hop.address, keep.value, rule)


def _dump(model: BaseModel, *, exclude_unset: bool = False) -> dict[str, Any]:
    return model.model_dump(
        mode="json", by_alias=True, exclude_unset=exclude_unset, exclude_none=True
    )


def _conversions(point: Definition) -> list[tuple[str, str]]:
    unit = f" {point.unit}" if point.unit else ""
    formula = "raw"
    if point.scale != 1:
        formula += f" × {point.scale:g}"
    if point.offset:
        formula += f" {'+' if point.offset > 0 else '−'} {abs(point.offset):g}"
    steps = [("value", f"{formula}{unit}" if formula != "raw" else f"as the device gives it{unit}")]
    if math.isfinite(point.low):
        steps.append(("low", f"{point.low:g}{unit}, below it questionable, outOfRange"))
    if math.isfinite(point.high):
        steps.append(("high", f"{point.high:g}{unit}, above it questionable, outOfRange"))
    if math.isfinite(point.rate):
        steps.append(("rate", f"{point.rate:g}{unit} per second, faster is questionable"))
    width = point.deadband.width
    if width < 0:
        steps.append(("deadband", "none: every sample is reported"))
    elif point.deadband.kind is DeadbandKind.INTEGRATED:
        steps.append(("deadband", f"{width:g}{unit}·s, integrated"))
    elif width:
        steps.append(("deadband", f"{width:g}{unit}, smaller changes are not reported"))
    else:
        steps.append(("deadband", "0: each change is reported"))
    return steps


_MODELS = {
    ControlModel.LATCH: "latch: 1 and 0 are states to stay in",
    ControlModel.PULSE: "pulse",
    ControlModel.TRIP_CLOSE: "trip_close: 0 trips, 1 closes",
    ControlModel.SETPOINT: "setpoint",
}
_SELECTS = {
    SelectRule.NONE: "not needed; one is held by the gateway",
    SelectRule.LOCAL: "needed, held by the gateway",
    SelectRule.FORWARD: "needed, held by the gateway and the device",
}


def _command(
    point: Definition, command: Control, configuration: Configuration
) -> Iterator[tuple[str, str]]:
    unit = f" {point.unit}" if point.unit else ""
    model, pulse = _MODELS[command.model], command.pulse
    if pulse is not None:
        model += f": {pulse.count} × {seconds_text(pulse.on_time)}"
        model += f", {seconds_text(pulse.off_time)} between" if pulse.count > 1 else ""
    yield "model", model
    if command.model is ControlModel.SETPOINT and (point.scale != 1 or point.offset):
        shift = f"{'−' if point.offset > 0 else '+'} {abs(point.offset):g}"
        value = f"(value {shift})" if point.offset else "value"
        yield "raw", value + (f" ÷ {point.scale:g}" if point.scale != 1 else "")
    yield "select", f"{_SELECTS[command.select]} for {seconds_text(command.select_timeout)}"
    if command.low is not None:
        yield "lowest", f"{command.low:g}{unit}"
    if command.high is not None:
        yield "highest", f"{command.high:g}{unit}"
    if command.step is not None:
        yield "step", f"at most {command.step:g}{unit} from the present value"
    bays = [bay for bay in configuration.commands.bays if selector(bay.points)(point.name)]
    if bays:
        switches = (
            f"{one.name}: {one.switch} {_remote(one.switch, configuration)}" for one in bays
        )
        yield "bay", " and ".join(switches)
    if command.interlock is not None:
        yield "interlock", " ".join(command.interlock.split())
    if command.interval:
        yield "interval", f"{seconds_text(command.interval)} from one command to the next"
    yield "timeout", f"the device answers within {seconds_text(command.timeout)}"
    if command.feedback is not None:
        band = f" to within {command.feedback_band:g}{unit}" if command.feedback_band else ""
        within = seconds_text(command.feedback_timeout)
        yield "feedback", f"{command.feedback} follows{band} within {within}"
    yield "roles", ", ".join(_roles(point, configuration)) or "none"


def _remote(switch: str, configuration: Configuration) -> str:
    kinds = (one.kind for one in configuration.points if one.name == switch)
    return "must be on (2)" if Kind.DOUBLE in kinds else "must be 1"


def _roles(point: Definition, configuration: Configuration) -> Iterator[str]:
    """Yield the roles that may command a point."""
    own = {role.name: role for role in configuration.access.roles}
    for name in dict.fromkeys([*BUILT_IN, *own]):
        role = own.get(name)
        permissions = BUILT_IN[name] if role is None else role.permissions
        if Permission.COMMAND in permissions and (
            role is None or selector(role.points)(point.name)
        ):
            yield name
