"""What holds for certain, though some of the points say nothing: Kleene's three-valued logic."""

from __future__ import annotations

import math

import pytest

from gateway.interlock import parse
from gateway.model.quality import Quality

T, F = (1.0, Quality.GOOD), (0.0, Quality.GOOD)
UNKNOWN = [
    (1.0, Quality.INVALID),
    (1.0, Quality.QUESTIONABLE),
    (math.nan, Quality.GOOD),
    None,
]
# S. C. Kleene, Introduction to Metamathematics (1952), § 64: where the tables have t.
TABLE = [
    ("a and b", [(T, T)]),
    ("a or b", [(T, T), (T, F), (F, T), (T, None), (None, T)]),
    ("not a or b", [(T, T), (F, T), (F, F), (F, None), (None, T)]),
    ("not (a and b)", [(T, F), (F, T), (F, F), (F, None), (None, F)]),
    ("not (a or b)", [(F, F)]),
    ("not not a and b", [(T, T)]),
]


@pytest.mark.parametrize("unknown", UNKNOWN)
@pytest.mark.parametrize(("text", "true"), TABLE)
def test_the_strong_tables(
    text: str,
    true: list[tuple[tuple[float, int] | None, tuple[float, int] | None]],
    unknown: tuple[float, int] | None,
) -> None:
    """Holds where the table has true, and nowhere else."""
    for a in (T, F, None):
        for b in (T, F, None):
            samples = {
                name: value
                for name, value in (("a", a or unknown), ("b", b or unknown))
                if value is not None
            }
            assert parse(text).holds(samples.__getitem__) is ((a, b) in true), (a, b)


@pytest.mark.parametrize(
    ("value", "holds"), [(0.0, False), (1.0, True), (2.0, False), (3.0, False)]
)
def test_a_position_that_is_none(value: float, holds: bool) -> None:
    """Intermediate and bad are neither open nor not open."""
    read = {"q": (value, int(Quality.GOOD))}.__getitem__
    assert parse("q = open").holds(read) is holds
    assert parse("not q = open").holds(read) is (value == 2.0)


@pytest.mark.parametrize(
    ("text", "holds"), [("f < 49.5", True), ("not f < 49.5", False), ("f > g", False)]
)
def test_relations(text: str, holds: bool) -> None:
    """Beside numbers and points."""
    read = {"f": (49.4, int(Quality.GOOD)), "g": (50.0, int(Quality.INVALID))}.__getitem__
    assert parse(text).holds(read) is holds
