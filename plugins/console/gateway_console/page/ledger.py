"""The ledger: what became of every sample that each sink was to have."""

from __future__ import annotations

from fastapi import Request
from nicegui import Client as Page
from nicegui import ui
from starlette.responses import Response

from gateway_console.page.frame import done, framed, tag, ticking, view_of
from gateway_console.page.live import Table, column
from gateway_console.page.wording import age_text, count_text, rate_text


@ui.page("/ledger")
def ledger(request: Request, client: Page) -> Response:
    view = view_of(request, client)
    with framed(view, "Ledger", "/ledger"):
        tag(
            "p",
            "Taken = delivered + coalesced + dropped + waiting, in samples, for each sink.",
            "gw-note",
        )
        columns = [
            column("sink", "Sink", link=True),
            column("taken", "Taken", num=True),
            column("delivered", "Delivered", num=True),
            column("rate", "Rate", num=True, less=True),
            column("coalesced", "Coalesced", num=True, less=True),
            column("dropped", "Dropped", num=True, stated=True),
            column("why", "Dropped because", wide=True, less=True),
            column("waiting", "Waiting", num=True),
            column("oldest", "Oldest", num=True),
        ]
        table = Table("Ledger of each sink", columns, empty="This gateway has no sinks.")

        def draw() -> None:
            desk, rows = view.desk, []
            for one in desk.ledgers.values():
                lost = sum(one.dropped.values())
                why = ", ".join(f"{reason} {n:,}" for reason, n in one.dropped.items() if n)
                oldest = "" if one.oldest is None else age_text(desk.ctx.now() - one.oldest)
                cells = [
                    one.sink,
                    count_text(one.taken),
                    count_text(one.delivered),
                    rate_text(desk.rates.of(one.sink)),
                    count_text(one.coalesced),
                    f"✕ {lost:,}" if lost else "0",
                    why,
                    count_text(one.pending),
                    oldest,
                ]
                state = "bad" if lost else ""
                rows.append(
                    {"id": one.sink, "cells": cells, "state": state, "href": f"/link/{one.sink}"}
                )
            table.rows(rows)

        ticking(view, draw)
    return done(view)
