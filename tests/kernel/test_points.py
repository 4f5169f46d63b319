"""Judging a sample: each rule, and its limits, with values worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gateway.kernel import HELD, INTEGRATED, MARKS, KernelError, Points, Rows
from gateway.model.batch import EMPTY, Batch
from gateway.model.quality import Quality

Q = Quality
SECOND = 1_000_000_000
OUT = Q.QUESTIONABLE | Q.OUT_OF_RANGE
JUMP = Q.QUESTIONABLE | Q.INCONSISTENT


def one(**parameters: float) -> Points:
    """Return a table of one point."""
    points = Points(1)
    for name, value in parameters.items():
        getattr(points, name)[0] = value
    return points


def judged(
    points: Points, value: float, quality: int = 0, time: int = 1, every: bool = False
) -> tuple[float, int] | None:
    """Judge one sample of point 0; return value and quality of the row, or None."""
    rows = Rows(1)
    count = points.judge(Batch.of([0], [value], quality, time), every, rows)
    batch = rows.drain()
    assert count == (batch is not None)
    return None if batch is None else (float(batch.value[0]), int(batch.quality[0]))


def test_a_new_table_has_seen_nothing() -> None:
    """Before the first sample the image is NaN, invalid and oldData, time 0."""
    points = Points(3)
    assert np.isnan(points.value).all()
    assert points.quality.tolist() == [Q.INVALID | Q.OLD_DATA] * 3
    assert points.time.tolist() == [0, 0, 0]
    assert len(points) == 3


@pytest.mark.parametrize("value", [0.0, 5.0, math.nan, math.inf])
def test_the_first_sample_is_reported(value: float) -> None:
    """Whatever the deadband, and even if it looks like the image of nothing."""
    points = one(deadband=math.inf)
    assert judged(points, value, Q.INVALID | Q.OLD_DATA) is not None


def test_time_zero_has_the_next_sample_reported() -> None:
    """A restored value whose time is 0 has never been reported."""
    points = one()
    points.value[0], points.quality[0], points.time[0] = 5.0, 0, 0
    assert judged(points, 5.0, time=7) == (5.0, 0)
    assert points.time[0] == 7


def test_a_restored_image_is_compared_with() -> None:
    """With its time an image is as good as a reported sample."""
    points = one()
    points.value[0], points.quality[0], points.time[0] = 5.0, 0, 3
    assert judged(points, 5.0) is None
    assert judged(points, 6.0) == (6.0, 0)


@pytest.mark.parametrize(
    ("scale", "offset", "raw", "value"),
    [(1.0, 0.0, 0.1, 0.1), (0.1, 0.0, 2301, 230.10000000000002), (-2.0, 3.0, 4.0, -5.0)],
)
def test_scale_and_offset(scale: float, offset: float, raw: float, value: float) -> None:
    """v = raw * scale + offset, each step rounded on its own as IEEE 754 says."""
    assert judged(one(scale=scale, offset=offset), raw) == (value, 0)


def test_absolute_deadband() -> None:
    """A sample exactly at the edge of the band is quiet, one beyond is reported."""
    points = one(deadband=2.0)
    assert judged(points, 10.0) == (10.0, 0)
    assert judged(points, 12.0, time=2) is None
    assert judged(points, 8.0, time=3) is None
    assert (points.value[0], points.time[0]) == (10.0, 1), "quiet samples leave the image alone"
    assert judged(points, math.nextafter(12.0, 13.0), time=4) is not None


def test_no_deadband_reports_every_change_and_nothing_else() -> None:
    """0 means any change; the sign of a zero is none."""
    points = one()
    judged(points, 1.0)
    assert judged(points, 1.0) is None
    assert judged(points, math.nextafter(1.0, 2.0)) is not None
    judged(points, 0.0)
    assert judged(points, -0.0) is None


@pytest.mark.parametrize("deadband", [-1.0, -math.inf, math.nan])
def test_a_deadband_below_zero_reports_every_sample(deadband: float) -> None:
    """Also the ones that are equal, and so does one that is no number."""
    points = one(deadband=deadband)
    judged(points, 1.0)
    assert judged(points, 1.0) == (1.0, 0)


def test_every_reports_every_sample() -> None:
    """Events are all reported, in their order, each with its own time."""
    points, rows = Points(2), Rows(4)
    batch = Batch.of([1, 1, 0, 1], [1.0, 1.0, 9.0, 0.0], 0, [10, 11, 12, 13])
    assert points.judge(batch, True, rows) == 4
    got = rows.drain()
    assert got is not None
    assert got.point.tolist() == [1, 1, 0, 1]
    assert got.time.tolist() == [10, 11, 12, 13]
    assert points.value.tolist() == [9.0, 0.0]


def test_samples_of_one_point_are_judged_one_after_the_other() -> None:
    """The second is compared with the first, not with the image before the batch."""
    points, rows = Points(1), Rows(4)
    assert points.judge(Batch.of([0] * 4, [1.0, 1.0, 2.0, 1.0], 0, [1, 2, 3, 4]), False, rows) == 3
    got = rows.drain()
    assert got is not None
    assert got.time.tolist() == [1, 3, 4]


def test_integrated_deadband() -> None:
    """1 V off for 1 s and 2 V off for 1 s make the 3 V·s at which the point is reported."""
    points = one(deadband=3.0, deadband_kind=INTEGRATED)
    judged(points, 10.0, time=1 * SECOND)
    assert judged(points, 11.0, time=2 * SECOND) is None
    assert judged(points, 8.0, time=3 * SECOND) == (8.0, 0)
    assert judged(points, 10.9, time=4 * SECOND) is None, "the area starts anew: 2.9"
    assert judged(points, 8.0, time=9 * SECOND) is None, "back home nothing adds up"
    assert judged(points, 8.1, time=10 * SECOND) is not None


def test_the_area_of_a_restored_image_starts_with_the_first_sample() -> None:
    """How long the value was off while the gateway was down is not known."""
    points = one(deadband=3.0, deadband_kind=INTEGRATED)
    points.value[0], points.quality[0], points.time[0] = 10.0, 0, SECOND
    assert judged(points, 11.0, time=90 * SECOND) is None
    assert judged(points, 11.0, time=92 * SECOND) is None
    assert judged(points, 11.0, time=93 * SECOND) == (11.0, 0)


def test_an_infinity_has_no_area_to_itself() -> None:
    """Its difference to itself is NaN, which would stay in the sum."""
    points = one(deadband=3.0, deadband_kind=INTEGRATED)
    judged(points, math.inf, time=1 * SECOND)
    assert judged(points, math.inf, time=2 * SECOND) is None


def test_range_includes_its_limits() -> None:
    """Beyond it the sample is questionable, outOfRange, and still there."""
    points = one(low=-1.0, high=1.0)
    assert judged(points, 1.0) == (1.0, Q.GOOD)
    assert judged(points, -1.0) == (-1.0, Q.GOOD)
    assert judged(points, 1.5) == (1.5, OUT)
    assert judged(points, 1.5) is None


def test_rate_of_change() -> None:
    """10 V/s are allowed, 11 V in a second are inconsistent."""
    points = one(rate=10.0)
    assert judged(points, 0.0, time=1 * SECOND) == (0.0, Q.GOOD)
    assert judged(points, 10.0, time=2 * SECOND) == (10.0, Q.GOOD)
    assert judged(points, 21.0, time=3 * SECOND) == (21.0, JUMP)
    assert judged(points, 99.0, time=3 * SECOND) == (99.0, Q.GOOD), "no time, no rate"
    assert judged(points, 0.0, time=2 * SECOND) == (0.0, Q.GOOD), "the clock went back"


def test_rate_of_change_is_between_valid_samples() -> None:
    """After an invalid sample there is nothing to compare with."""
    points = one(rate=1.0)
    judged(points, 0.0, time=1 * SECOND)
    judged(points, 500.0, Q.INVALID | Q.FAILURE, time=2 * SECOND)
    assert judged(points, 400.0, time=3 * SECOND) == (400.0, Q.GOOD)


@pytest.mark.parametrize(
    ("arrived", "value", "reported"),
    [
        (Q.GOOD, 2.0, OUT),
        (Q.QUESTIONABLE | Q.INACCURATE, 2.0, OUT | Q.INACCURATE),
        (Q.INVALID | Q.OLD_DATA, 2.0, Q.INVALID | Q.OLD_DATA | Q.OUT_OF_RANGE),
        (Q.RESERVED, 2.0, Q.RESERVED | Q.OUT_OF_RANGE),
        (Q.QUESTIONABLE, math.inf, Q.INVALID | Q.OVERFLOW),
        (Q.QUESTIONABLE, math.nan, Q.INVALID | Q.FAILURE),
        (Q.RESERVED, math.nan, Q.INVALID | Q.FAILURE),
        (Q.INVALID | Q.OLD_DATA, math.nan, Q.INVALID | Q.OLD_DATA),
        (Q.TEST | Q.DEVICE_TIME, 2.0, OUT | Q.TEST | Q.DEVICE_TIME),
    ],
)
def test_the_worse_validity_wins(arrived: int, value: float, reported: int) -> None:
    """Validity is a number: invalid (1) and questionable (3) make invalid, not 3."""
    got = judged(one(high=1.0), value, arrived)
    assert got is not None
    assert got[1] == reported


def test_nan_keeps_the_last_value() -> None:
    """Masters see the last known value, with a quality that says not to believe it."""
    points = one()
    judged(points, 42.0)
    assert judged(points, math.nan) == (42.0, Q.INVALID | Q.FAILURE)
    assert judged(points, math.nan) is None
    assert judged(points, math.nan, Q.INVALID | Q.OLD_DATA) == (42.0, Q.INVALID | Q.OLD_DATA)
    doubt = Q.QUESTIONABLE | Q.OLD_DATA
    assert judged(points, math.nan, doubt) == (42.0, doubt)
    assert judged(one(), math.nan, doubt) == (
        pytest.approx(math.nan, nan_ok=True),
        Q.INVALID | Q.OLD_DATA | Q.FAILURE,
    ), "without a last value there is nothing to doubt"
    assert judged(points, 42.0) == (42.0, Q.GOOD), "the first good sample is always reported"


def test_infinity_is_reported_once() -> None:
    """Equal infinities are no change, although their difference is NaN."""
    points = one(deadband=math.inf)
    judged(points, 1.0)
    assert judged(points, math.inf) == (math.inf, Q.INVALID | Q.OVERFLOW)
    assert judged(points, math.inf) is None


def test_scaling_may_overflow() -> None:
    """1e308 * 10 is beyond a double."""
    assert judged(one(scale=10.0), 1e308) == (math.inf, Q.INVALID | Q.OVERFLOW)


@pytest.mark.parametrize(
    ("flag", "is_news"),
    [(Q.CLOCK_NOT_SYNCHRONISED, False), (Q.DEVICE_TIME, False), (Q.TEST, True)],
)
def test_quality_is_news_and_the_clock_is_not(flag: int, is_news: bool) -> None:
    """Where the time came from says nothing about the measurement."""
    points = one()
    judged(points, 1.0)
    assert (judged(points, 1.0, flag) is not None) == is_news


def put(points: Points, mark: int, value: float, quality: int = 0, time: int = 9) -> None:
    points.put(0, mark, value, quality, time, Rows(1))


def test_marks_are_bits_of_the_standard() -> None:
    """IEC 61850-7-3 clause 6.2.1, packed list: 10 source, 11 test, 12 operatorBlocked."""
    assert HELD == 1 << 10 | 1 << 12
    assert MARKS == 1 << 10 | 1 << 11 | 1 << 12


def test_what_is_put_is_reported_as_it_stands() -> None:
    """No scale, no limit, no deadband: it is not the device that says it."""
    points, rows = one(scale=10.0, low=0.0, high=1.0, deadband=math.inf), Rows(2)
    points.put(0, Q.SUBSTITUTED, 7.0, Q.GOOD, 5, rows)
    points.put(0, Q.SUBSTITUTED | Q.OPERATOR_BLOCKED, 7.0, Q.OLD_DATA, 6, rows)
    got = rows.drain()
    assert got is not None
    assert got.value.tolist() == [7.0, 7.0]
    assert got.quality.tolist() == [0x0400, 0x1480]
    assert got.time.tolist() == [5, 6]
    assert (points.value[0], points.quality[0], points.time[0]) == (7.0, 0x1480, 6)


def test_a_held_point_keeps_aside_what_its_device_says() -> None:
    """Judged as ever, counted where it would have been reported, and never shown."""
    points = one(deadband=1.0)
    judged(points, 10.0)
    put(points, Q.SUBSTITUTED, 99.0)
    assert judged(points, 10.5, time=10) is None
    assert points.withheld[0] == 0
    assert judged(points, 12.0, time=11) is None
    assert judged(points, 12.0, time=12, every=True) is None
    assert judged(points, math.nan, Q.INVALID, time=13) is None
    assert points.withheld[0] == 3
    assert (points.said_value[0], points.said_quality[0], points.said_time[0]) == (12.0, 1, 13)
    assert (points.value[0], points.quality[0], points.time[0]) == (99.0, Q.SUBSTITUTED, 9)


def test_a_point_in_test_says_so_in_every_sample() -> None:
    """And is reported when its device has news, not for the mark."""
    points = one()
    judged(points, 1.0)
    put(points, Q.TEST, 1.0)
    assert judged(points, 1.0, time=10) is None
    assert judged(points, 2.0, time=11) == (2.0, Q.TEST)
    assert judged(points, math.nan, Q.INVALID, time=12) == (2.0, Q.TEST | Q.INVALID)
    assert points.said_quality[0] == Q.INVALID
    assert points.withheld[0] == 0


def test_a_point_without_marks_is_its_devices_again() -> None:
    """The next sample is compared with what was put."""
    points = one()
    judged(points, 1.0)
    put(points, Q.OPERATOR_BLOCKED, 1.0)
    put(points, 0, 3.0)
    assert judged(points, 3.0, time=10) is None
    assert judged(points, 1.0, time=11) == (1.0, Q.GOOD)


def test_other_marks_are_refused() -> None:
    """Nothing but the three bits is the gateway's to say."""
    points, rows = one(), Rows(1)
    with pytest.raises(ValueError, match="mark of 0x0001; its bits must be of 0x1c00"):
        points.put(0, Q.INVALID, 1.0, 0, 1, rows)
    assert rows.count == 0
    assert points.time[0] == 0


