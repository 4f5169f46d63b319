"""The blocks of a live view: what an operator sees of links, ledgers and points, and how.

They are drawn of what they are given, whether the gateway runs in this process or elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from rich.text import Text

from gateway.cli.table import Cell, header, layout
from gateway.model.point import Kind
from gateway.model.quality import Quality

LOG_LINES = 5
"""Most log lines shown at the foot of the view."""
VALIDITY_COLOURS = ("green", "red", "red", "yellow")
"""By validity: good, invalid, reserved, questionable."""
STATE_COLOURS = {"up": "green", "down": "bold red", "starting": "yellow", "stopped": "dim"}
STATUS_WORDS = ("off", "on")
DOUBLE_WORDS = ("between", "off", "on", "bad")

Points = Callable[[int], tuple[Sequence[Sequence[Cell]], str]]
"""Takes how many points fit; returns the table of them and a line for its foot."""


def picture(
    title: str,
    blocks: Callable[[int], Sequence[Sequence[Sequence[Cell]]]],
    points: Points,
    width: int,
    height: int,
    log: Sequence[str] = (),
    style: str = "bold reverse",
) -> Text:
    """Return a view for a terminal of `width` × `height` characters.

    blocks: takes the height that there is, and returns the tables above the points.

    It is never higher than the terminal: what does not fit is counted in a line.
    """
    lines = [Text(title[:width].ljust(width), style, no_wrap=True)]
    room = height - 1
    foot = list(log)[-min(LOG_LINES, room // 8) :] if room >= 16 else []
    room -= len(foot) + bool(foot)
    for block in blocks(room):
        if len(block) > 1 and room > len(block) + 5:
            lines += [Text(), *layout(block, width)]
            room -= len(block) + 1
    if room > 3:
        table, remark = points(room - 3)
        lines += [Text(), *layout(table, width)]
        lines.append(Text(remark[:width], "dim", no_wrap=True))
    if foot:
        # Of a traceback its first line; the whole of it is printed when the view ends.
        first = (text.partition("\n")[0][:width] for text in foot)
        lines += [Text(), *(Text(text, "dim", no_wrap=True) for text in first)]
    return Text("\n", no_wrap=True, overflow="crop", end="").join(lines[:height])


def link_rows(links: Iterable[Any], now: int, most: int) -> list[list[Cell]]:
    """Return the table of links, `most` rows high: their attributes are those of LinkStatus."""
    rows = [header("link", "type", "state", ">since", "")]
    # Down before up: what fits the screen must be what an operator looks for.
    order = sorted(links, key=lambda link: link.state == "up")
    cut = len(order) if len(order) < most else most - 2
    for link in order[:cut]:
        state = str(link.state)
        counters = " ".join(f"{what} {n:,}" for what, n in link.counters.items() if n)
        remark = "  ".join(filter(None, (link.error or link.detail, counters)))
        rows.append(
            [
                (link.name, ""),
                (link.type, "dim"),
                (state, STATE_COLOURS.get(state, "")),
                (age_text(now - link.since) if link.since else "", "dim"),
                (remark, "red" if link.error else "dim"),
            ]
        )
    if cut < len(order):
        up = sum(link.state == "up" for link in order[cut:])
        rows.append([(f"… {len(order) - cut:,} more, {up:,} of them up", "dim")])
    return rows


def ledger_rows(given: Mapping[str, Any], most: int) -> list[list[Cell]]:
    """Return the table of ledgers by sink: their attributes are those of Ledger."""
    rows = [header("ledger", ">taken", ">delivered", ">coalesced", ">dropped", ">pending", "")]
    ledgers = list(given.items())
    cut = len(ledgers) if len(ledgers) < most else most - 2
    for sink, ledger in ledgers[:cut]:
        dropped = sum(ledger.dropped.values())
        reasons = ", ".join(f"{reason} {n:,}" for reason, n in ledger.dropped.items() if n)
        rows.append(
            [
                (sink, ""),
                (f"{ledger.taken:,}", ""),
                (f"{ledger.delivered:,}", ""),
                (f"{ledger.coalesced:,}", ""),
                (f"{dropped:,}", "red" if dropped else ""),
                (f"{ledger.pending:,}", ""),
                (reasons, "red"),
            ]
        )
    if cut < len(ledgers):
        rows.append([(f"… {len(ledgers) - cut:,} more", "dim")])
    return rows


POINTS = ("point", ">value", "unit", "quality", ">age", "source")


def point_row(
    name: str, kind: Kind, value: float, unit: str, quality: str, validity: int, age: str, link: str
) -> list[Cell]:
    """Return a row below POINTS; `quality` is in words, `validity` its two bits."""
    colour = VALIDITY_COLOURS[validity & Quality.VALIDITY]
    return [
        (name, ""),
        (value_text(kind, value), colour),
        (unit, "dim"),
        (quality, colour),
        (age, ""),
        (link or "none", "dim"),
    ]


def value_text(kind: Kind, value: float) -> str:
    """Return a value as an operator reads it: words for statuses, about six digits for analogs."""
    if math.isnan(value):
        return "–"
    if kind is Kind.STATUS:
        return STATUS_WORDS[value != 0.0]
    if kind is Kind.DOUBLE:
        return DOUBLE_WORDS[int(value)] if value in (0.0, 1.0, 2.0, 3.0) else f"{value:g}"
    if kind is Kind.COUNTER:
        return f"{value:,.0f}"
    size = abs(value)
    if size >= 1e7 or 0.0 < size < 1e-3:
        return f"{value:.4g}"
    return f"{value:,.{1 if size >= 1e4 else 2 if size >= 100 else 3}f}"


def age_text(ns: int) -> str:
    """Return how long something is ago, in two or three digits and a unit."""
    seconds = ns / 1e9
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    for length, unit in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * length:
            return f"{sign}{seconds / length:.0f}{unit}"
    return f"{sign}{seconds:.1f}s" if seconds < 10 else f"{sign}{seconds:.0f}s"
