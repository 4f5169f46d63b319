"""The kernel's point pipeline: a pass beside a C triad and beside numpy, and the cost of a call.

A pass takes float64 in the machine's order for neighbouring points, the columnar case.
Times are CPU times of this thread.  The kernel and its references take turns, because machines
change their speed between one second and the next: a ratio is taken within a turn, and a figure
is the median of the turns.

Bytes: of a quiet point a pass reads 66 B (raw, scale, offset, low, high, deadband, value, time
8 B each, quality 2 B) and writes nothing; what it writes for the changed ones is not counted.
A triad moves 24 B per element as STREAM counts.  Its store also reads the line first, 32 B in all:
the ratio to that is given beside it.

`python -m benchmarks.kernel` prints a table; `run()` returns the figures.
"""

from __future__ import annotations

import ctypes
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gateway import Field
from gateway.kernel import Plan, Points, Rows, force_level, level, levels
from gateway.model.quality import Quality

TURNS = 15
SECONDS = 0.02  # of one measurement within a turn
PASS_BYTES, TRIAD_BYTES, TRIAD_BYTES_MOVED = 66, 24, 32
NATIVE: str = "DCBA" if sys.byteorder == "little" else "ABCD"
TRIAD = Path(__file__).resolve().parents[1] / "csrc" / "tests" / "triad.c"
FLAGS = ("-std=c11", "-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off")
NEWS = np.uint16(0xFFFF & ~Quality.TIME)

# What is aimed at; the figures carry the same names.
GOALS = {
    "pass 1000000, 0 % changed: of a triad": ">= 0.8",
    "pass 1000000, 2 % changed: of a triad": ">= 0.8",
    "pass 1000, 0 % changed: of numpy": ">= 8",
    "pass 1000, 2 % changed: of numpy": ">= 8",
    "pass 100000, 0 % changed: of numpy": ">= 3",
    "pass 100000, 2 % changed: of numpy": ">= 3",
    "pass 4096: ns per point": "<= 2.2",
    "call with one field: ns": "<= 1000",
}


class NumpyPass:
    """The same pass in numpy: the same rows, the same image, a filter first, every out= given."""

    def __init__(self, points: Points) -> None:
        n = points.n
        self.points = points
        self.scaled, self.distance = np.empty(n), np.empty(n)
        self.quiet, self.also = np.empty(n, bool), np.empty(n, bool)
        self.news = np.empty(n, np.uint16)
        self.rows: list[npt.NDArray[Any]] = [
            np.empty(n, dtype) for dtype in (np.int32, np.float64, np.uint16, np.int64)
        ]

    def __call__(self, raw: npt.NDArray[np.float64], moment: int) -> int:
        """Judge one block of good samples; return the number of rows."""
        p, v, quiet, also = self.points, self.scaled, self.quiet, self.also
        np.multiply(raw, p.scale, out=v)
        np.add(v, p.offset, out=v)
        np.subtract(v, p.value, out=self.distance)
        np.abs(self.distance, out=self.distance)
        np.less_equal(self.distance, p.deadband, out=quiet)
        np.logical_and(quiet, np.greater_equal(v, p.low, out=also), out=quiet)
        np.logical_and(quiet, np.less_equal(v, p.high, out=also), out=quiet)
        np.logical_and(quiet, np.isfinite(v, out=also), out=quiet)
        np.logical_and(quiet, np.not_equal(p.time, 0, out=also), out=quiet)
        np.bitwise_and(p.quality, NEWS, out=self.news)
        np.logical_and(quiet, np.equal(self.news, 0, out=also), out=quiet)
        ids = np.flatnonzero(np.logical_not(quiet, out=quiet))
        return self._judge(ids, v[ids], moment) if len(ids) else 0

    def _judge(self, ids: npt.NDArray[np.intp], v: npt.NDArray[np.float64], moment: int) -> int:
        p = self.points
        last, band, quality = p.value[ids], p.deadband[ids], np.zeros(len(ids), np.uint16)
        plain = (p.low[ids] <= v) & (v <= p.high[ids]) & np.isfinite(v)
        if not plain.all():
            quality[~plain] = Quality.QUESTIONABLE | Quality.OUT_OF_RANGE
            quality[np.isinf(v)] = Quality.INVALID | Quality.OVERFLOW
            quality[np.isnan(v)] = Quality.INVALID | Quality.FAILURE
            v = np.where(np.isnan(v), last, v)
        same = np.abs(v - last) <= band
        same |= (v == last) & (band >= 0)
        same &= ((quality ^ p.quality[ids]) & NEWS == 0) & (p.time[ids] != 0)
        if same.any():
            ids, v, quality = ids[~same], v[~same], quality[~same]
        point, value, flags, times = (column[: len(ids)] for column in self.rows)
        point[:], value[:], flags[:], times[:] = ids, v, quality, moment
        p.value[ids], p.quality[ids], p.time[ids] = v, quality, moment
        return len(ids)


class Bench:
    """One table of `n` points, and two blocks that differ in a share of their values."""

    def __init__(self, n: int, share: float) -> None:
        rng = np.random.default_rng(1)
        first = rng.uniform(0.0, 1000.0, n)
        second = first + np.where(rng.random(n) < share, 5.0, 0.1)
        self.n, self.arrays = n, (first, second)
        self.blocks = (first.tobytes(), second.tobytes())
        self.points, self.rows = _table(n), Rows(n)
        self.plan = Plan(self.points, [Field(i, 8 * i, "float64", NATIVE) for i in range(n)])
        self.numpy = NumpyPass(_table(n))
        self.moment = 0
        self.same_rows()

    def kernel_pass(self) -> int:
        """Decode the next block; the rows are left where they are."""
        self.moment += 1
        self.rows.clear()
        block = self.blocks[self.moment & 1]
        return self.points.decode(self.plan, block, self.moment, 0, self.rows)

    def numpy_pass(self) -> int:
        """Do the same in numpy."""
        self.moment += 1
        return self.numpy(self.arrays[self.moment & 1], self.moment)

    def same_rows(self) -> None:
        """Check that the two do the same work."""
        for _ in range(3):
            count = self.kernel_pass()
            self.moment -= 1
            assert self.numpy_pass() == count
            batch = self.rows.drain()
            if batch is not None:
                for name, theirs in zip(batch.__slots__, self.numpy.rows, strict=True):
                    assert np.array_equal(getattr(batch, name), theirs[:count])


