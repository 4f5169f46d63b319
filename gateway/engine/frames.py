"""Frames that links kept, for who asks: a portion at a time, by their numbers."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Any

from gateway.config.problem import did_you_mean, listing
from gateway.model.errors import GatewayError
from gateway.model.link import Link
from gateway.model.selector import selector
from gateway.trace import Did, Frame, words

if TYPE_CHECKING:
    from gateway.engine.engine import Engine

PORTION = 512
"""Most frames of one answer."""
OCTETS = 1_000_000
"""Most octets of one answer; the first frame is there in any case."""
AT_ONCE = 32
"""Frames that are described before the links have their turn again."""
SETTLE = 50_000_000
"""Nanoseconds that the last frame of a link waits for what its source makes of it."""


async def frames(
    engine: Engine, names: Sequence[str], after: Mapping[str, int], past: bool
) -> dict[str, Any]:
    """Return the next frames of links, oldest first.

    names: of links, with * and ?, a leading ! leaves out; none means all.
    after: the number of the last frame that is known of each link, as `after` of the answer before;
           a link that is not there begins with its next frame, or with `past` its oldest.

    Of each link the answer has the numbers that are known now (`after`), how many frames were
    pushed out between (`missed`), and what Wireshark reads them with.
    `more` says that there are frames that did not fit this answer.
    Raises GatewayError where no link has such a name, or none keeps frames.
    """
    links = {link.name: link for link in _chosen(engine, names)}
    now = engine.clock.now()
    known, missed, waiting = {}, {}, []
    for name in links:
        ring = engine.rings[name]
        known[name] = min(int(after.get(name, 0 if past else ring.last)), ring.last)
        found = ring.after(known[name], PORTION)
        if found and found[-1].number == ring.last and 0 <= now - found[-1].time < SETTLE:
            del found[-1]
        missed[name] = found[0].number - known[name] - 1 if found else 0
        known[name] += missed[name]
        waiting.append([(name, frame) for frame in found])
    said: list[dict[str, Any]] = []
    octets = 0
    in_order = heapq.merge(*waiting, key=lambda one: one[1].time)
    for name, frame in islice(in_order, PORTION):
        octets += len(frame.octets)
        if said and octets > OCTETS:
            break
        if len(said) % AT_ONCE == AT_ONCE - 1:
            await asyncio.sleep(0)
        said.append(_shown(engine, links[name], frame))
        known[name] = frame.number
    return {
        "frames": said,
        "after": known,
        "missed": missed,
        "more": len(said) < sum(map(len, waiting)),
        "links": {name: _about(link) for name, link in links.items()},
    }


def _chosen(engine: Engine, names: Sequence[str]) -> list[Link]:
    configuration = engine.configuration
    links: list[Link] = [*configuration.sources, *configuration.sinks]
    takes = selector(tuple(map(str, names)) or ("*",))
    chosen = [link for link in links if takes(link.name)]
    known = [link.name for link in links]
    for name in names:
        if not set("*?!") & set(name) and name not in known:
            near = did_you_mean(name, known)
            raise GatewayError(f"there is no link '{name}', allowed: {listing(known)}{near}")
    if not chosen:
        raise GatewayError(f"no link has such a name, allowed: {listing(known)}")
    if not engine.rings:
        raise GatewayError("this gateway keeps no frames: gateway.trace.size is 0")
    return chosen


def _shown(engine: Engine, link: Link, frame: Frame) -> dict[str, Any]:
    return {
        "link": link.name,
        "number": frame.number,
        "time": frame.time,
        "direction": frame.direction,
        "peer": frame.peer,
        "length": frame.length,
        "says": words(link, frame.direction, frame.octets),
        "note": frame.note,
        "did": [_did(engine, did) for did in frame.did],
        "octets": frame.octets.hex(),
    }


def _did(engine: Engine, did: Did) -> dict[str, Any]:
    points = [engine.names[point] for point in did.points]
    return {"samples": did.samples, "taken": did.taken, "points": points, "lost": did.lost}


def _about(link: Link) -> dict[str, Any]:
    dissector = link.dissector()
    return {"type": link.type, "dissector": None if dissector is None else asdict(dissector)}
