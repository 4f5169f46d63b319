"""Waveforms in closed form: what a stream of samples would be, and what it must measure as."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# EN 50160:2010, table 1: what a supply may have besides its fundamental, in parts of it.
ALLOWED: Mapping[int, float] = {
    2: 0.02, 3: 0.05, 4: 0.01, 5: 0.06, 6: 0.005, 7: 0.05, 8: 0.005, 9: 0.015, 10: 0.005,
    11: 0.035, 13: 0.03, 15: 0.005, 17: 0.02, 19: 0.015, 21: 0.005, 23: 0.015, 25: 0.015,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tone:
    """A sine of an rms value, a frequency [Hz], and the phase of its cosine at row 0 [degrees]."""

    rms: float
    hertz: float
    degrees: float = 0.0


def wave(tones: Sequence[Tone], rate: int, n: int, start: float = 0.0) -> npt.NDArray[np.float64]:
    """Return n samples of a sum of tones, from row `start` on."""
    rows = start + np.arange(n)
    made = np.zeros(n)
    for tone in tones:
        turns = tone.hertz * rows / rate + tone.degrees / 360.0
        made += tone.rms * math.sqrt(2.0) * np.cos(2.0 * np.pi * (turns - np.floor(turns)))
    return made


def rms(tones: Sequence[Tone]) -> float:
    """Return the rms of tones of different frequencies."""
    return math.sqrt(sum(tone.rms**2 for tone in tones))


def three(
    rms: float,
    hertz: float,
    rate: int,
    harmonics: Mapping[int, float] = ALLOWED,
    degrees: float = 0.0,
) -> list[list[Tone]]:
    """Return three phases with harmonics below half of the rate, each turned as its order is."""
    return [
        [
            Tone(rms * part, order * hertz, order * (degrees - 120.0 * phase) + 77.0 * (order - 1))
            for order, part in {1: 1.0, **harmonics}.items()
            if order * hertz < rate / 2
        ]
        for phase in range(3)
    ]


def counts(waves: Sequence[npt.NDArray[np.float64]], scale: float) -> npt.NDArray[np.int32]:
    """Return rows of int32, a column for each wave, `scale` units per count."""
    columns = np.rint(np.stack(waves, axis=1) / scale)
    return np.ascontiguousarray(columns.astype(np.int32))
