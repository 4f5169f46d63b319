"""Decoding: every type and order, what a plan refuses, and what a block must have."""

from __future__ import annotations

import math
import struct

import pytest

from gateway import Field
from gateway.kernel import KernelError, Plan, Points, Rows
from gateway.model.quality import Quality

INEXACT = Quality.QUESTIONABLE | Quality.INACCURATE
BROKEN = Quality.INVALID | Quality.FAILURE

# Type, order, bytes on the wire, value, quality.  The floats are those of the IEEE 754 tables,
# 0x42F6E979 = 123.456 and 0x400921FB54442D18 = pi.
CASES = [
    ("int8", "ABCD", "80", -128.0, 0),
    ("uint8", "ABCD", "80", 128.0, 0),
    ("int16", "ABCD", "fffe", -2.0, 0),
    ("int16", "DCBA", "feff", -2.0, 0),
    ("int16", "BADC", "feff", -2.0, 0),
    ("int16", "CDAB", "fffe", -2.0, 0),
    ("uint16", "ABCD", "fffe", 65534.0, 0),
    ("int32", "ABCD", "fffffffd", -3.0, 0),
    ("uint32", "ABCD", "01020304", 16909060.0, 0),
    ("uint32", "DCBA", "04030201", 16909060.0, 0),
    ("uint32", "BADC", "02010403", 16909060.0, 0),
    ("uint32", "CDAB", "03040102", 16909060.0, 0),
    ("float32", "ABCD", "42f6e979", 123.45600128173828, 0),
    ("float32", "CDAB", "e97942f6", 123.45600128173828, 0),
    ("float32", "ABCD", "7fc00000", math.nan, BROKEN),
    ("float32", "ABCD", "ff800000", -math.inf, Quality.INVALID | Quality.OVERFLOW),
    ("float64", "ABCD", "400921fb54442d18", math.pi, 0),
    ("float64", "DCBA", "182d4454fb210940", math.pi, 0),
    ("float64", "BADC", "0940fb214454182d", math.pi, 0),
    ("float64", "CDAB", "2d18544421fb4009", math.pi, 0),
    ("uint64", "CDAB", "0607040502030001", 283686952306183.0, 0),
    ("int64", "ABCD", "ffffffffffffff00", -256.0, 0),
    ("int64", "ABCD", "0020000000000000", 2.0**53, 0),
    ("int64", "ABCD", "0020000000000001", 2.0**53, INEXACT),
    ("int64", "ABCD", "ffe0000000000000", -(2.0**53), 0),
    ("int64", "ABCD", "ffdfffffffffffff", -(2.0**53), INEXACT),
    ("uint64", "ABCD", "ffffffffffffffff", 2.0**64, INEXACT),
    ("bcd16", "ABCD", "9807", 9807.0, 0),
    ("bcd16", "ABCD", "980a", math.nan, BROKEN),
    ("bcd32", "CDAB", "56781234", 12345678.0, 0),
    ("bcd32", "ABCD", "f2345678", math.nan, BROKEN),
]


def decoded(points: Points, fields: list[Field], block: bytes) -> dict[int, tuple[float, int]]:
    """Decode one block; return value and quality of each row by its point."""
    rows = Rows(len(fields))
    points.decode(Plan(points, fields), block, 1, 0, rows)
    batch = rows.drain()
    assert batch is not None
    columns = zip(batch.point, batch.value, batch.quality, strict=True)
    return {int(point): (float(value), int(quality)) for point, value, quality in columns}


@pytest.mark.parametrize(("kind", "order", "wire", "value", "quality"), CASES)
@pytest.mark.parametrize("count", [1, 9], ids=["listed", "run"])
def test_types_and_orders(
    kind: str, order: str, wire: str, value: float, quality: int, count: int
) -> None:
    """Each type, in each order, alone and as a run of neighbours."""
    one = bytes.fromhex(wire)
    fields = [Field(i, 2 + i * len(one), kind, order) for i in range(count)]
    got = decoded(Points(count), fields, b"\xff\xff" + one * count)
    assert got == {i: (pytest.approx(value, abs=0, rel=0, nan_ok=True), quality) for i in got}
    assert len(got) == count


WAYS = pytest.mark.parametrize("count", [1, 70], ids=["listed", "run"])


