"""Time alignment, from tables: what came when, and what went when."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from gateway_c37118.server.alignment import Aligned, Alignment
from gateway_c37118.server.instants import Instants
from gateway_c37118.server.stream import Columns
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import STALE, Batch, Image, Quality

MS = 1_000_000
BEGIN = 1_700_000_000 * 1000 * MS
GOOD = int(Quality.DEVICE_TIME)

# Two PMUs of two exact points each, ids 10 and 11, 20 and 21, from a source each; 12 is held.
POINT = [10, 11, 12, 20, 21]
COLUMNS = Columns(
    np.array(POINT, np.int32),
    np.array([0, 0, 0, 1, 1]),
    np.array([True, True, False, True, True]),
    np.array([0, 0, -1, 1, 1]),
    np.array([0, 1]),
    2,
)


def image(value: float = np.nan) -> Image:
    return Image(np.full(30, value), np.zeros(30, np.uint16), np.zeros(30, np.int64))


def aligner(rate: int = 50, wait: int = 100, columns: Columns = COLUMNS) -> Alignment:
    return Alignment(columns, Instants(rate), wait * MS, BEGIN, image())


class Bench:
    """An alignment, and a hand that feeds it: times in ms after the beginning."""

    def __init__(self, alignment: Alignment) -> None:
        self.alignment = alignment
        self.seq = 0

    def take(
        self,
        now: float,
        rows: list[tuple[int, float, float]],
        quality: npt.ArrayLike = GOOD,
    ) -> None:
        """Take rows of point, value, ms."""
        self.seq += 1
        point, value, time = zip(*rows, strict=True)
        times = [BEGIN + round(t * MS) for t in time]
        batch = Batch.of(list(point), list(value), quality, times)
        self.alignment.take(self.seq, batch, BEGIN + round(now * MS))

    def pmu(self, now: float, pmu: int, at: float, value: float = 1.0) -> None:
        """Take both points of a PMU."""
        self.take(now, [(10 * pmu, value, at), (10 * pmu + 1, -value, at)])

    def due(self, now: float) -> list[Aligned]:
        return list(self.alignment.due(BEGIN + round(now * MS)))

    def times(self, now: float) -> list[float]:
        return [(one.time - BEGIN) / MS for one in self.due(now)]

    def acknowledged(self) -> list[tuple[int, int, int]]:
        return [(a.seq, a.coalesced, a.shed) for a in self.alignment.acknowledged()]


def test_a_frame_goes_when_the_last_pmu_has_come() -> None:
    """Two PMUs 5 and 60 ms late: each frame goes with the second, long before its wait is over."""
    bench = Bench(aligner())
    for k in range(1, 5):
        bench.pmu(20 * k + 5, 1, 20 * k, k)
    assert bench.due(86) == []
    bench.pmu(80, 2, 20, 100)
    assert bench.times(86) == [20]
    bench.pmu(100, 2, 40, 200)

    (frame,) = bench.due(101)
    assert (frame.time - BEGIN, frame.value.tolist()[:2]) == (40 * MS, [2, -2])
    assert frame.value.tolist()[3:] == [200, -200]
    assert not frame.absent.any()
    assert not frame.missing.any()
    assert +bench.alignment.counts == {}


def test_a_frame_does_not_wait_longer_than_its_wait() -> None:
    """A PMU that says nothing is missing at the deadline, to the nanosecond, and counted."""
    bench = Bench(aligner())
    bench.pmu(25, 1, 20, 7)
    assert bench.alignment.deadline == BEGIN + 120 * MS
    assert list(bench.alignment.due(BEGIN + 120 * MS - 1)) == []

    (frame,) = bench.due(120)
    assert frame.missing.tolist() == [False, True]
    assert frame.absent.tolist() == [False, False, False, True, True]
    assert frame.value.tolist()[:2] == [7, -7]
    assert bench.alignment.counts["late_pmus"] == 1
    bench.pmu(121, 2, 20)
    assert bench.alignment.counts["late_samples"] == 2
    assert bench.alignment.latest == 101 * MS
    assert bench.acknowledged() == [(1, 0, 0), (2, 0, 2)]


def test_a_later_report_is_enough() -> None:
    """What did not change is not reported: a later report of its group lets a frame go."""
    bench = Bench(aligner())
    bench.pmu(25, 1, 20, 3)
    bench.pmu(25, 2, 20, 30)
    assert bench.times(25) == [20]
    bench.take(45, [(10, 4, 40)])
    bench.pmu(45, 2, 40, 40)
    assert bench.due(50) == []
    bench.pmu(65, 1, 60, 5)

    (frame,) = bench.due(65)
    assert frame.value.tolist()[:2] == [4, -3]
    assert not frame.absent.any()


def test_a_lost_source_is_not_waited_for() -> None:
    """A group whose source lost its device is absent at once; back, it is waited for again."""
    bench = Bench(aligner())
    bench.take(5, [(20, 1, 5), (21, 1, 5)], int(STALE))
    for k in (1, 2):
        bench.pmu(20 * k + 1, 1, 20 * k)
        (frame,) = bench.due(20 * k + 1)
        assert frame.missing.tolist() == [False, True]
    assert +bench.alignment.counts == {"absent_pmus": 2}
    bench.pmu(61, 2, 60)
    assert bench.due(61) == []
    bench.pmu(62, 1, 60)
    assert bench.times(62) == [60]
    bench.pmu(81, 1, 80)
    assert bench.due(81) == []


def test_a_point_that_says_nothing() -> None:
    """One point of a PMU that its device does not have is not waited for, and is as it was told."""
    missing = int(Quality.INVALID | Quality.BAD_REFERENCE)
    bench = Bench(aligner())
    bench.pmu(21, 1, 20)
    # It stops while its report of 20 ms still waits for the other PMU's.
    bench.take(30, [(11, -1, 30)], missing)
    bench.pmu(35, 2, 20)
    (frame,) = bench.due(35)
    assert (frame.value[1], frame.quality[1]) == (-1, GOOD)
    for k in (2, 3):
        bench.take(20 * k + 1, [(10, k, 20 * k)])
        bench.pmu(20 * k + 1, 2, 20 * k)
        (frame,) = bench.due(20 * k + 1)
        assert frame.quality.tolist() == [GOOD, missing, 0, GOOD, GOOD]
        assert not frame.absent.any()
    # It is back, first for a later instant: not in the frame of this one.
    bench.take(81, [(11, 5, 100)])
    bench.take(81, [(10, 4, 80)])
    bench.pmu(81, 2, 80)
    (frame,) = bench.due(181)
    assert frame.quality[1] == missing
    bench.take(182, [(10, 5, 100)])
    bench.pmu(182, 2, 100)
    (frame,) = bench.due(182)
    assert (frame.value[1], frame.quality[1]) == (5, GOOD)


def test_invalid_reports_are_reports() -> None:
    """A PMU that says itself that it is invalid is in time, and not missing."""
    bench = Bench(aligner())
    bench.take(21, [(10, 1, 20), (11, 1, 20)], int(Quality.INVALID) | GOOD)
    bench.pmu(21, 2, 20)
    (frame,) = bench.due(21)
    assert frame.quality[0] == int(Quality.INVALID) | GOOD
    assert not frame.missing.any()
    bench.pmu(41, 2, 40)
    assert bench.due(41) == []


def test_who_was_never_there() -> None:
    """A PMU that has not come up when the stream begins is not waited for."""
    empty = image()
    empty.quality[20:22] = STALE
    bench = Bench(Alignment(COLUMNS, Instants(50), 100 * MS, BEGIN, empty))
    bench.pmu(21, 1, 20)
    (frame,) = bench.due(21)
    assert frame.missing.tolist() == [False, True]
    assert +bench.alignment.counts == {"absent_pmus": 1}


def test_nobody_at_all_still_has_frames() -> None:
    """A stream without a sample has a frame each 20 ms, in which everybody is missing."""
    bench = Bench(aligner())
    bench.take(1, [(p, 1, 1) for p in (10, 11, 20, 21)], int(STALE))

    frames = bench.due(200)
    assert [(f.time - BEGIN) // MS for f in frames] == [20, 40, 60, 80, 100]
    assert all(f.missing.all() for f in frames)
    assert +bench.alignment.counts == {"absent_pmus": 10}


@pytest.mark.parametrize(("rate", "every"), [(25, 40), (10, 100), (-1, 1000)])
def test_a_faster_source_is_decimated(rate: int, every: int) -> None:
    """Of 100 reports a second those of the frames' own instants go, and no others."""
    bench = Bench(aligner(rate, 50))
    sent = []
    for k in range(1, 201):
        bench.pmu(10 * k, 1, 10 * k, k)
        bench.pmu(10 * k, 2, 10 * k, k)
        sent += bench.due(10 * k + 1)

    assert [(f.time - BEGIN) // MS for f in sent] == list(range(every, 2001, every))
    assert [f.value[0] * 10 for f in sent] == list(range(every, 2001, every))
    assert +bench.alignment.counts == {}
    coalesced = sum(one[1] for one in bench.acknowledged())
    assert coalesced == 4 * (200 - 2000 // every)


def test_what_is_held() -> None:
    """A held point has its last value until the instant: not the one that comes after it."""
    bench = Bench(aligner())
    bench.take(15, [(12, 1, 15)])
    bench.take(25, [(12, 2, 25)])
    bench.take(41, [(12, 3, 40)])
    for k in (1, 2, 3):
        bench.pmu(50, 1, 20 * k)
        bench.pmu(50, 2, 20 * k)
    assert [f.value[2] for f in bench.due(60)] == [1, 3, 3]
    bench.take(61, [(12, 4, 30)])
    bench.take(62, [(12, 4, 62)], int(STALE))
    bench.pmu(82, 1, 80)
    bench.pmu(82, 2, 80)

    (frame,) = bench.due(82)
    assert (frame.value[2], frame.quality[2]) == (4, STALE)
    assert +bench.alignment.counts == {}


def test_samples_from_the_future() -> None:
    """What is more than the longest stall ahead is dropped and counted, not believed."""
    bench = Bench(aligner())
    bench.pmu(5, 1, 20 + 3000)
    assert bench.alignment.counts["early_samples"] == 2
    assert bench.due(100) == []
    assert bench.acknowledged() == [(1, 0, 2)]


def test_a_clock_that_is_set() -> None:
    """Set forward or back by an hour, frames go on at the new time, and what is left out counts."""
    bench = Bench(aligner())
    hour = 3_600_000
    assert bench.due(hour + 5) == []
    assert bench.alignment.counts["frames_skipped"] == hour // 20
    assert bench.alignment.deadline == BEGIN + (hour + 20 + 100) * MS
    assert bench.due(5) == []
    assert bench.alignment.deadline == BEGIN + (20 + 100) * MS
    bench.pmu(25, 1, 20)
    bench.pmu(25, 2, 20)
    assert bench.times(25) == [20]


def test_a_stall_is_made_up_for() -> None:
    """Frames of half a second in which the gateway stood still are all sent, in their order."""
    bench = Bench(aligner())
    assert bench.times(500) == list(range(20, 401, 20))
    assert bench.alignment.counts["frames_skipped"] == 0


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_the_order(data: st.DataObject) -> None:
    """Within the wait, the frames are the same in whatever order and portions samples come."""
    rows = [(p, float(1000 * p + k), 20.0 * k) for k in range(1, 6) for p in (10, 11, 20, 21)]
    bench = Bench(aligner())
    frames = []
    left = data.draw(st.permutations(rows))
    while left:
        n = data.draw(st.integers(1, len(left)))
        bench.take(1, left[:n])
        left = left[n:]
    frames = bench.due(1)

    assert [(f.time - BEGIN) // MS for f in frames] == [20, 40, 60, 80, 100]
    for k, frame in enumerate(frames, 1):
        expected = [1000.0 * p + k for p in (10, 11, 20, 21)]
        assert frame.value[[0, 1, 3, 4]].tolist() == expected
    assert sum(1 for _ in bench.acknowledged()) == bench.seq
