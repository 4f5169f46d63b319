"""Ranges are a set of integers, compared here with Python's own."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gateway.journal.ranges import Ranges

NUMBERS = st.integers(0, 60)
STEPS = st.lists(st.tuples(st.sampled_from(["add", "remove"]), NUMBERS, NUMBERS), max_size=30)


def members(ranges: Ranges) -> set[int]:
    return {n for first, last in ranges for n in range(first, last + 1)}


@given(STEPS, NUMBERS, NUMBERS)
def test_ranges_hold_what_a_set_holds(
    steps: list[tuple[str, int, int]], first: int, last: int
) -> None:
    """After any adding and removing, members are those of a set treated alike."""
    ranges, expected = Ranges(), set()
    for what, a, b in steps:
        if what == "add":
            ranges.add(a, b)
            expected |= set(range(a, b + 1))
        else:
            ranges.remove(a, b)
            expected -= set(range(a, b + 1))

    assert expected == members(ranges)
    parts = ranges.within(first, last)
    assert all(a <= b for a, b in parts)
    assert expected & set(range(first, last + 1)) == members(Ranges(parts))
    assert all((n in expected) == (n in ranges) for n in range(62))
    # Sorted, disjoint, and never two ranges where one would do.
    flat = list(ranges)
    assert all(b + 1 < c for (_, b), (c, _) in pairwise(flat))


@given(STEPS, STEPS)
def test_minus_is_set_difference(
    these: list[tuple[str, int, int]], those: list[tuple[str, int, int]]
) -> None:
    """`minus` leaves what is in one set and not in the other, and changes neither."""
    a = Ranges((first, last) for _, first, last in these)
    b = Ranges((first, last) for _, first, last in those)
    before = members(a), members(b)

    assert before[0] - before[1] == members(a.minus(b))
    assert before == (members(a), members(b))


def test_equal_sets_are_equal() -> None:
    """How a set came about does not matter."""
    built = Ranges([(1, 2), (5, 6)])
    built.add(3, 4)

    assert Ranges([(1, 6)]) == built
    assert len(built) == 1
    assert repr(built) == "Ranges([(1, 6)])"
