"""What `gateway check` finds in the rows of a controlled station."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from gateway import ControlModel, LinkPoint
from gateway_iec60870.asdu import Sizes
from gateway_iec60870.controlled.point import Iec60870ServerPoint, address_of, output_of, type_of
from gateway_iec60870.controlled.type import KINDS, STATES, SWITCHES, ControlType, Type, kinds_text

Fault = tuple[LinkPoint, str, str]


def faults(points: Sequence[LinkPoint], sizes: Sizes, default: int | None) -> Iterable[Fault]:
    """Yield what is wrong with the rows of a link; see `Link.check_points`.

    default: the common address of rows that name none.
    """
    shown: dict[tuple[int, int], str] = {}
    commanded: dict[tuple[int, int], str] = {}
    for point in points:
        address, kind = address_of(point), type_of(point)
        ca = address.ca or default
        if ca is None:
            yield point, "ca", "no common address: name it here, or for the link"
            continue
        if point.kind not in KINDS[kind]:
            why = f"a {kind} cannot show a point of kind {point.kind}; {kinds_text(point)} can"
            yield point, "type", why
            continue
        if address.ioa is None:
            yield from _of_nothing_shown(point, address)
        else:
            other = shown.setdefault((ca, address.ioa), point.name)
            if other != point.name:
                yield point, "ioa", f"object {address.ioa} of station {ca} is {other} already"
        yield from _of_size(point, address, sizes)
        yield from _of_shape(point, address, kind)
        output = output_of(point)
        if point.command is None:
            for name in ("control_ioa", "control_type", "long_pulse"):
                if getattr(address, name) is not None:
                    yield point, name, f"{name} commands a point, and command.model is empty"
        if output is None:
            continue
        other = commanded.setdefault((ca, output[0]), point.name)
        if other != point.name:
            name = "ioa" if address.control_ioa is None else "control_ioa"
            yield point, name, f"object {output[0]} of station {ca} commands {other} already"
        yield from _of_control(point, address, output[1])


def _of_nothing_shown(point: LinkPoint, address: Iec60870ServerPoint) -> Iterator[Fault]:
    if address.control_ioa is None:
        yield point, "ioa", "no object address: without it a point is a command's, at control_ioa"
    for name in ("group", "counter_group", "cycle"):
        if getattr(address, name):
            yield point, name, "only a point with an ioa has it"


def _of_size(point: LinkPoint, address: Iec60870ServerPoint, sizes: Sizes) -> Iterator[Fault]:
    for name, most in (
        ("ioa", sizes.last),
        ("control_ioa", sizes.last),
        ("ca", sizes.broadcast - 1),
    ):
        found = getattr(address, name)
        if found is not None and found > most:
            yield point, name, f"found {found}, allowed: 1 to {most}, by the octets of the link"


def _of_shape(point: LinkPoint, address: Iec60870ServerPoint, kind: Type) -> Iterator[Fault]:
    totals = kind is Type.TOTALS
    if address.group and totals:
        yield point, "group", "totals have a counter_group: no station interrogation shows them"
    if address.counter_group and not totals:
        yield point, "counter_group", f"a counter_group is of totals, not of a {kind}"
    if address.cycle is not None and totals:
        yield point, "cycle", "totals are not sent in cycles: interrogate them"
    if point.kind in STATES and (address.scale != 1.0 or address.offset):
        yield point, "scale", f"a point of kind {point.kind} has no scale"


def _of_control(
    point: LinkPoint, address: Iec60870ServerPoint, kind: ControlType
) -> Iterator[Fault]:
    if (kind in SWITCHES) != (point.kind in STATES):
        allowed = ", ".join(
            one for one in ControlType if (one in SWITCHES) == (point.kind in STATES)
        )
        yield (
            point,
            "control_type",
            f"a {kind} command cannot be of a point of kind {point.kind}; {allowed} can",
        )
    control = point.command
    if kind is ControlType.BITSTRING and control is not None and control.select.needed:
        sentence = f"a bitstring cannot be selected: not with command.select {control.select}"
        yield point, "type" if address.control_type is None else "control_type", sentence
    pulse = control is not None and control.model is ControlModel.PULSE
    if address.long_pulse is not None and not pulse:
        yield point, "long_pulse", "a long_pulse is of command.model pulse"
