"""Custody: how many samples per second the journal takes, each batch on disk before it is believed.

python -m benchmarks.custody --seconds 5

Sources in memory emit batches and wait for custody, as the events of a device do, while a sink
takes everything and acknowledges nothing, so that every sample goes to the disk.
The reference, in the same run and folder, appends the same bytes to a plain file and syncs it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import orjson
import uvloop
from pydantic import PrivateAttr

from benchmarks.rig import cores, results, urge
from gateway import Batch, Point, Sink, SinkContext, Source, SourceContext
from gateway.engine import Engine
from gateway.journal.store import ROW_BYTES, pack
from gateway.model.configuration import Configuration, GatewaySettings, JournalSettings
from gateway.model.point import Definition

SOURCES = 16
"""Devices that send events at the same time: what one group commit can gather."""
WARM_UP = 1.0


class Events(Source):
    """A device that sends one batch of events after the other, each when the last is in custody."""

    type: Literal["benchmark.events"] = "benchmark.events"
    rows: int
    _took: list[float] = PrivateAttr(default_factory=list)

    async def run(self, ctx: SourceContext) -> None:
        points = np.array([point.id for point in ctx.points], np.int32)
        points = np.resize(points, self.rows)
        values = np.random.default_rng(1).uniform(0.0, 1.0, self.rows)
        ctx.up()
        while True:
            batch = Batch.of(points, values, 0, ctx.now())
            began = time.perf_counter()
            await ctx.emit(batch, every=True)
            self._took.append(time.perf_counter() - began)


class Silent(Sink):
    """A consumer that takes what it is given and never acknowledges."""

    type: Literal["benchmark.silent"] = "benchmark.silent"

    async def run(self, ctx: SinkContext) -> None:
        ctx.up()
        async for _ in ctx.batches():
            pass


@dataclass(frozen=True, slots=True)
class Figures:
    """One run with batches of `rows` samples.

    samples, batches: per second, in custody.
    custody:          ms from emit to its return, p50 and p99.
    share:            part of a core that the process used, disk threads included.
    reference:        samples per second of the plain file, synced once per `SOURCES` batches.
    alone:            the same, synced after each batch.
    """

    rows: int
    samples: float
    batches: float
    bytes: float
    custody: tuple[float, float]
    share: float
    reference: float
    alone: float

    def __str__(self) -> str:
        return (
            f"batches of {self.rows}: {self.samples:,.0f} samples/s in custody "
            f"({self.batches:,.0f} batches/s, {self.bytes / 1e6:.1f} MB/s), emit returns after "
            f"{self.custody[0]:.1f} ms p50, {self.custody[1]:.1f} p99; {self.share:.0%} of a core; "
            f"plain file {self.reference:,.0f} samples/s, synced batch by batch {self.alone:,.0f}"
        )

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


async def _flood(rows: int, seconds: float, folder: Path) -> tuple[float, ...]:
    """Return seconds, samples, batches, bytes, CPU seconds, p50 and p99 of custody in s."""
    sources = [Events(name=f"s{number}", rows=rows) for number in range(SOURCES)]
    definitions = tuple(
        Definition(f"{source.name}.p{number}", source=source.name, addresses={source.name: Point()})
        for source in sources
        for number in range(min(rows, 100))
    )
    settings = GatewaySettings(
        name="bench", data=folder / "data", journal=JournalSettings(max_size=20_000_000_000)
    )
    sinks = (Silent(name="out"),)
    engine = Engine(Configuration(folder, settings, tuple(sources), sinks, definitions))
    stop = asyncio.Event()
    task = asyncio.create_task(engine.run(stop))
    await asyncio.sleep(WARM_UP)
    for source in sources:
        source._took.clear()
    began, cpu, size = time.perf_counter(), time.process_time(), engine.journal.bytes
    await asyncio.sleep(seconds)
    lasted, cpu = time.perf_counter() - began, time.process_time() - cpu
    size = engine.journal.bytes - size
    took = np.concatenate([source._took for source in sources])
    task.cancel()
    await asyncio.wait([task])
    p50, p99 = np.percentile(took, [50, 99]).tolist()
    return lasted, len(took) * rows, len(took), size, cpu, p50, p99


def _append(rows: int, group: int, seconds: float, folder: Path) -> float:
    """Return the samples per second that a plain file takes, synced once per `group` batches."""
    batch = Batch.of(np.arange(rows), np.random.default_rng(1).uniform(0.0, 1.0, rows))
    done = 0
    handle = os.open(folder / "plain", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        began = time.perf_counter()
        while (lasted := time.perf_counter() - began) < seconds:
            os.write(handle, b"".join(pack(batch) for _ in range(group)))
            os.fdatasync(handle)
            done += group * rows
    finally:
        os.close(handle)
        (folder / "plain").unlink()
    return done / lasted


def run(rows: int, seconds: float) -> Figures:
    """Measure in a process of its own, on the gateway's core."""
    import subprocess

    urge()
    command = [sys.executable, "-m", "benchmarks.custody", "--rows", str(rows)]
    command += ["--seconds", str(seconds), "--json"]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    found = orjson.loads(said)
    return Figures(**{**found, "custody": tuple(found["custody"])})


def _run_here(rows: int, seconds: float) -> Figures:
    os.sched_setaffinity(0, {cores()[0]})
    with tempfile.TemporaryDirectory(prefix="bench-", dir=results()) as name:
        folder = Path(name)
        lasted, samples, batches, size, cpu, p50, p99 = uvloop.run(_flood(rows, seconds, folder))
        reference = _append(rows, SOURCES, seconds / 2, folder)
        alone = _append(rows, 1, seconds / 2, folder)
    assert size % ROW_BYTES == 0
    return Figures(
        rows,
        samples / lasted,
        batches / lasted,
        size / lasted,
        (p50 * 1e3, p99 * 1e3),
        cpu / lasted,
        reference,
        alone,
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.custody", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    for rows in chosen.rows:
        figures = _run_here(rows, chosen.seconds)
        print(orjson.dumps(figures.to_dict()).decode() if chosen.json else figures, flush=True)


if __name__ == "__main__":
    main()
