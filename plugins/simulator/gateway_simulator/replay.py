"""The source `simulator.replay`: a recording played again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from gateway import Batch, Duration, LinkPoint, Point, Quality, Source, SourceContext
from gateway_simulator.recording import read


class Repeat(StrEnum):
    """What comes after the last sample."""

    LOOP = "loop"
    ONCE = "once"


class ReplayPoint(Point):
    """The column of a replayed point."""

    recorded: Annotated[str, Field(min_length=1, description="the point's name in the recording")]


class Replay(Source):
    """A recording played again, each sample with its own time and quality, changed or not."""

    Point = ReplayPoint

    type: Literal["simulator.replay"] = "simulator.replay"
    file: Annotated[
        Path, Field(description="CSV with the columns offset (seconds), point, value, quality")
    ]
    repeat: Annotated[
        Repeat, Field(description="loop begins again after the last sample, once stays there")
    ] = Repeat.LOOP
    speed: Annotated[
        float, Field(gt=0, description="how many times faster than it was recorded")
    ] = 1.0
    poll: Annotated[
        Duration, Field(gt=0, description="how often the samples that are due are emitted")
    ] = 0.1

    def check_points(self, points: Sequence[LinkPoint]) -> Iterable[tuple[LinkPoint, str, str]]:
        first: dict[str, str] = {}
        for point in points:
            if isinstance(point.address, ReplayPoint):
                word = point.address.recorded
                if (other := first.setdefault(word, point.name)) != point.name:
                    yield point, "recorded", f"found '{word}', which already is {other}"

    async def run(self, ctx: SourceContext) -> None:
        ids = {
            point.address.recorded: point.id
            for point in ctx.points
            if isinstance(point.address, ReplayPoint)
        }
        recording = await asyncio.to_thread(read, self.file, ids)
        ctx.up(f"{len(recording.point)} samples from {self.file}")
        if recording.unlisted:
            ctx.count("unlisted", recording.unlisted)
        due = np.rint(recording.offset / self.speed).astype(np.int64)
        quality = recording.quality | np.uint16(Quality.DEVICE_TIME)
        start, row = -1, 0
        async for now in ctx.every(self.poll):
            if start < 0:
                start = now
            end = int(np.searchsorted(due, now - start, side="right"))
            if end > row:
                rows = slice(row, end)
                await ctx.emit(
                    Batch(
                        recording.point[rows],
                        recording.value[rows],
                        quality[rows],
                        start + due[rows],
                    ),
                    every=True,
                )
                row = end
            if row == len(due) and self.repeat is Repeat.LOOP:
                start, row = start + int(due[-1]) + round(self.poll * 1e9), 0
