"""The table of types against that of the standard (101 clauses 7.2.1 and 7.3, 104 clause 8)."""

from __future__ import annotations

import pytest
from gateway_iec60870.asdu import LAYOUTS, Cause, Time, TypeId, Use, layout

# octets of the information elements of one object with its time tag, summed by hand
OCTETS = {
    1: 1, 2: 4, 3: 1, 4: 4, 5: 2, 6: 5, 7: 5, 8: 8, 9: 3, 10: 6, 11: 3, 12: 6, 13: 5, 14: 8,
    15: 5, 16: 8, 17: 6, 18: 7, 19: 7, 20: 5, 21: 2,
    30: 8, 31: 8, 32: 9, 33: 12, 34: 10, 35: 10, 36: 12, 37: 12, 38: 10, 39: 11, 40: 11,
    45: 1, 46: 1, 47: 1, 48: 3, 49: 3, 50: 5, 51: 4,
    58: 8, 59: 8, 60: 8, 61: 10, 62: 10, 63: 12, 64: 11,
    70: 1, 100: 1, 101: 1, 102: 0, 103: 7, 104: 2, 105: 1, 106: 2, 107: 9,
    110: 3, 111: 3, 112: 5, 113: 1,
    120: 6, 121: 7, 122: 4, 123: 5, 124: 4, 125: None, 126: 13, 127: 16,
}  # fmt: skip

SEQUENCES = {1, 3, 5, 7, 9, 11, 13, 15, 20, 21, 126}
"""Types for which the standard draws SQ = 1."""


def test_every_type_has_its_octets() -> None:
    """And no other type is known."""
    assert {kind: one.size for kind, one in LAYOUTS.items()} == OCTETS
    assert set(TypeId) == set(OCTETS)


def test_sequences() -> None:
    """Process information without time tag, and the directory."""
    assert {kind for kind, one in LAYOUTS.items() if one.sequence} == SEQUENCES


def test_times() -> None:
    """CP24 in the types of 1995 up to 19, CP56 from 30 on."""
    found = {time: {k for k, one in LAYOUTS.items() if one.time is time} for time in Time}
    assert found[Time.CP24] == {2, 4, 6, 8, 10, 12, 14, 16, 17, 18, 19}
    assert found[Time.CP56] == {*range(30, 41), *range(58, 65), 103, 107, 126}


@pytest.mark.parametrize(
    ("use", "letter", "count"),
    [
        (Use.MEASUREMENT, "M", 32), (Use.COMMAND, "C", 14), (Use.PARAMETER, "P", 4),
        (Use.FILE, "F", 8), (Use.SYSTEM, "MC", 9),
    ],
)  # fmt: skip
def test_uses(use: Use, letter: str, count: int) -> None:
    """The letter of the name says which part of the standard describes it."""
    kinds = [kind for kind, one in LAYOUTS.items() if one.use is use]
    assert len(kinds) == count
    assert {TypeId(kind).name[0] for kind in kinds} == set(letter)


@pytest.mark.parametrize("kind", [-1, 0, 22, 29, 41, 44, 52, 65, 81, 108, 114, 128, 255])
def test_an_unknown_type(kind: int) -> None:
    """Reserved ones, those of the security extension and private ones."""
    assert layout(kind) is None


def test_a_known_type() -> None:
    """The function is the table."""
    assert layout(13) is LAYOUTS[13]


def test_causes() -> None:
    """Interrogations are 20 plus the group, counters 37 plus it (101 clause 7.2.3)."""
    assert [Cause[f"INTERROGATED_{n}"] for n in range(1, 17)] == list(range(21, 37))
    assert [Cause[f"COUNTERS_{n}"] for n in range(1, 5)] == list(range(38, 42))
    assert sorted(Cause) == [*range(1, 14), *range(20, 42), *range(44, 48)]
