"""The points: all of them, found by name, link, quality and age, as they are now."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fastapi import Request
from nicegui import Client as Page
from nicegui import ui
from starlette.responses import Response

from gateway_console.page.columns import QUALITIES, SORTS, Ids, Wish
from gateway_console.page.desk import Desk
from gateway_console.page.forms import choice, text_field
from gateway_console.page.frame import View, done, framed, say, tag, ticking, view_of
from gateway_console.page.live import Table, column
from gateway_console.page.wording import (
    age_text,
    quality_state,
    quality_words,
    time_text,
    value_text,
)

OLDER = {"any age": 0.0, "over 10 s": 10.0, "over 1 min": 60.0, "over 1 h": 3600.0}


@ui.page("/points")
def points(request: Request, client: Page) -> Response:
    view = view_of(request, client)
    asked = request.query_params
    quality = asked.get("quality", "any")
    wish = Wish(
        search=asked.get("search", "")[:200],
        link=asked.get("link", "")[:200],
        quality=quality if quality in QUALITIES else "any",
    )
    with framed(view, "Points", "/points"):
        PointTable(view, wish, size="tall")
    return done(view)


class PointTable:
    """A table of points with its filters; sends the rows in sight and no others."""

    def __init__(self, view: View, wish: Wish, *, fixed: bool = False, size: str = "half") -> None:
        """With `fixed` the link is not to be chosen."""
        self._view = view
        self._wish = wish
        desk = view.desk
        with tag("div", classes="gw-row", role="search", aria_label="filter points"):
            search = text_field("Search", wish.search, self._search, long=True)
            search._props["placeholder"] = "parts of name or description"
            if not fixed:
                links = {"": "all links"} | {name: name for name in desk.columns.links}
                choice("Link", links, wish.link, lambda link: self._change(link=link))
            qualities = {one: one for one in QUALITIES}
            choice("Quality", qualities, wish.quality, lambda one: self._change(quality=one))
            ages = {one: one for one in OLDER}
            choice("Age", ages, "any age", lambda one: self._change(older=OLDER[one]))
        self._count = tag("p", "", "gw-note", aria_live="polite")
        columns = [
            column("name", "Point", link=True, sort=True),
            column("value", "Value", num=True, sort=True),
            column("unit", "Unit"),
            column("quality", "Quality", stated=True, sort=True),
            column("age", "Age", num=True, sort=True),
            column("time", "Time (UTC)", mono=True, less=True),
            column("source", "Source", less=True),
            column("description", "Description", less=True),
        ]
        self._table = Table(
            "Points", columns, empty="No point fits.", windowed=True, size=size,
            sort=self._sort, moved=lambda: self.draw(urgent=True),
        )  # fmt: skip
        ticking(view, self.draw)

    def _search(self, text: str) -> None:
        self._change(search=text[:200])

    def _sort(self, key: str) -> None:
        if key in SORTS:
            falling = not self._wish.falling if key == self._wish.sort else False
            self._change(sort=key, falling=falling)

    def _change(self, **changes: Any) -> None:
        self._wish = replace(self._wish, **changes)
        self._table.run_method("top")
        self._table.window = (0, self._table.window[1])
        self.draw(urgent=True)

    def draw(self, *, urgent: bool = False) -> None:
        desk, now = self._view.desk, self._view.desk.ctx.now()
        ids = desk.columns.select(self._wish, now, desk.readable(self._view.client))
        first, count = self._table.window
        first = max(0, min(first, len(ids) - count))
        self._table.show(
            urgent=urgent,
            rows=rows(desk, ids[first : first + count], now),
            total=len(ids),
            first=first,
            sorted=self._wish.sort,
            falling=self._wish.falling,
        )
        say(self._count, f"{len(ids):,} of {len(desk.columns.ids):,} points")


def rows(desk: Desk, ids: Ids, now: int) -> list[dict[str, Any]]:
    """Return a row of the table for each of these points."""
    image, found = desk.observe.image, []
    for number in ids.tolist():
        definition = desk.observe.definitions[number]
        if definition is None:
            continue
        quality, time = int(image.quality[number]), int(image.time[number])
        cells = [
            definition.name,
            value_text(definition.kind, float(image.value[number])),
            definition.unit,
            quality_words(quality),
            age_text(now - time) if time else "never",
            time_text(time),
            definition.source or "gateway",
            definition.description,
        ]
        state = quality_state(quality)
        found.append(
            {"id": number, "cells": cells, "state": state, "href": f"/point/{definition.name}"}
        )
    return found
