"""Fields of forms as HTML has them: a label that belongs to its field, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nicegui import events
from nicegui.element import Element

from gateway_console.page.frame import tag
from gateway_console.page.stage import used

QUIET = 0.3
"""Seconds without a key before what was typed counts."""
LONGEST = 500
"""Characters of what somebody types."""


def _labelled(label: str, long: bool) -> tuple[Element, str]:
    box = tag("div", classes="gw-field long" if long else "gw-field")
    with box:
        name = f"f{box.id}"
        tag("label", label, for_=name)
    return box, name


def _text(event: events.GenericEventArguments) -> str:
    used()
    return str(event.args)[:LONGEST]


VALUE = "(event) => emit(event.target.value)"


def text_field(
    label: str, value: str, changed: Callable[[str], Any], *, long: bool = False, kind: str = "text"
) -> Element:
    """Return an input whose text is handed on when the typing rests."""
    box, name = _labelled(label, long)
    with box:
        # `value` would be put back to what it was whenever anything on the page is drawn anew.
        field = tag("input", id=name, type=kind, defaultValue=value, autocomplete="off")
        field.on(
            "input", lambda event: changed(_text(event)), throttle=QUIET, leading_events=False,
            js_handler=VALUE,
        )  # fmt: skip
        # Leaving the field counts at once: a button that is pressed next must know the text.
        field.on("change", lambda event: changed(_text(event)), js_handler=VALUE)
    return field


def choice(
    label: str, options: Mapping[str, str], value: str, changed: Callable[[str], Any]
) -> Element:
    """Return a choice of one of these: what is handed on, and what is shown."""
    box, name = _labelled(label, False)
    with box:
        field = tag("select", id=name)
        with field:
            for key, text in options.items():
                option = tag("option", text, value=key)
                if key == value:
                    option._props["selected"] = True

        def picked(event: events.GenericEventArguments) -> None:
            text = _text(event)
            if text in options:
                changed(text)

        field.on("change", picked, js_handler=VALUE)
    return field


def button(label: str, pressed: Callable[[], Any], *, strong: bool = False) -> Element:
    """Return a button."""
    field = tag("button", label, "gw-button strong" if strong else "gw-button", type="button")

    def click() -> Any:
        used()
        return pressed()

    field.on("click", lambda _: click())
    return field
