"""One point: what it is now, where it comes from and goes, what it did, and what to do to it."""

from __future__ import annotations

from fastapi import Request
from nicegui import Client as Page
from nicegui import ui
from starlette.responses import Response

from gateway_console.page.command import CommandPanel
from gateway_console.page.frame import done, framed, say, tag, ticking, view_of
from gateway_console.page.lineage import Lineage
from gateway_console.page.link import missing
from gateway_console.page.override import OverridePanel
from gateway_console.page.trend import Trend
from gateway_console.page.wording import (
    age_text,
    quality_state,
    quality_words,
    time_text,
    value_text,
)


@ui.page("/point/{name}")
def point(request: Request, client: Page, name: str) -> Response:
    view = view_of(request, client)
    desk = view.desk
    number = desk.columns.numbers.get(name)
    if number is None or not desk.readable(view.client)[number]:
        return missing(view, f"There is no point {name} that you may see.")
    definition = desk.observe.definitions[number]
    if definition is None:
        return missing(view, f"There is no point {name} any more.")
    with framed(view, name):
        notes = (definition.kind.value, definition.description, definition.model)
        tag("p", " · ".join(filter(None, notes)), "gw-note")
        with tag("div", classes="gw-row stretch"):
            with tag("section", classes="gw-panel", aria_label="present value"):
                tag("h2", "Now")
                with tag("div", classes="gw-value"):
                    value = tag("span", "")
                    tag("small", f" {definition.unit}")
                quality = tag("p", "", "gw-said", aria_live="polite")
                when = tag("p", "")
            if definition.command is not None:
                CommandPanel(view, number, definition, definition.command)
            # The gateway's own points are nobody's to override.
            hand = None if definition.source is None else OverridePanel(view, number, definition)
        tag("h2", "From the device to each consumer")
        lineage = Lineage(desk, number)

        def draw() -> None:
            image = desk.observe.image
            now, flags = int(image.time[number]), int(image.quality[number])
            say(value, value_text(definition.kind, float(image.value[number])))
            say(quality, quality_words(flags), quality_state(flags))
            age = f", {age_text(desk.ctx.now() - now)} old" if now else ""
            whose = "device's time" if flags & 0x4000 else "time of receipt"
            said = f"{time_text(now, day=True)} UTC ({whose}){age}" if now else "never seen"
            say(when, said)
            if hand is not None:
                hand.draw(flags, now)
            lineage.draw()

        ticking(view, draw)
        Trend(view, number, definition)
    return done(view)
