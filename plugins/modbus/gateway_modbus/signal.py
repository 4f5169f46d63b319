"""Signals of a simulated device: a value for every instant, the same for the same seed."""

from __future__ import annotations

import math
from random import Random
from typing import Annotated, Literal

from pydantic import Field

from gateway import Duration, Settings


def seeded(seed: str) -> Random:
    """Return a generator that gives the same numbers for the same seed, on every machine."""
    return Random(seed)  # noqa: S311 - a simulation keeps no secrets


Period = Annotated[Duration, Field(gt=0)]


class Shape(Settings):
    """What every signal has: noise of a standard deviation, in the unit of the value."""

    noise: Annotated[float, Field(ge=0, description="standard deviation added to the value")] = 0.0


class Constant(Shape):
    """Always the same."""

    shape: Literal["constant"]
    value: Annotated[float, Field(description="the value")]

    def start(self, random: Random) -> Signal:
        return Signal(self.noise, random)

    def at(self, signal: Signal, seconds: float) -> float:
        return self.value


class Sine(Shape):
    """mean + amplitude · sin(2π t / period + phase)."""

    shape: Literal["sine"]
    mean: Annotated[float, Field(description="the middle")] = 0.0
    amplitude: Annotated[float, Field(description="from the middle to the top")] = 1.0
    period: Annotated[Period, Field(description="of one turn")] = 60.0
    phase: Annotated[float, Field(description="in degrees")] = 0.0

    def start(self, random: Random) -> Signal:
        return Signal(self.noise, random)

    def at(self, signal: Signal, seconds: float) -> float:
        return self.mean + self.amplitude * math.sin(
            2 * math.pi * seconds / self.period + math.radians(self.phase)
        )


class Ramp(Shape):
    """From low to high in a period, then again from low."""

    shape: Literal["ramp"]
    low: Annotated[float, Field(description="where it begins")] = 0.0
    high: Annotated[float, Field(description="where it ends")] = 1.0
    period: Annotated[Period, Field(description="of one turn")] = 60.0

    def start(self, random: Random) -> Signal:
        return Signal(self.noise, random)

    def at(self, signal: Signal, seconds: float) -> float:
        return self.low + (self.high - self.low) * (seconds % self.period) / self.period


class Walk(Shape):
    """A random walk between low and high, a step every so often."""

    shape: Literal["walk"]
    low: Annotated[float, Field(description="the least value")]
    high: Annotated[float, Field(description="the greatest value")]
    step: Annotated[float, Field(ge=0, description="standard deviation of a step")]
    every: Annotated[Period, Field(description="from step to step")] = 1.0

    def start(self, random: Random) -> Signal:
        signal = Signal(self.noise, random)
        signal.value = (self.low + self.high) / 2
        return signal

    def at(self, signal: Signal, seconds: float) -> float:
        steps = int(seconds // self.every)
        # After a long silence only the last part of the way is walked.
        for _ in range(min(steps - signal.steps, 1000)):
            moved = signal.value + signal.random.gauss(0.0, self.step)
            signal.value = min(max(moved, self.low), self.high)
        signal.steps = max(signal.steps, steps)
        return signal.value


class Toggle(Shape):
    """A status that leaves its normal state every so often and comes back: a breaker's trip.

    In each period it is away once, for `away`, at a moment that the seed chooses;
    never in the first tenth of the period.
    """

    shape: Literal["toggle"]
    normal: Annotated[Literal[0, 1], Field(description="the normal state")] = 1
    every: Annotated[Period, Field(description="in each such period it is away once")] = 60.0
    away: Annotated[Period, Field(description="how long it is away")] = 5.0

    def start(self, random: Random) -> Signal:
        return Signal(self.noise, random)

    def at(self, signal: Signal, seconds: float) -> float:
        cycle, into = divmod(seconds, self.every)
        room = max(0.0, 0.9 * self.every - self.away)
        begin = 0.1 * self.every + room * seeded(f"{signal.seed}/{int(cycle)}").random()
        return float(1 - self.normal if begin <= into < begin + self.away else self.normal)


class Counter(Shape):
    """What accumulates: an energy, a number of operations."""

    shape: Literal["counter"]
    start_at: Annotated[float, Field(description="what it shows at first")] = 0.0
    per_hour: Annotated[float, Field(description="what comes to it in an hour")] = 1.0

    def start(self, random: Random) -> Signal:
        return Signal(self.noise, random)

    def at(self, signal: Signal, seconds: float) -> float:
        return self.start_at + self.per_hour * seconds / 3600.0


AnyShape = Annotated[Constant | Sine | Ramp | Walk | Toggle | Counter, Field(discriminator="shape")]


class Signal:
    """The running state of a signal."""

    __slots__ = ("noise", "random", "seed", "steps", "value")

    def __init__(self, noise: float, random: Random) -> None:
        self.noise = noise
        self.random = random
        self.seed = random.random()
        self.steps = 0
        self.value = 0.0


def value_at(shape: AnyShape, signal: Signal, seconds: float) -> float:
    """Return the value `seconds` after the start; calls go forward in time."""
    value = shape.at(signal, seconds)
    return value + signal.random.gauss(0.0, signal.noise) if signal.noise else value
