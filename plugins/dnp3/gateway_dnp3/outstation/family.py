"""The types of points that an outstation has, and which objects carry them (IEEE 1815 annex A)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class PointType(StrEnum):
    """What a point is to the master; each type counts its indexes for itself."""

    BINARY_INPUT = "binary_input"
    DOUBLE_BIT_INPUT = "double_bit_input"
    BINARY_OUTPUT = "binary_output_status"
    COUNTER = "counter"
    FROZEN_COUNTER = "frozen_counter"
    ANALOG_INPUT = "analog_input"
    ANALOG_OUTPUT = "analog_output_status"


@dataclass(frozen=True, slots=True)
class Family:
    """The groups of one type, and their variations; the first of each is the default.

    `packed` is the variation that has no flags and stands only for points whose flags are nominal.
    """

    type: PointType
    code: int
    static: int
    statics: tuple[int, ...]
    event: int
    events: tuple[int, ...]
    packed: int = 0
    name: str = ""


_T = PointType

FAMILIES: dict[PointType, Family] = {
    family.type: family
    for family in (
        Family(_T.BINARY_INPUT, 0, 1, (2, 1), 2, (2, 1, 3), 1, "Binary Input"),
        Family(_T.DOUBLE_BIT_INPUT, 1, 3, (2, 1), 4, (2, 1, 3), 1, "Double-bit Binary Input"),
        Family(_T.BINARY_OUTPUT, 2, 10, (2, 1), 11, (2, 1), 1, "Binary Output Status"),
        Family(_T.COUNTER, 3, 20, (1, 2, 5, 6), 22, (5, 1, 2, 6), 0, "Counter"),
        Family(_T.FROZEN_COUNTER, 4, 21, (5, 1, 2, 6, 9, 10), 23, (), 0, "Frozen Counter"),
        Family(_T.ANALOG_INPUT, 5, 30, (5, 1, 2, 3, 4, 6), 32, (7, 1, 2, 3, 4, 5, 6, 8), 0,
               "Analog Input"),
        Family(_T.ANALOG_OUTPUT, 6, 40, (3, 1, 2, 4), 42, (7, 1, 2, 3, 4, 5, 6, 8), 0,
               "Analog Output Status"),
    )
}  # fmt: skip
"""All types, in the order in which class 0 shows them."""

BY_CODE = tuple(FAMILIES.values())
BY_STATIC = {family.static: family for family in BY_CODE}
BY_EVENT = {family.event: family for family in BY_CODE if family.events}
SILENT_EVENTS = frozenset({13, 23, 31, 33, 43})
"""Groups that are known, and of which this outstation never has any."""
DEADBANDS = 34
