"""The columns of a point that a stream brings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated

from pydantic import Field, field_validator

from gateway import LinkPoint, Point
from gateway_c37118.item import Item, parse_item


class C37Point(Point):
    """What of a stream a point is."""

    pmu: Annotated[
        str | None,
        Field(
            min_length=1,
            description="IDCODE or station name of the PMU; needed where the stream has several",
        ),
    ] = None
    item: Annotated[
        str,
        Field(
            description="frequency, rocof, phasor/VA/magnitude, phasor/1/angle, analog/3, "
            "digital/2/5, stat/trigger, time/quality",
            examples=["phasor/VA/magnitude"],
        ),
    ]

    @field_validator("pmu")
    @classmethod
    def _trimmed(cls, pmu: str | None) -> str | None:
        return None if pmu is None else pmu.strip()

    @field_validator("item")
    @classmethod
    def _known(cls, item: str) -> str:
        parse_item(item)
        return item

    def parsed(self) -> Item:
        """Return the item."""
        return parse_item(self.item)


def faults(points: Sequence[LinkPoint]) -> Iterable[tuple[LinkPoint, str, str]]:
    """Say which rows make no sense together, or with their kind; see `Link.check_points`."""
    first: dict[tuple[str | None, Item], str] = {}
    for point in points:
        if not isinstance(point.address, C37Point):
            continue
        item = point.address.parsed()
        allowed = ("status", "analog") if item.flag else ("analog",)
        if point.kind not in allowed:
            yield (
                point,
                "item",
                f"found '{point.address.item}' of a point of kind {point.kind}, "
                f"allowed: {', '.join(allowed)}",
            )
        other = first.setdefault((point.address.pmu, item), point.name)
        if other != point.name:
            yield point, "item", f"found '{point.address.item}', which already is {other}"
