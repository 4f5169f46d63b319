"""An operator's hand on one point: block, substitute, test, and what undoes them."""

from __future__ import annotations

import math
from functools import partial
from urllib.parse import urlencode

from nicegui import ui

from gateway import Definition, Kind, Override, Permission, Quality
from gateway_console.page.command import REASON
from gateway_console.page.forms import button, choice, text_field
from gateway_console.page.frame import View, say, tag
from gateway_console.page.wording import DOUBLE_WORDS, STATUS_WORDS, time_text, value_text

_STATES = {Kind.STATUS: STATUS_WORDS, Kind.DOUBLE: DOUBLE_WORDS}
_HELD = Quality.OPERATOR_BLOCKED | Quality.SUBSTITUTED


class OverridePanel:
    """What is in force on a point, and what a role may do about it.

    The gateway checks it all again, whatever is shown here.
    """

    def __init__(self, view: View, point: int, definition: Definition) -> None:
        self._view = view
        self._point = point
        self._definition = definition
        self._value = math.nan
        self._reason = ""
        self._busy = False
        may_hold = view.may(Permission.OVERRIDE, point)
        may_test = view.may(Permission.TEST, point)
        with tag("section", classes="gw-panel", aria_label="override"):
            tag("h2", "Override")
            self._force = tag("p", "", "gw-said", aria_live="polite")
            if view.may(Permission.AUDIT):
                query = urlencode({"point": definition.name, "step": "overridden"})
                tag("a", "Who did what, and why", href=f"/audit?{query}")
            if not may_hold and not may_test:
                role = view.client.role or "none"
                tag("p", f"Your role ({role}) may not override this point.", "gw-note")
                return
            with tag("div", classes="gw-row"):
                if may_hold:
                    self._input()
                text_field("Reason (goes on record)", "", self._because, long=True)
            with tag("div", classes="gw-row"):
                if may_hold:
                    self._offer("Block…", Override.BLOCK)
                    self._offer("Substitute…", Override.SUBSTITUTE)
                    self._offer("Release…", Override.RELEASE)
                if may_test:
                    self._offer("Test…", Override.TEST)
                    self._offer("End test…", Override.END_TEST)
            self._said = tag("p", "", "gw-said", role="status", aria_live="polite")
        self._dialog = ui.dialog().props('persistent aria-label="confirm the override"')

    def draw(self, quality: int, time: int) -> None:
        """Say what is in force; a point that is held has the time of the last action."""
        words = [
            word
            for flag, word in (
                (Quality.OPERATOR_BLOCKED, "blocked"),
                (Quality.SUBSTITUTED, "substituted"),
                (Quality.TEST, "in test"),
            )
            if quality & flag
        ]
        since = f", last changed {time_text(time, day=True)} UTC" if quality & _HELD else ""
        if words:
            say(self._force, f"◆ {', '.join(words)}{since}", "mark")
        else:
            say(self._force, "Nothing: the point shows what its device says.")

    def _input(self) -> None:
        definition = self._definition
        states = _STATES.get(definition.kind)
        if states is not None:
            names = {"": "–"} | {str(number): word for number, word in enumerate(states)}
            choice("Value to substitute", names, "", self._want)
        else:
            text_field(f"Value to substitute {definition.unit}".strip(), "", self._want)

    def _want(self, text: str) -> None:
        try:
            self._value = float(text.strip().replace(",", "."))
        except ValueError:
            self._value = math.nan

    def _because(self, text: str) -> None:
        self._reason = text.strip()[:REASON]

    def _offer(self, label: str, action: Override) -> None:
        button(label, partial(self._begin, action))

    def _words(self, action: Override, value: float | None) -> str:
        words = f"{action.value.replace('_', ' ')} {self._definition.name}"
        if value is None:
            return words
        shown = value_text(self._definition.kind, value)
        return f"{words} → {shown} {self._definition.unit}".strip()

    def _begin(self, action: Override) -> None:
        if self._busy:
            return
        value = self._value if action is Override.SUBSTITUTE else None
        if value is not None and not math.isfinite(value):
            say(self._said, "▲ Give the value to substitute first.", "warn")
            return
        if not self._reason:
            say(self._said, "▲ Give a reason first: it goes on record.", "warn")
            return
        self._dialog.clear()
        reason = self._reason
        with self._dialog, tag("div", classes="gw-dialog"):
            tag("h2", "Do it?")
            words = self._words(action, value)
            tag("p", words, "gw-value").style("font-size: 1.3rem")
            tag("p", f"Reason: {reason}")
            with tag("div", classes="gw-row"):
                button("Do it", partial(self._act, action, value, reason), strong=True)
                button("Cancel", self._leave)
        self._dialog.open()

    def _leave(self) -> None:
        self._dialog.close()
        say(self._said, "Nothing was done.")

    async def _act(self, action: Override, value: float | None, reason: str) -> None:
        """Have the gateway do it, and show its answer."""
        self._dialog.close()
        if self._busy:
            return
        view, words = self._view, self._words(action, value)
        if not view.present:
            say(self._said, "✕ Not done: logged out.", "bad")
            return
        self._busy = True
        say(self._said, f"… {words}")
        try:
            answer = await view.desk.ctx.override(
                view.client, self._point, action, value, reason=reason
            )
        finally:
            self._busy = False
        sign, state = ("●", "good") if answer else ("✕", "bad")
        detail = f": {answer.detail}" if answer.detail else ""
        say(self._said, f"{sign} {words}: {answer.status}{detail}", state)
