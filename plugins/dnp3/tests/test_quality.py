"""Flags and quality, both ways, as tables."""

from __future__ import annotations

import numpy as np
import pytest
from gateway_dnp3.objects import Columns
from gateway_dnp3.quality import GROUPS, flags_of, quality_of

from gateway import Quality

BINARY, OUTPUT, COUNTER, ANALOG = (1, 2, 3, 4), (10, 11), (20, 21, 22, 23), (30, 31, 32, 33, 40, 42)
ALL = (*BINARY, *OUTPUT, *COUNTER, *ANALOG)
Q = Quality

# (groups, flags, quality, flags of that quality)
TABLE = [
    (ALL, 0x01, Q.GOOD, 0x01),
    (ALL, 0x00, Q.INVALID, 0x00),
    (ALL, 0x02, Q.INVALID | Q.OLD_DATA, 0x04),
    (ALL, 0x03, Q.INVALID | Q.OLD_DATA, 0x04),
    (ALL, 0x04, Q.INVALID | Q.OLD_DATA, 0x04),
    (ALL, 0x05, Q.QUESTIONABLE | Q.OLD_DATA, 0x05),
    (ALL, 0x09, Q.SUBSTITUTED, 0x09),
    (ALL, 0x11, Q.SUBSTITUTED, 0x09),
    (BINARY, 0x21, Q.QUESTIONABLE | Q.OSCILLATORY, 0x21),
    (OUTPUT, 0x61, Q.GOOD, 0x01),
    (COUNTER, 0x21, Q.GOOD, 0x01),
    (COUNTER, 0x41, Q.QUESTIONABLE | Q.INCONSISTENT, 0x41),
    (ANALOG, 0x21, Q.QUESTIONABLE | Q.OUT_OF_RANGE, 0x21),
    (ANALOG, 0x41, Q.QUESTIONABLE | Q.BAD_REFERENCE, 0x41),
    (ANALOG, 0x60, Q.INVALID | Q.OUT_OF_RANGE | Q.BAD_REFERENCE, 0x60),
]
CASES = [(group, *row) for groups, *row in TABLE for group in groups]


@pytest.mark.parametrize(("group", "flags", "quality", "back"), CASES)
def test_flags_are_a_quality(group: int, flags: int, quality: Quality, back: int) -> None:
    """Each flag in each group that has it, and the way back."""
    (found,) = quality_of(Columns.of(group, 1, [0], [0], flags))
    assert Quality(int(found)) == quality
    assert flags_of(group, np.array([quality], np.uint16)).tolist() == [back]


# (groups, quality, flags): what other protocols say and DNP3 has few words for
BACK = [
    (ALL, Q.QUESTIONABLE, 0x01),
    (ALL, Q.RESERVED, 0x00),
    (ALL, Q.INVALID | Q.FAILURE, 0x00),
    (ALL, Q.FAILURE, 0x00),
    (ALL, Q.TEST, 0x00),
    (ALL, Q.OPERATOR_BLOCKED, 0x01),
    (ALL, Q.DEVICE_TIME | Q.CLOCK_NOT_SYNCHRONISED, 0x01),
    (ALL, Q.INVALID | Q.OLD_DATA | Q.DEVICE_TIME, 0x04),
    (ANALOG, Q.INVALID | Q.OVERFLOW, 0x20),
    (ANALOG, Q.QUESTIONABLE | Q.INACCURATE, 0x41),
    (ANALOG, Q.QUESTIONABLE | Q.OSCILLATORY, 0x01),
    (BINARY, Q.QUESTIONABLE | Q.OUT_OF_RANGE, 0x01),
    (OUTPUT, Q.QUESTIONABLE | Q.INCONSISTENT, 0x01),
]


@pytest.mark.parametrize(
    ("group", "quality", "flags"), [(group, *row) for groups, *row in BACK for group in groups]
)
def test_a_quality_is_flags(group: int, quality: Quality, flags: int) -> None:
    """What has no flag is left out, and never sets another group's flag."""
    assert flags_of(group, np.array([quality], np.uint16)).tolist() == [flags]


@pytest.mark.parametrize("group", GROUPS)
def test_flags_come_back_but_for_what_is_one_quality(group: int) -> None:
    """All 256 flags: the quality they become is the quality of the flags that it becomes."""
    flags = np.arange(256, dtype=np.uint8)
    once = quality_of(Columns.of(group, 1, np.zeros(256), np.zeros(256), flags))
    again = quality_of(Columns.of(group, 1, np.zeros(256), np.zeros(256), flags_of(group, once)))
    assert again.tolist() == once.tolist()


def test_the_time_of_a_row_is_in_its_quality() -> None:
    """Device time where there is one, and not synchronised where the outstation says so."""
    timed = Columns.of(2, 2, [1, 2], [0, 0], 1, [5, -1])
    assert quality_of(timed).tolist() == [Q.DEVICE_TIME, 0]
    unsure = Columns.of(2, 3, [1, 2], [0, 0], 1, [5, -1], synchronised=False)
    assert quality_of(unsure).tolist() == [Q.DEVICE_TIME | Q.CLOCK_NOT_SYNCHRONISED, 0]


@pytest.mark.parametrize("group", [13, 43, 34, 80, 102])
def test_a_group_without_flags_is_good(group: int) -> None:
    """The status of a command is no quality."""
    assert quality_of(Columns.of(group, 1, [0], [0], 0x04)).tolist() == [0]
    assert flags_of(group, np.array([Q.INVALID], np.uint16)).tolist() == [0]
