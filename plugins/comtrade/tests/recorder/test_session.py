"""The parts of a recorder by themselves: what is kept, what is recorded, what is put together."""

from __future__ import annotations

import numpy as np
import pytest
from gateway_comtrade.codec import MISSING, Format
from gateway_comtrade.recorder.assemble import Label, Material, assemble
from gateway_comtrade.recorder.captures import MOST_OPEN, Capture, Captures
from gateway_comtrade.recorder.ring import Ring, Taken
from gateway_comtrade.recorder.track import states_at
from gateway_comtrade.recorder.trigger import Fired
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import Quality
from gateway.waveform import Channel, Waveform

NANO = 10**9
MS = 10**6
RATE = 1000
CHANNELS = (Channel("ua", 0.5, "V"),)


def block(first: int, rows: int, channels: tuple[Channel, ...] = CHANNELS) -> Waveform:
    """A row's count is its index."""
    samples = np.arange(first, first + rows, dtype=np.int32).reshape(-1, 1)
    return Waveform(RATE, channels, first, samples)


def indices(ring: Ring) -> list[int]:
    blocks = ring.between(0, 10**18)
    return [int(count) for one in blocks for count in one.samples[:, 0]]


def test_a_ring_forgets_what_is_old() -> None:
    """A block that ends before is gone; the newest one stays whatever."""
    ring = Ring()
    for first in (0, 10, 20):
        assert ring.take(block(first, 10)) is Taken.KEPT
    ring.forget(15 * MS)
    assert (ring.oldest, ring.newest, indices(ring)) == (10 * MS, 30 * MS, [*range(10, 30)])
    ring.forget(NANO)
    assert indices(ring) == [*range(20, 30)]


def test_rows_that_come_again_are_left_out() -> None:
    """Wholly or in part."""
    ring = Ring()
    ring.take(block(100, 10))
    assert ring.take(block(100, 10)) is Taken.AGAIN
    assert ring.take(block(105, 10)) is Taken.KEPT
    assert indices(ring) == [*range(100, 115)]


@pytest.mark.parametrize(
    "other", [block(5110, 5, (Channel("ub", 0.5),)), block(5100 - RATE - 5, 5)]
)
def test_another_waveform_is_not_mixed_in(other: Waveform) -> None:
    """Other channels, or a clock that was set back by more than a second."""
    ring = Ring()
    ring.take(block(5100, 10))
    assert not ring.fits(other)
    assert ring.take(other) is Taken.ANEW
    assert indices(ring) == [int(count) for count in other.samples[:, 0]]


def fired(ms: int) -> Fired:
    return Fired(ms * MS, "t", "c", "w")


def captures() -> Captures:
    """100 ms before, 200 ms behind, 500 ms at most; results are up to 50 ms late."""
    return Captures(100 * MS, 200 * MS, 500 * MS, 50 * MS)


def spans(found: list[Capture]) -> list[tuple[int, int, int, bool]]:
    return [
        (one.start // MS, one.end // MS, len(one.fired), one.continues)
        for one in sorted(found, key=lambda one: one.start)
    ]


@pytest.mark.parametrize(
    ("triggers", "expected"),
    [
        ([1000], [(900, 1200, 1, False)]),
        ([1000, 1100], [(900, 1300, 2, False)]),
        # An earlier one that came later: its 100 ms before count, too.
        ([1000, 950], [(850, 1200, 2, False)]),
        # 1150 + 200 is within 900 + 500; 1250 + 200 is not, and 50 ms go on.
        ([1000, 1150], [(900, 1350, 2, False)]),
        ([1000, 1180, 1250], [(900, 1400, 3, False), (1400, 1450, 1, True)]),
        # Behind its end: a recording of its own, with what came before.
        ([1000, 1201], [(900, 1200, 1, False), (1101, 1401, 1, False)]),
        ([1000, 500], [(400, 700, 1, False), (900, 1200, 1, False)]),
    ],
)
def test_stretches(triggers: list[int], expected: list[tuple[int, int, int, bool]]) -> None:
    """By hand."""
    session = captures()
    assert all(session.fire(fired(ms)) for ms in triggers)
    assert spans(session.all()) == expected


def test_a_recording_ends_when_its_results_are_there() -> None:
    """At 1200 ms and 50 ms, by the samples."""
    session = captures()
    session.fire(fired(1000))
    assert session.needed == 900 * MS
    assert session.due(1249 * MS) == []
    assert spans(session.due(1250 * MS)) == [(900, 1200, 1, False)]
    assert session.needed is None


def test_recordings_under_way_are_bounded() -> None:
    """The ninth one is refused."""
    session = captures()
    told = [session.fire(fired(1000 * n)) for n in range(1, MOST_OPEN + 2)]
    assert told == [True] * MOST_OPEN + [False]
    assert len(session.all()) == MOST_OPEN


LABEL = Label("S", "D", 2013, Format.BINARY32, 50)
START = 1_767_225_600
"""A second since 1970; rows are counted from it here."""


@given(
    st.lists(
        st.tuples(st.integers(0, 6), st.integers(1, 9), st.booleans()), min_size=1, max_size=8
    ),
    st.integers(0, 60),
    st.integers(1, 60),
)
@settings(max_examples=200, deadline=None)
def test_rows_stand_where_they_belong(
    pieces: list[tuple[int, int, bool]], start: int, length: int
) -> None:
    """Each row of a recording is the one of its time, or missing where none came."""
    given_rows: dict[int, bool] = {}
    blocks, at = [], 10
    for gap, rows, good in pieces:
        at += gap
        whole = block(at, rows)
        quality = np.full(rows, 0 if good else Quality.QUESTIONABLE, np.uint16)
        blocks.append(Waveform(RATE, CHANNELS, START * RATE + at, whole.samples, quality))
        given_rows.update((row, good) for row in range(at, at + rows))
        at += rows
    begin, end = START * NANO + start * MS, START * NANO + (start + length) * MS
    capture = Capture(begin, end, [Fired(begin, "t", "c", "w")])
    made = assemble(Material(capture, blocks, ["S"], [0], [(begin + 5 * MS, 0, 1)]), LABEL)
    first = max(start, min(given_rows))
    expected = range(first, min(start + length, max(given_rows) + 1))
    assert made.samples[:, 0].tolist() == [
        row if row in given_rows else MISSING for row in expected
    ]
    assert made.states[:, 0].tolist() == [int(row >= start + 5) for row in expected]
    if len(expected):
        assert made.header.start == START * NANO + first * MS
        missing = [row for row in expected if row not in given_rows]
        doubtful = [row for row in expected if not given_rows.get(row, True)]
        assert ("Missing: " in made.hdr) is bool(missing)
        assert ("Questionable: " in made.hdr) is bool(doubtful)


def test_edges_hold_from_the_first_row_that_is_not_before_them() -> None:
    """Two channels, three edges."""
    times = np.array([0, 10, 20, 30])
    edges = [(10, 0, 1), (11, 1, 0), (30, 0, 0)]
    assert states_at([0, 1], edges, times).tolist() == [[0, 1], [1, 1], [1, 0], [0, 0]]
