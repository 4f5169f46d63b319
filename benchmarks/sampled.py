"""Sampled values: from Ethernet frames to synchrophasors, rms values and power, in one thread.

A stream of 8 columns, 4800 samples per second (in frames of one ASDU, as of 9-2LE, or of two, as of
IEC 61869-9) or 14400 (six ASDUs): three voltages and currents with their neutrals, distorted.
Frames come in blocks of 48.  A block is decoded, and its rows go to an estimator of class P (two
sets of three phases, 50 reports per second) and to a meter (Urms(1/2), 10-cycle rms, powers,
unbalance and frequency, with or without harmonics to order 40), in one call from Python.
Times are CPU times of this thread, of the same second again and again; what is compared takes
turns, and a figure is the median of the turns.

`python -m benchmarks.sampled` prints a table; `run()` returns the figures.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable

from benchmarks.meter import HERTZ, LANES, SCALE, SPANS, second, turns
from gateway.kernel import (
    Events,
    Frames,
    Measured,
    Meter,
    Phasors,
    Publisher,
    Rows,
    SampledValues,
    Setup,
    Stream,
    force_level,
    level,
    levels,
)

BLOCK = 48  # frames
SECOND = 1_700_000_000

# What is aimed at; the figures carry the same names.
GOALS = {
    "4800 Hz, 1 ASDU, decode, class P, rms and power: ns per sample-channel": "<= 10",
    "4800 Hz, 1 ASDU, decode, class P, rms and power: streams on a core": ">= 2000",
}


class Bench:
    """A stream that repeats its second, and what is made of it."""

    def __init__(self, rate: int, asdus: int, parts: str, orders: int = 0) -> None:
        stream = Stream(rate, SCALE)
        frames = Publisher(stream, "MU0101", asdus).encode(SECOND * rate, second(rate))
        step = 10**9 * asdus // rate
        times = [SECOND * 10**9 + i * step for i in range(len(frames))]
        self.blocks = [
            Frames.of(frames[i : i + BLOCK], times[i : i + BLOCK])
            for i in range(0, len(frames), BLOCK)
        ]
        self.values = SampledValues(stream, "MU0101", asdus=asdus, appid=0x4000, revision=1)
        self.samples = self.values.rows(BLOCK)
        self.phasors = Phasors(stream, reporting=50, performance="P", sets=((4, 5, 6), (0, 1, 2)))
        self.reports = self.phasors.rows(BLOCK * asdus)
        setup = Setup(stream, {lane: i for i, lane in enumerate(LANES)}, 230.0, orders=orders)
        wanted = [q for q in setup.quantities() if q.span in SPANS]
        self.meter = Meter(setup, {q: i for i, q in enumerate(wanted)})
        room = self.meter.room(BLOCK * asdus)
        self.rows, self.events = Rows(room[0]), Events(room[1])
        self.to = Measured(
            (self.phasors, self.reports) if "p" in parts else None,
            (self.meter, self.rows, self.events) if "m" in parts else None,
        )

    def __call__(self) -> None:
        """Take a second; its times do not go on, its numbers of samples do."""
        for frames in self.blocks:
            if self.values.measure(frames, self.samples, self.to):
                self.reports.clear()
                self.rows.clear()


PARTS = {
    "decode": ("d", 0),
    "decode and class P": ("dp", 0),
    "decode, class P, rms and power": ("dpm", 0),
    "decode, class P, rms, power and 40 orders": ("dpm", 40),
}


def run() -> dict[str, float]:
    """Return all figures by name."""
    found: dict[str, float] = {}
    was = level()
    for name in levels():
        force_level(name)
        for rate, asdus in ((4800, 1), (4800, 2), (14400, 6)):
            benches: list[Callable[[], None]] = [
                Bench(rate, asdus, parts, orders) for parts, orders in PARTS.values()
            ]
            at = f"{rate} Hz, {asdus} ASDU{'s' if asdus > 1 else ''}"
            on = "" if name == was else f" on {name}"
            for what, taken in zip(PARTS, turns(*benches), strict=True):
                seconds = statistics.median(taken)
                figure = seconds / (rate * len(LANES)) * 1e9
                found[f"{at}, {what}{on}: ns per sample-channel"] = figure
                if not on:
                    found[f"{at}, {what}: streams on a core"] = 1 / seconds
    force_level(was)
    return found


def main() -> None:
    """Print the figures, each with its goal where it has one."""
    print(f"kernel level {level()}, {HERTZ} Hz")
    for name, figure in run().items():
        print(f"{name:80} {figure:10.2f}   {GOALS.get(name, '')}")


if __name__ == "__main__":
    main()
