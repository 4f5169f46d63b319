"""The overview: which links are up, since when the others are not, and what waits."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from nicegui import Client as Page
from nicegui import ui
from starlette.responses import Response

from gateway import LinkView
from gateway_console.page.frame import View, done, framed, ticking, view_of
from gateway_console.page.live import Feeders
from gateway_console.page.wording import (
    LINK_STATES,
    SIGNS,
    age_text,
    count_text,
    lag_text,
    rate_text,
)


@ui.page("/")
def overview(request: Request, client: Page) -> Response:
    view = view_of(request, client)
    with framed(view, "Overview", "/"):
        feeders = Feeders(view.desk.ctx.gateway)

        def draw() -> None:
            links = view.desk.links
            feeders.show(
                sources=[feeder(view, one) for one in links if one.direction == "source"],
                sinks=[feeder(view, one) for one in links if one.direction == "sink"],
                facts=gateway_facts(view),
            )

        ticking(view, draw)
    return done(view)


def feeder(view: View, link: LinkView) -> dict[str, Any]:
    """Return what the overview shows of a link."""
    state = LINK_STATES[link.state]
    since = age_text(view.desk.ctx.now() - link.since) if link.since else "the start"
    facts = source_facts(view, link) if link.direction == "source" else sink_facts(view, link)
    return {
        "name": link.name,
        "type": link.type,
        "href": f"/link/{link.name}",
        "state": state,
        "symbol": SIGNS[state],
        "said": f"{link.state} for {since}" if link.since else link.state,
        "error": link.error,
        "facts": facts,
    }


def source_facts(view: View, link: LinkView) -> list[list[str]]:
    """Return label, text and state of what counts at a source."""
    desk = view.desk
    total, bad = desk.columns.counts(link.name)
    facts = [["changes", rate_text(desk.rates.of(link.name)), ""]]
    newest = desk.columns.newest(link.name)
    if newest:
        facts.append(["last change", f"{age_text(max(0, desk.ctx.now() - newest))} ago", ""])
    lag = desk.lags.of(link.name)
    if lag is not None:
        facts.append(["device time lag", f"≤ {lag_text(lag / 1e9)}", ""])
    facts.append(["points", count_text(total), ""])
    if bad:
        facts.append(["not good", f"▲ {bad:,}", "warn"])
    facts += [[name, count_text(n), ""] for name, n in link.counters.items() if n]
    return facts[:6]


def sink_facts(view: View, link: LinkView) -> list[list[str]]:
    """Return label, text and state of what counts at a sink."""
    facts = [["delivers", rate_text(view.desk.rates.of(link.name)), ""]]
    ledger = view.desk.ledgers.get(link.name)
    if ledger is not None:
        facts.append(["waiting", count_text(ledger.pending), "warn" if ledger.pending else ""])
        if ledger.oldest is not None:
            facts.append(["oldest", age_text(view.desk.ctx.now() - ledger.oldest), ""])
        if ledger.acknowledgement is not None:
            facts.append(["acknowledged in", lag_text(ledger.acknowledgement), ""])
        dropped = sum(ledger.dropped.values())
        facts.append(["dropped", f"✕ {dropped:,}" if dropped else "0", "bad" if dropped else ""])
    facts += [[name, count_text(n), ""] for name, n in link.counters.items() if n]
    return facts[:6]


def gateway_facts(view: View) -> list[list[str]]:
    """Return label, text and state of the gateway itself."""
    desk, health = view.desk, view.desk.health
    points, bad = desk.columns.bad(desk.readable(view.client))
    lost = sum(sum(one.dropped.values()) for one in desk.ledgers.values())
    clock = ["clock", "● synchronised", ""]
    if not health.clock_synchronised:
        clock = ["clock", "▲ not synchronised", "warn"]
    facts = [
        ["points", count_text(points), ""],
        ["not good", f"▲ {bad:,}" if bad else "0", "warn" if bad else ""],
        ["lost since ever", f"✕ {lost:,}" if lost else "0", "bad" if lost else ""],
        ["journal", f"{health.journal_bytes / 1e6:,.1f} MB", ""],
        clock,
        ["runs for", age_text(health.now - health.started), ""],
    ]
    for what, why in (("disk", health.journal_failing), ("audit log", health.audit_failing)):
        if why:
            facts.insert(0, [what, f"✕ {why}", "bad"])
    facts += [["locked out", one, "warn"] for one in health.locked_out]
    return facts
