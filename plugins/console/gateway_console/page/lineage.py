"""A point's way from the device to each consumer, as steps side by side."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nicegui.element import Element

from gateway_console.page.desk import Desk
from gateway_console.page.frame import say, tag
from gateway_console.page.link import text
from gateway_console.page.wording import quality_words, value_text


class Lineage:
    """Source, conversions, quality, and each sink; the values on the way are drawn anew."""

    def __init__(self, desk: Desk, point: int) -> None:
        self._desk = desk
        self._point = point
        said = desk.observe.explain(point)
        self._definition = said.point
        self._sinks: dict[str, Element] = {}
        with tag("ol", classes="gw-lineage", aria_label="from the device to each consumer"):
            with tag("li"):
                tag("h3", "1 Device")
                if said.source is None:
                    tag("div", "the gateway itself")
                else:
                    with tag("div"):
                        tag("a", said.source.link, href=f"/link/{said.source.link}")
                        tag("small", f" {said.source.type}")
                    _facts(said.source.address.items())
            with tag("li"):
                tag("h3", "2 Raw value")
                self._raw = tag("div", "")
            with tag("li"):
                tag("h3", "3 Conversion and limits")
                _facts(said.conversions)
            with tag("li"):
                tag("h3", "4 Value and quality")
                self._value = tag("div", "")
                self._quality = tag("div", "", "gw-said")
            with tag("li"):
                tag("h3", "5 Consumers")
                for hop in said.sinks:
                    with tag("div"):
                        tag("a", hop.link, href=f"/link/{hop.link}")
                        tag("small", f" {hop.type}")
                    if hop.left_out:
                        tag("div", f"not taken: {hop.left_out}", "gw-note")
                        continue
                    _facts(hop.address.items() or [("address", "its name")])
                    tag("div", f"keeps {hop.keep} ({hop.rule})", "gw-note")
                    self._sinks[hop.link] = tag("div", "", "gw-note")
                if not said.sinks:
                    tag("div", "none", "gw-note")

    def draw(self) -> None:
        """Show what the values on the way are now."""
        image, point = self._desk.observe.image, self._definition
        value, quality = float(image.value[self._point]), int(image.quality[self._point])
        raw = (value - point.offset) / point.scale if point.scale else value
        say(self._raw, "–" if raw != raw else f"{raw:.10g}")
        shown = value_text(point.kind, value)
        say(self._value, f"{shown} {point.unit}".strip())
        words = quality_words(quality)
        say(self._quality, words)
        for name, element in self._sinks.items():
            ledger = self._desk.ledgers.get(name)
            if ledger is not None:
                waits = ledger.pending
                say(
                    element, f"▲ {waits:,} samples wait for this sink" if waits else "nothing waits"
                )


def _facts(items: Iterable[tuple[str, Any]]) -> None:
    with tag("dl", classes="gw-facts"):
        for name, value in items:
            with tag("div"):
                tag("dt", name)
                tag("dd", text(value))
