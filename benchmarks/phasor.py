"""Synchrophasors: what a sample and a report cost, beside numpy.

A stream of 8 channels (two sets of three phases, and two more), 4800 samples per second, comes in
blocks of 48 rows as from sampled values.  numpy does the window alone, at the three instants of a
report: no frequency, no sequences, no polar form; and it gets the samples as float64 for nothing.
Times are CPU times of this thread, taken in turns.

`python -m benchmarks.phasor` prints a table; `run()` returns the figures.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable

import numpy as np

from benchmarks.kernel import ratio, turns
from gateway.kernel import Performance, Phasors, Stream, force_level, level, levels

RATE, NOMINAL, REPORTING, CHANNELS, BLOCK = 4800, 50, 50, 8, 48
FEW = 10  # reports/s of the same, by which a report's own cost is known
HALF = {"P": 95, "M": 426}  # rows on each side of the window's middle
APART = RATE // NOMINAL // 4

GOALS = {
    "class P, 8 channels: ns per report": "<= 1000",
    "class M, 8 channels: ns per report, samples included": "<= 8000",
}


def pushes(performance: Performance, reporting: int) -> Callable[[], None]:
    """Return what takes a second of the stream, in blocks."""
    angle = 2 * np.pi * 50.3 * np.arange(RATE)[:, None] / RATE + np.arange(CHANNELS)
    samples = np.rint(1e6 * np.cos(angle)).astype(np.int32)
    blocks = [samples[i : i + BLOCK] for i in range(0, RATE, BLOCK)]
    phasors = Phasors(
        Stream(RATE, [1.0] * CHANNELS, NOMINAL),
        reporting=reporting,
        performance=performance,
        sets=((0, 1, 2), (4, 5, 6)),
    )
    out = phasors.rows(1000)
    index = 0

    def second() -> None:
        nonlocal index
        out.clear()
        for block in blocks:
            phasors.push(index, block, out)
            index += BLOCK

    return second


def in_numpy(performance: Performance) -> Callable[[], None]:
    """Return the windows of a second's reports in numpy."""
    half = HALF[performance]
    k = np.arange(-half, half + 1)
    taps = np.hanning(2 * half + 1) * np.exp(-2j * np.pi * NOMINAL * k / RATE)
    parts = np.stack([taps.real, taps.imag])
    samples = np.random.default_rng(1).normal(size=(RATE + 2 * (half + APART) + 1, CHANNELS))
    every = RATE // REPORTING
    size = 2 * half + 1

    def second() -> None:
        for report in range(REPORTING):
            for first in range(report * every, report * every + 2 * APART + 1, APART):
                parts @ samples[first : first + size]

    return second


def run() -> dict[str, float]:
    """Return all figures by name."""
    figures = {}
    was = level()
    for name in levels():
        force_level(name)
        on = "" if name == was else f" on {name}"
        every, few, theirs = turns(pushes("P", REPORTING), pushes("P", FEW), in_numpy("P"))
        sample = statistics.median(every) / (RATE * CHANNELS) * 1e9
        figures[f"class P, 8 channels{on}: ns per sample of a channel"] = sample
        report = statistics.median(a - b for a, b in zip(every, few, strict=True))
        figures[f"class P, 8 channels{on}: ns per report"] = report / (REPORTING - FEW) * 1e9
        figures[f"class P, 8 channels{on}: of numpy"] = ratio(theirs, every)
        mine, theirs = turns(pushes("M", REPORTING), in_numpy("M"))
        figures[f"class M, 8 channels{on}: ns per report, samples included"] = (
            statistics.median(mine) / REPORTING * 1e9
        )
        figures[f"class M, 8 channels{on}: of numpy"] = ratio(theirs, mine)
        if not on:
            figures["class P, 8 channels: streams on a core"] = 1 / statistics.median(every)
    force_level(was)
    return figures


def main() -> None:
    """Print the figures, each with its goal where it has one."""
    print(f"kernel level {level()}")
    for name, figure in run().items():
        print(f"{name:60} {figure:10.2f}   {GOALS.get(name, '')}")


if __name__ == "__main__":
    main()
