"""One table of what is known: how each group and variation is laid out (IEEE 1815 annex A)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum


class Time(Enum):
    """What the time of an object counts from; the value is its size in octets."""

    NONE = 0
    RELATIVE = 2
    ABSOLUTE = 6


class Use(Enum):
    """Which functions of this package read and write an object."""

    MEASUREMENT = "columns"
    COMMAND = "commands"
    TIME = "times"
    SCHEDULE = "schedules"
    STRING = "strings"
    ATTRIBUTE = "attributes"
    FILE = "files"
    CLASS = "a class of points"
    OPAQUE = "octets"


@dataclass(frozen=True, slots=True)
class Layout:
    """How one object stands in a fragment.

    `size` is in octets, and None where the object itself says how long it is.
    `bits` is not 0 for objects that are packed into octets.
    `number` is the numpy format of the value; without one the value is the `state` bits of the
    flags.
    """

    use: Use
    size: int | None
    bits: int = 0
    number: str = ""
    flags: bool = False
    state: int = 0
    time: Time = Time.NONE
    event: bool = False


INT16, INT32, UINT8, UINT16, UINT32 = "<i2", "<i4", "u1", "<u2", "<u4"
FLOAT32, FLOAT64 = "<f4", "<f8"

EVENTS = frozenset({2, 4, 11, 13, 22, 23, 32, 33, 42, 43})
"""Groups that an outstation reports as they happen, each with its index before it."""

OVERRANGE = frozenset({30, 31, 32, 33, 40, 42})
"""Groups whose flag 0x20 says that the value is beyond what the variation holds."""

COUNTERS = frozenset({20, 21, 22, 23})
"""Groups whose value counts on from 0 when it is beyond what the variation holds."""

STRINGS = frozenset({110, 111, 112, 113})
"""Groups whose variation is the number of octets."""

_N, _A, _R = Time.NONE, Time.ABSOLUTE, Time.RELATIVE

# variation: (format of the number, has flags, time)
_NUMBERS: dict[tuple[int, ...], dict[int, tuple[str, bool, Time]]] = {
    (20,): {
        1: (UINT32, True, _N),
        2: (UINT16, True, _N),
        5: (UINT32, False, _N),
        6: (UINT16, False, _N),
    },
    (21,): {
        1: (UINT32, True, _N),
        2: (UINT16, True, _N),
        5: (UINT32, True, _A),
        6: (UINT16, True, _A),
        9: (UINT32, False, _N),
        10: (UINT16, False, _N),
    },
    (22, 23): {
        1: (UINT32, True, _N),
        2: (UINT16, True, _N),
        5: (UINT32, True, _A),
        6: (UINT16, True, _A),
    },
    (30,): {
        1: (INT32, True, _N),
        2: (INT16, True, _N),
        3: (INT32, False, _N),
        4: (INT16, False, _N),
        5: (FLOAT32, True, _N),
        6: (FLOAT64, True, _N),
    },
    (31,): {
        1: (INT32, True, _N),
        2: (INT16, True, _N),
        3: (INT32, True, _A),
        4: (INT16, True, _A),
        5: (INT32, False, _N),
        6: (INT16, False, _N),
        7: (FLOAT32, True, _N),
        8: (FLOAT64, True, _N),
    },
    (32, 33, 42, 43): {
        1: (INT32, True, _N),
        2: (INT16, True, _N),
        3: (INT32, True, _A),
        4: (INT16, True, _A),
        5: (FLOAT32, True, _N),
        6: (FLOAT64, True, _N),
        7: (FLOAT32, True, _A),
        8: (FLOAT64, True, _A),
    },
    (34,): {1: (UINT16, False, _N), 2: (UINT32, False, _N), 3: (FLOAT32, False, _N)},
    (40,): {
        1: (INT32, True, _N),
        2: (INT16, True, _N),
        3: (FLOAT32, True, _N),
        4: (FLOAT64, True, _N),
    },
    (102,): {1: (UINT8, False, _N)},
}

# (group, variation): (state bits, time)
_STATES: dict[tuple[int, int], tuple[int, Time]] = {
    (1, 2): (0x80, _N),
    (2, 1): (0x80, _N),
    (2, 2): (0x80, _A),
    (2, 3): (0x80, _R),
    (3, 2): (0xC0, _N),
    (4, 1): (0xC0, _N),
    (4, 2): (0xC0, _A),
    (4, 3): (0xC0, _R),
    (10, 2): (0x80, _N),
    (11, 1): (0x80, _N),
    (11, 2): (0x80, _A),
    (13, 1): (0x80, _N),
    (13, 2): (0x80, _A),
}

_PACKED = {(1, 1): 1, (3, 1): 2, (10, 1): 1, (80, 1): 1}

# Counts since the last report, which the standard has withdrawn: stepped over, never a value.
_DELTAS = {
    (20, 3): 5,
    (20, 4): 3,
    (20, 7): 4,
    (20, 8): 2,
    (21, 3): 5,
    (21, 4): 3,
    (21, 7): 11,
    (21, 8): 9,
    (21, 11): 4,
    (21, 12): 2,
    (22, 3): 5,
    (22, 4): 3,
    (22, 7): 11,
    (22, 8): 9,
    (23, 3): 5,
    (23, 4): 3,
    (23, 7): 11,
    (23, 8): 9,
}

_OTHERS = {
    (12, 1): Layout(Use.COMMAND, 11),
    (12, 2): Layout(Use.COMMAND, 11),
    (12, 3): Layout(Use.OPAQUE, 0, bits=1),
    (41, 1): Layout(Use.COMMAND, 5, number=INT32),
    (41, 2): Layout(Use.COMMAND, 3, number=INT16),
    (41, 3): Layout(Use.COMMAND, 5, number=FLOAT32),
    (41, 4): Layout(Use.COMMAND, 9, number=FLOAT64),
    (50, 1): Layout(Use.TIME, 6),
    (50, 2): Layout(Use.SCHEDULE, 10),
    (50, 3): Layout(Use.TIME, 6),
    (50, 4): Layout(Use.SCHEDULE, 11),
    (51, 1): Layout(Use.TIME, 6),
    (51, 2): Layout(Use.TIME, 6),
    (52, 1): Layout(Use.TIME, 2),
    (52, 2): Layout(Use.TIME, 2),
    (60, 1): Layout(Use.CLASS, 0),
    (60, 2): Layout(Use.CLASS, 0),
    (60, 3): Layout(Use.CLASS, 0),
    (60, 4): Layout(Use.CLASS, 0),
    # BCD numbers and the statistics of Secure Authentication are stepped over.
    (101, 1): Layout(Use.OPAQUE, 2),
    (101, 2): Layout(Use.OPAQUE, 4),
    (101, 3): Layout(Use.OPAQUE, 8),
    (121, 1): Layout(Use.OPAQUE, 7),
    (122, 1): Layout(Use.OPAQUE, 7, event=True),
    (122, 2): Layout(Use.OPAQUE, 13, event=True),
    **{(70, variation): Layout(Use.FILE, None) for variation in range(1, 9)},
}


def _table() -> Iterator[tuple[tuple[int, int], Layout]]:
    for groups, rows in _NUMBERS.items():
        for variation, (number, flags, time) in rows.items():
            size = int(number[-1]) + flags + time.value
            for group in groups:
                yield (
                    (group, variation),
                    Layout(
                        Use.MEASUREMENT,
                        size,
                        number=number,
                        flags=flags,
                        time=time,
                        event=group in EVENTS,
                    ),
                )
    for key, (state, time) in _STATES.items():
        yield (
            key,
            Layout(
                Use.MEASUREMENT,
                1 + time.value,
                flags=True,
                state=state,
                time=time,
                event=key[0] in EVENTS,
            ),
        )
    for key, bits in _PACKED.items():
        yield key, Layout(Use.MEASUREMENT, 0, bits=bits)
    for key, size in _DELTAS.items():
        yield key, Layout(Use.OPAQUE, size, event=key[0] in EVENTS)
    yield from _OTHERS.items()


LAYOUTS: dict[tuple[int, int], Layout] = dict(sorted(_table()))
"""All objects of fixed groups; `layout` knows those whose variation is a number besides."""

GROUPS = frozenset(group for group, _ in LAYOUTS) | STRINGS | {0}
"""Every group that is known."""

_ATTRIBUTE = Layout(Use.ATTRIBUTE, None)


def layout(group: int, variation: int) -> Layout | None:
    """Return how an object is laid out, None where it is not known."""
    known = LAYOUTS.get((group, variation))
    if known is not None:
        return known
    if group == 0 and variation:
        return _ATTRIBUTE
    if group in STRINGS and variation:
        return Layout(Use.STRING, variation, event=group in (111, 113))
    return None


def is_measurement(group: int) -> bool:
    """Return whether the objects of a group are columns."""
    return group in _MEASURED


_MEASURED = frozenset(g for (g, _), one in LAYOUTS.items() if one.use is Use.MEASUREMENT)
