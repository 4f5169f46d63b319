"""The value and the pulse that a command stands for."""

from __future__ import annotations

from gateway import CommandStatus, ControlModel, LinkPoint, Pulse
from gateway_iec60870.asdu import Command
from gateway_iec60870.controlled.point import address_of
from gateway_iec60870.controlled.type import SWITCHES, ControlType

_S = CommandStatus
UNSAID, SHORT, LONG, PERSISTENT = 0, 1, 2, 3
"""The qualifier QU (101 clause 7.2.6.26)."""
OFF, ON = 1, 2
"""The states of a double command; of a step command they lower and raise."""

_QUALIFIERS = {
    ControlModel.LATCH: (UNSAID, PERSISTENT),
    ControlModel.TRIP_CLOSE: (UNSAID, SHORT, LONG, PERSISTENT),
    ControlModel.PULSE: (UNSAID, SHORT, LONG),
}


class Unfit(Exception):  # noqa: N818 - an answer
    """A command that no request can be made of."""

    def __init__(self, status: CommandStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


def wanted(point: LinkPoint, kind: ControlType, said: Command) -> tuple[float, Pulse | None]:
    """Return the value that a command stands for in the point's unit, and its pulse.

    None for the pulse is the point's own, if it has one. Raises Unfit.
    """
    if kind not in SWITCHES:
        if said.qualifier:
            raise Unfit(_S.FORMAT_ERROR, f"found qualifier QL {said.qualifier}, allowed: 0")
        address = address_of(point)
        return said.value * address.scale + address.offset, None
    return _state(kind, said), _pulse(point, said)


def _state(kind: ControlType, said: Command) -> float:
    if kind is ControlType.SINGLE:
        return float(said.value)
    if said.value not in (OFF, ON):
        allowed = "1 (off), 2 (on)" if kind is ControlType.DOUBLE else "1 (lower), 2 (higher)"
        raise Unfit(_S.OUT_OF_RANGE, f"found the state {said.value:g}, allowed: {allowed}")
    return float(said.value - OFF)


def qualifiers(point: LinkPoint) -> tuple[int, ...]:
    """Return the qualifiers QU that a single, double or step command to a point may have."""
    control = point.command
    assert control is not None  # noqa: S101 - it is an output
    if control.model is ControlModel.PULSE and address_of(point).long_pulse is None:
        return UNSAID, SHORT
    return _QUALIFIERS[control.model]


def _pulse(point: LinkPoint, said: Command) -> Pulse | None:
    control = point.command
    assert control is not None  # noqa: S101 - it is an output
    allowed = qualifiers(point)
    if said.qualifier not in allowed:
        known = ", ".join(map(str, allowed))
        why = f"found qualifier QU {said.qualifier}, allowed with model {control.model}: {known}"
        raise Unfit(_S.FORMAT_ERROR, why)
    if control.model is not ControlModel.PULSE or said.qualifier != LONG:
        return None
    long = address_of(point).long_pulse
    assert control.pulse is not None and long is not None  # noqa: S101, PT018 - see above
    return Pulse(long, control.off_time, control.count)
