import os
from typing import Literal

from gateway import Batch, Point, Source, hookimpl


class LoadPoint(Point):
    over: Literal["1min", "5min", "15min"]


class Load(Source):
    Point = LoadPoint
    type: Literal["load"] = "load"

    async def run(self, ctx):
        ctx.up()
        ids = [point.id for point in ctx.points]
        async for time in ctx.every(1.0):
            load = dict(zip(("1min", "5min", "15min"), os.getloadavg(), strict=True))
            values = [load[point.address.over] for point in ctx.points]
            await ctx.emit(Batch.of(ids, values, time=time))


@hookimpl
def gateway_components():
    return [Load]
