"""The source `simulator`: points that follow signals."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from gateway import Batch, Duration, Source, SourceContext
from gateway_simulator.signals import SignalPoint, Signals


class Simulator(Source):
    """A field without hardware: each point follows the signal in its row of the point list."""

    Point = SignalPoint

    type: Literal["simulator"] = "simulator"
    poll: Annotated[Duration, Field(gt=0, description="how often values are computed")] = 1.0
    seed: Annotated[int, Field(ge=0, description="begins the random signals")] = 0

    async def run(self, ctx: SourceContext) -> None:
        ids = np.array([point.id for point in ctx.points], np.int32)
        signals = Signals(
            [point.address for point in ctx.points if isinstance(point.address, SignalPoint)],
            self.seed,
        )
        ctx.up(f"{len(ids)} signals")
        async for time in ctx.every(self.poll):
            await ctx.emit(Batch.of(ids, signals.at(time), time=time))
