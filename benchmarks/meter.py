"""The meter beside numpy, and beside pqopen-lib where that is installed.

One circuit, three voltages and currents with their neutrals, distorted as EN 50160 allows, 4800 or
14400 samples per second.  Times are CPU times of this thread, of the same second again and again;
the meter and its references take turns, and a figure is the median of the turns.

numpy: a second at a time, told the frequency and the crossings that the meter has to find: sums of
squares and products, Urms(1/2) and 10-cycle values out of them, and a transform of each window.
pqopen-lib (MIT, no dependency of this project): the same outputs in the same blocks; at 4800
samples per second it has harmonics to 24, and is compared to a meter with 40.

`python -m benchmarks.meter` prints a table; `run()` returns the figures.
"""

from __future__ import annotations

import importlib
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from gateway.kernel import Events, Meter, Rows, Setup, Stream, force_level, level, levels
from gateway.testing.wave import counts, three, wave

TURNS = 9
SECONDS = 0.02  # of one measurement within a turn
LANES = ("ia", "ib", "ic", "in", "ua", "ub", "uc", "un")
SCALE = [0.01 if lane[0] == "u" else 0.001 for lane in LANES]
SPANS = ("half", "cycles", "10s")
HERTZ = 50.2
Samples = npt.NDArray[np.int32]

# What is aimed at; the figures carry the same names.  Parsing and phasors share the 10 ns.
GOALS = {
    "rms and power, 48 rows a call: ns per sample-channel": "<= 10",
    "rms and power, 480 rows a call: of pqopen-lib": ">= 50",
}


def second(rate: int) -> Samples:
    """Return a second of the circuit."""
    amperes = [wave(t, rate, rate) for t in three(5.0, HERTZ, rate, degrees=-30.0)]
    volts = [wave(t, rate, rate) for t in three(230.0, HERTZ, rate)]
    none = np.zeros(rate)
    return counts(
        [*(x / 0.001 for x in amperes), none, *(x / 0.01 for x in volts), none],
        1.0,
    )


class Bench:
    """A meter at a stream that repeats its second."""

    def __init__(self, rate: int, orders: int, length: int) -> None:
        columns = {lane: i for i, lane in enumerate(LANES)}
        setup = Setup(Stream(rate, SCALE), columns, 230.0, orders=orders)
        wanted = [q for q in setup.quantities() if q.span in SPANS]
        self.meter = Meter(setup, {q: i for i, q in enumerate(wanted)})
        x = second(rate)
        self.blocks = [
            np.ascontiguousarray(x[i : i + length]) for i in range(0, rate - length + 1, length)
        ]
        self.samples = len(self.blocks) * length * len(LANES)
        room = self.meter.room(length)
        self.rows, self.events = Rows(room[0]), Events(room[1])
        self.index = 0

    def __call__(self) -> None:
        """Take a second."""
        for block in self.blocks:
            self.meter.push(self.index, block, self.rows, self.events)
            self.index += len(block)
            self.rows.clear()


class NumpyMeter:
    """The same for a whole second, told where the cycles are."""

    def __init__(self, rate: int, orders: int) -> None:
        self.rate, self.orders = rate, orders
        self.samples = second(rate)
        cycle = rate / HERTZ
        self.half = np.arange(0.0, rate - 2 * cycle, cycle / 2)
        self.window = np.arange(0.0, rate - 10 * cycle, 10 * cycle)
        self.length = 10 * cycle

    def at(self, sums: npt.NDArray[np.float64], place: npt.NDArray[np.float64]) -> Any:
        whole = place.astype(np.int64)
        return sums[whole] + (place - whole)[:, None] * (sums[whole + 1] - sums[whole])

    def __call__(self) -> list[Any]:
        """Measure the second."""
        x = self.samples.astype(np.float64)
        volts, amperes = x[:, 4:], x[:, :4]
        products = np.concatenate([volts * volts, amperes * amperes, volts * amperes], axis=1)
        sums = np.concatenate([np.zeros((1, 12)), np.cumsum(products, axis=0)])
        cycle = self.rate / HERTZ
        found = [np.sqrt((self.at(sums, self.half + cycle) - self.at(sums, self.half)) / cycle)]
        mean = (self.at(sums, self.window + self.length) - self.at(sums, self.window)) / self.length
        found += [np.sqrt(mean[:, :8]), mean[:, 8:]]
        for start in self.window.astype(int):
            lines = np.abs(np.fft.rfft(x[start : start + round(self.length)], axis=0))
            found.append(lines[10 : 10 * (self.orders + 1)] if self.orders else lines[10])
        return found


