"""The point lists of the interoperability sheet: what is shown, and what is commanded."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from gateway import Control, LinkPoint, SelectRule, seconds_text
from gateway_iec60870.controlled.point import Iec60870ServerPoint, address_of, ca_of, type_of
from gateway_iec60870.controlled.sheet.markdown import Row, table
from gateway_iec60870.controlled.sheet.types import name_of
from gateway_iec60870.controlled.sheet.uses import Output, command_types, shown
from gateway_iec60870.controlled.type import SWITCHES, TYPES, ControlType, Type
from gateway_iec60870.controlled.wanted import qualifiers

if TYPE_CHECKING:
    from gateway_iec60870.controlled.link import ControlledLink

Points = Sequence[LinkPoint]
_SHOWN = (
    *("CA", "IOA", "name", "description", "unit", "interrogated", "event", "group"),
    *("causes", "value in the unit"),
)
_COMMANDED = (
    *("CA", "IOA", "name", "type", "model", "select", "qualifier", "answered within"),
    "takes",
)
_NUMBERS = {
    ControlType.NORMALISED: (-1.0, 1.0),
    ControlType.SCALED: (-32768.0, 32767.0),
    ControlType.BITSTRING: (0.0, 2.0**32 - 1),
}
"""What the octets of a set point can say; a float anything."""
_WHOLE = (ControlType.SCALED, ControlType.BITSTRING)
_STATES = {
    ControlType.SINGLE: "0 off, 1 on",
    ControlType.DOUBLE: "1 off, 2 on",
    ControlType.STEP: "1 lower, 2 higher",
}


def lists(link: ControlledLink, points: Points, commanded: Iterable[Output]) -> Iterator[str]:
    """Yield title and table of each kind of information, then of the commands."""
    ordered = sorted(points, key=lambda point: (ca_of(point, link.ca), address_of(point).ioa or 0))
    for kind in Type:
        mine = [point for point in ordered if type_of(point) is kind]
        if mine:
            title = name_of(TYPES[kind].none)
            yield f"### {title[0].upper()}{title[1:]}"
            yield table(_SHOWN, (_row(link, point) for point in mine))
    outputs = sorted(commanded, key=lambda one: (ca_of(one.point, link.ca), one.object))
    if outputs:
        yield "### Commands"
        yield table(_COMMANDED, (_output(link, one) for one in outputs))


def _row(link: ControlledLink, point: LinkPoint) -> Row:
    address, sent, definition = address_of(point), shown(link, point), point.definition
    causes = [*map(int, sent.causes), *([] if sent.timed is None else [3])]
    return (
        ca_of(point, link.ca),
        address.ioa,
        point.name,
        definition.description,
        definition.unit,
        sent.untimed.name,
        "" if sent.timed is None else sent.timed.name,
        address.counter_group or address.group or "",
        ", ".join(map(str, sorted(causes))),
        _formula(address),
    )


def _formula(address: Iec60870ServerPoint) -> str:
    """Return how the number of an object becomes that of the point."""
    if address.scale == 1.0 and not address.offset:
        return ""
    shift = f" {'+' if address.offset > 0 else '-'} {abs(address.offset):g}"
    return f"number × {address.scale:g}" + (shift if address.offset else "")


def _output(link: ControlledLink, output: Output) -> Row:
    point, ioa, kind, control = output
    switch, bitstring = kind in SWITCHES, kind is ControlType.BITSTRING
    select = "none" if bitstring else "not needed"
    if control.select is not SelectRule.NONE:
        select = f"needed, held for {seconds_text(control.select_timeout)}"
    qualifier = "" if bitstring else "QL 0"
    if switch:
        qualifier = "QU " + ", ".join(map(str, qualifiers(point)))
    return (
        ca_of(point, link.ca),
        ioa,
        point.name,
        ", ".join(one.name for one in command_types(kind)),
        control.model.value,
        select,
        qualifier,
        seconds_text(_within(link, control)),
        _STATES[kind] if switch else _range(kind, control, address_of(point)),
    )


def _within(link: ControlledLink, control: Control) -> float:
    within = control.timeout + (control.feedback_timeout if control.feedback else 0.0)
    return min(within, link.command_timeout or within)


def _range(kind: ControlType, control: Control, address: Iec60870ServerPoint) -> str:
    """Return what a set point takes, in the number of the object."""
    limits = [
        infinite if limit is None else (limit - address.offset) / address.scale
        for limit, infinite in ((control.low, -math.inf), (control.high, math.inf))
    ]
    low, high = sorted(limits)
    least, most = _NUMBERS.get(kind, (-math.inf, math.inf))
    low, high = max(low, least), min(high, most)
    if kind in _WHOLE:
        low, high = math.ceil(low), math.floor(high)
    words = (f"from {low:.10g}" * math.isfinite(low), f"up to {high:.10g}" * math.isfinite(high))
    return " ".join(filter(None, words)) or "any number"
