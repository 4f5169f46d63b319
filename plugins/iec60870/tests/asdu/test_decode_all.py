"""Many ASDUs of one type, decoded together."""

from __future__ import annotations

import numpy as np
import pytest
from gateway_iec60870.asdu import (
    IEC104,
    Asdu,
    AsduError,
    Cause,
    Columns,
    Sizes,
    decode,
    decode_all,
    parse,
)


def singles(structure: str, objects: str) -> Asdu:
    """Single points without time tag."""
    return parse(bytes.fromhex(f"01 {structure} 03 00 0A 00 {objects}"), IEC104)


APART = singles("02", "07 00 00 01 03 00 00 80")
AFTER = singles("83", "FE FF 00 00 01 11")
ALONE = singles("81", "01 00 01 01")
ONE = singles("01", "02 00 00 00")
EMPTY = singles("00", "")
EMPTY_AFTER = singles("80", "")

ROWS = {
    id(APART): [(7, 1, 0), (3, 0, 0x80)],
    id(AFTER): [(0xFFFE, 0, 0), (0xFFFF, 1, 0), (0x10000, 1, 0x10)],
    id(ALONE): [(0x10001, 1, 0)],
    id(ONE): [(2, 0, 0)],
    id(EMPTY): [],
    id(EMPTY_AFTER): [],
}


@pytest.mark.parametrize(
    "asdus",
    [
        [ONE], [ALONE], [APART], [AFTER], [EMPTY], [EMPTY_AFTER],
        [ONE, ALONE, ONE], [APART, ONE, APART, EMPTY], [AFTER, ALONE, EMPTY_AFTER, AFTER],
        [APART, AFTER, ONE, ALONE, EMPTY, AFTER, EMPTY_AFTER, APART],
        [AFTER, APART],
    ],
)  # fmt: skip
def test_rows_stay_in_the_order_of_the_asdus(asdus: list[Asdu]) -> None:
    """Whether addresses stand apart or follow one, and each row says whose it is."""
    columns, owner = decode_all(asdus, IEC104)
    expected = [(n, *row) for n, one in enumerate(asdus) for row in ROWS[id(one)]]
    found = zip(
        owner.tolist(), columns.object.tolist(), columns.value.tolist(), columns.flags.tolist(),
        strict=True,
    )  # fmt: skip
    assert list(found) == expected


def test_dtypes_are_those_of_columns() -> None:
    """Whatever the type and the structure, so that columns can be put together."""
    names = {
        "object": np.int32, "value": np.float64, "flags": np.uint8, "time": np.int64,
        "clock": np.uint8, "extra": np.uint32,
    }  # fmt: skip
    for asdus in ([ONE], [AFTER], [ONE, AFTER]):
        columns, owner = decode_all(asdus, IEC104)
        assert owner.dtype == np.int32
        assert {name: getattr(columns, name).dtype for name in names} == names


def test_mixed_structures_keep_every_column() -> None:
    """Values, times and what else an object has do not change places."""
    plain = "11 9B 4E 0D 16 4E 0B 17"
    apart = bytes.fromhex(f"1E 02 03 00 0A 00 05 00 00 {plain} 09 00 00 00 5F EA 3B 17 1F 0C 63")
    after = bytes.fromhex("1E 82 03 00 0A 00 07 00 00 F0 00 00 80 80 01 01 00 01" + "00" * 7)
    columns, _ = decode_all([parse(one, IEC104) for one in (apart, after, apart)], IEC104)
    assert columns.object.tolist() == [5, 9, 7, 8, 5, 9]
    assert columns.value.tolist() == [1, 0, 0, 1, 1, 0]
    assert columns.flags.tolist() == [0x10, 0, 0xF0, 0, 0x10, 0]
    year_2000, end_of_1999 = 946_684_800_000, 946_684_799_999
    times = [1_700_000_000_123, end_of_1999, year_2000, -1, 1_700_000_000_123, end_of_1999]
    assert columns.time.tolist() == times
    assert columns.clock.tolist() == [0, 0, 0xC0, 0x80, 0, 0]


@pytest.mark.parametrize("octets", [1, 2, 3])
def test_addresses_of_one_to_three_octets(octets: int) -> None:
    """The last address of each size, apart and after another."""
    sizes = Sizes(2, 2, octets)
    last = sizes.last.to_bytes(octets, "little")
    before = (sizes.last - 1).to_bytes(octets, "little")
    apart = Asdu(1, 3, 1, last + b"\1" + bytes(octets) + b"\0", 2)
    after = Asdu(1, 3, 1, before + b"\1\0", 2, sequence=True)
    columns, _ = decode_all([apart, after], sizes)
    assert columns.object.tolist() == [sizes.last, 0, sizes.last - 1, sizes.last]
    assert columns.value.tolist() == [1, 0, 1, 0]


@pytest.mark.parametrize("kind", [0, 45, 70, 100, 110, 120, 200])
def test_what_is_no_measurement_is_refused(kind: int) -> None:
    """Commands and others have functions of their own."""
    with pytest.raises(AsduError, match=rf"type {kind}, no measurement, allowed: 1 to 21 and 30"):
        decode(Asdu(kind, 3, 1, bytes(4)), IEC104)


def test_types_are_not_mixed() -> None:
    """Nor is there a type without an ASDU."""
    with pytest.raises(ValueError, match=r"types \[1, 3\], allowed: one type"):
        decode_all([ONE, Asdu(3, 3, 1, bytes(4))], IEC104)
    with pytest.raises(ValueError, match=r"types \[\]"):
        decode_all([], IEC104)


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("sequence", [False, True])
def test_a_body_that_was_never_checked(count: int, sequence: bool) -> None:
    """An Asdu that no `parse` has made is not read beyond its octets."""
    with pytest.raises(AsduError, match="octets, allowed: "):
        decode(Asdu(1, Cause.SPONTANEOUS, 1, bytes(9), count, sequence), IEC104)


def test_rows_of_columns() -> None:
    """A slice, a mask or row numbers."""
    columns, _ = decode_all([APART, AFTER], IEC104)
    assert len(columns) == 5
    assert columns[1:3].object.tolist() == [3, 0xFFFE]
    assert columns[columns.value == 1].object.tolist() == [7, 0xFFFF, 0x10000]
    some = columns[np.array([4, 0])]
    assert (some.type, some.object.tolist(), some.flags.tolist()) == (1, [0x10000, 7], [0x10, 0])


def test_columns_of_anything() -> None:
    """One number serves all rows, and a number alone is one row."""
    columns = Columns.of(30, [1, 2], [0, 1], 0x10, 5, 0x40, 7)
    assert columns.flags.tolist() == [0x10, 0x10]
    assert columns.time.tolist() == [5, 5]
    assert columns.clock.tolist() == [0x40, 0x40]
    assert columns.extra.tolist() == [7, 7]
    assert len(Columns.of(1, 5, True)) == 1
    with pytest.raises(ValueError, match="broadcast"):
        Columns.of(1, [1, 2], [0, 1, 0])
