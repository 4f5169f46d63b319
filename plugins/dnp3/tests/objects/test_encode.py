"""Columns as object headers."""

from __future__ import annotations

import numpy as np
import pytest
from gateway_dnp3.objects import (
    LAYOUTS,
    Columns,
    ObjectError,
    Qualifier,
    Use,
    decode,
    encode,
    encode_events,
    split,
)

NAN, INF = float("nan"), float("inf")

# (variation, value, octets of flags and value), by hand
CLAMPED = [
    (30, 1, 2147483647.4, "01ffffff7f"),
    (30, 1, 2147483648.0, "21ffffff7f"),
    (30, 1, -2147483649.0, "2100000080"),
    (30, 1, INF, "21ffffff7f"),
    (30, 1, NAN, "2100000000"),
    (30, 2, 32767.2, "01ff7f"),
    (30, 2, 40000, "21ff7f"),
    (30, 2, -40000, "210080"),
    (30, 2, 1.5, "010200"),
    (30, 4, 40000, "ff7f"),
    (30, 5, 1e39, "21ffff7f7f"),
    (30, 5, -1e39, "21ffff7fff"),
    (30, 5, INF, "010000807f"),
    (30, 6, 100, "010000000000005940"),
    (43, 2, 40000, "01ff7f"),
    (20, 1, 4294967296 + 5, "0105000000"),
    (20, 2, 65536 + 5, "010500"),
    (20, 6, 65535, "ffff"),
    (20, 1, NAN, "0100000000"),
    (20, 1, INF, "0100000000"),
    (102, 1, 300, "ff"),
    (1, 2, 1, "81"),
    (1, 2, NAN, "01"),
    (3, 2, 2, "81"),
    (3, 2, NAN, "c1"),
    (3, 2, 7, "c1"),
    (3, 2, -1, "c1"),
]


@pytest.mark.parametrize(("group", "variation", "value", "octets"), CLAMPED)
def test_values_are_said_or_marked(group: int, variation: int, value: float, octets: str) -> None:
    """Clamped and OVER_RANGE; counters count on; what is no state is indeterminate."""
    qualifier = Qualifier.INDEX_8 if group == 43 else None
    written, rows = encode(Columns.of(group, variation, [0], [value]), 100, qualifier)
    assert rows == 1
    assert written.hex()[10:] == octets


def test_runs_of_indexes_are_ranges() -> None:
    """One header for each run, with octets as wide as the last index."""
    columns = Columns.of(30, 4, [2, 4, 5, 255, 256, 300], [1, 2, 3, 4, 5, 6])
    octets, rows = encode(columns, 200)
    assert rows == 6
    assert octets.hex() == (
        "1e04000202" "0100" "1e04000405" "02000300"
        "1e0401ff000001" "04000500" "1e04012c012c01" "0600"
    )  # fmt: skip


def test_indexes_that_fall_are_ranges_too() -> None:
    """The order of the rows is kept."""
    octets, rows = encode(Columns.of(30, 4, [5, 4], [1, 2]), 200)
    assert (rows, octets.hex()) == (2, "1e04000505" "0100" "1e04000404" "0200")  # fmt: skip


@pytest.mark.parametrize("budget", range(0, 60))
def test_as_much_as_there_is_room_for(budget: int) -> None:
    """Never more than the budget, and one row more would not fit."""
    events = Columns.of(2, 2, [1, 2, 300, 4, 5], [1] * 5, 1, np.arange(5) + 10)
    runs = Columns.of(30, 1, [1, 2, 4, 5, 6], [1] * 5)
    packed = Columns.of(3, 1, np.arange(40), np.arange(40) % 4)
    relative = Columns.of(2, 3, [1, 2, 3], [1] * 3, 1, [10, 11, 100_000])
    for columns in (events, runs, packed, relative):
        octets, rows = encode(columns, budget)
        assert len(octets) <= budget
        assert sum(len(decode(one)) for one in split(octets) if one.group != 51) == rows
        if rows < len(columns):
            assert len(encode(columns[: rows + 1], 10_000)[0]) > budget
    order = np.array([0, 0, 1, 0, 1, 0, 0, 1])
    octets, rows = encode_events([events, relative], order, budget)
    assert len(octets) <= budget
    assert sum(one.count for one in split(octets) if one.group != 51) == rows