def _table(n: int) -> Points:
    points = Points(n)
    points.scale[:], points.offset[:], points.deadband[:] = 1.5, 2.0, 0.5
    points.low[:], points.high[:] = -1e6, 1e6
    return points


def seconds(call: Callable[[], Any]) -> float:
    """Return the time of one call, over as many as fill a measurement."""
    began = time.thread_time()
    call()
    once = time.thread_time() - began
    times = range(max(1, round(SECONDS / max(once, 1e-7))))
    began = time.thread_time()
    for _ in times:
        call()
    return (time.thread_time() - began) / len(times)


def turns(*calls: Callable[[], Any]) -> list[list[float]]:
    """Return the times of each call, taken in turns."""
    taken = [[seconds(call) for call in calls] for _ in range(TURNS)]
    return [list(column) for column in zip(*taken, strict=True)]


def ratio(reference: list[float], mine: list[float]) -> float:
    """Return how many times faster, as the median of the turns."""
    return statistics.median(a / b for a, b in zip(reference, mine, strict=True))


def triad(n: int) -> Callable[[], Any] | None:
    """Return a STREAM triad over n doubles in C, with the kernel's flags, where cc exists."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    wide = ["-mavx2"] if level() == "x86-64-v3" else []
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder) / "triad.so"
        subprocess.run(
            [compiler, *FLAGS, *wide, "-fPIC", "-shared", str(TRIAD), "-o", str(built)], check=True
        )
        function = ctypes.CDLL(str(built)).triad
    function.argtypes = [ctypes.c_void_p] * 3 + [ctypes.c_double, ctypes.c_int64]
    function.restype = None
    a, b, c = np.zeros(n), np.ones(n), np.ones(n)
    addresses = (a.ctypes.data, b.ctypes.data, c.ctypes.data)

    def call(_keep: tuple[Any, ...] = (a, b, c)) -> None:
        function(*addresses, 3.0, n)

    return call


def against_numpy(n: int, share: float) -> dict[str, float]:
    """Measure a pass over n points beside numpy."""
    bench = Bench(n, share)
    mine, theirs = turns(bench.kernel_pass, bench.numpy_pass)
    name = _name(n, share)
    return {
        f"{name}: ns per point": statistics.median(mine) / n * 1e9,
        f"{name}: of numpy": ratio(theirs, mine),
    }


def against_triad(n: int, share: float) -> dict[str, float]:
    """Measure a pass over n points beside a triad's bandwidth."""
    bench, stream = Bench(n, share), triad(n)
    if stream is None:
        return {}
    mine, theirs = turns(bench.kernel_pass, stream)
    speed, name = ratio(theirs, mine), _name(n, share)
    return {
        f"{name}: GB/s": PASS_BYTES * n / statistics.median(mine) / 1e9,
        f"{name}: GB/s of the triad": TRIAD_BYTES * n / statistics.median(theirs) / 1e9,
        f"{name}: of a triad": speed * PASS_BYTES / TRIAD_BYTES,
        f"{name}: of a triad, all lines counted": speed * PASS_BYTES / TRIAD_BYTES_MOVED,
    }


def _name(n: int, share: float) -> str:
    return f"pass {n}, {100 * share:.0f} % changed"


def calls() -> dict[str, float]:
    """Measure what a call costs: with one field, and with the 62 floats of a full Modbus read."""
    points, rows = Points(62), Rows(62)
    one = Plan(points, [Field(0, 0, "float32")])
    full = Plan(points, [Field(i, 4 * i, "float32") for i in range(62)])
    block = bytes(248)
    points.decode(full, block, 1, 0, rows)
    rows.clear()
    column = turns(
        lambda: points.decode(one, block, 1, 0, rows),
        lambda: points.decode(full, block, 1, 0, rows),
    )
    names = ("call with one field: ns", "call with 62 float32, nothing changed: ns")
    return dict(zip(names, (statistics.median(c) * 1e9 for c in column), strict=True))


def cached() -> dict[str, float]:
    """Measure a block that stays in the second cache, on each level."""
    bench, was = Bench(4096, 0.02), level()
    figures = {}
    for name in levels():
        force_level(name)
        figure = statistics.median(turns(bench.kernel_pass)[0]) / bench.n * 1e9
        figures[f"pass 4096 on {name}: ns per point"] = figure
    force_level(was)
    figures["pass 4096: ns per point"] = figures[f"pass 4096 on {was}: ns per point"]
    return figures


def run() -> dict[str, float]:
    """Return all figures by name."""
    figures: dict[str, float] = calls() | cached()
    for n in (1_000, 100_000, 1_000_000):
        for share in (0.0, 0.02, 1.0):
            figures |= against_numpy(n, share)
    return figures | against_triad(1_000_000, 0.0) | against_triad(1_000_000, 0.02)


def main() -> None:
    """Print the figures, each with its goal where it has one."""
    print(f"kernel level {level()}")
    for name, figure in run().items():
        print(f"{name:50} {figure:10.2f}   {GOALS.get(name, '')}")


if __name__ == "__main__":
    main()
