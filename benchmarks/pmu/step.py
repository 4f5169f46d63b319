"""Steps of magnitude and angle, by equivalent time sampling: the step comes a little later in each
run, so that all reports together show the response as if there were one every millisecond."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from benchmarks.pmu import limits
from benchmarks.pmu.meter import Errors, margin, measure
from benchmarks.pmu.signal import Column, Signal
from benchmarks.pmu.stream import Stream

RESOLUTION, COARSE = 0.001, 0.002  # s; the second where a few conditions are enough
LEAST_RUNS = 10  # of one step, as the standard has it
STEP, TURN = 0.1, math.radians(10)

KINDS = {
    "magnitude up": (STEP, 0.0),
    "magnitude down": (-STEP, 0.0),
    "angle up": (0.0, TURN),
    "angle down": (0.0, -TURN),
}


@dataclass(frozen=True, slots=True, eq=False)
class Response:
    """The errors by the time from the step, s, and what is judged of them.

    tve, fe, rfe: how long each is above its threshold, s.
    delay:        of half the step, s, absolute.
    overshoot:    beyond either end of the step, % of it.
    """

    errors: Errors
    tve: float
    fe: float
    rfe: float
    delay: float
    overshoot: float


def respond(stream: Stream, kind: str, few: bool = False) -> Response:
    step, turn = KINDS[kind]
    resolution = COARSE if few else RESOLUTION
    runs = max(LEAST_RUNS, math.ceil(1 / stream.reporting / resolution))
    settle = margin(stream) + 2 / stream.reporting
    parts = []
    for run in range(runs):
        at = math.ceil(settle * stream.reporting) / stream.reporting
        at += run / runs / stream.reporting
        signal = Signal(step=step, turn=turn, step_at=at)
        errors = measure(stream, signal, at + settle)
        parts.append(_moved(errors, at))
    order = np.argsort(np.concatenate([part.time for part in parts]), kind="stable")
    joined = (
        np.concatenate([getattr(part, name) for part in parts])[order] for name in Errors.__slots__
    )
    errors = Errors(*joined)
    threshold = limits.step_threshold(stream)
    moved = errors.vectors * np.exp(-1j * Signal().phase)
    done = (np.abs(moved) - 1) / step if step else np.angle(moved) / turn
    return Response(
        errors,
        _above(errors.time, errors.tve, threshold.tve),
        _above(errors.time, errors.fe, threshold.fe),
        _above(errors.time, errors.rfe, threshold.rfe),
        abs(_half(errors.time, done)),
        100 * max(0.0, float(done.max()) - 1, -float(done.min())),
    )


def _moved(errors: Errors, at: float) -> Errors:
    return Errors(errors.time - at, errors.tve, errors.fe, errors.rfe, errors.vectors)


def _above(time: Column, error: Column, threshold: float) -> float:
    """Return the time from the first error above a threshold to the next report after the last."""
    above = np.flatnonzero(error > threshold)
    return float(time[above[-1] + 1] - time[above[0]]) if len(above) else 0.0


def _half(time: Column, done: Column) -> float:
    """Return when half the step was done, between two reports on a line."""
    first = int(np.argmax(done >= 0.5))
    before, after = done[first - 1], done[first]
    return float(np.interp(0.5, [before, after], [time[first - 1], time[first]]))
