"""The parts of an interlock, and why one of them does not hold.

`reasons(values, wanted)` is empty where the part is as wanted, and otherwise says of each point
that stands against it what it is; so a negation need not be told from what it negates.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

Values: TypeAlias = Mapping[str, float]

RELATIONS: Mapping[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class State(IntEnum):
    """A position of a double point, as its value says it (IEC 61850-7-3, Dbpos).

    The other two, 0 intermediate and 3 bad, are no positions that an interlock may build on.
    """

    OPEN = 1
    CLOSED = 2

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Flag:
    """A status point by itself: holds where it is not 0."""

    point: str

    def reasons(self, values: Values, wanted: bool) -> list[str]:
        value = values[self.point]
        return [] if (value != 0) is wanted else [f"{self.point} is {_number(value)}"]


@dataclass(frozen=True, slots=True)
class Relation:
    """A point beside a number, or beside another point."""

    point: str
    relation: str
    other: float | str

    def reasons(self, values: Values, wanted: bool) -> list[str]:
        value = values[self.point]
        named = isinstance(self.other, str)
        other = values[self.other] if isinstance(self.other, str) else self.other
        if RELATIONS[self.relation](value, other) is wanted:
            return []
        how = f"which is {self.relation}" if not wanted else f"not {self.relation}"
        beside = f"{self.other}, {_number(other)}" if named else _number(other)
        return [f"{self.point} is {_number(value)}, {how} {beside}"]


@dataclass(frozen=True, slots=True)
class Position:
    """A double point beside a position."""

    point: str
    relation: str
    state: State

    def reasons(self, values: Values, wanted: bool) -> list[str]:
        value = values[self.point]
        if RELATIONS[self.relation](value, self.state) is wanted:
            return []
        return [f"{self.point} is {State(int(value)).word}"]


Condition: TypeAlias = Flag | Relation | Position


@dataclass(frozen=True, slots=True)
class Not:
    """The negation of a part."""

    part: Part
    depth: int

    def reasons(self, values: Values, wanted: bool) -> list[str]:
        return self.part.reasons(values, not wanted)


@dataclass(frozen=True, slots=True)
class Junction:
    """Parts with `and` between them, or with `or`."""

    parts: tuple[Part, ...]
    every: bool
    depth: int

    def reasons(self, values: Values, wanted: bool) -> list[str]:
        all_must = self.every is wanted
        found: list[str] = []
        for part in self.parts:
            reasons = part.reasons(values, wanted)
            if not reasons and not all_must:
                return []
            found += reasons
        return found


Part: TypeAlias = Condition | Not | Junction


def depth(part: Part) -> int:
    """Return how many negations and junctions stand inside each other, at most."""
    return part.depth if isinstance(part, Not | Junction) else 0


def conditions(part: Part) -> list[Condition]:
    """Return the conditions of a part in their order."""
    match part:
        case Not():
            return conditions(part.part)
        case Junction():
            return [one for inner in part.parts for one in conditions(inner)]
    return [part]


def _number(value: float) -> str:
    return f"{value:.12g}"
