"""The grammar of interlocks: what it takes, and where and why it refuses."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import GatewayError
from gateway.interlock import Flag, Interlock, InterlockError, Position, Relation, State, parse
from gateway.interlock.interlock import MAX_DEPTH, MAX_LENGTH, MAX_POINTS


def test_conditions_and_points() -> None:
    """Each sort of condition is read, and each point is named once, in its order."""
    found = parse(
        "not feeder1.earthed and (bus.voltage_a <= -4.5e1 or 'q1 x' != closed) and t1.tap = t2.tap "
        'or feeder1.earthed and "2" and 10kv_-.u > .5'
    )

    assert found.conditions == (
        Flag("feeder1.earthed"),
        Relation("bus.voltage_a", "<=", -45.0),
        Position("q1 x", "!=", State.CLOSED),
        Relation("t1.tap", "=", "t2.tap"),
        Flag("feeder1.earthed"),
        Flag("2"),
        Relation("10kv_-.u", ">", 0.5),
    )
    assert found.points == (
        "feeder1.earthed", "bus.voltage_a", "q1 x", "t1.tap", "t2.tap", "2", "10kv_-.u"
    )  # fmt: skip


@pytest.mark.parametrize(
    "text", ["nota", "android.or", "open.x", "closed-1", "not_", "_health.a.up"]
)
def test_words_inside_names(text: str) -> None:
    """A name that begins or ends with a word of the grammar is a name."""
    assert parse(text).conditions == (Flag(text),)


@pytest.mark.parametrize(
    "text", ["a and not b", " a\tand\n not\r\nb ", "(a)and(not(b))", "a\u00a0and not b"]
)
def test_spaces_and_parentheses(text: str) -> None:
    """Spaces, those of a spreadsheet too, and parentheses around a part change nothing."""
    assert parse(text).conditions == parse("a and not b").conditions


_OPERATORS = "= or !=, < <= > or >=, and, or, the end"
_START = "a point, not, ("


@pytest.mark.parametrize(
    ("text", "column", "sentence"),
    [
        ("", 1, f"the expression ends here, allowed: {_START}"),
        (" ", 2, f"the expression ends here, allowed: {_START}"),
        ("a and", 6, f"the expression ends here, allowed: {_START}"),
        ("a b", 3, f"found 'b', allowed: {_OPERATORS}"),
        ("a AND b", 3, f"found 'AND', allowed: {_OPERATORS}; did you mean 'and'?"),
        ("(a", 3, "the expression ends here, but a ( is never closed"),
        ("(a and b", 9, "the expression ends here, but a ( is never closed"),
        ("a)", 2, "found ')', but no ( before it is open"),
        ("(a and) b", 7, f"found ')', allowed: {_START}"),
        ("5 < a", 1, f"found '5', allowed: {_START}; put quotes around it where the point"),
        ("open", 1, f"found 'open', allowed: {_START}; put quotes around it where the point"),
        ("a < open", 5, "found 'open', allowed: a point, a number; put quotes around it where"),
        ("a == 5", 4, "found '=', allowed: a point, a number, open or closed"),
        ("a < b < c", 7, "found '<', allowed: and, or, the end"),
        ("a = 1e999", 5, "found '1e999', allowed: finite numbers"),
        ("a & b", 3, "found '&', allowed: points, numbers, open, closed, not, and, or, = != < <="),
        ("a and 'b", 7, "found a quote that is never closed, or with nothing in it"),
        ("a and ''", 7, "found a quote that is never closed, or with nothing in it"),
        ("a..b", 2, "found '.', allowed: points"),
        ("a.", 2, "found '.', allowed: points"),
        ("a + b = 5", 3, "found '+', allowed: points"),
    ],
)  # fmt: skip
def test_mistakes(text: str, column: int, sentence: str) -> None:
    """What cannot be read is named with its column, and with what could stand there."""
    with pytest.raises(InterlockError) as raised:
        parse(text)

    assert (raised.value.column, raised.value.sentence[: len(sentence)]) == (column, sentence)
    assert isinstance(raised.value, GatewayError)
    assert isinstance(raised.value, ValueError)


@pytest.mark.parametrize(
    ("good", "bad", "sentence"),
    [
        ("a".ljust(MAX_LENGTH), "a".ljust(MAX_LENGTH + 1), "found 2001 characters, allowed: 2000"),
        (
            "not " * MAX_DEPTH + "a",
            "not " * (MAX_DEPTH + 1) + "a",
            "found parts 33 levels deep, allowed: 32",
        ),
        (
            " or ".join(f"p{i}" for i in range(MAX_POINTS)),
            " or ".join(f"p{i}" for i in range(MAX_POINTS + 1)),
            "found 65 points, allowed: 64",
        ),
    ],
)
def test_bounds(good: str, bad: str, sentence: str) -> None:
    """Length, depth and number of points are bounded, and the bound itself is allowed."""
    assert parse(good)
    with pytest.raises(InterlockError, match=sentence):
        parse(bad)


def test_the_longest_nests() -> None:
    """As much nesting as the length allows ends in a sentence and not in a stack overflow."""
    assert parse("(" * 999 + "a" + ")" * 999).points == ("a",)
    for part in ("not ", "not(", "a or not(", "(a and (b or "):
        with pytest.raises(InterlockError):
            parse(part * (MAX_LENGTH // len(part) - 1) + "a")


_SCRAPS = st.sampled_from(
    ["not", "and", "or", "(", ")", "=", "!=", "<", "<=", ">", "!", "a", "b.c", "open", "closed",
     "5", "-1.5", "1e999", "'", '"', "'q'", ".", "..", "_", "-", " ", "\t", "\n", "\x00", "²", "٥",
     "\u2028", "é", "not " * 200, "(" * 300]
)  # fmt: skip


@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(_SCRAPS, max_size=30).map(" ".join),
        st.lists(_SCRAPS, max_size=30).map("".join),
    )
)
@settings(max_examples=500, deadline=None)
def test_any_text(text: str) -> None:
    """Any text is an interlock or an InterlockError with a column inside it, on one line."""
    try:
        found = parse(text)
    except InterlockError as error:
        wrong = error
    else:
        assert isinstance(found, Interlock)
        assert found.points
        return
    assert 1 <= wrong.column <= len(text) + 1
    assert "\n" not in wrong.sentence
    assert wrong.sentence.startswith(("found ", "the expression ends here"))


def test_the_grammar_is_not_imported_before_it_is_needed() -> None:
    """A gateway without interlocks does not load the parser generator."""
    code = "import sys, gateway.interlock, gateway.config; sys.exit('lark' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
