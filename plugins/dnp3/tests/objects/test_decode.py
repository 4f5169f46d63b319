"""Measurements as columns."""

from __future__ import annotations

import pytest
from gateway_dnp3.objects import Columns, ObjectError, decode, split

ABSOLUTE = "88 6E D0 92 4A 01"  # 1419802341000, as opendnp3's tests say


def columns(text: str) -> Columns:
    (header,) = split(bytes.fromhex(text))
    return decode(header)


# (octets, index, value, flags, time), calculated by hand from annex A
CASES = [
    ("01 01 00 00 0A 05 04", [*range(11)], [1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1], [1] * 11, -1),
    ("01 02 00 02 03 81 20", [2, 3], [1, 0], [0x01, 0x20], -1),
    (f"02 02 17 01 03 C1 {ABSOLUTE}", [3], [1], [0x41], 1419802341000),
    ("02 03 17 01 03 81 FF FF", [3], [1], [0x01], 65535),
    ("03 01 00 00 04 E4 01", [*range(5)], [0, 1, 2, 3, 1], [1] * 5, -1),
    ("03 02 00 00 03 01 41 81 C1", [0, 1, 2, 3], [0, 1, 2, 3], [1] * 4, -1),
    (f"04 02 17 01 03 81 {ABSOLUTE}", [3], [2], [0x01], 1419802341000),
    ("0A 01 00 07 07 01", [7], [1], [1], -1),
    ("0A 02 00 07 07 90", [7], [1], [0x10], -1),
    (f"0B 02 17 01 03 81 {ABSOLUTE}", [3], [1], [0x01], 1419802341000),
    ("0D 01 17 01 03 87", [3], [1], [7], -1),
    ("14 01 00 00 00 01 FF FF FF FF", [0], [4294967295], [1], -1),
    ("14 02 00 00 00 01 FF FF", [0], [65535], [1], -1),
    ("14 05 00 00 00 01 00 00 80", [0], [2147483649], [1], -1),
    ("14 06 00 00 01 01 00 00 80", [0, 1], [1, 32768], [1, 1], -1),
    (f"15 05 00 00 00 01 02 00 00 00 {ABSOLUTE}", [0], [2], [1], 1419802341000),
    (f"15 06 00 00 00 01 02 00 {ABSOLUTE}", [0], [2], [1], 1419802341000),
    ("15 0A 00 00 00 02 00", [0], [2], [1], -1),
    (f"17 05 28 01 00 05 00 01 02 00 00 00 {ABSOLUTE}", [5], [2], [1], 1419802341000),
    ("1E 01 00 00 00 21 FF FF FF FF", [0], [-1], [0x21], -1),
    ("1E 02 00 00 00 01 00 80", [0], [-32768], [1], -1),
    ("1E 03 00 00 00 00 00 00 80", [0], [-2147483648], [1], -1),
    ("1E 04 00 00 00 FE FF", [0], [-2], [1], -1),
    ("1E 05 00 00 00 01 00 00 C8 42", [0], [100], [1], -1),
    ("1E 06 00 00 00 01 00 00 00 00 00 00 59 40", [0], [100], [1], -1),
    (f"1F 03 00 00 00 01 02 00 00 00 {ABSOLUTE}", [0], [2], [1], 1419802341000),
    ("1F 07 00 00 00 01 00 00 C8 42", [0], [100], [1], -1),
    (f"20 03 17 01 03 01 FE FF FF FF {ABSOLUTE}", [3], [-2], [1], 1419802341000),
    (f"20 08 17 01 03 01 00 00 00 00 00 00 59 40 {ABSOLUTE}", [3], [100], [1], 1419802341000),
    (f"21 04 17 01 03 01 FE FF {ABSOLUTE}", [3], [-2], [1], 1419802341000),
    ("22 01 00 00 00 0A 00", [0], [10], [1], -1),
    ("22 02 00 00 00 00 00 01 00", [0], [65536], [1], -1),
    ("22 03 00 00 00 00 00 C8 42", [0], [100], [1], -1),
    ("28 02 00 00 00 01 FE FF", [0], [-2], [1], -1),
    (f"2A 07 17 01 03 01 00 00 C8 42 {ABSOLUTE}", [3], [100], [1], 1419802341000),
    (f"2B 08 17 01 03 0C 00 00 00 00 00 00 59 40 {ABSOLUTE}", [3], [100], [12], 1419802341000),
    ("50 01 00 04 07 09", [4, 5, 6, 7], [1, 0, 0, 1], [1] * 4, -1),
    ("66 01 00 00 00 FF", [0], [255], [1], -1),
    ("02 01 39 01 00 00 00 00 00 01 00 81", [65536], [1], [1], -1),
    ("02 01 28 00 00", [], [], [], -1),
]


@pytest.mark.parametrize(("text", "index", "value", "flags", "time"), CASES)
def test_objects_are_columns(
    text: str, index: list[int], value: list[float], flags: list[int], time: int
) -> None:
    """Index, value, flags without their state, and time of each row."""
    found = columns(text)
    assert found.index.tolist() == index
    assert found.value.tolist() == value
    assert found.flags.tolist() == flags
    assert found.time.tolist() == [time] * len(index)
    assert found.relative == (found.group in (2, 4) and found.variation == 3)
    dtypes = [one.dtype.str for one in (found.index, found.value, found.flags, found.time)]
    assert dtypes == ["<i4", "<f8", "|u1", "<i8"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("32 01 07 01 01 00 00 00 00 00", "no measurement"),
        ("6E 01 00 00 00 41", "no measurement"),
        ("14 03 00 00 00 01 00 00 00 00", "no measurement"),
        ("01 02 07 01 81", "qualifier 0x07"),
        ("01 01 07 01 81", "qualifier 0x07"),
        ("02 01 39 01 00 00 00 00 00 00 80 81", "index 2147483648"),
        ("01 02 02 FF FF FF FF FF FF FF FF 81", "index 4294967295"),
    ],
)
def test_what_is_no_measurement_is_refused(text: str, words: str) -> None:
    """Objects of other uses, withdrawn ones, and indexes that no column holds."""
    with pytest.raises(ObjectError, match=words):
        columns(text)


def test_rows_are_taken_out() -> None:
    """A slice of columns is columns."""
    found = columns("01 02 00 02 04 81 01 81")[1:]
    assert (len(found), found.index.tolist(), found.value.tolist()) == (2, [3, 4], [0, 1])
