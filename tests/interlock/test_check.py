"""What an interlock says of values, held against Python's own evaluation of the same expression."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import Quality
from gateway.interlock import parse

GOOD = int(Quality.GOOD)
Site = Mapping[str, tuple[float, int]]


def reader(values: Mapping[str, Any]) -> Any:
    """Return the `read` of points that are all good, or that bring their own quality."""
    known = {k: v if isinstance(v, tuple) else (float(v), GOOD) for k, v in values.items()}
    return known.__getitem__


@pytest.mark.parametrize(
    ("text", "values", "sentence"),
    [
        ("a", {"a": 1}, ""),
        ("a", {"a": -2}, ""),
        ("a", {"a": 0}, "a is 0"),
        ("not a", {"a": 0}, ""),
        ("not a", {"a": 1}, "a is 1"),
        ("not not a", {"a": 0}, "a is 0"),
        ("u < 50", {"u": 49.5}, ""),
        ("u < 50", {"u": 50}, "u is 50, not < 50"),
        ("u < 50", {"u": 50.00001}, "u is 50.00001, not < 50"),
        ("not u < 50", {"u": 49.5}, "u is 49.5, which is < 50"),
        ("u >= -1", {"u": -1}, ""),
        ("t = s", {"t": 5, "s": 5}, ""),
        ("t = s", {"t": 5, "s": 6}, "t is 5, not = s, 6"),
        ("t != s", {"t": 5, "s": 5}, "t is 5, not != s, 5"),
        ("q = closed", {"q": 2}, ""),
        ("q = closed", {"q": 1}, "q is open"),
        ("q = open", {"q": 1}, ""),
        ("not q = open", {"q": 1}, "q is open"),
        ("q != closed", {"q": 2}, "q is closed"),
        ("q = open", {"q": 0}, "q is neither open nor closed"),
        ("q != open", {"q": 0}, "q is neither open nor closed"),
        ("not q = closed", {"q": 3}, "q is neither open nor closed"),
        ("a and b", {"a": 1, "b": 0}, "b is 0"),
        ("a and b", {"a": 0, "b": 0}, "a is 0 and b is 0"),
        ("not (a and b)", {"a": 1, "b": 0}, ""),
        ("not (a and b)", {"a": 1, "b": 1}, "a is 1 and b is 1"),
        ("a or b", {"a": 0, "b": 1}, ""),
        ("a or b", {"a": 0, "b": 0}, "a is 0 and b is 0"),
        ("not (a or b)", {"a": 0, "b": 1}, "b is 1"),
        ("a and a", {"a": 0}, "a is 0"),
        (
            "a and b and c and d and e and f and g",
            dict.fromkeys("abcdefg", 0),
            "a is 0 and b is 0 and c is 0 and d is 0 and e is 0 and 2 more",
        ),
    ],
)
def test_sentences(text: str, values: dict[str, float], sentence: str) -> None:
    """Where it does not hold, the sentence names what stands against it."""
    assert parse(text).check(reader(values)) == sentence


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        ((0.0, int(Quality.INVALID | Quality.OLD_DATA)), "b is invalid,oldData"),
        ((1.0, int(Quality.QUESTIONABLE | Quality.OUT_OF_RANGE)), "b is questionable,outOfRange"),
        ((1.0, int(Quality.RESERVED)), "b is reserved"),
        ((math.nan, GOOD), "b has no value"),
    ],
)
@pytest.mark.parametrize(
    "text", ["b", "not b", "a or b", "a or not b", "not (not a and b)", "a or b < 5"]
)
def test_a_point_that_is_not_good_fails_it(
    text: str, bad: tuple[float, int], sentence: str
) -> None:
    """It fails closed wherever the point stands, even where its value would not matter."""
    assert parse(text).check(reader({"a": 1, "b": bad})) == sentence


@pytest.mark.parametrize(
    "quality",
    [Quality.TEST, Quality.SUBSTITUTED, Quality.DEVICE_TIME, Quality.CLOCK_NOT_SYNCHRONISED],
)
def test_other_bits_of_quality_do_not_matter(quality: Quality) -> None:
    """Only the validity counts."""
    assert parse("a").check(reader({"a": (1.0, int(quality))})) == ""


def test_a_point_that_is_not_there_fails_it() -> None:
    """A name that nobody knows is no reason to let a command through."""
    assert parse("a or b").check(reader({"a": 1})) == "there is no point b"


def test_each_point_is_read_once() -> None:
    """All parts of an expression see one value of a point."""
    seen: list[str] = []

    def read(name: str) -> tuple[float, int]:
        seen.append(name)
        return float(len(seen)), GOOD

    assert parse("a = 1 and not a > 1 and b = 2 and a < b").check(read) == ""
    assert seen == ["a", "b"]


# Against Python ----------------------------------------------------------------------------------

NUMBERS = [-1.0, 0.0, 0.5, 1.0, 2.0, 50.0]
FLAGS = ["s1", "f-1.s_2", "9.x"]
ANALOGS = ["u1", "bus.u-2"]
DOUBLES = ["q1", "q.2"]
_STATES = {"open": 1, "closed": 2}
_PLACE = {name: f"p{i}" for i, name in enumerate([*FLAGS, *ANALOGS, *DOUBLES])}


def _conditions() -> st.SearchStrategy[tuple[str, str]]:
    """Return conditions in our words and in Python's."""

    def beside(point: str, relation: str, other: float | str) -> tuple[str, str]:
        python = "==" if relation == "=" else relation
        right = _PLACE[other] if isinstance(other, str) else repr(other)
        return f"{point} {relation} {other}", f"{_PLACE[point]} {python} {right}"

    def position(point: str, relation: str, word: str) -> tuple[str, str]:
        python = "==" if relation == "=" else relation
        return (
            f"'{point}'{relation}{word}",
            f"{_PLACE[point]} {python} {_STATES[word]}",
        )

    relations = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
    return st.one_of(
        st.sampled_from(FLAGS).map(lambda name: (f'"{name}"', f"({_PLACE[name]} != 0)")),
        st.builds(
            beside, st.sampled_from(ANALOGS), relations, st.sampled_from([*NUMBERS, *ANALOGS])
        ),
        st.builds(
            position,
            st.sampled_from(DOUBLES),
            st.sampled_from(["=", "!="]),
            st.sampled_from(["open", "closed"]),
        ),
    )