def test_a_put_without_a_free_row_is_refused_and_nothing_changed() -> None:
    """What cannot be reported is not done."""
    points, rows = one(), Rows(1)
    rows.append((0, 1.0, 0, 1))
    with pytest.raises(KernelError, match="0 of 1 rows free"):
        points.put(0, Q.TEST, 1.0, 0, 1, rows)
    assert points.mark[0] == 0
    assert points.time[0] == 0


def test_columns_of_a_table_cannot_be_replaced() -> None:
    """The kernel holds pointers to them; writing into them is the way."""
    points = Points(2)
    with pytest.raises(AttributeError):
        points.low = np.zeros(2)  # type: ignore[misc]


def test_a_table_has_a_size_that_ids_can_count() -> None:
    """Ids are int32."""
    with pytest.raises(ValueError, match="-1 points"):
        Points(-1)
    assert len(Points(0)) == 0


def test_an_unknown_point_is_refused_and_nothing_changed() -> None:
    """Not even for the samples before it."""
    points, rows = Points(2), Rows(4)
    for unknown in (2, -1):
        with pytest.raises(KernelError, match=r"outside .*table of 2 points") as refusal:
            points.judge(Batch.of([0, unknown], [1.0, 1.0], 0, 5), True, rows)
        assert refusal.value.code < 0
    assert rows.count == 0
    assert points.time.tolist() == [0, 0]


