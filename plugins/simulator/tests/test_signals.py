"""The signals, against hand calculations and against statistics."""

from __future__ import annotations

import numpy as np
import pytest
from gateway_simulator.signals import Signal, SignalPoint, Signals
from pydantic import ValidationError

SECOND = 10**9


def value(at: float, **columns: object) -> float:
    """The value of one point at `at` seconds after the epoch."""
    signals = Signals([SignalPoint.model_validate(columns)], seed=1)
    return float(signals.at(round(at * SECOND))[0])


@pytest.mark.parametrize(
    ("signal", "phase", "at", "expected"),
    [
        # sin 0, 90, 180, 270 degrees, between 10 and 20
        ("sine", 0, 0, 15.0),
        ("sine", 0, 15, 20.0),
        ("sine", 0, 30, 15.0),
        ("sine", 0, 45, 10.0),
        # sin 30 degrees is a half
        ("sine", 0, 5, 17.5),
        ("sine", 90, 0, 20.0),
        ("sine", -120, 20, 15.0),
        ("ramp", 0, 0, 10.0),
        ("ramp", 0, 15, 12.5),
        ("ramp", 0, 59.4, 19.9),
        ("ramp", 180, 0, 15.0),
        ("square", 0, 0, 20.0),
        ("square", 0, 29, 20.0),
        ("square", 0, 30, 10.0),
        ("constant", 0, 12345, 10.0),
    ],
)
def test_signals_of_the_clock(signal: str, phase: float, at: float, expected: float) -> None:
    """Sine, ramp and square go from low to high in a period of the wall clock."""
    shown = value(at, signal=signal, low=10, high=20, period="60s", phase=phase)
    assert shown == pytest.approx(expected, abs=1e-9)


def test_the_sine_is_still_exact_today() -> None:
    """At 2^61 ns (the year 2043) a sine of 1 s is within a millionth of its turn."""
    whole = 2**61 // SECOND
    assert value(whole + 0.25, signal="sine", low=-1, high=1, period="1s") == pytest.approx(
        1.0, abs=1e-5
    )


def test_a_walk_spreads_as_its_step_says() -> None:
    """After one second of ten polls, 20,000 walks have the standard deviation of the step."""
    point = SignalPoint(signal=Signal.WALK, low=0.0, high=1000.0, step=2.0)
    signals = Signals([point] * 20_000, seed=3)
    for tick in range(11):
        shown = signals.at(tick * SECOND // 10)
    assert np.mean(shown) == pytest.approx(500.0, abs=0.1)
    assert np.std(shown) == pytest.approx(2.0, rel=0.03)


def test_a_walk_stays_between_its_bounds() -> None:
    """A walk whose step is as large as its range never leaves it, and does not stick to a bound."""
    point = SignalPoint(signal=Signal.WALK, low=-1.0, high=1.0, step=2.0)
    signals = Signals([point] * 1000, seed=3)
    for tick in range(100):
        shown = signals.at(tick * SECOND)
        assert shown.min() >= -1.0
        assert shown.max() <= 1.0
    assert np.mean(np.abs(shown) == 1.0) < 0.01
    # uniform between its bounds: standard deviation 2 / sqrt(12)
    assert np.std(shown) == pytest.approx(0.577, abs=0.04)


def test_a_toggle_changes_once_per_period_on_average() -> None:
    """Of 20,000 statuses, 1 - 1/e have changed at a poll that comes one period later."""
    point = SignalPoint(signal=Signal.TOGGLE, period=60.0)
    signals = Signals([point] * 20_000, seed=5)
    assert not signals.at(0).any()
    changed = signals.at(60 * SECOND)
    assert set(np.unique(changed)) == {0.0, 1.0}
    assert np.mean(changed) == pytest.approx(0.632, abs=0.01)


def test_a_double_point_toggles_between_off_and_on() -> None:
    """With low 1 and high 2 a toggle is a double-point status that is never between."""
    point = SignalPoint(signal=Signal.TOGGLE, low=1, high=2, period=1.0)
    signals = Signals([point], seed=5)
    assert {float(signals.at(tick * SECOND)[0]) for tick in range(100)} == {1.0, 2.0}


def test_a_counter_counts_whole_units() -> None:
    """A counter that grows by 0.4 in a second stands at 1 more after 3 seconds and never falls."""
    signals = Signals([SignalPoint(signal=Signal.COUNT, low=100, step=0.4)], seed=0)
    shown = [float(signals.at(tick * SECOND)[0]) for tick in range(6)]
    assert shown == [100, 100, 100, 101, 101, 102]


def test_the_same_seed_gives_the_same_values() -> None:
    """Two runs with one seed agree in every value; another seed does not."""
    points = [SignalPoint(signal=signal) for signal in Signal] * 10
    runs = [Signals(points, seed) for seed in (1, 1, 2)]
    for tick in range(20):
        first, second, other = (run.at(tick * SECOND) for run in runs)
        np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"signal": "sine", "low": 5}, r"low \(5\) must be below high \(1\)"),
        ({"signal": "walk", "low": 1, "high": 1}, "must be below high"),
        ({"signal": "saw"}, "'sine', 'ramp'"),
        ({"signal": "sine", "period": "0s"}, "greater than 0"),
        ({"signal": "walk", "step": -1}, "greater than or equal to 0"),
        ({}, "signal"),
    ],
)
def test_a_wrong_row_is_refused(columns: dict[str, object], sentence: str) -> None:
    """A row that makes no sense is refused with what is allowed."""
    with pytest.raises(ValidationError, match=sentence):
        SignalPoint.model_validate(columns)
