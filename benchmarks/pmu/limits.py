"""The limits of IEC/IEEE 60255-118-1:2018, re-typed.

Values are those of the public limit tables of NIST's PMU test framework, conditions those of
PNNL's PMUTestLib; where the two differ, the stricter reading is taken.  The standard's own text was
not at hand.  Reporting latency is 2 and 7 reporting intervals.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from benchmarks.pmu.stream import Stream

# A report's errors, with their units.
TVE, FE, RFE = "TVE", "FE", "RFE"
UNITS = {TVE: "%", FE: "Hz", RFE: "Hz/s"}


@dataclass(frozen=True, slots=True)
class Limit:
    """Most total vector error [%], frequency error [Hz] and error of its rate of change [Hz/s]."""

    tve: float
    fe: float = math.inf
    rfe: float = math.inf

    def items(self) -> tuple[tuple[str, float], ...]:
        return ((TVE, self.tve), (FE, self.fe), (RFE, self.rfe))


def bandwidth(stream: Stream) -> float:
    """Return how far from nominal the frequency range reaches, Hz."""
    if stream.performance == "P" or stream.reporting <= 10:
        return 2.0
    return stream.reporting / 5 if stream.reporting < 25 else 5.0


def ramp_range(stream: Stream) -> float:
    """Return how far from nominal ramps reach, Hz."""
    return 2.0 if stream.performance == "P" else min(stream.reporting / 5, 5.0)


def modulation_range(stream: Stream) -> float:
    """Return the highest frequency of modulation, Hz."""
    if stream.performance == "P":
        return min(stream.reporting / 10, 2.0)
    return min(stream.reporting / 5, 5.0)


def modulation(stream: Stream) -> Limit:
    fr = modulation_range(stream)
    return Limit(3.0, (0.03 if stream.performance == "P" else 0.06) * fr, 0.18 * math.pi * fr**2)


def frequency_range(stream: Stream) -> Limit:
    return Limit(1.0, 0.005, 0.4 if stream.performance == "P" else 0.1)


def magnitude(stream: Stream) -> Limit:
    # NIST has no limit of frequency here, PNNL has that of the frequency range.
    return frequency_range(stream)


def harmonics(stream: Stream) -> Limit:
    if stream.performance == "P":
        return Limit(1.0, 0.005, 0.4)
    return Limit(1.0, 0.025 if stream.reporting > 20 else 0.005)


def none(stream: Stream) -> Limit:
    return Limit(math.inf)


def out_of_band(stream: Stream) -> Limit | None:
    return None if stream.performance == "P" else Limit(1.3, 0.01)


def ramps(stream: Stream) -> Limit:
    return Limit(1.0, 0.01, 0.4 if stream.performance == "P" else 0.2)


def ramp_exclusion(stream: Stream) -> float:
    """Return how long before and after the ends of a ramp nothing is judged, s."""
    return (2 if stream.performance == "P" else 7) / stream.reporting


def step_threshold(stream: Stream) -> Limit:
    """Return from where on a step is being responded to."""
    return frequency_range(stream)


def step_response(stream: Stream) -> Limit:
    """Return the longest responses to a step, s, in the places of TVE, FE and RFE."""
    f0, fs = stream.nominal, stream.reporting
    if stream.performance == "P":
        return Limit(2 / f0, 4.5 / f0, 6 / f0)
    slow = max(14 / f0, 14 / fs)
    return Limit(max(7 / f0, 7 / fs), slow, slow)


def step_delay(stream: Stream) -> float:
    """Return the most that half the step may be early or late, s."""
    return 1 / (4 * stream.reporting)


def step_overshoot(stream: Stream) -> float:
    """Return the most overshoot and undershoot, % of the step."""
    # NIST has none for steps of magnitude, PNNL the same for both.
    return 5.0 if stream.performance == "P" else 10.0


def latency(stream: Stream) -> float:
    """Return the longest time from a report's instant to the report, s."""
    return (2 if stream.performance == "P" else 7) / stream.reporting