def test_lists_are_as_narrow_as_they_may_be() -> None:
    """0x17 up to index 255 and 255 rows, 0x28 beyond."""
    assert encode(Columns.of(2, 1, [255], [1]), 99)[0].hex() == "02011701ff81"
    assert encode(Columns.of(2, 1, [256], [1]), 99)[0].hex() == "02012801000001" + "81"
    octets, rows = encode(Columns.of(2, 1, np.arange(256), [1] * 256), 2048)
    assert (rows, octets[:5].hex()) == (256, "0201280001")


def test_relative_times_begin_anew_where_they_must() -> None:
    """As opendnp3 does: a new common time where the delay is negative or beyond 65535 ms."""
    columns = Columns.of(4, 3, [1, 2, 3, 4], [1, 2, 3, 0], 1, [5, 4, 4 + 65535, 4 + 65536])
    octets, rows = encode(columns, 200)
    assert rows == 4
    found = list(split(octets))
    assert [one.group for one in found] == [51, 4, 51, 4, 51, 4]
    assert [one.count for one in found] == [1, 1, 1, 2, 1, 1]
    unsure = Columns.of(2, 3, [1], [1], 1, 5, synchronised=False)
    assert encode(unsure, 99)[0].hex()[:4] == "3302"


@pytest.mark.parametrize(
    ("columns", "qualifier", "words"),
    [
        (Columns.of(12, 1, [0], [0]), None, "no measurement"),
        (Columns.of(20, 3, [0], [0]), None, "no measurement"),
        (Columns.of(30, 9, [0], [0]), None, "no measurement"),
        (Columns.of(30, 1, [-1], [0]), None, "index -1"),
        (Columns.of(30, 1, [65536], [0]), None, "index 65536"),
        (Columns.of(2, 2, [0], [0]), None, "time -1"),
        (Columns.of(2, 2, [0], [0], 1, 1 << 48), None, "time 281474976710656"),
        (Columns.of(2, 1, [256], [0]), Qualifier.INDEX_8, "index 256"),
        (Columns.of(2, 1, [0], [0]), Qualifier.COUNT_8, "qualifier 0x07"),
        (Columns.of(2, 1, [0], [0]), Qualifier.FREE, "qualifier 0x5B"),
        (Columns.of(30, 1, [256], [0]), Qualifier.RANGE_8, "1 objects from index 256"),
    ],
)
def test_what_cannot_be_said_is_refused(
    columns: Columns, qualifier: Qualifier | None, words: str
) -> None:
    """Indexes, times, variations and qualifiers, each with what is allowed."""
    with pytest.raises(ObjectError, match=words):
        encode(columns, 100, qualifier)


def test_no_rows_are_no_octets() -> None:
    """An empty batch, and one without room."""
    assert encode(Columns.of(30, 1, [], []), 100) == (b"", 0)
    assert encode(Columns.of(30, 1, [1], [1]), -5) == (b"", 0)
    assert encode_events([], np.zeros(0, int), 100) == (b"", 0)


@pytest.mark.parametrize("key", [k for k, one in LAYOUTS.items() if one.use is Use.MEASUREMENT])
def test_what_is_written_is_read(key: tuple[int, int]) -> None:
    """Columns of every variation come back, flags and times as far as it carries them."""
    layout = LAYOUTS[key]
    values = [0, 1, 2, 3] if key[0] in (3, 4) else [0, 1, 1, 0]
    flags = [0x01, 0x02, 0x1D, 0x05] if layout.flags else [1] * 4
    time = [10, 11, 12, 65000] if layout.time.value else [-1] * 4
    columns = Columns.of(*key, [7, 8, 9, 10], values, flags, time)
    octets, rows = encode(columns, 500)
    found = decode(next(one for one in split(octets) if one.group != 51))
    assert rows == 4
    assert found.index.tolist() == [7, 8, 9, 10]
    assert found.value.tolist() == values
    assert found.flags.tolist() == flags
    assert (found.time + 10 * found.relative).tolist() == time
