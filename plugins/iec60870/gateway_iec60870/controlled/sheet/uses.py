"""Which types a controlled station uses, and with which causes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from gateway import Control, LinkPoint
from gateway_iec60870.asdu import Cause, TypeId
from gateway_iec60870.controlled.point import address_of, output_of, type_of
from gateway_iec60870.controlled.type import COMMANDS, TYPES, ControlType, Type

if TYPE_CHECKING:
    from gateway_iec60870.controlled.link import ControlledLink

_REFUSED = (Cause.UNKNOWN_CAUSE, Cause.UNKNOWN_ADDRESS, Cause.UNKNOWN_OBJECT)
_ACT = (Cause.ACTIVATION, Cause.ACTIVATION_CON)
_DEACT = (Cause.DEACTIVATION, Cause.DEACTIVATION_CON)
_TERM = (Cause.ACTIVATION_TERM,)
_T = TypeId
_SYSTEM: dict[TypeId, tuple[Cause, ...]] = {
    _T.M_EI_NA_1: (Cause.INITIALISED,),
    _T.C_IC_NA_1: (*_ACT, *_DEACT, *_TERM, *_REFUSED),
    _T.C_CI_NA_1: (*_ACT, *_DEACT, *_TERM, *_REFUSED),
    _T.C_RD_NA_1: (Cause.REQUEST, *_REFUSED),
    _T.C_CS_NA_1: (*_ACT, *_REFUSED),
    _T.C_TS_NA_1: (*_ACT, *_REFUSED),
    _T.C_TS_TA_1: (*_ACT, *_REFUSED),
    _T.C_CD_NA_1: (Cause.SPONTANEOUS, *_ACT, *_REFUSED),
}
"""What every station understands."""
_COMMAND = (*_ACT, *_DEACT, *_TERM, Cause.UNKNOWN_TYPE, *_REFUSED)


class Output(NamedTuple):
    """A point that the control centre can command: at which object address, and with what."""

    point: LinkPoint
    object: int
    type: ControlType
    control: Control


class Shown(NamedTuple):
    """What one point is sent as: with which type, for which causes."""

    untimed: TypeId
    causes: tuple[Cause, ...]
    timed: TypeId | None


def shown(link: ControlledLink, point: LinkPoint) -> Shown:
    """Return what a point is sent as; `timed` is that of its events, None where it has none."""
    address, kind = address_of(point), type_of(point)
    types = TYPES[kind]
    return Shown(
        types.none,
        tuple(_causes(link, point, kind)),
        TypeId(getattr(types, address.time.value)) if address.eventful else None,
    )


def _causes(link: ControlledLink, point: LinkPoint, kind: Type) -> Iterator[Cause]:
    address, totals = address_of(point), kind is Type.TOTALS
    if address.cycle is not None:
        yield Cause.PERIODIC
    if link.manners.background is not None and address.background and not totals:
        yield Cause.BACKGROUND
    yield Cause.REQUEST
    first, group = Cause.INTERROGATED, address.group
    if totals:
        first, group = Cause.COUNTERS, address.counter_group
    yield first
    if group:
        yield Cause(first + group)


def outputs(points: Iterable[LinkPoint]) -> Iterator[Output]:
    """Yield the points that can be commanded."""
    for point in points:
        output, control = output_of(point), point.command
        if output is not None and control is not None:
            yield Output(point, *output, control)


def uses(
    link: ControlledLink, points: Iterable[LinkPoint], commanded: Iterable[Output]
) -> dict[TypeId, set[Cause]]:
    """Return the causes of each type that is used."""
    found: dict[TypeId, set[Cause]] = {kind: set(causes) for kind, causes in _SYSTEM.items()}
    if link.restart:
        found[TypeId.C_RP_NA_1] = {*_ACT, *_REFUSED}
    for point in points:
        one = shown(link, point)
        found.setdefault(one.untimed, set()).update(one.causes)
        if one.timed is not None:
            found.setdefault(one.timed, set()).add(Cause.SPONTANEOUS)
    for output in commanded:
        for kind in command_types(output.type):
            found[kind] = set(_COMMAND)
    return found


def command_types(kind: ControlType) -> tuple[TypeId, ...]:
    """Return the types of a command, without and with time tag."""
    return tuple(TypeId(number) for number, one in COMMANDS.items() if one is kind)
