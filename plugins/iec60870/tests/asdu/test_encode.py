"""How columns become ASDUs: how many, which of them are sequences, and what does not fit."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from gateway_iec60870.asdu import (
    IEC104,
    LAYOUTS,
    AsduError,
    Columns,
    Sizes,
    Use,
    decode,
    decode_all,
    encode,
    encode_events,
)

sys.path.insert(0, str(Path(__file__).parent))
from asdu_published import TIME


def test_neighbours_become_a_sequence() -> None:
    """One address, then the elements one after the other (figure of 101 clause 7.2.2)."""
    columns = Columns.of(1, [5, 6, 7], [1, 0, 1], [0, 0, 0x80])
    (found,) = encode(columns, IEC104, cause=20, address=10)
    assert found.encode(IEC104).hex(" ") == "01 83 14 00 0a 00 05 00 00 01 00 81"
    (found,) = encode(columns, IEC104, cause=20, address=10, packed=False)
    assert found.encode(IEC104) == bytes.fromhex(
        "01 03 14 00 0A 00 05 00 00 01 06 00 00 00 07 00 00 81"
    )


def test_test_bit_and_originator() -> None:
    """They are those of every ASDU."""
    columns = Columns.of(1, [5], [1])
    (found,) = encode(columns, IEC104, cause=3, address=10, test=True, originator=7)
    assert found.encode(IEC104).hex(" ") == "01 01 83 07 0a 00 05 00 00 01"
    given = [(columns, np.array([0]))]
    assert encode_events(given, IEC104, cause=3, address=10, test=True, originator=7) == [
        found.encode(IEC104)
    ]


def test_rows_that_are_no_neighbours_stay_apart() -> None:
    """A single object is no sequence, nor are addresses that go down or repeat."""
    for given in ([5], [7, 6, 5], [5, 5, 5], [5, 7, 9]):
        (found,) = encode(Columns.of(13, given, 1.5), IEC104, cause=20, address=1)
        assert not found.sequence
        assert decode(found, IEC104).object.tolist() == given


@pytest.mark.parametrize("kind", [k for k, one in LAYOUTS.items() if one.use is Use.MEASUREMENT])
def test_only_what_the_standard_draws_becomes_a_sequence(kind: int) -> None:
    """No type with a time tag does (101 clause 7.3.1)."""
    columns = Columns.of(kind, [5, 6], 1, 0, TIME)
    (found,) = encode(columns, IEC104, cause=20, address=1)
    assert found.sequence == (kind in {1, 3, 5, 7, 9, 11, 13, 15, 20, 21})


def test_no_rows_are_no_asdu() -> None:
    """An empty ASDU says nothing."""
    assert encode(Columns.of(1, [], []), IEC104, cause=3, address=1) == []
    assert encode_events([], IEC104, cause=3, address=1) == []
    none = Columns.of(1, [], []), np.zeros(0, int)
    assert encode_events([none], IEC104, cause=3, address=1) == []


def fewest(addresses: list[int], size: int, sizes: Sizes, packed: bool) -> int:
    """The fewest ASDUs for some rows, by trying every way to cut them."""
    room = sizes.longest - sizes.head
    best = [0]
    for stop in range(1, len(addresses) + 1):
        ways = []
        for begin in range(max(0, stop - 127), stop):
            rows = stop - begin
            apart = rows * (sizes.object + size) <= room
            run = addresses[begin:stop] == [*range(addresses[begin], addresses[begin] + rows)]
            if apart or (packed and run and sizes.object + rows * size <= room):
                ways.append(best[begin] + 1)
        best.append(min(ways))
    return best[-1]


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("kind", [1, 13, 15])
@pytest.mark.parametrize("sizes", [IEC104, Sizes(1, 1, 2, 60), Sizes(1, 1, 1, 32)])
def test_as_few_asdus_as_there_can_be(sizes: Sizes, kind: int, packed: bool) -> None:
    """As few as any way of cutting the rows, each within its octets, and all rows in order."""
    random = np.random.default_rng(kind)
    for jump in (0.02, 0.3, 0.9):
        steps = np.where(random.random(250) < jump, 2, 1)
        steps = np.where(np.cumsum(steps) < sizes.last, steps, 0)
        addresses = np.cumsum(steps)
        columns = Columns.of(kind, addresses, random.integers(0, 2, 250))
        found = encode(columns, sizes, cause=20, address=1, packed=packed)
        again, _ = decode_all(found, sizes)
        assert again.object.tolist() == addresses.tolist()
        assert again.value.tolist() == columns.value.tolist()
        assert all(len(one.encode(sizes)) <= sizes.longest for one in found)
        size = LAYOUTS[kind].size or 0
        assert len(found) == fewest(addresses.tolist(), size, sizes, packed)


def test_no_more_than_127_objects() -> None:
    """Single points after one address would find more room, and with an address each nearly."""
    found = encode(Columns.of(1, np.arange(300), 0), IEC104, cause=20, address=1)
    assert [one.count for one in found] == [127, 127, 46]
    columns = Columns.of(1, np.arange(200), 0)
    found = encode(columns, Sizes(1, 1, 1, 254), cause=20, address=1, packed=False)
    assert [one.count for one in found] == [125, 75]


@pytest.mark.parametrize("address", [-1, 256])
def test_an_address_beyond_its_octets(address: int) -> None:
    """Refused in either way, and named."""
    columns = Columns.of(1, [5, address], 1)
    with pytest.raises(AsduError, match=f"object {address}, allowed: 0 to 255"):
        encode(columns, Sizes(1, 1, 1), cause=3, address=1)
    with pytest.raises(AsduError, match=f"object {address}, allowed: 0 to 255"):
        encode_events([(columns, np.arange(2))], Sizes(1, 1, 1), cause=3, address=1)


@pytest.mark.parametrize("kind", [0, 45, 100, 200])
def test_a_type_that_is_no_measurement(kind: int) -> None:
    """Refused, as it is when it is read."""
    with pytest.raises(AsduError, match="no measurement"):
        encode(Columns.of(kind, [5], 1), IEC104, cause=3, address=1)


NAN, INF = float("nan"), float("inf")

LAST_STEP = 32767 / 32768
LARGEST = 3.4028234663852886e38  # (2 - 2^-23) * 2^127

BEYOND = [
    # type, value given, value and flags read: OV 0x01, IV 0x80
    (1, 2, 1, 0), (1, -0.5, 1, 0), (1, INF, 1, 0), (1, NAN, 0, 0x80),
    (3, 4, 3, 0x80), (3, -1, 3, 0x80), (3, NAN, 3, 0x80), (3, 1.6, 2, 0),
    (5, 63.4, 63, 0), (5, 64, 63, 0x01), (5, -65, -64, 0x01), (5, -INF, -64, 0x01),
    (5, NAN, 0, 0x80),
    (7, 4294967295, 4294967295, 0), (7, 4294967296, 4294967295, 0x01), (7, -1, 0, 0x01),
    (7, NAN, 0, 0x80),
    (9, 1, LAST_STEP, 0), (9, -1, -1, 0), (9, 1.0001, LAST_STEP, 0x01), (9, -1.0001, -1, 0x01),
    (9, 0.50001, 0.5, 0), (9, INF, LAST_STEP, 0x01), (9, NAN, 0, 0x80),
    (11, 32767.4, 32767, 0), (11, 32768, 32767, 0x01), (11, -32769, -32768, 0x01),
    (11, NAN, 0, 0x80),
    (13, 1e39, LARGEST, 0x01), (13, -1e39, -LARGEST, 0x01), (13, INF, INF, 0),
    (15, 2147483648, -2147483648, 0), (15, 4294967295, -1, 0), (15, 4294967296, 0, 0),
    (15, -2147483649, 2147483647, 0), (15, 1.6, 2, 0), (15, INF, 0, 0x80), (15, NAN, 0, 0x80),
    (17, 7, 3, 0x80), (17, NAN, 3, 0x80),
    (18, 255, 255, 0), (18, 256, 255, 0x80), (18, -1, 0, 0x80), (18, NAN, 0, 0x80),
    (19, 15, 15, 0), (19, 16, 15, 0x80), (19, NAN, 0, 0x80),
    (20, 65536, 65535, 0x01), (20, -1, 0, 0x01), (20, NAN, 0, 0x80),
    (21, 2, LAST_STEP, 0), (21, NAN, 0, 0),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "given", "value", "flags"), BEYOND)
def test_a_value_beyond_its_octets(kind: int, given: float, value: float, flags: int) -> None:
    """The nearest one with OV, or with IV; a neighbour that fits is left alone.

    A counter counts on (modulo 2^32), and a single point is on for all but 0.
    """
    columns = Columns.of(kind, [5, 6], [given, 1], 0, TIME)
    (found,) = encode(columns, IEC104, cause=3, address=1)
    again = decode(found, IEC104)
    near = LAST_STEP if kind in (9, 21) else 1
    assert again.value.tolist() == [value, near]
    assert again.flags.tolist() == [flags, 0]


@pytest.mark.parametrize("kind", [k for k, one in LAYOUTS.items() if one.use is Use.MEASUREMENT])
def test_bits_that_are_no_flags_are_not_written(kind: int) -> None:
    """All bits of flags, clock and extra given: the value stays, reserved bits stay clear."""
    kinds = {1: 0xF0, 2: 0xF0, 30: 0xF0, 3: 0xF0, 4: 0xF0, 31: 0xF0, 21: 0}
    kinds |= {15: 0xE0, 16: 0xE0, 37: 0xE0} | dict.fromkeys((17, 18, 19, 38, 39, 40), 0xF8)
    columns = Columns.of(kind, [5], [0], 0xFF, TIME, 0xFF, 0xFFFFFFFF)
    (found,) = encode(columns, IEC104, cause=3, address=1)
    again = decode(found, IEC104)
    assert again.value.tolist() == [0]
    assert again.flags.tolist() == [kinds.get(kind, 0xF1)]
    extra = {5: 1, 6: 1, 32: 1, 15: 31, 16: 31, 37: 31, 20: 65535}
    extra |= dict.fromkeys((17, 18, 19, 38, 39, 40), 65535)
    assert again.extra.tolist() == [extra.get(kind, 0)]


def test_what_is_no_number_is_a_float_whatever_its_neighbours_are() -> None:
    """NaN says itself that it is no value, beside one that is too large for the octets."""
    columns = Columns.of(13, [5, 6, 7], [NAN, 1e39, 1])
    (found,) = encode(columns, IEC104, cause=3, address=1)
    assert decode(found, IEC104).flags.tolist() == [0, 0x01, 0]


def test_columns_are_left_as_they_are() -> None:
    """Flags that are set on the way are those of the octets, not of the columns."""
    columns = Columns.of(9, [5], [2.0], 0x10)
    encode(columns, IEC104, cause=3, address=1)
    assert columns.flags.tolist() == [0x10]
    columns = Columns.of(30, [5], [1], 0, -1)
    encode(columns, IEC104, cause=3, address=1)
    assert (columns.time.tolist(), columns.clock.tolist()) == ([-1], [0])
