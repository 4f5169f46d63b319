"""A second opinion on the kernel: the same rules in plain Python, one sample at a time.

Written from the rules and not from the C: `struct` decodes, a dict is the state of a point,
and nothing is done for speed.
"""

from __future__ import annotations

import math
import shutil
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from gateway import Field
from gateway.kernel import INTEGRATED, Points, force_level, level

GOOD, INVALID, RESERVED, QUESTIONABLE = 0, 1, 2, 3
OVERFLOW, OUT_OF_RANGE, FAILURE, OLD_DATA = 0x0004, 0x0008, 0x0040, 0x0080
INCONSISTENT, INACCURATE = 0x0100, 0x0200
SUBSTITUTED, OPERATOR_BLOCKED = 0x0400, 0x1000
CLOCK_NOT_SYNCHRONISED, DEVICE_TIME = 0x2000, 0x4000

# From the best to the worst.
VALIDITIES = [GOOD, QUESTIONABLE, RESERVED, INVALID]

# What is on the wire, first byte first; A is the most significant byte of the value.
WIRE = {
    "ABCD": {1: "A", 2: "AB", 4: "ABCD", 8: "ABCDEFGH"},
    "DCBA": {1: "A", 2: "BA", 4: "DCBA", 8: "HGFEDCBA"},
    "BADC": {1: "A", 2: "BA", 4: "BADC", 8: "BADCFEHG"},
    "CDAB": {1: "A", 2: "AB", 4: "CDAB", 8: "GHEFCDAB"},
}

# struct's own letters, big-endian.
LETTERS = {
    "int8": "b",
    "uint8": "B",
    "int16": "h",
    "uint16": "H",
    "int32": "i",
    "uint32": "I",
    "float32": "f",
    "int64": "q",
    "uint64": "Q",
    "float64": "d",
}
SIZES = {"bit": 1, "bit16": 2, "bcd16": 2, "bcd32": 4} | {
    name: struct.calcsize(">" + letter) for name, letter in LETTERS.items()
}

Row = tuple[int, float, int, int]


def worsen(quality: int, validity: int, detail: int) -> int:
    """Return the quality with a detail added, of the worse of the two validities."""
    worse = max(VALIDITIES.index(quality % 4), VALIDITIES.index(validity))
    return quality // 4 * 4 | VALIDITIES[worse] | detail


def raw_value(block: bytes, place: Field) -> tuple[float, bool]:
    """Return the number of a field, and whether a double holds it exactly."""
    size = SIZES[place.type]
    wire = block[place.offset : place.offset + size]
    letters = WIRE[place.order][size]
    big_endian = bytes(wire[letters.index(letter)] for letter in sorted(letters))
    if place.type in ("bit", "bit16"):
        return float(int.from_bytes(big_endian, "big") >> place.bit & 1), True
    if place.type in ("bcd16", "bcd32"):
        digits = big_endian.hex()
        return (float(digits) if digits.isdecimal() else math.nan), True
    (number,) = struct.unpack(">" + LETTERS[place.type], big_endian)
    return float(number), not (isinstance(number, int) and abs(number) > 2**53)


