"""An interlock: an expression over points that is read once and checked before each command."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from gateway.interlock.condition import (
    Condition,
    Junction,
    Not,
    Part,
    Position,
    Relation,
    State,
    conditions,
    depth,
)
from gateway.interlock.error import InterlockError
from gateway.model.quality import Quality, quality_text

MAX_LENGTH = 2_000
MAX_DEPTH = 32
MAX_POINTS = 64
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Interlock:
    """What must hold before a command leaves.

    text:       the expression.
    points:     names of the points it looks at, each once, in their order.
    conditions: what it asks of them, in their order.
    """

    text: str
    points: tuple[str, ...]
    conditions: tuple[Condition, ...]
    _root: Part
    _positions: frozenset[str]

    def check(self, read: Callable[[str], tuple[float, int]]) -> str:
        """Return nothing where it holds, and otherwise a sentence that says why not.

        read: returns value and quality of a point; KeyError where there is none.
        A point that is not good, has no value (NaN), or is asked for its position and is
        neither open nor closed fails it, wherever it stands in the expression.
        """
        values: dict[str, float] = {}
        faults: list[str] = []
        for point in self.points:
            try:
                value, quality = read(point)
            except KeyError:
                faults.append(f"there is no point {point}")
                continue
            if quality & Quality.VALIDITY != Quality.GOOD:
                faults.append(f"{point} is {quality_text(quality)}")
            elif math.isnan(value):
                faults.append(f"{point} has no value")
            elif point in self._positions and value not in (State.OPEN, State.CLOSED):
                faults.append(f"{point} is neither open nor closed")
            values[point] = value
        return _sentence(faults or self._root.reasons(values, True))

    def holds(self, read: Callable[[str], tuple[float, int]]) -> bool | None:
        """Return whether it holds, for what is no command: a trigger, an alarm.

        read: as for `check`. What is asked of a point that is not good, has no value or is not
        there is unknown, and so is what hangs on it, which is None: `a or b` holds for a good `b`
        whatever `a` is, `not a` is unknown (Kleene's three-valued logic).
        """
        values: dict[str, float] = {}
        for point in self.points:
            try:
                value, quality = read(point)
            except KeyError:
                continue
            position = point not in self._positions or value in (State.OPEN, State.CLOSED)
            if quality & Quality.VALIDITY == Quality.GOOD and not math.isnan(value) and position:
                values[point] = value
        if _certain(self._root, values, True):
            return True
        return False if _certain(self._root, values, False) else None


@lru_cache(maxsize=1024)
def parse(text: str) -> Interlock:
    """Return the interlock that an expression stands for.

    `not`, `and`, `or` and parentheses join conditions: a point by itself, a point beside a number
    or another point (`= != < <= > >=`), or beside `open` or `closed` (`=`, `!=`).
    Raises InterlockError with the column, what was found, and what is allowed.
    """
    if len(text) > MAX_LENGTH:
        raise InterlockError(MAX_LENGTH + 1, f"found {len(text)} characters, allowed: {MAX_LENGTH}")
    from gateway.interlock.grammar import tree

    root = tree(text)
    if depth(root) > MAX_DEPTH:
        raise InterlockError(1, f"found parts {depth(root)} levels deep, allowed: {MAX_DEPTH}")
    parts = tuple(conditions(root))
    points = tuple(dict.fromkeys(name for one in parts for name in _points(one)))
    if len(points) > MAX_POINTS:
        raise InterlockError(1, f"found {len(points)} points, allowed: {MAX_POINTS}")
    positions = frozenset(one.point for one in parts if isinstance(one, Position))
    return Interlock(text, points, parts, root, positions)


def _certain(part: Part, values: dict[str, float], wanted: bool) -> bool:
    """Return whether a part is as wanted, whatever the points are that have no value."""
    match part:
        case Not():
            return _certain(part.part, values, not wanted)
        case Junction():
            each = (_certain(one, values, wanted) for one in part.parts)
            return all(each) if part.every is wanted else any(each)
    return all(name in values for name in _points(part)) and not part.reasons(values, wanted)


def _points(condition: Condition) -> list[str]:
    if isinstance(condition, Relation) and isinstance(condition.other, str):
        return [condition.point, condition.other]
    return [condition.point]


def _sentence(reasons: list[str]) -> str:
    distinct = list(dict.fromkeys(reasons))
    more = len(distinct) - _SHOWN
    return " and ".join(distinct[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
