"""The source `c37118.client`: what a PMU or a PDC sends."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gateway import LinkError, Source, SourceContext
from gateway_c37118.client.point import C37Point


class C37Client(Source):
    """A stream of synchrophasors."""

    Point = C37Point

    type: Literal["c37118.client"] = "c37118.client"
    host: Annotated[str, Field(min_length=1, description="address of the PMU or PDC")]

    async def run(self, ctx: SourceContext) -> None:
        """Connect and read; see `Source.run`."""
        raise LinkError("nothing is read yet")
