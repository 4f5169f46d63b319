"""What the gateway says of itself, as JSON can hold it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gateway.model.quality import quality_text

if TYPE_CHECKING:
    from gateway.engine.engine import Engine


def report(engine: Engine) -> dict[str, Any]:
    """Return the state of links, ledgers and journal as JSON can hold it; times in ns."""
    held = engine.held
    return {
        "gateway": engine.configuration.gateway.name,
        "started": engine.started,
        "now": engine.clock.now(),
        "points": len(engine.configuration.points),
        "links": {
            name: {
                "type": link.type,
                "direction": link.direction,
                "state": link.state.value,
                "since": link.since,
                "error": link.error,
                "counters": dict(link.counters),
            }
            for name, link in engine.links.items()
        },
        "ledgers": {
            name: ledger.to_dict() | {"pending": held[name]}
            for name, ledger in engine.ledgers.items()
        },
        "journal": {
            "bytes": engine.journal.bytes if engine.journal else 0,
            "failing": engine.journal.failing if engine.journal else "",
        },
        "audit": {"failing": engine.authority.failing},
        "locked_out": engine.authority.access.locks,
    }


def samples(engine: Engine, takes: Callable[[str], bool]) -> list[dict[str, Any]]:
    """Return the last sample of each point whose name is taken; a value that is none is null."""
    image = engine.image
    found = []
    for number, definition in enumerate(engine.definitions):
        if definition is None or not takes(definition.name):
            continue
        value = float(image.value[number])
        found.append(
            {
                "point": definition.name,
                "value": value if math.isfinite(value) else None,
                "unit": definition.unit,
                "quality": quality_text(int(image.quality[number])),
                "time": int(image.time[number]),
                "commands": definition.command is not None,
            }
        )
    return found
