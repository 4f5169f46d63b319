"""Which points a sink takes."""

from __future__ import annotations

from gateway.model.link import Sink
from gateway.model.point import Definition
from gateway.model.selector import selector


def takes(sink: Sink, definition: Definition) -> bool:
    """Return whether a point reaches a sink: selected, and with an address or taken by name."""
    if not selector(sink.select)(definition.name):
        return False
    return sink.by_name or sink.name in definition.addresses