def pqopen(orders: int, length: int) -> Callable[[], Any] | None:
    """Return a second of the same circuit for pqopen-lib, where it is installed."""
    try:
        system = importlib.import_module("pqopen.powersystem").PowerSystem
        buffer = importlib.import_module("daqopen.channelbuffer").AcqBuffer
    except ImportError:
        return None
    x = second(4800)
    volts = [x[:, 4 + p] * 0.01 for p in range(3)]
    amperes = [x[:, p] * 0.001 for p in range(3)]
    channels = [buffer(size=96_000) for _ in range(6)]
    made = system(zcd_channel=channels[0], input_samplerate=4800, nominal_frequency=50)
    for u, i in zip(channels[:3], channels[3:], strict=True):
        made.add_phase(u_channel=u, i_channel=i)
    if orders:
        made.enable_harmonic_calculation(orders)

    def call() -> None:
        for first in range(0, 4800, length):
            for channel, values in zip(channels, volts + amperes, strict=True):
                channel.put_data(values[first : first + length])
            made.process()

    return call


def turns(*calls: Callable[[], Any]) -> list[list[float]]:
    """Return the seconds of each call, taken in turns of SECONDS at least."""
    often = []
    for call in calls:
        call()
        began = time.thread_time()
        call()
        often.append(max(1, round(SECONDS / max(time.thread_time() - began, 1e-6))))
    taken: list[list[float]] = [[] for _ in calls]
    for _ in range(TURNS):
        for call, n, times in zip(calls, often, taken, strict=True):
            began = time.thread_time()
            for _ in range(n):
                call()
            times.append((time.thread_time() - began) / n)
    return taken


def ratio(reference: list[float], mine: list[float]) -> float:
    """Return how many times faster, as the median of the turns."""
    return statistics.median(a / b for a, b in zip(reference, mine, strict=True))


def figures(name: str, rate: int, orders: int, length: int) -> Iterator[tuple[str, float]]:
    """Measure one case beside its references."""
    bench = Bench(rate, orders, length)
    calls: list[Callable[[], Any]] = [bench, NumpyMeter(rate, orders)]
    other = pqopen(min(orders, 24), length) if rate == 4800 else None
    if other is not None:
        calls.append(other)
    mine, numpy, *others = turns(*calls)
    yield f"{name}: ns per sample-channel", statistics.median(mine) / bench.samples * 1e9
    yield f"{name}: us per call", statistics.median(mine) / len(bench.blocks) * 1e6
    yield f"{name}: of numpy, a second at once", ratio(numpy, mine)
    for theirs in others:
        yield f"{name}: of pqopen-lib", ratio(theirs, mine)


def run() -> dict[str, float]:
    """Return all figures by name."""
    found: dict[str, float] = {}
    for rate, orders, length in (
        (4800, 0, 48), (4800, 0, 480), (4800, 40, 48), (4800, 40, 480),
        (14400, 0, 144), (14400, 50, 144),
    ):  # fmt: skip
        what = f"rms, power and {orders} orders" if orders else "rms and power"
        at = "" if rate == 4800 else f" at {rate} Hz"
        found |= dict(figures(f"{what}{at}, {length} rows a call", rate, orders, length))
    was = level()
    for name in levels():
        force_level(name)
        bench = Bench(4800, 40, 480)
        (mine,) = turns(bench)
        figure = statistics.median(mine) / bench.samples * 1e9
        found[f"with 40 orders on {name}: ns per sample-channel"] = figure
    force_level(was)
    return found


def main() -> None:
    """Print the figures, each with its goal where it has one."""
    print(f"kernel level {level()}")
    for name, figure in run().items():
        print(f"{name:75} {figure:10.2f}   {GOALS.get(name, '')}")


if __name__ == "__main__":
    main()
