"""Signals as columns: the values of all points at one time, without a clock and without I/O."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from gateway import Duration, Point


class Signal(StrEnum):
    """How a value moves."""

    SINE = "sine"
    RAMP = "ramp"
    SQUARE = "square"
    WALK = "walk"
    TOGGLE = "toggle"
    COUNT = "count"
    CONSTANT = "constant"


class SignalPoint(Point):
    """The columns of a simulated point; without `low` and `high` they suit a status."""

    signal: Annotated[
        Signal,
        Field(
            description="sine, ramp and square follow the wall clock; walk is a random walk; "
            "toggle changes at random moments; count only grows; constant stays at low"
        ),
    ]
    low: Annotated[float, Field(description="the least value; where count begins")] = 0.0
    high: Annotated[float, Field(description="the greatest value")] = 1.0
    period: Annotated[
        Duration,
        Field(
            gt=0,
            description="one turn of sine, ramp and square; mean time between toggle's changes",
        ),
    ] = 60.0
    phase: Annotated[
        float, Field(description="degrees by which sine, ramp and square are ahead")
    ] = 0.0
    step: Annotated[
        float,
        Field(
            ge=0,
            description="how far, in the point's unit: standard deviation of walk after a second, "
            "growth of count in a second",
        ),
    ] = 0.1

    @model_validator(mode="after")
    def _low_below_high(self) -> SignalPoint:
        if self.signal not in (Signal.CONSTANT, Signal.COUNT) and self.low >= self.high:
            raise ValueError(f"low ({self.low:g}) must be below high ({self.high:g})")
        return self


class Signals:
    """The signals of all points of a link; row *i* of each column belongs to point *i*.

    The same points, seed and times give the same values.
    """

    def __init__(self, points: Sequence[SignalPoint], seed: int) -> None:
        self._low = np.array([point.low for point in points], np.float64)
        self._span = np.array([point.high for point in points], np.float64) - self._low
        self._period = np.array([point.period for point in points], np.float64)
        self._phase = np.array([point.phase for point in points], np.float64) / 360.0
        self._step = np.array([point.step for point in points], np.float64)
        signal = np.array([point.signal.value for point in points], object)
        self._rows = {kind: np.flatnonzero(signal == kind.value) for kind in Signal}
        self._random = np.random.default_rng(seed)
        self._level = np.zeros(len(points))
        self._level[self._rows[Signal.WALK]] = 0.5
        self._count = np.zeros(len(self._rows[Signal.COUNT]))
        self._time: int | None = None

    def at(self, time: int) -> npt.NDArray[np.float64]:
        """Return the values, float64 (n,), at `time`, ns since the Unix epoch; time goes on."""
        elapsed = 0.0 if self._time is None else (time - self._time) * 1e-9
        self._time = time
        level, rows = self._level, self._rows
        turn = (time * 1e-9 / self._period + self._phase) % 1.0
        level[rows[Signal.SINE]] = 0.5 + 0.5 * np.sin(2.0 * np.pi * turn[rows[Signal.SINE]])
        level[rows[Signal.RAMP]] = turn[rows[Signal.RAMP]]
        level[rows[Signal.SQUARE]] = turn[rows[Signal.SQUARE]] < 0.5

        walk = rows[Signal.WALK]
        stride = self._step[walk] / self._span[walk] * np.sqrt(elapsed)
        # Folding reflects the walk at its bounds: clipping would let it stick to them.
        ahead = (level[walk] + stride * self._random.standard_normal(len(walk))) % 2.0
        level[walk] = 1.0 - np.abs(1.0 - ahead)

        toggle = rows[Signal.TOGGLE]
        chance = -np.expm1(-elapsed / self._period[toggle])
        changes = self._random.random(len(toggle)) < chance
        level[toggle] = np.abs(level[toggle] - changes)

        value: npt.NDArray[np.float64] = self._low + self._span * level
        count = rows[Signal.COUNT]
        self._count += self._step[count] * elapsed
        value[count] = np.floor(self._low[count] + self._count)
        return value