def doubles(points: Points) -> Plan:
    """Return the plan of a block that holds a big-endian double for each point."""
    return Plan(points, [Field(i, 8 * i, "float64") for i in range(points.n)])


@WAYS
@pytest.mark.parametrize("deadband", [0.0, 1e3, math.inf])
def test_overflow_is_news_within_any_deadband(count: int, deadband: float) -> None:
    """Deadbands are for values, and an infinity is none."""
    points, rows = Points(count), Rows(count)
    points.deadband[:] = deadband
    plan = doubles(points)
    assert points.decode(plan, struct.pack(">d", 1.0) * count, 1, 0, rows) == count
    rows.clear()
    assert points.decode(plan, struct.pack(">d", math.inf) * count, 2, 0, rows) == count
    assert (points.quality == Quality.INVALID | Quality.OVERFLOW).all()


@WAYS
@pytest.mark.parametrize("value", [-6.0, 6.0])
@pytest.mark.parametrize("deadband", [0.0, 1e3])
def test_leaving_the_range_is_news_within_any_deadband(
    count: int, value: float, deadband: float
) -> None:
    """The quality changes although the value may hardly do."""
    points, rows = Points(count), Rows(count)
    points.low[:], points.high[:], points.deadband[:] = -5.0, 5.0, deadband
    plan = doubles(points)
    assert points.decode(plan, struct.pack(">d", 0.0) * count, 1, 0, rows) == count
    rows.clear()
    assert points.decode(plan, struct.pack(">d", value) * count, 2, 0, rows) == count
    assert (points.quality == Quality.QUESTIONABLE | Quality.OUT_OF_RANGE).all()


@WAYS
def test_rows_carry_the_time_and_the_flags_of_their_block(count: int) -> None:
    """Also where all points of a block move together."""
    points, rows = Points(count), Rows(count)
    plan = doubles(points)
    for moment, value in enumerate((1.5, 2.5), start=1):
        block = struct.pack(">d", value) * count
        assert points.decode(plan, block, moment, Quality.TEST, rows) == count
        batch = rows.drain()
        assert batch is not None
        assert batch.point.tolist() == list(range(count))
        assert batch.value.tolist() == points.value.tolist() == [value] * count
        assert batch.quality.tolist() == points.quality.tolist() == [Quality.TEST] * count
        assert batch.time.tolist() == points.time.tolist() == [moment] * count


@WAYS
def test_a_value_never_reported_is_reported_from_a_block(count: int) -> None:
    """A restored value without its time is as good as none."""
    points, rows = Points(count), Rows(count)
    points.value[:], points.quality[:] = 5.0, Quality.GOOD
    assert points.decode(doubles(points), struct.pack(">d", 5.0) * count, 1, 0, rows) == count