def _joined(inner: st.SearchStrategy[tuple[str, str]]) -> st.SearchStrategy[tuple[str, str]]:
    def join(parts: list[tuple[str, str]], word: str) -> tuple[str, str]:
        ours, theirs = zip(*parts, strict=True)
        return f" {word} ".join(ours), f" {word} ".join(theirs)

    # Without parentheses, so that what binds tighter is put to the test as well.
    return st.one_of(
        st.builds(join, st.lists(inner, min_size=2, max_size=4), st.sampled_from(["and", "or"])),
        inner.map(lambda one: (f"not {one[0]}", f"not {one[1]}")),
        inner.map(lambda one: (f"({one[0]})", f"({one[1]})")),
        inner.map(lambda one: (f"not({one[0]})", f"not({one[1]})")),
    )


EXPRESSIONS = st.recursive(_conditions(), _joined, max_leaves=12)
VALUES = st.fixed_dictionaries(
    {name: st.sampled_from([0.0, 1.0]) for name in FLAGS}
    | {name: st.sampled_from(NUMBERS) for name in ANALOGS}
    | {name: st.sampled_from([1.0, 2.0]) for name in DOUBLES}
)


@given(EXPRESSIONS, VALUES)
@settings(max_examples=500, deadline=None)
def test_it_agrees_with_python(expression: tuple[str, str], values: dict[str, float]) -> None:
    """An expression holds where the same one, evaluated by Python, is true."""
    ours, theirs = expression
    expected = eval(theirs, {_PLACE[name]: value for name, value in values.items()})

    sentence = parse(ours).check(reader(values))

    assert (sentence == "") is bool(expected), (ours, theirs, sentence)
    assert all(name in values for name in re.findall(r"(?:^|and )(\S+) is ", sentence))


@given(EXPRESSIONS, VALUES, st.data())
@settings(max_examples=200, deadline=None)
def test_one_bad_point_fails_any_expression(
    expression: tuple[str, str], values: dict[str, float], data: st.DataObject
) -> None:
    """Whatever the expression, one of its points that is not good fails it, and is named."""
    interlock = parse(expression[0])
    bad = data.draw(st.sampled_from(interlock.points))
    quality = data.draw(st.integers(0, 0x7FFF).filter(lambda q: q & Quality.VALIDITY))

    sentence = interlock.check(reader(values | {bad: (values[bad], quality)}))

    assert sentence.startswith(f"{bad} is ")
