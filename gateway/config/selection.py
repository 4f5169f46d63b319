"""Which points a link has."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.model.link import Sink, Source
from gateway.model.point import Definition, LinkPoint
from gateway.model.selector import selector


def takes(sink: Sink, definition: Definition) -> bool:
    """Return whether a point reaches a sink: selected, and with an address or taken by name."""
    if not selector(sink.select)(definition.name):
        return False
    return sink.by_name or sink.name in definition.addresses


def points_of(link: Source | Sink, definitions: Sequence[Definition]) -> list[LinkPoint]:
    """Return the points of a link in the order of the point list; the ids are places in it."""
    return [
        LinkPoint(i, one, one.addresses.get(link.name))
        for i, one in enumerate(definitions)
        if (takes(link, one) if isinstance(link, Sink) else link.name in one.addresses)
    ]
