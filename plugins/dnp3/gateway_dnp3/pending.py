"""The name of the master while its session is being built."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gateway import Point, Source, SourceContext


class PendingPoint(Point):
    """Where a point is in the outstation."""

    index: Annotated[int, Field(ge=0, le=65535, description="index of the point")]


class PendingMaster(Source):
    """Holds the type `dnp3.master`; it brings no point in."""

    Point = PendingPoint

    type: Literal["dnp3.master"] = "dnp3.master"
    host: Annotated[str, Field(description="name or address of the outstation")]
    port: Annotated[int, Field(ge=1, le=65535, description="TCP port")] = 20000

    async def run(self, ctx: SourceContext) -> None:
        raise NotImplementedError("dnp3.master cannot connect yet")
