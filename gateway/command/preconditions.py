"""What must hold before a command leaves: who, what, where the switch stands, the interlock."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from gateway.command.order import Outcome
from gateway.interlock import Interlock, parse
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
from gateway.model.configuration import Bay
from gateway.model.context import Image
from gateway.model.point import Definition, Kind
from gateway.model.quality import Quality, quality_text
from gateway.model.selector import selector

_S = CommandStatus

LONGEST_PULSE = 3600.0
MOST_PULSES = 255
REMOTE = {Kind.STATUS: 1.0, Kind.DOUBLE: 2.0}
"""The value of a bay's switch that stands on remote."""


class Rights(Protocol):
    """Who may do what: `gateway.access.Access`."""

    def may(self, client: Client, permission: Permission, point: int | None = None) -> bool: ...


class Marks(Protocol):
    """What operators did to points: `gateway.engine.override.Overrides`."""

    def blocked(self, point: int) -> bool: ...

    def in_test(self, point: int) -> bool: ...


class Preconditions:
    """Looks at the image in the very moment; each check says which status, and a sentence why."""

    def __init__(
        self,
        definitions: Sequence[Definition | None],
        image: Image,
        rights: Rights,
        marks: Marks,
        bays: Sequence[Bay] = (),
    ) -> None:
        self._definitions = definitions
        self._image = image
        self._rights = rights
        self._marks = marks
        self._ids = {one.name: i for i, one in enumerate(definitions) if one is not None}
        self._bays: dict[int, list[Bay]] = {}
        self._interlocks: dict[int, Interlock] = {}
        for number, definition in enumerate(definitions):
            if definition is None or definition.command is None:
                continue
            bays_of = [bay for bay in bays if selector(bay.points)(definition.name)]
            if bays_of:
                self._bays[number] = bays_of
            if definition.command.interlock is not None:
                self._interlocks[number] = parse(definition.command.interlock)

    def of_request(self, request: Request) -> Outcome | None:
        """Return what is wrong with the request by itself: its client, its point, its value."""
        definition = self._definitions[request.point]
        if definition is None:
            return Outcome(_S.UNKNOWN_POINT, "there is no such point")
        if not self._rights.may(request.client, Permission.COMMAND, request.point):
            return Outcome(_S.NOT_AUTHORISED, f"{_role(request.client)} may not command it")
        if request.test and not self._rights.may(request.client, Permission.TEST, request.point):
            return Outcome(_S.NOT_AUTHORISED, f"{_role(request.client)} may not test it")
        if definition.command is None:
            return Outcome(_S.NOT_SUPPORTED, f"{definition.name} is a measurement, not a command")
        if request.operation is Operation.CANCEL:
            return None
        return _value(request, definition.command, definition.unit) or _pulse(
            request.pulse, definition.command
        )

    def of_moment(self, request: Request) -> Outcome | None:
        """Return what speaks against it now; asked again when it is handed to the source."""
        return next(self._against(request), None)

    def _against(self, request: Request) -> Iterator[Outcome]:
        point, definition = request.point, self._definitions[request.point]
        assert definition is not None
        assert definition.command is not None
        if not self._rights.may(request.client, Permission.COMMAND, point):
            yield Outcome(_S.NOT_AUTHORISED, f"{_role(request.client)} may not command it")
        if self._marks.blocked(point):
            yield Outcome(_S.BLOCKED, f"{definition.name} is blocked by an operator")
        if self._marks.in_test(point) is not request.test:
            state = "is not" if request.test else "is"
            yield Outcome(_S.BLOCKED, f"{definition.name} {state} in test")
        for bay in self._bays.get(point, ()):
            why = self._local(bay)
            if why:
                yield Outcome(_S.LOCAL, f"bay {bay.name} is not on remote: {why}")
        if point in self._interlocks:
            why = self._interlocks[point].check(self.read)
            if why:
                yield Outcome(_S.INTERLOCKED, f"interlock: {why}")
        if definition.command.step is not None:
            now = float(self._image.value[point])
            if not self._good(point):
                quality = quality_text(int(self._image.quality[point]))
                sentence = f"the present value is {quality}, so that no step can be measured"
                yield Outcome(_S.OUT_OF_RANGE, sentence)
            elif not abs(request.value - now) <= definition.command.step:
                yield Outcome(
                    _S.OUT_OF_RANGE,
                    f"a step from {now:g} to {request.value:g}, "
                    f"allowed: {definition.command.step:g} {definition.unit}".rstrip(),
                )

    def read(self, name: str) -> tuple[float, int]:
        """Return the value and quality of a point by name, as an interlock sees it."""
        point = self._ids[name]
        return float(self._image.value[point]), int(self._image.quality[point])

    def indicated(self, control: Control, value: float) -> bool:
        """Return whether the feedback of a command shows the commanded value."""
        assert control.feedback is not None
        point = self._ids[control.feedback]
        definition = self._definitions[point]
        assert definition is not None
        if not self._good(point):
            return False
        shown = float(self._image.value[point])
        if definition.kind is Kind.DOUBLE:
            return shown == value + 1.0  # 1 is off, 2 is on (IEC 61850-7-3 Dbpos)
        if control.model is not ControlModel.SETPOINT:
            return shown == value
        # Smaller moves are not reported at all.
        band = max(control.feedback_band, definition.deadband.width)
        return abs(shown - value) <= band or math.isclose(shown, value, rel_tol=1e-6)

    def _local(self, bay: Bay) -> str:
        point = self._ids[bay.switch]
        definition = self._definitions[point]
        assert definition is not None
        if not self._good(point):
            return f"{bay.switch} is {quality_text(int(self._image.quality[point]))}"
        shown = float(self._image.value[point])
        return "" if shown == REMOTE.get(definition.kind, 1.0) else f"{bay.switch} is {shown:g}"

    def _good(self, point: int) -> bool:
        good = not int(self._image.quality[point]) & Quality.VALIDITY
        return good and not math.isnan(self._image.value[point])


def feedbacks(definitions: Sequence[Definition | None]) -> Mapping[int, int]:
    """Return the point that shows what became of each command, by id."""
    ids = {one.name: i for i, one in enumerate(definitions) if one is not None}
    return {
        number: ids[one.command.feedback]
        for number, one in enumerate(definitions)
        if one is not None and one.command is not None and one.command.feedback is not None
    }


def _role(client: Client) -> str:
    return f"the role {client.role}" if client.role else "who has no role"


def _value(request: Request, control: Control, unit: str) -> Outcome | None:
    value = request.value
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
        return Outcome(_S.NOT_SUPPORTED, f"it is no pulse output, but {control.model.value}")
    times: Callable[[float, float], bool] = lambda low, t: low <= t <= LONGEST_PULSE  # noqa: E731
    if (
        not times(0.001, pulse.on_time)
        or not times(0.0, pulse.off_time)
        or not 1 <= pulse.count <= MOST_PULSES
    ):
        return Outcome(
            _S.FORMAT_ERROR,
            f"found {pulse.count} pulses of {pulse.on_time:g} s with {pulse.off_time:g} s between, "
            f"allowed: 1 to {MOST_PULSES} of 1 ms to {LONGEST_PULSE:g} s",
        )
    return None