def test_bits_of_bytes_are_coils() -> None:
    """Coils 20 to 38 of the example in the Modbus specification, function 01: CD 6B 05."""
    expected = "1011001111010110101"  # first coil first
    fields = [Field(i, i // 8, "bit", bit=i % 8) for i in range(19)]
    got = decoded(Points(19), fields, bytes.fromhex("CD6B05"))
    assert "".join(str(int(got[i][0])) for i in range(19)) == expected


@pytest.mark.parametrize(
    ("order", "wire"), [("ABCD", "8001"), ("CDAB", "8001"), ("DCBA", "0180"), ("BADC", "0180")]
)
def test_bits_of_registers_have_an_order(order: str, wire: str) -> None:
    """0x8001: bits 0 and 15 of the register, wherever its bytes are."""
    fields = [Field(i, 0, "bit16", order, bit=i) for i in range(16)]
    got = decoded(Points(16), fields, bytes.fromhex(wire))
    assert [i for i in range(16) if got[i][0] == 1.0] == [0, 15]


def test_the_order_of_fields_does_not_matter() -> None:
    """Fields anywhere in the block, for points in any order."""
    block = struct.pack(">hfhH", -1, 2.5, -3, 4)
    fields = [
        Field(7, 6, "int16"),
        Field(0, 2, "float32"),
        Field(3, 8, "uint16"),
        Field(5, 0, "int16"),
    ]
    got = decoded(Points(8), fields, block)
    assert got == {7: (-3.0, 0), 0: (2.5, 0), 3: (4.0, 0), 5: (-1.0, 0)}


def test_size_and_length() -> None:
    """Number of fields, and the bytes up to the end of the last one."""
    plan = Plan(Points(2), [Field(0, 0, "int16"), Field(1, 4, "float64")])
    assert (plan.size, plan.length) == (2, 12)
    empty = Plan(Points(0), [])
    assert (empty.size, empty.length) == (0, 0)
    assert Points(0).n == 0


def test_an_empty_plan_decodes_to_nothing() -> None:
    """Also from an empty block."""
    points = Points(0)
    assert points.decode(Plan(points, []), b"", 1, 0, Rows(1)) == 0


@pytest.mark.parametrize(
    ("field", "sentence"),
    [
        (Field(3, 0, "int16"), "field 1: point 3 lies outside the table of 3 points"),
        (Field(-1, 0, "int16"), "field 1: point -1 lies outside"),
        (Field(1, -2, "int16"), "field 1: offset -2 lies before the block"),
        (Field(1, 0, "int24"), "field 1: unknown type 'int24'; known are bit, bit16, int8"),
        (Field(1, 0, "int32", "abcd"), "field 1: unknown order 'abcd'; known are ABCD"),
        (Field(1, 0, "bit", bit=8), "field 1: bit 8 of a bit; it must be 0 to 7"),
        (Field(1, 0, "bit16", bit=16), "field 1: bit 16 of a bit16; it must be 0 to 15"),
        (Field(1, 0, "int16", bit=1), "field 1: bit 1 of a int16; it must be 0"),
        (Field(0, 2, "int16"), "field 1: point 0 is already field 0"),
    ],
)
def test_nonsense_is_refused_by_name(field: Field, sentence: str) -> None:
    """The sentence names the field, what was found and what is allowed."""
    with pytest.raises(ValueError, match=sentence):
        Plan(Points(3), [Field(0, 0, "int16"), field])


def test_a_truncated_block_is_refused_and_nothing_changed() -> None:
    """One byte less than the plan needs, for a run and for a list."""
    for fields in (
        [Field(i, 2 * i, "int16") for i in range(20)],
        [Field(0, 38, "int16"), Field(1, 0, "float32")],
    ):
        points, rows = Points(20), Rows(20)
        plan = Plan(points, fields)
        with pytest.raises(KernelError, match="needs 40 bytes, got 39"):
            points.decode(plan, bytes(39), 1, 0, rows)
        assert rows.count == 0
        assert not points.time.any()
        assert points.decode(plan, bytes(40), 1, 0, rows) == len(fields)


def test_rows_that_are_too_few_are_refused_and_nothing_changed() -> None:
    """As many must be free as the plan has fields, whatever will change."""
    points, rows = Points(20), Rows(20)
    plan = Plan(points, [Field(i, 2 * i, "int16") for i in range(20)])
    assert points.decode(plan, bytes(40), 1, 0, rows) == 20
    with pytest.raises(KernelError, match="needs 20 free rows, got 0"):
        points.decode(plan, bytes([1]) * 40, 2, 0, rows)
    assert points.value.tolist() == [0.0] * 20
    assert rows.count == 20


def test_a_plan_of_another_table_is_refused() -> None:
    """Its runs hold that table's rate limits."""
    plan = Plan(Points(2), [Field(0, 0, "int16")])
    with pytest.raises(KernelError, match="another points table"):
        Points(2).decode(plan, bytes(2), 1, 0, Rows(2))


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview])
def test_blocks_of_every_kind(wrap: type) -> None:
    """bytes, bytearray and memoryview are taken as they are."""
    points, rows = Points(2), Rows(2)
    plan = Plan(points, [Field(0, 1, "uint8"), Field(1, 2, "uint8")])
    assert points.decode(plan, wrap(b"\x00\x05\x06"), 1, 0, rows) == 2
    assert points.value.tolist() == [5.0, 6.0]


def test_a_memoryview_is_measured_in_bytes() -> None:
    """Its own items may be wider."""
    points, rows = Points(1), Rows(1)
    view = memoryview(struct.pack("=2H", 0, 0)).cast("H")
    plan = Plan(points, [Field(0, 0, "uint32")])
    assert points.decode(plan, view, 1, 0, rows) == 1
