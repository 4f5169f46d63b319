"""The explanation of a point as JSON can hold it."""

from __future__ import annotations

import math
from typing import Any

from gateway import Explanation, Hop


def lineage(found: Explanation) -> dict[str, Any]:
    """Return every address and conversion of one point; a limit that is not there is null."""
    point = found.point
    return {
        "point": {
            "name": point.name,
            "kind": point.kind.value,
            "unit": point.unit,
            "description": point.description,
            "model": point.model,
            "scale": point.scale,
            "offset": point.offset,
            "low": _finite(point.low),
            "high": _finite(point.high),
            "rate": _finite(point.rate),
        },
        "source": None if found.source is None else _hop(found.source),
        "conversions": dict(found.conversions),
        "sinks": [_hop(hop) for hop in found.sinks],
        "command": dict(found.command),
    }


def _hop(hop: Hop) -> dict[str, Any]:
    return {
        "link": hop.link,
        "type": hop.type,
        "settings": hop.settings,
        "address": hop.address,
        "keep": hop.keep,
        "rule": hop.rule,
        "left_out": hop.left_out,
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
