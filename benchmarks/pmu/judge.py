"""One stream through the whole test set: rows of limit, reached and percent, and the curves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from benchmarks.pmu import limits, step
from benchmarks.pmu.case import CASES, Point
from benchmarks.pmu.limits import FE, RFE, TVE, UNITS
from benchmarks.pmu.meter import latency, measure
from benchmarks.pmu.signal import Signal
from benchmarks.pmu.stream import Stream

NOISE = 0.001  # 60 dB below the signal
NOISY_SECONDS = 6.0


@dataclass(frozen=True, slots=True)
class Row:
    """What was reached of a limit, which is infinite where there is none."""

    stream: Stream
    test: str
    quantity: str
    unit: str
    limit: float
    reached: float

    @property
    def percent(self) -> float:
        return 100 * self.reached / self.limit


@dataclass(slots=True)
class Verdict:
    """The rows of one stream, and the points of each test by its name."""

    stream: Stream
    rows: list[Row] = field(default_factory=list)
    curves: dict[str, list[Point]] = field(default_factory=dict)


def judge(stream: Stream, few: bool = False) -> Verdict:
    """Run every test; few: some conditions of each."""
    verdict = Verdict(stream)
    for case in CASES:
        points = list(case.run(stream, few))
        limit = case.limit(stream)
        if limit is None:
            continue
        verdict.curves[case.name] = points
        verdict.rows += _steady(stream, case.name, limit, points)
    for kind in step.KINDS:
        response = step.respond(stream, kind, few)
        verdict.rows += _stepped(stream, f"step, {kind}", response)
        errors = response.errors
        near = abs(errors.time) < 0.5 * limits.step_response(stream).fe
        columns = (errors.time * 1000, errors.tve, errors.fe, errors.rfe)
        verdict.curves[f"step, {kind}"] = [
            Point(*map(float, row)) for row in zip(*(c[near] for c in columns), strict=True)
        ]
    verdict.rows.append(
        Row(stream, "latency", "latency", "s", limits.latency(stream), latency(stream))
    )
    noisy = measure(stream, Signal(away=0.3, noise=NOISE), NOISY_SECONDS)
    point = Point(0.0, float(noisy.tve.max()), float(noisy.fe.max()), float(noisy.rfe.max()))
    verdict.rows += _steady(stream, "noise at 60 dB", limits.none(stream), [point])
    return verdict


def _steady(stream: Stream, test: str, limit: limits.Limit, points: list[Point]) -> Iterator[Row]:
    reached = (max(p.tve for p in points), max(p.fe for p in points), max(p.rfe for p in points))
    for (quantity, most), found in zip(limit.items(), reached, strict=True):
        yield Row(stream, test, quantity, UNITS[quantity], most, found)


def _stepped(stream: Stream, test: str, response: step.Response) -> Iterator[Row]:
    longest = limits.step_response(stream)
    yield Row(stream, test, f"response, {TVE}", "s", longest.tve, response.tve)
    yield Row(stream, test, f"response, {FE}", "s", longest.fe, response.fe)
    yield Row(stream, test, f"response, {RFE}", "s", longest.rfe, response.rfe)
    yield Row(stream, test, "delay", "s", limits.step_delay(stream), response.delay)
    overshoot = limits.step_overshoot(stream)
    yield Row(stream, test, "overshoot", "% of the step", overshoot, response.overshoot)
