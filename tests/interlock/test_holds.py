"""What holds although some of the points say nothing: Kleene's three-valued logic.

Where each point stands once in an expression, its strong tables say what every completion of the
unknown ones says in common, which Python evaluates here.
"""

from __future__ import annotations

import itertools
import math

import pytest

from gateway.interlock import parse
from gateway.model.quality import Quality

GOOD = int(Quality.GOOD)
UNKNOWN = [
    (1.0, int(Quality.INVALID)),
    (1.0, int(Quality.QUESTIONABLE)),
    (math.nan, GOOD),
    None,
]
TEXTS = [
    *("a and b", "a or b", "not a or b", "not (a and b)", "not (a or b)"),
    *("not not a and b", "a and (b or not c)", "not (a or b) or c", "a or b and not c"),
]


@pytest.mark.parametrize("unknown", UNKNOWN)
@pytest.mark.parametrize("text", TEXTS)
def test_the_strong_tables(text: str, unknown: tuple[float, int] | None) -> None:
    """True or false where each completion is, and else None."""
    for states in itertools.product((True, False, None), repeat=3):
        samples = {
            name: (float(state), GOOD) if state is not None else unknown
            for name, state in zip("abc", states, strict=True)
        }
        known = {name: sample for name, sample in samples.items() if sample is not None}
        wholes = itertools.product(*((True, False) if one is None else (one,) for one in states))
        said = {bool(eval(text, {}, dict(zip("abc", whole, strict=True)))) for whole in wholes}
        expected = said.pop() if len(said) == 1 else None
        assert parse(text).holds(known.__getitem__) is expected, states


@pytest.mark.parametrize(
    ("value", "opened", "closed"),
    [(0.0, None, None), (1.0, True, False), (2.0, False, True), (3.0, None, None)],
)
def test_a_position_that_is_none(value: float, opened: bool | None, closed: bool | None) -> None:
    """Intermediate and bad are neither open nor not open."""
    read = {"q": (value, GOOD)}.__getitem__
    assert parse("q = open").holds(read) is opened
    assert parse("not q = open").holds(read) is closed


@pytest.mark.parametrize(
    ("text", "holds"),
    [("f < 49.5", True), ("not f < 49.5", False), ("f > g", None), ("not f > g", None)],
)
def test_relations(text: str, holds: bool | None) -> None:
    """Beside numbers and points."""
    read = {"f": (49.4, GOOD), "g": (50.0, int(Quality.INVALID))}.__getitem__
    assert parse(text).holds(read) is holds
