"""Lines of a window, beside those of numpy's transform of the same waveform in closed form."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gateway.kernel import KernelError, Spectrum, levels
from gateway.testing.wave import ALLOWED, Tone, wave

RATE, POINTS, LINES = 4800, 1024, 410


def tones(lane: int) -> list[Tone]:
    """A distorted voltage of 51.3 Hz, with interharmonics, another in each lane."""
    found = [Tone(2e6 * a, 51.3 * h, 31.0 * h * lane) for h, a in {1: 1.0, **ALLOWED}.items()]
    return [*found, Tone(5e4, 51.3 * (lane + 3.4), 10.0), Tone(3e4, 51.3 * 38.7, 80.0 * lane)]


def test_lines_are_those_of_numpy() -> None:
    """numpy transforms the closed form at the points themselves: nothing is resampled there."""
    start, length = 20.37, 10 * RATE / 51.3
    rows = np.stack([wave(tones(lane), RATE, 1000) for lane in range(8)], axis=1)
    exact = [
        wave(tones(lane), RATE * POINTS / length, POINTS, start * POINTS / length)
        for lane in range(8)
    ]
    expected = np.sqrt(2) * np.abs(np.fft.rfft(exact)).T[:LINES] / POINTS

    found = Spectrum(POINTS).lines(np.rint(rows).astype(np.int32), start, length, LINES)

    assert np.max(np.abs(found[1:] - expected[1:])) < 2e6 * 1e-5


def test_levels_give_the_same_bits(running_on: Any) -> None:
    """Whatever the window."""
    rows = np.random.default_rng(3).integers(-(2**31), 2**31, (900, 8)).astype(np.int32)
    made = []
    for name in levels():
        with running_on(name):
            made.append(Spectrum(512).lines(rows, 31.1, 777.7, 256))

    for other in made[1:]:
        assert np.array_equal(made[0], other)


@pytest.mark.parametrize("points", [-1, 0, 32, 1000, 16384])
def test_other_lengths_are_refused(points: int) -> None:
    """A power of two that makes sense."""
    with pytest.raises(KernelError, match=rf"{points} points; a power of two from 64 to 8192"):
        Spectrum(points)


def test_windows_need_rows_around_them() -> None:
    """16 of them on both sides; and the lines that there are."""
    rows, spectrum = np.zeros((200, 8), np.int32), Spectrum(64)
    for start, length, n in [(15.0, 100.0, 9), (16.0, 169.0, 9), (16.0, 100.0, 33), (16, 9.0, 0)]:
        with pytest.raises(KernelError, match=r"rows from .* of 200, 16 besides; .* of 1..32"):
            spectrum.lines(rows, start, length, n)
    with pytest.raises(ValueError, match="samples of 7 columns"):
        spectrum.lines(rows[:, :7].copy(), 16.0, 100.0, 9)
