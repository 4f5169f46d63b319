"""Events: what is wrong and nobody has acknowledged, and the sequence of changes of statuses."""

from __future__ import annotations

from itertools import islice
from typing import Any

from fastapi import Request
from nicegui import Client as Page
from nicegui import ui
from starlette.responses import Response

from gateway import Permission, Quality
from gateway_console.page.alarms import Alarm
from gateway_console.page.forms import button, text_field
from gateway_console.page.frame import View, done, framed, say, tag, ticking, view_of
from gateway_console.page.live import Table, column
from gateway_console.page.memory import EVENTS, Event
from gateway_console.page.wording import (
    SIGNS,
    quality_state,
    quality_words,
    stamp_text,
    time_text,
    value_text,
)


@ui.page("/events")
def events(request: Request, client: Page) -> Response:
    view = view_of(request, client)
    with framed(view, "Events", "/events"):
        tag("h2", "Alarms")
        AlarmTable(view)
        tag("h2", "Sequence of events")
        EventTable(view)
    return done(view)


class AlarmTable:
    """Alarms of what the reader may see, with a button for who may command."""

    def __init__(self, view: View) -> None:
        self._view = view
        with tag("div", classes="gw-row center"):
            self._said = tag("p", "", "gw-note", role="status")
            if view.may(Permission.COMMAND):
                button("Acknowledge all", self._all)
        columns = [
            column("what", "What", link=True),
            column("press", "Seen", button=True),
            column("state", "State", stated=True),
            column("text", "Because", wide=True),
            column("began", "Since (UTC)", mono=True),
            column("ended", "Until", mono=True, less=True),
            column("by", "Acknowledged", less=True),
        ]
        self._table = Table(
            "Alarms", columns, empty="● No alarms.", size="half", press=self._acknowledge
        )
        ticking(view, self.draw)

    def _mine(self) -> list[Alarm]:
        readable = self._view.desk.readable(self._view.client)
        return self._view.desk.alarms.all(lambda point: bool(readable[point]))

    def _acknowledge(self, number: str | int, key: str) -> None:
        self._note([int(number)])

    def _all(self) -> None:
        self._note([alarm.n for alarm in self._mine() if not alarm.acknowledged])

    def _note(self, numbers: list[int]) -> None:
        view = self._view
        if not view.may(Permission.COMMAND):
            say(self._said, "✕ Your role may not acknowledge.", "bad")
            return
        mine = {alarm.n for alarm in self._mine()}
        for number in numbers:
            if number in mine:
                by = view.client.user or "anybody"
                view.desk.alarms.acknowledge(number, by, view.desk.ctx.now())
        self.draw(urgent=True)

    def draw(self, *, urgent: bool = False) -> None:
        may = self._view.may(Permission.COMMAND)
        found = self._mine()
        now = self._view.desk.ctx.now()
        rows = [_alarm_row(alarm, may, now) for alarm in found]
        self._table.rows(rows, urgent=urgent)
        lost = self._view.desk.alarms.lost
        more = f"; {lost:,} more could not be kept" if lost else ""
        kept = "kept until the gateway ends"
        say(self._said, f"{len(found):,} alarm{'s' * (len(found) != 1)}, {kept}{more}.")


def _alarm_row(alarm: Alarm, may: bool, now: int) -> dict[str, Any]:
    state = alarm.state if not alarm.ended else ""
    acknowledged = f"by {alarm.by} at {time_text(alarm.acknowledged)}" if alarm.by else ""
    words = f"{SIGNS[state]} {'over' if alarm.ended else 'stands'}"
    cells = [
        alarm.what,
        "Acknowledge" if may and not alarm.acknowledged else "",
        words,
        alarm.text,
        stamp_text(alarm.began, now),
        stamp_text(alarm.ended, now) if alarm.ended else "",
        acknowledged,
    ]
    kind = "link" if alarm.point < 0 else "point"
    return {"id": alarm.n, "cells": cells, "state": state, "href": f"/{kind}/{alarm.what}"}


class EventTable:
    """Changes of statuses, newest first."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._search = ""
        with tag("div", classes="gw-row", role="search", aria_label="filter events"):
            text_field("Point", "", self._wish, long=True)
        self._count = tag("p", "", "gw-note")
        columns = [
            column("time", "Time (UTC)", mono=True),
            column("point", "Point", link=True),
            column("value", "Became", stated=True),
            column("quality", "Quality", stated=True),
            column("whose", "Time of", less=True),
            column("received", "Seen here (UTC)", mono=True, less=True),
        ]
        self._table = Table(
            "Sequence of events", columns, empty="No status has changed yet.", windowed=True,
            size="tall", moved=lambda: self.draw(urgent=True),
        )  # fmt: skip
        ticking(view, self.draw)

    def _wish(self, text: str) -> None:
        self._search = text.lower()
        self.draw(urgent=True)

    def draw(self, *, urgent: bool = False) -> None:
        desk = self._view.desk
        readable = desk.readable(self._view.client)
        found = [one for one in reversed(desk.memory.events) if readable[one.point]]
        if self._search:
            found = [one for one in found if self._search in self._name(one.point)]
        first, count = self._table.window
        first = max(0, min(first, len(found) - count))
        rows = [self._row(one) for one in islice(found, first, first + count)]
        self._table.show(urgent=urgent, rows=rows, total=len(found), first=first)
        seen = desk.memory.seen
        gone = f", the last {EVENTS:,} are kept" if seen > EVENTS else ""
        say(self._count, f"{len(found):,} of {seen:,} changes since the console started{gone}.")

    def _name(self, point: int) -> str:
        definition = self._view.desk.observe.definitions[point]
        return definition.name.lower() if definition is not None else ""

    def _row(self, event: Event) -> dict[str, Any]:
        definition = self._view.desk.observe.definitions[event.point]
        name = definition.name if definition is not None else str(event.point)
        value = value_text(definition.kind, event.value) if definition is not None else ""
        whose = "device" if event.quality & Quality.DEVICE_TIME else "receipt"
        cells = [
            stamp_text(event.time, self._view.desk.ctx.now()),
            name,
            value,
            quality_words(event.quality),
            whose,
            time_text(event.received),
        ]
        state = quality_state(event.quality)
        return {"id": event.n, "cells": cells, "state": state, "href": f"/point/{name}"}
