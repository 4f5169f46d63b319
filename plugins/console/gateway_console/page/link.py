"""One link: its state, what it counts, what the configuration says of it, its points."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import Request
from nicegui import Client as Page
from nicegui import ui
from starlette.responses import Response

from gateway import LinkView, Permission
from gateway_console.page.columns import Wish
from gateway_console.page.frame import View, done, framed, say, tag, ticking, view_of
from gateway_console.page.live import Table, column
from gateway_console.page.overview import sink_facts, source_facts
from gateway_console.page.points import PointTable
from gateway_console.page.wording import LINK_STATES, SIGNS, age_text, clock_text, count_text


@ui.page("/link/{name}")
def link(request: Request, client: Page, name: str) -> Response:
    view = view_of(request, client)
    if not any(one.name == name for one in view.desk.links):
        return missing(view, f"There is no link {name}.")
    with framed(view, name):
        said = tag("p", "", "gw-said")
        with tag("div", classes="gw-row stretch"):
            with tag("section", classes="gw-panel", aria_label="state"):
                tag("h2", "State")
                facts = Facts()
            with tag("section", classes="gw-panel", aria_label="counters"):
                tag("h2", "Counted since the gateway started")
                columns = [column("what", "What"), column("n", "Number", num=True)]
                counters = Table("Counters", columns, empty="Nothing yet.")
            with tag("section", classes="gw-panel", aria_label="settings"):
                tag("h2", "Configured")
                if view.may(Permission.CONFIGURE):
                    Facts().show((key, text(value)) for key, value in _settings(view, name))
                else:
                    tag("p", "Shown to who may see the configuration.", "gw-note")
        tag("h2", "Points")
        if name in view.desk.columns.links:
            PointTable(view, Wish(link=name), fixed=True)
        else:
            tag("p", "This link has no addresses of points: it knows them by name.", "gw-note")

        def draw() -> None:
            one = next(one for one in view.desk.links if one.name == name)
            state = LINK_STATES[one.state]
            age = f" for {age_text(view.desk.ctx.now() - one.since)}" if one.since else ""
            words = f"{SIGNS[state]} {one.state}{age}"
            say(said, f"{words}: {one.error}" if one.error else words, state)
            facts.show(_facts(view, one))
            counters.rows(
                [
                    {"id": what, "cells": [what, count_text(n)]}
                    for what, n in sorted(one.counters.items())
                ]
            )

        ticking(view, draw)
    return done(view)


def missing(view: View, sentence: str, status: int = 404) -> Response:
    """Return a page that says that there is nothing."""
    with framed(view, "Not here" if status == 404 else "Not allowed"):
        tag("p", sentence)
    view.page.status_code = status
    return done(view)


class Facts:
    """A list of names and values, whose texts are replaced where they change."""

    def __init__(self) -> None:
        self._list = tag("dl", classes="gw-facts")
        self._values: dict[str, Any] = {}

    def show(self, facts: Iterable[tuple[str, str]]) -> None:
        """Show these; a name that is gone is shown without a value."""
        left = set(self._values)
        for name, value in facts:
            left.discard(name)
            if name not in self._values:
                with self._list, tag("div"):
                    tag("dt", name)
                    self._values[name] = tag("dd", "")
            say(self._values[name], value)
        for name in left:
            say(self._values[name], "–")


def _facts(view: View, one: LinkView) -> Iterable[tuple[str, str]]:
    yield "type", one.type
    yield "direction", one.direction
    yield "since", clock_text(one.since) if one.since else "–"
    if one.detail:
        yield "says", one.detail
    shown = source_facts(view, one) if one.direction == "source" else sink_facts(view, one)
    for name, value, _ in shown:
        if name not in one.counters:
            yield name, value


def _settings(view: View, name: str) -> Iterable[tuple[str, Any]]:
    one = next(one for one in view.desk.links if one.name == name)
    return [(key, value) for key, value in one.settings.items() if key not in ("name", "type")]


def text(value: Any) -> str:
    """Return a setting as a person reads it."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {text(one)}" for key, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(text(one) for one in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
