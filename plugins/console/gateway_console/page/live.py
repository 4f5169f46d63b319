"""Elements of the pages that are drawn anew while they are looked at.

Each says when the browser has drawn what it was sent; until then nothing more is sent to it
(for a while: a browser that says nothing is tried again), so that what waits for a slow one
stays small, and it is shown the newest state next.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from nicegui import events
from nicegui.element import Element

PATIENCE = 5.0
"""Seconds after which a browser is sent something again that has not drawn what it was sent."""


class Live(Element):
    """An element whose properties are replaced as a whole, at most as fast as they are drawn."""

    def __init__(self) -> None:
        super().__init__()
        self._props["seq"] = 0
        self._drawn = 0
        self._sent_at = time.monotonic()
        self.on("shown", self._shown)

    def _shown(self, event: events.GenericEventArguments) -> None:
        if isinstance(event.args, int):
            self._drawn = event.args

    def show(self, *, urgent: bool = False, **properties: Any) -> None:
        """Send what has changed, if the browser is ready for it.

        Lists become tuples: NiceGUI observes each dict and list inside of a list, and the socket's
        library looks each of them through for bytes, which takes longer than to make and send them.
        """
        properties = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in properties.items()
        }
        if all(self._props.get(name) == value for name, value in properties.items()):
            return
        now = time.monotonic()
        if not urgent and self._drawn != self._props["seq"] and now - self._sent_at < PATIENCE:
            return
        self._props.update(properties)
        self._props["seq"] += 1
        self._sent_at = now
        self.update()


class Pulse(Live, component="pulse.js"):
    """The gateway's clock; says itself when it was not wound for a while."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._props["text"] = text


class Feeders(Live, component="feeders.js"):
    """Links as feeders of a bus."""

    def __init__(self, gateway: str) -> None:
        super().__init__()
        self._props.update(gateway=gateway, sources=[], sinks=[], facts=[])


def column(key: str, label: str, **flags: Any) -> dict[str, Any]:
    """Return a column of a table.

    Flags: num (right-aligned), less (not on a phone), wide (wraps), mono, stated (in the colour
    of the row's state), link (leads to the row's href), button (its text is one), sort.
    """
    return {"key": key, "label": label, **flags}


class Table(Live, component="table.js"):
    """A table with headers; a row is `{id, cells, state?, href?, off?}`.

    With `windowed` only the rows in sight are sent: `window` (first row, how many) says which.
    """

    def __init__(
        self,
        label: str,
        columns: Sequence[dict[str, Any]],
        *,
        empty: str = "none",
        windowed: bool = False,
        size: str = "",
        press: Callable[[str | int, str], Any] | None = None,
        sort: Callable[[str], Any] | None = None,
        moved: Callable[[], Any] | None = None,
    ) -> None:
        super().__init__()
        self.window = (0, 60)
        self._moved = moved
        self._props.update(
            label=label, columns=list(columns), rows=(), total=0, first=0, empty=empty,
            windowed=windowed, height=28, sorted="", falling=False,
        )  # fmt: skip
        self.classes(size)
        self.on("window", self._scrolled)
        if press is not None:
            self.on("press", lambda event: press(event.args["id"], str(event.args["key"])))
        if sort is not None:
            self.on("sort", lambda event: sort(str(event.args)))

    def _scrolled(self, event: events.GenericEventArguments) -> None:
        first, count = int(event.args["first"]), int(event.args["count"])
        self.window = (max(0, first), min(max(1, count), 300))
        if self._moved is not None:
            self._moved()

    def rows(self, rows: list[dict[str, Any]], **properties: Any) -> None:
        """Show these rows, all there are."""
        self.show(rows=rows, total=len(rows), first=0, **properties)
