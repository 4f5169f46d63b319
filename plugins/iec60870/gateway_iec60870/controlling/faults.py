"""What is wrong with the rows of a link, beyond what one cell shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from gateway import ControlModel, Kind, LinkPoint
from gateway_iec60870.asdu import Sizes
from gateway_iec60870.controlling.output import output_type
from gateway_iec60870.controlling.point import (
    SETPOINTS,
    ControlType,
    Family,
    Operate,
    address_of,
    family_of,
)

Fault = tuple[LinkPoint, str, str]
_OF_COMMANDS = (
    "control_ioa",
    "control_type",
    "qualifier",
    "time_tag",
    "termination",
    "operate",
)
MOST_QU = 31
_LIMIT = "allowed: 1 to {}, by the octets of the link"


def faults(points: Sequence[LinkPoint], ca: int | None, sizes: Sizes) -> Iterable[Fault]:
    """Yield what is wrong with the rows of a link; see `Link.check_points`.

    ca: common address of rows that name none.
    """
    seen: dict[tuple[int, int, Family, int | None], str] = {}
    for point in points:
        address = address_of(point)
        where = ca if address.ca is None else address.ca
        if where is None:
            yield point, "ca", "no common address: name it here, or for the link"
            continue
        if where >= sizes.broadcast:
            yield point, "ca", f"found {where}, {_LIMIT.format(sizes.broadcast - 1)}"
            continue
        for name in ("ioa", "control_ioa"):
            value = getattr(address, name)
            if value is not None and value > sizes.last:
                yield point, name, f"found {value}, {_LIMIT.format(sizes.last)}"
        yield from _of_reading(point, where, seen)
        yield from _of_command(point)


def _of_reading(
    point: LinkPoint, where: int, seen: dict[tuple[int, int, Family, int | None], str]
) -> Iterator[Fault]:
    address = address_of(point)
    if address.bit is not None and point.kind is not Kind.STATUS:
        yield point, "bit", f"a bit is a point of kind status, not {point.kind}"
        return
    if address.ioa is None:
        if address.bit is not None:
            yield point, "ioa", "no object address whose bit it could be"
        elif point.command is None:
            yield point, "ioa", "no object address: a point without one is a command's only"
        return
    family = family_of(point)
    other = seen.setdefault((where, address.ioa, family, address.bit), point.name)
    if other != point.name:
        bit = "" if address.bit is None else f"bit {address.bit} of "
        sentence = f"{bit}object {address.ioa} of station {where} is {other} already"
        yield point, "ioa" if address.bit is None else "bit", sentence


def _of_command(point: LinkPoint) -> Iterator[Fault]:
    address, command = address_of(point), point.command
    if command is None:
        for name in _OF_COMMANDS:
            if name in address.model_fields_set and getattr(address, name) is not None:
                yield point, name, "only a point with columns command.… has it"
        return
    if address.control_ioa is None and address.ioa is None:
        yield point, "control_ioa", "no object address that the command could be for"
    kind = output_type(point)
    setpoint = command.model is ControlModel.SETPOINT
    if kind is None:
        yield point, "control_type", f"a setpoint is one of {', '.join(SETPOINTS)}"
        return
    if setpoint is not (kind in SETPOINTS):
        allowed = ", ".join(one for one in ControlType if (one in SETPOINTS) is setpoint)
        yield point, "control_type", f"{kind} is not of the model {command.model}: {allowed} are"
        return
    if kind is ControlType.BITSTRING:
        if command.select.forwarded:
            yield point, "control_type", "a bitstring cannot be selected: not with select forward"
        if address.operate is Operate.SELECT:
            yield point, "operate", "a bitstring cannot be selected"
        if address.qualifier is not None:
            yield point, "qualifier", "a bitstring has none"
    elif not setpoint and (address.qualifier or 0) > MOST_QU:
        sentence = f"found {address.qualifier}, allowed of a {kind} command: 0 to {MOST_QU}"
        yield point, "qualifier", sentence
    if command.count > 1:
        yield point, "", "a command cannot say how many pulses: command.count is to be 1"
