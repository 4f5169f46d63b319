"""What must hold before a command leaves: who, what, where the switch stands, the interlock."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Protocol

from gateway.command.order import Outcome
from gateway.command.target import Target, doubtful
from gateway.model.access import Permission
from gateway.model.command import (
    Client,
    CommandStatus,
    Control,
    ControlModel,
    Operation,
    Pulse,
    Request,
)
from gateway.model.context import Image
from gateway.model.quality import Quality

_S = CommandStatus

SHORTEST_PULSE = 0.001
LONGEST_PULSE = 3600.0
MOST_PULSES = 255


class Rights(Protocol):
    """Who may do what: `gateway.access.Access`."""

    def may(self, client: Client, permission: Permission, point: int | None = None) -> bool: ...


class Marks(Protocol):
    """What operators did to points: `gateway.engine.override.Overrides`."""

    def blocked(self, point: int) -> bool: ...

    def in_test(self, point: int) -> bool: ...


class Preconditions:
    """The checks, in the order in which a client hears of them."""

    def __init__(self, ids: Mapping[str, int], image: Image, rights: Rights, marks: Marks) -> None:
        """`ids` are those of all points, by name, for the interlocks."""
        self._ids = ids
        self._image = image
        self._rights = rights
        self._marks = marks

    def of_client(self, request: Request) -> Outcome | None:
        """Return why the client may not ask this, whatever the point is."""
        for needed, permission in ((True, Permission.COMMAND), (request.test, Permission.TEST)):
            if needed and not self._rights.may(request.client, permission, request.point):
                role = f"the role {request.client.role}" if request.client.role else "who has none"
                return Outcome(_S.NOT_AUTHORISED, f"the permission {permission} is not of {role}")
        return None

    def of_value(self, request: Request, target: Target) -> Outcome | None:
        """Return what is wrong with the request itself, at any time."""
        if request.operation is Operation.CANCEL:
            return None
        return _value(request.value, target.control, target.own.definition.unit) or _pulse(
            request.pulse, target.control
        )

    def of_moment(self, request: Request, target: Target) -> Outcome | None:
        """Return what speaks against it now; asked again when it is handed to the source."""
        return next(self._against(request, target), None)

    def indicated(self, target: Target, value: float) -> bool:
        """Return whether the feedback shows the commanded value."""
        return target.shows(value, self._image)

    def _against(self, request: Request, target: Target) -> Iterator[Outcome]:
        refused = self.of_client(request)
        if refused is not None:
            yield refused
        if self._marks.blocked(target.point):
            yield Outcome(_S.BLOCKED, f"{target.name} is blocked by an operator")
        if self._marks.in_test(target.point) is not request.test:
            state = "is not" if request.test else "is"
            yield Outcome(_S.BLOCKED, f"{target.name} {state} in test")
        for switch in target.switches:
            why = switch.local(self._image)
            if why:
                yield Outcome(_S.LOCAL, why)
        if target.interlock is not None:
            why = target.interlock.check(self._read)
            if why:
                yield Outcome(_S.INTERLOCKED, f"the interlock does not hold: {why}")
        if target.control.step is not None:
            yield from self._step(request.value, target, target.control.step)

    def _step(self, value: float, target: Target, step: float) -> Iterator[Outcome]:
        now = target.own.value(self._image)
        if now is None:
            why = f"no step can be measured: {target.own.text(self._image)}"
            yield Outcome(_S.OUT_OF_RANGE, why)
        elif not abs(value - now) <= step:
            unit = f" {target.own.definition.unit}".rstrip()
            why = f"found a step from {now:g} to {value:g}{unit}, allowed: {step:g}{unit}"
            yield Outcome(_S.OUT_OF_RANGE, why)

    def _read(self, name: str) -> tuple[float, int]:
        point = self._ids[name]
        quality = int(self._image.quality[point])
        if doubtful(quality) and not quality & Quality.VALIDITY:
            quality |= Quality.QUESTIONABLE
        return float(self._image.value[point]), quality


def _value(value: float, control: Control, unit: str) -> Outcome | None:
    if not math.isfinite(value):
        return Outcome(_S.FORMAT_ERROR, f"found the value {value}, allowed: a number")
    if control.model is not ControlModel.SETPOINT:
        if value not in (0.0, 1.0):
            return Outcome(_S.OUT_OF_RANGE, f"found the value {value:g}, allowed: 0 or 1")
        return None
    low = -math.inf if control.low is None else control.low
    high = math.inf if control.high is None else control.high
    if not low <= value <= high:
        allowed = f"allowed: {low:g} to {high:g} {unit}".rstrip()
        return Outcome(_S.OUT_OF_RANGE, f"found the value {value:g}, {allowed}")
    return None


def _pulse(pulse: Pulse | None, control: Control) -> Outcome | None:
    if pulse is None:
        return None
    if control.model is not ControlModel.PULSE:
        return Outcome(_S.NOT_SUPPORTED, f"its model is {control.model}, not pulse")
    if not (
        SHORTEST_PULSE <= pulse.on_time <= LONGEST_PULSE
        and 0.0 <= pulse.off_time <= LONGEST_PULSE
        and 1 <= pulse.count <= MOST_PULSES
    ):
        return Outcome(
            _S.FORMAT_ERROR,
            f"found {pulse.count} pulses of {pulse.on_time:g} s with {pulse.off_time:g} s between, "
            f"allowed: 1 to {MOST_PULSES} of {SHORTEST_PULSE:g} to {LONGEST_PULSE:g} s",
        )
    return None
