"""The audit log: who did what, found and proven."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import Request
from nicegui import Client as Page
from nicegui import ui
from starlette.responses import Response

from gateway import AuditQuery, AuditRecord, GatewayError, Permission
from gateway_console.page.forms import button, choice, text_field
from gateway_console.page.frame import View, done, framed, say, tag, view_of
from gateway_console.page.link import missing, text
from gateway_console.page.live import Table, column
from gateway_console.page.wording import clock_text, stamp_text

MOST = 500
"""Records that are shown."""
SPANS = {"all": 0, "last hour": 3600, "last day": 86_400, "last week": 604_800}
FIELDS = ("user", "point", "step", "status")
COLUMNS = ("user", "point", "sink", "operation", "value", "status", "reason")
"""Facts of a record that have a column of their own."""


@ui.page("/audit")
def audit(request: Request, client: Page) -> Response:
    view = view_of(request, client)
    if not view.may(Permission.AUDIT):
        return missing(view, "Your role may not read the audit log.", 403)
    with framed(view, "Audit", "/audit"):
        AuditTable(view, request.query_params)
    return done(view)


class AuditTable:
    """Records, newest first; read from the disk when asked for."""

    def __init__(self, view: View, asked: Mapping[str, str]) -> None:
        self._view = view
        self._texts = {name: asked.get(name, "")[:200] for name in FIELDS}
        self._span = 0
        self._busy = False
        with tag("div", classes="gw-row", role="search", aria_label="filter records"):
            for name in FIELDS:
                text_field(name.capitalize(), self._texts[name], self._setter(name))
            choice("Time", {one: one for one in SPANS}, "all", self._since)
            button("Search", self.read, strong=True)
            button("Verify the chain", self._prove)
        tag("p", "Patterns with * and ?; a leading ! leaves out.", "gw-note")
        self._proof = tag("p", "", "gw-said", role="status", aria_live="polite")
        self._said = tag("p", "", "gw-note", role="status")
        columns = [
            column("n", "Number", num=True),
            column("time", "Time (UTC)", mono=True),
            column("step", "Step"),
            *(column(name, name.capitalize(), less=name != "point") for name in COLUMNS),
            column("more", "More", wide=True),
            column("hash", "Hash", mono=True, less=True),
        ]
        self._table = Table("Records of the audit log", columns, size="tall", empty="None fits.")
        ui.timer(0.0, self.read, once=True)

    def _setter(self, name: str) -> Any:
        def put(value: str) -> None:
            self._texts[name] = value.strip()[:200]

        return put

    def _since(self, span: str) -> None:
        self._span = SPANS[span]

    async def read(self) -> None:
        """Read the newest records that fit."""
        if self._busy or not self._view.may(Permission.AUDIT):
            return
        self._busy = True
        now = self._view.desk.ctx.now()
        texts = {name: tuple(value.split()) for name, value in self._texts.items() if value}
        since = now - self._span * 10**9 if self._span else None
        try:
            page = await self._view.desk.observe.audit(
                AuditQuery(since=since, texts=texts, most=MOST, newest=True)
            )
        except GatewayError as error:
            say(self._said, f"✕ {error}", "bad")
            return
        finally:
            self._busy = False
        rows = [_row(record, now) for record in reversed(page.records)]
        self._table.rows(rows, urgent=True)
        more = f"; only the newest {MOST} are shown" if page.more else ""
        say(self._said, f"{len(rows):,} records{more}.")

    async def _prove(self) -> None:
        if self._busy or not self._view.may(Permission.AUDIT):
            return
        self._busy = True
        say(self._proof, "… reading the whole log")
        try:
            proof = await self._view.desk.observe.prove_audit()
        except GatewayError as error:
            say(self._proof, f"✕ {error}", "bad")
            return
        finally:
            self._busy = False
        if not proof.proven:
            say(self._proof, f"✕ broken: {proof.broken}", "bad")
            return
        key = "with its key" if proof.keyed else "without a key"
        span = f"{clock_text(proof.began)} to {clock_text(proof.ended)}" if proof.began else ""
        say(
            self._proof,
            f"● proven {key}: records {proof.first:,} to {proof.last:,}, {span}; "
            f"hash of the last {proof.hash}",
            "good",
        )


def _row(record: AuditRecord, now: int) -> dict[str, Any]:
    facts = dict(record.facts)
    cells = [f"{record.n:,}", stamp_text(record.time, now), record.step]
    cells += [text(facts.pop(name, "")) for name in COLUMNS]
    said = [f"{name} {text(value)}" for name, value in facts.items() if value not in ("", None)]
    cells.append(", ".join(said))
    cells.append(record.hash[:12])
    refused = str(record.facts.get("status", "success")) not in ("success", "")
    return {"id": record.n, "cells": cells, "state": "warn" if refused else ""}
