"""The test set: for each test its conditions, and the errors that were reached in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from benchmarks.pmu import limits
from benchmarks.pmu.limits import Limit
from benchmarks.pmu.meter import Errors, margin, measure, measure_current
from benchmarks.pmu.signal import Signal
from benchmarks.pmu.stream import Stream

SECONDS = 5.0  # of a steady state
CYCLES = 2.0  # of a modulation, at the least


@dataclass(frozen=True, slots=True)
class Point:
    """One condition: where on the axis of the plot, and the greatest errors there."""

    at: float
    tve: float
    fe: float
    rfe: float


@dataclass(frozen=True, slots=True)
class Case:
    """One test: its name, its axis, its limit and its conditions, from which `run` takes errors."""

    name: str
    axis: str
    limit: Callable[[Stream], Limit | None]
    run: Callable[[Stream, bool], Iterator[Point]]


def _worst(at: float, errors: Errors) -> Point:
    return Point(at, float(errors.tve.max()), float(errors.fe.max()), float(errors.rfe.max()))


def _grid(low: float, high: float, step: float, few: bool) -> list[float]:
    """Return both ends and what lies between, evenly; a few of them where that is enough."""
    return [float(x) for x in np.linspace(low, high, 3 if few else round((high - low) / step) + 1)]


def frequency(stream: Stream, few: bool) -> Iterator[Point]:
    most = limits.bandwidth(stream)
    for away in _grid(-most, most, 0.1, few):
        yield _worst(away, measure(stream, Signal(away=away), SECONDS))


def one_phase(stream: Stream, few: bool) -> Iterator[Point]:
    most = limits.bandwidth(stream)
    for away in _grid(-most, most, 0.5, few):
        yield _worst(away, measure(stream, Signal(away=away), SECONDS, single=True))


def one_phase_modulated(stream: Stream, few: bool) -> Iterator[Point]:
    for fm in _grid(0.2, limits.modulation_range(stream), 0.6, few):
        yield _worst(fm, measure(stream, Signal(am=0.1, pm=0.1, fm=fm), SECONDS, single=True))


def voltage(stream: Stream, few: bool) -> Iterator[Point]:
    low = 0.8 if stream.performance == "P" else 0.1
    for size in _grid(low, 1.2, 0.1, few):
        yield _worst(100 * size, measure(stream, Signal(magnitude=size), SECONDS))


def current(stream: Stream, few: bool) -> Iterator[Point]:
    for size in _grid(0.1, 2.0, 0.1, few):
        yield _worst(100 * size, measure_current(stream, Signal(magnitude=size), SECONDS))


def angle(stream: Stream, few: bool) -> Iterator[Point]:
    """The angle goes through a whole turn; a point is a twelfth of it."""
    errors = measure(stream, Signal(away=0.2, phase=0.0), SECONDS)
    turned = np.degrees(np.angle(errors.vectors))
    for low, high in pairwise(np.linspace(-180, 180, 4 if few else 13)):
        inside = (turned >= low) & (turned <= high)
        if inside.any():
            yield _worst(float(low + high) / 2, errors.where(inside))


def harmonics(stream: Stream, few: bool) -> Iterator[Point]:
    """Orders 2 to 50, also those above half the sampling rate, as if nothing kept them away."""
    part = 0.01 if stream.performance == "P" else 0.1
    for order in (2, 3, 5, 50) if few else range(2, 51):
        yield _worst(order, measure(stream, Signal(tone_part=part, order=order), SECONDS))


def out_of_band(stream: Stream, few: bool) -> Iterator[Point]:
    """10 % of an interfering frequency, the signal at nominal and a tenth of the band beside it."""
    if stream.performance == "P":
        return
    f0, half = stream.nominal, stream.reporting / 2
    tones: list[float] = []
    for low, high, edge in ((10.0, f0 - half, f0 - half), (f0 + half, 2.0 * f0, f0 + half)):
        if low <= high:
            tones += _grid(low, high, 1.0, few)
            # The filter is at its worst near the edge of the band.
            near = edge + np.copysign(1.0, edge - f0) * np.arange(0.0, 1.0, 0.5 if few else 0.1)
            tones += [float(tone) for tone in near if low <= tone <= high]
    shift = min(0.1 * half, 5.0)
    for tone in sorted(set(tones)):
        errors = [
            _worst(tone, measure(stream, Signal(away=away, tone=tone, tone_part=0.1), SECONDS))
            for away in (-shift, 0.0, shift)
        ]
        yield Point(tone, *(max(getattr(e, q) for e in errors) for q in ("tve", "fe", "rfe")))


def _modulated(am: float, pm: float) -> Callable[[Stream, bool], Iterator[Point]]:
    def run(stream: Stream, few: bool) -> Iterator[Point]:
        for fm in _grid(0.1, limits.modulation_range(stream), 0.2, few):
            signal = Signal(am=am, pm=pm, fm=fm)
            yield _worst(fm, measure(stream, signal, max(SECONDS, CYCLES / fm)))

    return run


def ramps(stream: Stream, few: bool) -> Iterator[Point]:
    """Up and down at 1 Hz/s; a point is a part of the range."""
    most, out = limits.ramp_range(stream), limits.ramp_exclusion(stream)
    start = margin(stream) + out
    end = start + 2 * most
    runs = []
    for sign in (1, -1):
        signal = Signal(away=-sign * most, ramp=sign, ramp_from=start, ramp_to=end)
        errors = measure(stream, signal, end + out + 1.0)
        t = errors.time
        judged = (np.abs(t - start) > out) & (np.abs(t - end) > out)
        runs.append((signal.frequency(t), judged, errors))
    for low, high in pairwise(np.linspace(-most, most, 4 if few else 21)):
        found = []
        for away, judged, errors in runs:
            here = judged & (away >= low) & (away <= high)
            if here.any():
                found.append(_worst(float(low + high) / 2, errors.where(here)))
        if found:
            yield Point(
                found[0].at, *(max(getattr(e, q) for e in found) for q in ("tve", "fe", "rfe"))
            )


CASES = (
    Case("frequency", "Hz from nominal", limits.frequency_range, frequency),
    Case("magnitude of voltage", "% of nominal", limits.magnitude, voltage),
    Case("magnitude of current", "% of nominal", limits.magnitude, current),
    Case("angle", "degrees", limits.frequency_range, angle),
    Case("harmonics", "order", limits.harmonics, harmonics),
    Case("out of band", "Hz", limits.out_of_band, out_of_band),
    Case("modulated magnitude", "Hz of modulation", limits.modulation, _modulated(0.1, 0.0)),
    Case("modulated angle", "Hz of modulation", limits.modulation, _modulated(0.0, 0.1)),
    Case("modulated both", "Hz of modulation", limits.modulation, _modulated(0.1, 0.1)),
    Case("ramp", "Hz from nominal", limits.ramps, ramps),
    # The standard tests three phases; what one alone gives is reported beside them.
    Case("one phase, frequency", "Hz from nominal", limits.frequency_range, one_phase),
    Case("one phase, modulated both", "Hz of modulation", limits.none, one_phase_modulated),
)
