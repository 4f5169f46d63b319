"""A gateway of which one side is in memory: to see what the other one costs.

python -m benchmarks.iec104_half CONFIGURATION

The plugin `benchmark` has a source whose events happen in the gateway, and a sink that notes what
it is given and confirms it. Everything else is `gateway run`.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import numpy as np

from benchmarks.iec104_wire import EPOCH, POINTS, values
from gateway import Batch, Point, Quality, Sink, SinkContext, Source, SourceContext, hookimpl
from gateway.cli.run import operate
from gateway.config import load
from gateway.host import Host

NS = 1_000_000
PERIOD = 0.002
"""Seconds between two looks at what is due."""

CONFIRMED = 0.05
"""Seconds until the sink in memory confirms."""


class EmitterPoint(Point):
    """Any text in the column makes a point one of the emitter."""

    at: str


class Emitter(Source):
    """Events that happen at a rate, from when the file `go` is there; so many, and no more."""

    Point = EmitterPoint

    type: Literal["benchmark.emitter"] = "benchmark.emitter"
    folder: Path
    rate: float
    events: int

    async def run(self, ctx: SourceContext) -> None:
        points = np.array([point.id for point in ctx.points], np.int32)[:POINTS]
        made: list[float] = []
        ctx.up()
        try:
            while not (self.folder / "go").exists():  # noqa: ASYNC110 - another process makes it
                await asyncio.sleep(0.02)
            began = time.perf_counter()
            while len(made) < self.events:
                now = time.perf_counter()
                due = min(round((now - began) * self.rate), self.events)
                numbers = np.arange(len(made), due)
                if len(numbers):
                    made += [now] * len(numbers)
                    await ctx.emit(
                        Batch.of(
                            points[numbers % POINTS],
                            values(numbers),
                            int(Quality.DEVICE_TIME),
                            (EPOCH + numbers) * NS,
                        ),
                        every=True,
                    )
                await asyncio.sleep(PERIOD)
            await asyncio.Event().wait()
        finally:
            np.save(self.folder / "made.npy", np.array(made))


class Recorder(Sink):
    """A consumer that confirms so late that all it is given has gone to the disk before."""

    type: Literal["benchmark.recorder"] = "benchmark.recorder"
    folder: Path

    async def run(self, ctx: SinkContext) -> None:
        heard: list[tuple[float, Batch]] = []
        later = asyncio.get_running_loop().call_later
        ctx.up()
        try:
            async for delivery in ctx.batches():
                heard.append((time.perf_counter(), delivery.batch))
                later(CONFIRMED, ctx.delivered, delivery.seq)
        finally:
            self._save(ctx, heard)

    def _save(self, ctx: SinkContext, heard: list[tuple[float, Batch]]) -> None:
        numbers = {point.id: int(point.name.removeprefix("p")) for point in ctx.points}
        place = np.full(max(numbers) + 1, -1)
        place[list(numbers)] = list(numbers.values())
        batch = Batch.concat(batch for _, batch in heard)
        number = batch.time // NS - EPOCH
        mine = (batch.quality & int(Quality.DEVICE_TIME) != 0) & (number >= 0)
        when = np.repeat([at for at, _ in heard], [len(batch) for _, batch in heard])
        np.savez(
            self.folder / "heard-0.npz",
            when=when,
            point=place[batch.point],
            number=np.where(mine, number, -1),
            value=np.nan_to_num(batch.value).astype(np.int64),
        )


class _Plugin:
    @hookimpl
    def gateway_components(self) -> Iterable[type[Source] | type[Sink]]:
        return Emitter, Recorder


def main() -> int:
    configuration = load(Path(sys.argv[1]), host=Host({"benchmark": _Plugin()}))
    return operate(configuration, {}, (), 3600.0, view=False)


if __name__ == "__main__":
    sys.exit(main())
