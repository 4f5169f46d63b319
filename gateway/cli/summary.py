"""A running gateway in a line: how many links are up, how many points are bad, the ledgers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from gateway.cli.log import moment
from gateway.engine import health
from gateway.model.configuration import Configuration
from gateway.model.context import Image
from gateway.model.point import Definition
from gateway.model.quality import Quality


class EngineState(Protocol):
    """What is read of the engine: links are `LinkStatus`, ledgers `Ledger`."""

    @property
    def configuration(self) -> Configuration: ...
    @property
    def clock(self) -> Any: ...
    @property
    def definitions(self) -> Sequence[Definition | None]: ...
    @property
    def image(self) -> Image: ...
    @property
    def links(self) -> Mapping[str, Any]: ...
    @property
    def ledgers(self) -> Mapping[str, Any]: ...
    def id(self, name: str) -> int: ...


_ids: WeakKeyDictionary[Any, tuple[Configuration, npt.NDArray[np.intp]]] = WeakKeyDictionary()


def ids(engine: EngineState) -> npt.NDArray[np.intp]:
    """Return the ids of the configured points, in the order of the point list."""
    configuration = engine.configuration
    known = _ids.get(engine)
    if known is not None and known[0] is configuration:
        return known[1]
    if not len(engine.image.quality):
        return np.empty(0, np.intp)
    points = configuration.points
    column = np.fromiter((engine.id(point.name) for point in points), np.intp, len(points))
    _ids[engine] = (configuration, column)
    return column


def headline(engine: EngineState) -> str:
    """Return how many links are up and points are bad, and what ails the gateway itself."""
    parts = ["{}/{} {}s up".format(*_up(engine, word), word) for word in ("source", "sink")]
    bad = ", ".join(f"{n:,} {word}" for word, n in bad_points(engine).items() if n)
    total = f"{len(engine.configuration.points):,} points"
    parts.append(f"{total} ({bad})" if bad else total)
    if _is_off(engine, health.JOURNAL):
        parts.append("journal: the disk takes nothing")
    if _is_off(engine, health.CLOCK):
        parts.append("clock not synchronised")
    return ", ".join(parts)


def bad_points(engine: EngineState) -> dict[str, int]:
    """Return how many points are invalid (reserved ones among them) and questionable."""
    validity = engine.image.quality[ids(engine)] & np.uint16(Quality.VALIDITY)
    count = np.bincount(validity, minlength=4).tolist()
    return {"invalid": count[1] + count[2], "questionable": count[3]}


def status_line(engine: EngineState) -> str:
    """Return the gateway on one line: UTC, links, points, what is down, each sink's ledger."""
    parts = [headline(engine)]
    parts += [
        f"{link.name} {link.state}" + (f" ({link.error})" if link.error else "")
        for link in engine.links.values()
        if link.state != "up"
    ]
    parts += [
        f"{sink} taken {ledger.taken} delivered {ledger.delivered} "
        f"coalesced {ledger.coalesced} dropped {sum(ledger.dropped.values())} "
        f"pending {ledger.pending}"
        for sink, ledger in engine.ledgers.items()
    ]
    return f"{time_of_day(engine.clock.now())} {', '.join(parts)}"


def status_object(engine: EngineState) -> dict[str, Any]:
    """Return what `status_line` says, for JSON."""
    links = engine.links.values()
    up = {
        f"{word}s": dict(zip(("up", "configured"), _up(engine, word), strict=True))
        for word in ("source", "sink")
    }
    return {
        "time": moment(engine.clock.now() / 1e9),
        **up,
        "points": {"configured": len(engine.configuration.points), **bad_points(engine)},
        "not_up": [
            {"link": link.name, "state": str(link.state), "error": link.error}
            for link in links
            if link.state != "up"
        ],
        "ledgers": {
            sink: {
                "taken": ledger.taken,
                "delivered": ledger.delivered,
                "coalesced": ledger.coalesced,
                "dropped": sum(ledger.dropped.values()),
                "pending": ledger.pending,
            }
            for sink, ledger in engine.ledgers.items()
        },
        "journal_works": not _is_off(engine, health.JOURNAL),
        "clock_synchronised": not _is_off(engine, health.CLOCK),
    }


def time_of_day(now: int) -> str:
    """Return the time of day, UTC, of a time in ns."""
    return datetime.fromtimestamp(now // 10**9, UTC).strftime("%H:%M:%S")


def _up(engine: EngineState, direction: str) -> tuple[int, int]:
    """Return how many links of a direction are up, and how many there are."""
    links = [link for link in engine.links.values() if link.direction == direction]
    return sum(link.state == "up" for link in links), len(links)


def _is_off(engine: EngineState, point: str) -> bool:
    """Whether a health point has been shown, and as off."""
    try:
        number = engine.id(point)
    except KeyError:
        return False
    return bool(engine.image.time[number]) and engine.image.value[number] == 0.0