def test_rows_that_are_too_few_are_refused_and_nothing_changed() -> None:
    """As many must be free as there are samples, whatever will change."""
    points, rows = Points(2), Rows(1)
    with pytest.raises(KernelError, match=r"2 samples .* 1 rows free"):
        points.judge(Batch.of([0, 1], [1.0, 1.0], 0, 5), False, rows)
    assert rows.count == 0
    assert points.time.tolist() == [0, 0]


def test_an_empty_batch_is_nothing() -> None:
    """Also with no rows free."""
    rows = Rows(1)
    points = one()
    points.judge(Batch.of([0], [1.0], 0, 1), True, rows)
    assert points.judge(EMPTY, True, rows) == 0


@pytest.mark.parametrize(
    ("column", "data"),
    [
        ("point", np.zeros(2, np.int64)),
        ("value", np.zeros(2, np.float32)),
        ("quality", np.zeros(2, np.int16)),
        ("time", np.zeros(2, np.uint64)),
        ("value", np.zeros(3)),
        ("time", np.zeros((2, 2), np.int64)),
        ("value", np.zeros(4)[::2]),
        ("quality", np.zeros(2, ">u2")),
    ],
)
def test_columns_of_another_shape_are_refused(column: str, data: np.ndarray) -> None:
    """A pointer has no type, so type, length and contiguity are looked at before."""
    columns = {
        "point": np.zeros(2, np.int32),
        "value": np.zeros(2),
        "quality": np.zeros(2, np.uint16),
        "time": np.zeros(2, np.int64),
    }
    points, rows = Points(1), Rows(4)
    with pytest.raises(ValueError, match=r"contiguous|columns must be"):
        points.judge(Batch(**(columns | {column: data})), True, rows)
    assert points.time[0] == 0