@dataclass
class Reference:
    """The table of points as Python sees it; judge() returns the row to be reported, or None."""

    parameters: dict[str, list[float]]
    image: dict[int, Row] = field(default_factory=dict)
    before: dict[int, tuple[float | None, int]] = field(default_factory=dict)
    area: dict[int, float] = field(default_factory=dict)
    marks: dict[int, int] = field(default_factory=dict)
    said: dict[int, Row] = field(default_factory=dict)
    withheld: dict[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, points: Points) -> Reference:
        """Take over the parameters of a kernel's table."""
        names = ("scale", "offset", "low", "high", "rate", "deadband", "deadband_kind")
        return cls({name: getattr(points, name).tolist() for name in names})

    @staticmethod
    def encode(block: bytearray, place: Field, value: float) -> None:
        """Write a value into a block as its field says, where the type can say it."""
        letter = LETTERS.get(place.type)
        if letter is None or (letter not in "fd" and not math.isfinite(value)):
            return
        try:
            wire = struct.pack(">" + letter, value if letter in "fd" else int(value))
        except struct.error:
            return
        letters = WIRE[place.order][len(wire)]
        for i, byte in enumerate(wire):
            block[place.offset + letters.index("ABCDEFGH"[i])] = byte

    def decode(self, fields: list[Field], block: bytes, time: int, quality: int) -> list[Row]:
        """Return the rows that a block has to give, in the order of the fields."""
        rows = []
        for place in fields:
            number, exact = raw_value(block, place)
            flags = quality if exact else worsen(quality, QUESTIONABLE, INACCURATE)
            rows.append(self.judge(place.point, number, flags, time, every=False))
        return [row for row in rows if row is not None]

    def put(self, point: int, mark: int, value: float, quality: int, time: int) -> Row:
        """Mark a point, and return the row to be reported."""
        if not self.marks.get(point):
            self.said[point] = self.image.get(point, (point, math.nan, -1, 0))
        self.marks[point] = mark
        self.image[point] = (point, value, quality | mark, time)
        return self.image[point]

    def judge(self, point: int, raw: float, quality: int, time: int, every: bool) -> Row | None:
        """Judge one sample and return the row to be reported, or None."""
        mine = {name: column[point] for name, column in self.parameters.items()}
        value = raw * mine["scale"] + mine["offset"]
        mark = self.marks.get(point, 0)
        heard = self.said if mark else self.image
        _, last, last_quality, last_time = heard.get(point, (point, math.nan, -1, 0))
        never = last_time == 0
        arrived_invalid = quality % 4 == INVALID
        integrated = mine["deadband_kind"] == INTEGRATED and mine["deadband"] > 0

        seen, seen_time = self.before.get(point, (None, 0))
        seconds = (time - seen_time) / 1e9 if seen_time != 0 else 0.0
        if math.isfinite(value):
            if not mine["low"] <= value <= mine["high"]:
                quality = worsen(quality, QUESTIONABLE, OUT_OF_RANGE)
            if seen is not None and seconds > 0 and abs(value - seen) / seconds > mine["rate"]:
                quality = worsen(quality, QUESTIONABLE, INCONSISTENT)
            self.before[point] = (None if arrived_invalid else value), time
        else:
            if math.isinf(value):
                quality = worsen(quality, INVALID, OVERFLOW)
            elif not arrived_invalid and not (
                quality % 4 == QUESTIONABLE and quality & OLD_DATA and not math.isnan(last)
            ):
                quality = worsen(quality, INVALID, FAILURE)
            self.before[point] = None, time
        if math.isnan(value):
            value = last

        changed = value != last and not (math.isnan(value) and math.isnan(last))
        distance = abs(value - last)
        if integrated and changed and seconds > 0:
            self.area[point] = self.area.get(point, 0.0) + distance * seconds
        if integrated:
            moved = not self.area.get(point, 0.0) < mine["deadband"]
        else:
            moved = changed and not distance <= mine["deadband"]
        clock = CLOCK_NOT_SYNCHRONISED | DEVICE_TIME
        news = (quality | clock) != (last_quality | clock)
        all_wanted = every or not mine["deadband"] >= 0
        if not (never or news or moved or all_wanted):
            return None
        self.area[point] = 0.0
        heard[point] = (point, value, quality, time)
        if mark & (SUBSTITUTED | OPERATOR_BLOCKED):
            self.withheld[point] = self.withheld.get(point, 0) + 1
            return None
        self.image[point] = (point, value, quality | mark, time)
        return self.image[point]


@contextmanager
def on_level(name: str) -> Iterator[None]:
    """Run the kernel on one level for the length of a with block."""
    was = level()
    force_level(name)
    try:
        yield
    finally:
        force_level(was)


@pytest.fixture(scope="session")
def reference() -> type[Reference]:
    """The second opinion."""
    return Reference


@pytest.fixture(scope="session")
def running_on() -> Any:
    """A context manager that forces a level."""
    return on_level


@pytest.fixture
def tool() -> Callable[[str], str]:
    """Where a program of the system is; a missing one fails the test with the way to get it."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None:
            pytest.fail(f"{name} is missing: apt-get install {name}")
        return path

    return find
