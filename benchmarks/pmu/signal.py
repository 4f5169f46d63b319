"""Test signals and what is true of them, in closed form; samples as a merging unit gives them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Column = npt.NDArray[np.float64]

# IEC 61850-9-2LE: a count of voltage is 10 mV, one of current 1 mA.
VOLT, AMPERE = 0.01, 0.001
# rms of what is nominal here: a phase of a 110 kV line, and 1 kA.
VOLTAGE, CURRENT = 110e3 / np.sqrt(3), 1000.0
THIRD = 2 * np.pi / 3


@dataclass(frozen=True, slots=True)
class Signal:
    """Three balanced phases; time in s from the first sample, which lies on a second.

    magnitude:        of nominal.
    away:             Hz from nominal.
    phase:            rad, of phase a at the first sample.
    am, pm, fm:       modulation of the magnitude (part of it) and the angle (rad), at fm Hz.
    ramp:             Hz/s from `ramp_from` to `ramp_to`; `away` before.
    step, turn:       of the magnitude (part of it) and the angle (rad), at `step_at`.
    tone, tone_part:  another positive-sequence sinusoid, Hz and part of the magnitude.
    order:            that sinusoid is a harmonic of this order instead, and turns as one.
    noise:            rms of white noise, part of nominal.
    """

    magnitude: float = 1.0
    away: float = 0.0
    phase: float = 0.3
    am: float = 0.0
    pm: float = 0.0
    fm: float = 0.0
    ramp: float = 0.0
    ramp_from: float = 0.0
    ramp_to: float = 0.0
    step: float = 0.0
    turn: float = 0.0
    step_at: float = np.inf
    tone: float = 0.0
    tone_part: float = 0.0
    order: int = 0
    noise: float = 0.0

    def size(self, t: Column) -> Column:
        """Return the magnitude, of nominal."""
        modulated = 1 + self.am * np.cos(2 * np.pi * self.fm * t) if self.am else np.ones(len(t))
        size: Column = self.magnitude * modulated * (1 + self.step * (t >= self.step_at))
        return size

    def angle(self, t: Column) -> Column:
        """Return the angle of phase a beside that of nominal frequency, rad."""
        angle = self.phase + 2 * np.pi * self.away * t + self.turn * (t >= self.step_at)
        if self.pm:
            angle += self.pm * np.cos(2 * np.pi * self.fm * t - np.pi)
        if self.ramp:
            length = self.ramp_to - self.ramp_from
            during, after = np.clip(t - self.ramp_from, 0, length), np.maximum(t - self.ramp_to, 0)
            angle += 2 * np.pi * self.ramp * (during**2 / 2 + length * after)
        return angle

    def frequency(self, t: Column) -> Column:
        """Return the frequency, Hz from nominal."""
        w = 2 * np.pi * self.fm
        length = self.ramp_to - self.ramp_from
        ramped = self.away + self.ramp * np.clip(t - self.ramp_from, 0, length)
        return ramped - self.pm * self.fm * np.sin(w * t - np.pi)

    def rocof(self, t: Column) -> Column:
        """Return the rate of change of frequency, Hz/s."""
        w = 2 * np.pi * self.fm
        ramping = (t >= self.ramp_from) & (t < self.ramp_to)
        return self.ramp * ramping - self.pm * self.fm * w * np.cos(w * t - np.pi)

    def phases(self, rate: int, nominal: int, rows: int) -> Column:
        """Return the samples of three phases, of nominal rms, as rows."""
        n = np.arange(rows)
        t = n / rate
        turns = 2 * np.pi * (n * nominal % rate) / rate
        angle = turns + self.angle(t)
        out = _three(np.sqrt(2) * self.size(t), angle, 1)
        if self.tone_part:
            size = np.full(rows, np.sqrt(2) * self.magnitude * self.tone_part)
            if self.order:
                out += _three(size, self.order * angle + 1.0, self.order)
            else:
                out += _three(size, 2 * np.pi * self.tone * t + 1.0, 1)
        if self.noise:
            out += np.random.default_rng(1).normal(0.0, self.noise, out.shape)
        return out


def _three(size: Column, angle: Column, order: int) -> Column:
    """Return a sinusoid in three phases; phase b lags by a third of a turn of the fundamental."""
    cosine, sine = size * np.cos(angle), size * np.sin(angle)
    shifts = (0.0, order * THIRD, 2 * order * THIRD)
    return np.stack([cosine * np.cos(s) + sine * np.sin(s) for s in shifts], axis=1)


def counts(samples: Column, rms: float, unit: float) -> npt.NDArray[np.int32]:
    """Return samples of nominal rms as counts of a unit."""
    rounded: npt.NDArray[np.int32] = np.rint(samples * (rms / unit)).astype(np.int32)
    return rounded
