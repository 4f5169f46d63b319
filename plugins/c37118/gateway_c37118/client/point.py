"""The columns of a point that a stream brings."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway import Point


class C37Point(Point):
    """What of a stream a point is."""

    item: Annotated[str, Field(min_length=1, description="frequency, phasor/VA/angle, analog/3")]
