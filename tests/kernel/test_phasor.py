"""Synchrophasors beside numpy: integers to the bit, the window of the standard's annex D, and what
must not matter."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.kernel import (
    KernelError,
    PhasorReports,
    PhasorRows,
    Phasors,
    Stream,
    force_level,
    level,
    levels,
)
from gateway.model.quality import Quality

SECOND = 1_700_000_000
THREE = ((0, 1, 2),)
Samples = npt.NDArray[np.int32]


def noise(rows: int, channels: int, most: int = 2**31 - 1, seed: int = 1) -> Samples:
    """Return samples that have nothing in common, the least of int32 among them."""
    rng = np.random.default_rng(seed)
    samples = rng.integers(-most - 1, most, (rows, channels), np.int32, endpoint=True)
    samples[::7] = -most - 1
    return samples


def wave(rate: int, rows: int, frequency: float, peak: float = 1e7, phase: float = 0.3) -> Samples:
    """Return three balanced phases of voltage."""
    angle = 2 * np.pi * frequency * np.arange(rows)[:, None] / rate + phase
    return np.rint(peak * np.cos(angle - np.arange(3) * 2 * np.pi / 3)).astype(np.int32)


def estimator(rate: int, nominal: int, reporting: int, performance: Any, **more: Any) -> Phasors:
    stream = Stream(rate, more.pop("scale", [1.0] * 3), nominal, more.pop("hold", 0))
    more = {"sets": THREE, **more}
    return Phasors(stream, reporting=reporting, performance=performance, **more)


def reports(phasors: Phasors, samples: Samples, index: int = 0, *cuts: int) -> PhasorReports:
    """Push samples, cut into blocks, and return all reports."""
    out = phasors.rows(1000)
    for block in np.split(samples, cuts):
        index += len(block)
        phasors.push(index - len(block), block, out)
    drained = out.drain()
    assert drained is not None
    return drained


def same(first: PhasorReports, second: PhasorReports, *names: str) -> bool:
    """Say whether columns, all of them unless named, have the same bits."""
    return all(
        getattr(first, name).tobytes() == getattr(second, name).tobytes()
        for name in names or PhasorReports.__slots__
    )


@pytest.fixture(params=levels())
def on_level(request: pytest.FixtureRequest) -> Any:
    was = level()
    force_level(request.param)
    yield request.param
    force_level(was)


# Rates with whole samples per cycle: 80, 96, 256, 288 and 80, 80, 240, 256 of them.
WHOLE = [(4000, 50), (4800, 50), (12800, 50), (14400, 50), (4800, 60), (14400, 60), (15360, 60)]


@pytest.mark.parametrize(("rate", "nominal"), WHOLE)
@pytest.mark.usefixtures("on_level")
def test_sums_are_those_of_numpy_to_the_bit(rate: int, nominal: int) -> None:
    """Sums of class P equal products and sums of int64 in numpy, whatever the samples."""
    cycle, index = rate // nominal, SECOND * rate + 5
    samples = noise(4 * cycle, 3)
    phasors, out = estimator(rate, nominal, 10, "P"), PhasorRows(100, 3, 1)

    phasors.push(index, samples, out)
    middle, bits, sums = phasors.sums()

    at = (index + np.arange(4 * cycle)) % cycle
    angle = 2 * np.pi * at / cycle
    table = np.rint(2.0**bits * np.stack([np.cos(angle), -np.sin(angle)], axis=1)).astype(np.int64)
    weights = cycle - np.abs(np.arange(1 - cycle, cycle))
    assert middle == index + 3 * cycle
    window = slice(2 * cycle + 1, None)
    products = samples[window, :, None].astype(np.int64) * table[window, None, :]
    expected = (products * weights[:, None, None]).sum(axis=0)
    assert np.array_equal(sums, expected)


def test_sums_do_not_drift() -> None:
    """After a million rows the sums are still those of the last two cycles."""
    rate, cycle = 4800, 96
    phasors, out = estimator(rate, 50, 10, "P"), PhasorRows(3000, 3, 1)
    for second in range(200):
        phasors.push((SECOND + second) * rate, noise(rate, 3, seed=second), out)
    last = noise(2 * cycle, 3, seed=999)
    phasors.push((SECOND + 200) * rate, last, out)

    fresh, none = estimator(rate, 50, 10, "P"), PhasorRows(10, 3, 1)
    fresh.push((SECOND + 200) * rate, last, none)
    assert np.array_equal(phasors.sums()[2], fresh.sums()[2])


def test_there_are_no_sums_where_a_cycle_has_no_whole_samples() -> None:
    """A stream of class M, or of 66.7 samples per cycle, has a filter."""
    for phasors in (estimator(4000, 60, 10, "P"), estimator(4800, 50, 10, "M")):
        with pytest.raises(KernelError, match="no sums"):
            phasors.sums()


# Annex D of the standard: reports/s, reference frequency, order at 16 samples per cycle.
FILTERS = {
    50: [(10, 1.779, 806), (25, 4.355, 338), (50, 7.75, 142), (100, 14.1, 66)],
    60: [
        (10, 1.780, 968),
        (12, 2.125, 816),
        (15, 2.64, 662),
        (20, 3.5, 502),
        (30, 5.02, 306),
        (60, 8.19, 164),
        (120, 16.25, 70),
    ],
}


def annex_d(nominal: int, performance: str, reference: float, order: int) -> Any:
    """Return the window of annex D at 16 samples per cycle."""
    if performance == "P":
        order = 2 * (16 - 1)
        k = np.arange(-order // 2, order // 2 + 1)
        return 1 - 2 * np.abs(k) / (order + 2)
    k = np.arange(-order // 2, order // 2 + 1)
    return np.sinc(4 * reference / (16 * nominal) * k) * np.hamming(order + 1)


@pytest.mark.parametrize("performance", ["P", "M"])
@pytest.mark.parametrize("nominal", [50, 60])
def test_the_window_is_that_of_annex_d(nominal: int, performance: str) -> None:
    """At 16 times nominal the phasor of noise beside a signal is what the annex's window makes."""
    rate = 16 * nominal * 2  # the least that is a rate of ours; every other sample is of the annex
    for reporting, reference, order in FILTERS[nominal]:
        if performance == "P" and reporting > nominal:
            continue  # a shorter window, so that reports are in time
        rows = 3 * rate
        samples = wave(rate, rows, nominal)
        # What changes slowly beside the sampling, so that both rates see the same of it.
        t = np.arange(rows) / rate
        for away, size in ((0.7, 0.02), (-3.1, 0.01), (9.0, 0.05)):
            more = np.cos(2 * np.pi * (nominal + away) * t)
            samples += np.rint(1e7 * size * more).astype(np.int32)[:, None]
        found = reports(estimator(rate, nominal, reporting, performance), samples)

        window = annex_d(nominal, performance, reference, order)
        k = np.arange(-(len(window) // 2), len(window) // 2 + 1)
        for i in np.flatnonzero(found.quality == 0)[:5]:
            middle = round(found.time[i] * rate / 1e9)
            turned = np.exp(-2j * np.pi * nominal * (middle + 2 * k) / rate)
            weights = np.sqrt(2) / window.sum() * window * turned
            phases = weights @ samples[middle + 2 * k]
            third = np.exp(2j * np.pi / 3)
            positive = (phases[0] + third * phases[1] + third**2 * phases[2]) / 3
            mine = found.sequence_magnitude[i, 0, 0] * np.exp(1j * found.sequence_angle[i, 0, 0])
            assert abs(mine - positive) < 5e-4 * abs(positive)


@given(st.lists(st.integers(0, 3000), max_size=30), st.sampled_from([(50, "P"), (10, "M")]))
def test_blocks_do_not_matter(cuts: list[int], of: tuple[int, str]) -> None:
    """However the rows are cut into pushes, the reports have the same bits."""
    samples = wave(4800, 3000, 50.4)
    whole = reports(estimator(4800, 50, *of), samples, SECOND * 4800)
    cut = reports(estimator(4800, 50, *of), samples, SECOND * 4800, *sorted(cuts))
    assert same(whole, cut)


@pytest.mark.parametrize("of", [(4800, 50, 50, "P"), (4800, 60, 60, "M"), (4000, 60, 30, "P")])
def test_whole_seconds_do_not_matter(of: tuple[int, int, int, str]) -> None:
    """The same samples some seconds later give the same but for the time."""
    samples = wave(of[0], of[0], of[1] + 0.3)
    first = reports(estimator(*of), samples, SECOND * of[0])
    later = reports(estimator(*of), samples, (SECOND + 12345) * of[0])
    assert same(first, dataclasses.replace(later, time=first.time))
    assert np.array_equal(later.time - first.time, np.full(len(first), 12345 * 10**9))


@pytest.mark.parametrize("of", [(4800, 50, 50, "P"), (4800, 50, 25, "M")])
def test_correction_turns_and_scales(of: tuple[int, int, int, str]) -> None:
    """A scale and a turn of a channel are those of its phasor and leave the frequency alone."""
    samples = wave(4800, 4800, 50.2)
    plain = reports(estimator(*of), samples)
    turned = reports(estimator(*of, scale=[2.0] * 3, turn=[0.1] * 3), samples)
    good = plain.quality == 0
    assert np.allclose(turned.magnitude[good], 2 * plain.magnitude[good], rtol=1e-12)
    moved = np.exp(1j * (turned.angle - plain.angle - 0.1))[good]
    assert np.allclose(moved, 1, atol=1e-12)
    assert np.allclose(turned.frequency[good], plain.frequency[good], atol=1e-9)


def test_sequences_are_those_of_fortescue() -> None:
    """An unbalanced set has the sequences that the matrix gives of its phasors."""
    rng = np.random.default_rng(5)
    angle = 2 * np.pi * 50 * np.arange(4800)[:, None] / 4800
    size, shift = rng.uniform(1e6, 1e7, 6), rng.uniform(-3, 3, 6)
    samples = np.rint(size * np.cos(angle + shift)).astype(np.int32)
    sets = ((0, 1, 2), (3, 4, 5))
    found = reports(estimator(4800, 50, 50, "P", sets=sets, scale=[1.0] * 6), samples)
    a = np.exp(2j * np.pi / 3)
    matrix = np.array([[1, a, a**2], [1, a**2, a], [1, 1, 1]]) / 3
    true = (size / np.sqrt(2) * np.exp(1j * shift)).reshape(2, 3) @ matrix.T
    mine = found.sequence_magnitude[-1] * np.exp(1j * found.sequence_angle[-1])
    assert np.allclose(mine, true, atol=1.0)


def test_order_of_channels_is_the_sets() -> None:
    """Columns beyond the channels are left, and a set may name channels in any order."""
    samples = wave(4800, 4800, 50.1)
    moved = np.ascontiguousarray(np.hstack([samples[:, ::-1], noise(4800, 2)]))
    plain = reports(estimator(4800, 50, 50, "P"), samples)
    found = reports(estimator(4800, 50, 50, "P", sets=((2, 1, 0),)), moved)
    assert same(plain, found, "frequency", "rocof", "sequence_magnitude", "sequence_angle")
    assert np.array_equal(plain.angle, found.angle[:, ::-1], equal_nan=True)


def test_a_gap_is_held_or_invalidates() -> None:
    """A short gap leaves doubt in the windows that see it, a long one no value in them."""
    samples, at, missing = wave(4800, 4800, 50.0), 2000, 3
    for hold, expected in ((3, Quality.QUESTIONABLE | Quality.INACCURATE), (2, Quality.INVALID)):
        phasors = estimator(4800, 50, 50, "P", hold=hold)
        out = phasors.rows(100)
        phasors.push(0, samples[:at], out)
        phasors.push(at + missing, samples[at + missing :], out)
        found = out.drain()
        assert found is not None
        assert phasors.state().held == (missing if hold >= missing else 0)
        row = found.time * 4800 // 10**9
        first = row - phasors.delay < 0
        sees = (row + phasors.delay >= at) & (row - phasors.delay < at + missing)
        assert np.array_equal(found.quality[sees], np.full(sees.sum(), expected))
        assert (found.quality[~sees & ~first] == 0).all()
        assert np.array_equal(np.isnan(found.frequency), found.quality == Quality.INVALID)
        assert len(found) == (4800 - 1 - phasors.delay) // 96 + 1


def test_quality_of_rows_is_that_of_their_reports() -> None:
    """A row that is not good is seen in every report whose window has it."""
    samples, quality = wave(4800, 4800, 50.0), np.zeros(4800, np.uint16)
    quality[2000] = Quality.QUESTIONABLE | Quality.OVERFLOW
    phasors = estimator(4800, 50, 50, "M")
    out = phasors.rows(100)
    phasors.push(0, samples, out, quality)
    found = out.drain()
    assert found is not None
    row = found.time * 4800 // 10**9
    sees = (abs(row - 2000) <= phasors.delay) & (row >= phasors.delay)
    assert (found.quality[sees] == quality[2000]).all()
    assert (found.quality[~sees & (row >= phasors.delay)] == 0).all()


def test_rows_are_emptied() -> None:
    """What was drained is the reader's own, and what was not is counted."""
    phasors, out = estimator(4800, 50, 50, "P"), PhasorRows(50, 3, 1)
    assert out.drain() is None
    made = phasors.reports(0, 4800)
    assert phasors.push(0, wave(4800, 4800, 50), out) == made == len(range(0, 4681, 96))
    assert (out.count, out.free) == (made, 50 - made)
    first = out.drain()
    assert first is not None
    assert len(first) == made
    phasors.push(4800, wave(4800, 4800, 50), out)
    out.clear()
    assert out.count == 0
    assert first.time[0] == 0


@pytest.mark.parametrize(
    ("samples", "quality", "sentence"),
    [
        (np.zeros((4, 3)), None, r"samples of float64, 2 dimensions; they must be int32"),
        (np.zeros((4, 2), np.int32), None, r"samples of 2 columns; the stream has 3"),
        (np.zeros(12, np.int32), None, r"samples of int32, 1 dimensions"),
        (np.zeros((4, 3), np.int32), np.zeros(4, np.int16), r"quality of int16, shape \(4,\)"),
        (np.zeros((4, 3), np.int32), np.zeros(3, np.uint16), r"must be uint16, \(4,\)"),
        (np.zeros((4, 6), np.int32)[:, ::2], None, "contiguous"),
        (np.zeros((4, 3), np.int32), np.zeros(8, np.uint16)[::2], "contiguous"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(samples: Any, quality: Any, sentence: str) -> None:
    """A wrong type, shape or stride is named before the kernel sees it."""
    phasors = estimator(4800, 50, 50, "P")
    with pytest.raises(ValueError, match=sentence):
        phasors.push(0, samples, phasors.rows(10), quality)


def test_rows_that_do_not_fit_are_refused() -> None:
    """Too few rows, rows of another estimator, and rows that were there before are refused."""
    phasors, samples = estimator(4800, 50, 50, "P"), wave(4800, 4800, 50)
    with pytest.raises(
        ValueError, match="rows of 3 columns and 2 sets for an estimator of 3 and 1"
    ):
        phasors.push(0, samples, PhasorRows(100, 3, 2))
    with pytest.raises(KernelError, match=r"fewer free rows .* 10 reports free"):
        phasors.push(0, samples, phasors.rows(10))
    out = phasors.rows(100)
    phasors.push(0, samples, out)
    with pytest.raises(KernelError, match=r"before the one expected.* 4799, 4800 expected"):
        phasors.push(4799, samples[:1], out)
    with pytest.raises(KernelError, match=r"before the one expected.* 4799, 4800 expected"):
        phasors.reports(4799, 1)
    with pytest.raises(ValueError, match="capacity 0"):
        PhasorRows(0, 3, 1)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"rate": 500}, r"no such rate.*Stream\(rate=500"),
        ({"nominal": 55}, "nominal=55"),
        ({"reporting": 60}, "60 reports/s"),
        ({"performance": "X"}, "class 'X'; there are P, M"),
        ({"sets": ((0, 1),)}, r"set \(0, 1\); a set is three columns, or one"),
        ({"sets": ((0, 1, 3),)}, r"sets \[\(0, 1, 3\)\]"),
        ({"turn": [0.0]}, "3 columns have a scale and 1 a turn"),
        ({"hold": -1}, "hold=-1"),
    ],
)
def test_what_cannot_be_is_named(wrong: dict[str, Any], sentence: str) -> None:
    """An estimator that there is not is refused with what was asked for."""
    good = {"rate": 4800, "nominal": 50, "reporting": 50, "performance": "P"}
    with pytest.raises(ValueError, match=sentence):
        estimator(**{**good, **wrong})
