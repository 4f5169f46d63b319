"""What `gateway top` shows of a gateway at one moment: asked for, and drawn as the live view."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from rich.text import Text

from gateway.cli.blocks import (
    POINTS,
    age_text,
    ledger_rows,
    link_rows,
    picture,
    point_row,
)
from gateway.cli.remote import Remote, RemoteError
from gateway.cli.summary import time_of_day
from gateway.cli.table import Cell, header
from gateway.model.point import Kind
from gateway.model.quality import VALIDITY_WORDS

BAD = ("invalid", "reserved", "questionable")
MOST = 200
"""Most bad points that are asked for: more than a terminal has lines."""
VALIDITY = {word: int(bits) for bits, word in VALIDITY_WORDS.items()}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Answers of one moment; times in ns since the Unix epoch, by the gateway's own clock.

    links, ledgers: with the attributes of LinkStatus and Ledger.
    points:         the worst, invalid before questionable, at most MOST of them.
    total:          points that there are to see, the gateway's own left out; `bad` by validity.
    """

    gateway: str
    now: int
    ails: tuple[str, ...]
    links: Sequence[Any]
    ledgers: Mapping[str, Any]
    points: Sequence[Mapping[str, Any]]
    total: int
    bad: Mapping[str, int]


def take(remote: Remote) -> Snapshot:
    """Ask for a snapshot. Raises RemoteError."""
    health = remote.get("/health")
    links, ledgers = remote.get("/links"), remote.get("/ledger")
    pages = {
        word: remote.get("/points", quality=word, limit=MOST, name="!_health.*") for word in BAD
    }
    total = remote.get("/points", limit=1, name="!_health.*")["total"]
    try:
        return Snapshot(
            health["gateway"],
            _ns(health["now"]),
            tuple(_ails(health)),
            [SimpleNamespace(**link | {"since": _ns(link["since"])}) for link in links],
            {ledger["sink"]: SimpleNamespace(**ledger) for ledger in ledgers},
            [one for word in BAD for one in pages[word]["points"]][:MOST],
            total,
            {word: pages[word]["total"] for word in BAD},
        )
    except (KeyError, TypeError, ValueError) as error:
        raise RemoteError(
            f"{remote.url} answers what this version does not understand: {error!r}", for_good=True
        ) from error


def draw(shown: Snapshot, width: int, height: int, trouble: str = "") -> Text:
    """Return the view of a snapshot for a terminal; with `trouble` it is one of the past."""

    def blocks(room: int) -> list[list[list[Cell]]]:
        return [
            link_rows(shown.links, shown.now, max(3, room // 3)),
            ledger_rows(shown.ledgers, max(3, room // 4)),
        ]

    def points(rows: int) -> tuple[list[list[Cell]], str]:
        table = [header(*POINTS), *(_row(one, shown.now) for one in shown.points[:rows])]
        bad = sum(shown.bad.values())
        if not bad:
            return table, f"none of {shown.total:,} points is bad"
        return table, f"the worst {len(table) - 1:,} of {bad:,} bad points"

    title = f" {shown.gateway}  {time_of_day(shown.now)} UTC  {headline(shown)}"
    if trouble:
        title = f" {shown.gateway}  as of {time_of_day(shown.now)} UTC: {trouble}"
    style = "bold white on red" if trouble else "bold reverse"
    return picture(title, blocks, points, width, height, style=style)


def headline(shown: Snapshot) -> str:
    """Return how many links are up and points are bad, and what ails the gateway itself."""
    parts = []
    for direction in ("source", "sink"):
        links = [link for link in shown.links if link.direction == direction]
        parts.append(f"{sum(link.state == 'up' for link in links)}/{len(links)} {direction}s up")
    bad = ", ".join(f"{n:,} {word}" for word, n in shown.bad.items() if n)
    parts.append(f"{shown.total:,} points" + (f" ({bad})" if bad else ""))
    return ", ".join((*parts, *shown.ails))


def _ails(health: Mapping[str, Any]) -> list[str]:
    said = [
        f"{part}: {health[f'{part}_failing']}"
        for part in ("journal", "audit")
        if health[f"{part}_failing"]
    ]
    return said if health["clock_synchronised"] else [*said, "clock not synchronised"]


def _row(one: Mapping[str, Any], now: int) -> list[Cell]:
    validity = VALIDITY.get(str(one["quality"]).partition(",")[0], 1)
    value = math.nan if one["value"] is None else float(one["value"])
    age = age_text(now - _ns(one["time"])) if one["time"] else "never"
    kind = Kind(one["kind"])
    return point_row(
        one["name"], kind, value, one["unit"], one["quality"], validity, age, one["link"] or ""
    )


def _ns(text: str | None) -> int:
    """Return a time of the API in ns; 0 where there is none."""
    if text is None:
        return 0
    whole, _, fraction = text.removesuffix("Z").partition(".")
    seconds = int(datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp())
    return seconds * 10**9 + int(fraction.ljust(9, "0")[:9] or 0)
