"""Fragments that others published."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from gateway_dnp3.app import Fragment, FunctionCode, Iin, contents, gather, headers, parse
from gateway_dnp3.objects import Columns, Crob, Operation, Schedule

sys.path.insert(0, str(Path(__file__).parent))
from again import again

PUBLISHED = [
    line
    for line in (Path(__file__).parent / "published.txt").read_text().splitlines()
    if line and not line.startswith("#")
]


def fragment(text: str) -> Fragment:
    return parse(bytes.fromhex(text))


@pytest.mark.parametrize("text", PUBLISHED)
def test_a_fragment_is_read_and_written(text: str) -> None:
    """What was published decodes, and encodes again byte for byte."""
    read = fragment(text)
    written = Fragment(read.control, read.function, read.iin, again(read))
    assert written.encode().hex(" ").upper() == text


@pytest.mark.parametrize("text", PUBLISHED)
def test_a_fragment_that_is_cut_is_refused_or_shorter(text: str) -> None:
    """No cut makes more objects of a fragment than the whole has."""
    octets = bytes.fromhex(text)
    whole = len(list(headers(parse(octets))))
    for end in range(len(octets)):
        count = 0
        try:
            for _ in headers(parse(octets[:end])):
                count += 1
        except ValueError:
            continue
        assert count <= whole


# (fragment, rows of index, value, flags, time), as the assertions beside the hex strings say
MEASURED = [
    ("C0 81 00 00 01 02 00 03 05 81 01 81", [(3, 1, 1, -1), (4, 0, 1, -1), (5, 1, 1, -1)]),
    ("C0 81 00 00 01 01 00 03 06 09", [(3, 1, 1, -1), (4, 0, 1, -1), (5, 0, 1, -1), (6, 1, 1, -1)]),
    ("C0 81 00 00 0D 02 17 01 09 81 88 6E D0 92 4A 01", [(9, 1, 1, 1419802341000)]),
    ("C0 81 00 00 2B 03 17 01 09 01 32 00 00 00 88 6E D0 92 4A 01", [(9, 50, 1, 1419802341000)]),
    (
        "E0 81 80 00 16 05 28 01 00 00 00 01 17 00 00 00 78 E6 B7 2D 60 01",
        [(0, 23, 1, 1512595515000)],
    ),
    (
        "E0 81 80 00 33 01 07 01 71 45 00 00 00 00 02 03 28 02 00 03 00 01 00 00 04 00 81 08 00",
        [(3, 0, 1, 0x4571), (4, 1, 1, 0x4579)],
    ),
    (
        "C0 81 00 00 33 01 07 01 03 00 00 00 00 00 02 03 17 01 07 81 02 00 02 03 17 01 08 81 03 00",
        [(7, 1, 1, 5), (8, 1, 1, 6)],
    ),
    ("C4 81 80 00 15 05 00 00 00 01 29 00 00 00 C0 AA 57 05 38 00", [(0, 41, 1, 240607800000)]),
    ("C0 81 80 00 1E 05 00 00 00 01 33 33 BF 42", [(0, pytest.approx(95.6), 1, -1)]),
    ("C0 81 80 00 28 04 00 00 00 01 00 00 00 00 00 00 34 C0", [(0, -20, 1, -1)]),
    ("C0 81 80 00 1E 03 00 00 00 00 00 01 00", [(0, 65536, 1, -1)]),
]


@pytest.mark.parametrize(("text", "expected"), MEASURED)
def test_measurements_say_what_their_publisher_says(text: str, expected: list[object]) -> None:
    """Index, value, flags and time are those that stand beside the hex string."""
    rows: list[object] = []
    for _, item in contents(fragment(text)):
        if isinstance(item, Columns):
            rows += zip(item.index, item.value, item.flags, item.time, strict=True)
    assert rows == expected


@pytest.mark.parametrize(("text", "expected"), MEASURED)
def test_gathered_measurements_are_the_same(text: str, expected: list[object]) -> None:
    """All headers read at once say what they say one by one."""
    columns, order = gather(headers(fragment(text)))
    rows: list[object] = []
    for one in columns:
        rows += zip(one.index, one.value, one.flags, one.time, strict=True)
    assert [rows[row] for row in order.argsort()] == expected


def test_the_double_bits_of_the_published_event() -> None:
    """TestDoubleBitCTO: 3 is INDETERMINATE after 7 ms, 5 is DETERMINED_OFF after 9 ms."""
    text = "C0 81 00 00 33 01 07 01 00 00 00 00 00 00 04 03 17 02 03 C1 07 00 05 41 09 00"
    ((_, _), (_, item)) = contents(fragment(text))
    assert isinstance(item, Columns)
    assert [item.index.tolist(), item.value.tolist(), item.flags.tolist(), item.time.tolist()] == [
        [3, 5],
        [3.0, 1.0],
        [1, 1],
        [7, 9],
    ]


def test_the_latch_of_the_published_select() -> None:
    """TestAPDUParsing: LATCH_ON, NUL, no clear, count 1, 100 ms on, 200 ms off, index 9."""
    text = "C0 03 0C 01 17 01 09 03 01 64 00 00 00 C8 00 00 00 00"
    ((_, item),) = contents(fragment(text))
    assert item == [Crob(9, 3, 1, 100, 200, 0)]
    assert isinstance(item[0], Crob)
    assert item[0].operation is Operation.LATCH_ON


def test_the_schedule_of_the_published_write() -> None:
    """TestMaster: DNPTime(3), 4, Days, to index 7."""
    text = "C0 02 32 04 28 01 00 07 00 03 00 00 00 00 00 04 00 00 00 05"
    ((_, item),) = contents(fragment(text))
    assert item == [Schedule(7, 3, 4, 5)]


def test_the_indications_of_the_published_responses() -> None:
    """TestOutstation: trouble, local, need time, restart and corrupt; REPORTED overflow."""
    assert fragment("C0 81 F0 20").iin == (
        Iin.NEED_TIME
        | Iin.LOCAL_CONTROL
        | Iin.DEVICE_TROUBLE
        | Iin.DEVICE_RESTART
        | Iin.CONFIG_CORRUPT
    )
    read = fragment("E1 81 82 08 02 01 28 01 00 01 00 81")
    assert read.iin == Iin.DEVICE_RESTART | Iin.CLASS_1_EVENTS | Iin.EVENT_BUFFER_OVERFLOW
    assert read.control.con
    assert fragment("F0 82 80 00").function is FunctionCode.UNSOLICITED_RESPONSE
