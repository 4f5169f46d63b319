"""What the command columns of one row say of that row and of other points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from gateway.config.names import Names
from gateway.config.problem import excerpt
from gateway.interlock import Condition, Flag, InterlockError, Position, Relation, parse
from gateway.model.command import Control, ControlModel
from gateway.model.point import Definition, Kind

NUMBERS = (Kind.ANALOG, Kind.COUNTER)
STATES = (Kind.STATUS, Kind.DOUBLE)


def check(
    points: Sequence[Definition], names: Names, deaf: Mapping[str, str]
) -> Iterator[tuple[int, str, str]]:
    """Yield the position of a point, a field of its command, and what is wrong with it there.

    `deaf`: the sources that take no commands, and their types.
    """

    @cache
    def interlock(text: str) -> str:
        return _interlock(text, names)

    for i, point in enumerate(points):
        command = point.command
        if command is None:
            continue
        kinds = _kinds(command)
        if point.source is not None and point.source in deaf:
            where = f"{point.source} ({deaf[point.source]})"
            yield i, "model", f"{where} takes no commands; leave the columns command.… empty"
        if point.kind not in kinds:
            yield i, "model", _model(command, point.kind)
        if command.interlock is not None and (sentence := interlock(command.interlock)):
            yield i, "interlock", sentence
        if command.feedback is not None and (sentence := _feedback(command, kinds, names)):
            yield i, "feedback", sentence
        for field, needs in _pointless(command):
            yield i, field, f"this does nothing without {needs}"


def _kinds(command: Control) -> tuple[Kind, ...]:
    return NUMBERS if command.model is ControlModel.SETPOINT else STATES


def _model(command: Control, kind: Kind) -> str:
    fitting = [
        model.value
        for model in ControlModel
        if (model is ControlModel.SETPOINT) is (kind in NUMBERS)
    ]
    return f"found {command.model.value} for a point of kind {kind}, allowed: {', '.join(fitting)}"


def _feedback(command: Control, kinds: tuple[Kind, ...], names: Names) -> str:
    name = command.feedback or ""
    point = names.points.get(name)
    if point is None:
        return names.unknown(name)
    if point.kind not in kinds:
        allowed = " or ".join(kind.value for kind in kinds)
        return f"found {excerpt(name)}, whose kind is {point.kind}, allowed: {allowed}"
    return ""


def _pointless(command: Control) -> Iterator[tuple[str, str]]:
    """Yield fields that are filled although another one makes them mean nothing."""
    given = command.model_fields_set
    if command.model is not ControlModel.PULSE:
        for field in sorted(given & {"off_time", "count"}):
            yield field, "the model pulse"
    if command.feedback is None:
        for field in sorted(given & {"feedback_timeout", "feedback_band"}):
            yield field, "command.feedback"
    elif command.model is not ControlModel.SETPOINT and "feedback_band" in given:
        yield "feedback_band", "the model setpoint"


def _interlock(text: str, names: Names) -> str:
    try:
        found = parse(text)
    except InterlockError as error:
        return f"in its column {error.column}: {error.sentence}"
    for name in found.points:
        if name not in names.points and not names.health(name):
            return names.unknown(name)
    for condition in found.conditions:
        for name in _asked(condition):
            point = names.points.get(name)
            sentence = "" if point is None else _fits(condition, point.kind)
            if sentence:
                return f"{name} is of kind {point.kind if point else ''}: {sentence}"
    return ""


def _asked(condition: Condition) -> tuple[str, ...]:
    if isinstance(condition, Relation) and isinstance(condition.other, str):
        return condition.point, condition.other
    return (condition.point,)


def _fits(condition: Condition, kind: Kind) -> str:
    if kind is Kind.DOUBLE:
        if not isinstance(condition, Position):
            return "it stands beside open or closed, with = or !="
    elif isinstance(condition, Position):
        return "open and closed are of double points"
    elif isinstance(condition, Flag) and kind is not Kind.STATUS:
        return "it stands beside a number, or another point"
    return ""
