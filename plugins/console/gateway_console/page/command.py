"""Commands to one point: choose, give a reason, select where the point asks for it, confirm."""

from __future__ import annotations

import math
from functools import partial

from nicegui import ui

from gateway import (
    Answer,
    CommandStatus,
    Control,
    Definition,
    Kind,
    Operation,
    Permission,
    Request,
    SelectRule,
    seconds_text,
)
from gateway_console.page.forms import button, choice, text_field
from gateway_console.page.frame import View, say, tag
from gateway_console.page.wording import value_text

REASON = 256
"""Characters of a reason."""


class CommandPanel:
    """What a role may do to a point; for all others the sentence that it may not.

    The gateway checks it all again, whatever is shown here.
    """

    def __init__(self, view: View, point: int, definition: Definition, control: Control) -> None:
        self._view = view
        self._point = point
        self._definition = definition
        self._control = control
        self._wanted = math.nan
        self._reason = ""
        self._busy = False
        with tag("section", classes="gw-panel", aria_label="commands"):
            tag("h2", "Command")
            if not view.may(Permission.COMMAND, point):
                role = view.client.role or "none"
                tag("p", f"Your role ({role}) may not command this point.", "gw-note")
                return
            self._conditions()
            with tag("div", classes="gw-row"):
                self._inputs()
                text_field("Reason (goes on record)", "", self._because, long=True)
                label = "Select…" if self._selects else "Command…"
                button(label, self._begin, strong=True)
            self._said = tag("p", "", "gw-said", role="status", aria_live="polite")
        self._dialog = ui.dialog().props('persistent aria-label="confirm the command"')

    @property
    def _selects(self) -> bool:
        return self._control.select is not SelectRule.NONE

    def _conditions(self) -> None:
        control = self._control
        said = [f"{control.model}"]
        if self._selects:
            said.append(f"select first, held for {seconds_text(control.select_timeout)}")
        if control.interlock:
            said.append(f"only if {control.interlock}")
        if control.feedback:
            said.append(f"succeeds when {control.feedback} follows")
        tag("p", " · ".join(said), "gw-note")

    def _inputs(self) -> None:
        if self._definition.kind in (Kind.STATUS, Kind.DOUBLE):
            names = {"": "–", "0": "off", "1": "on"}
            choice("To", names, "", self._want)
            return
        control, unit = self._control, self._definition.unit
        low = f"from {control.low:g} " if control.low is not None else ""
        high = f"to {control.high:g}" if control.high is not None else ""
        text_field(f"Setpoint {low}{high} {unit}".strip(), "", self._want)

    def _want(self, text: str) -> None:
        try:
            self._wanted = float(text.strip().replace(",", "."))
        except ValueError:
            self._wanted = math.nan

    def _because(self, text: str) -> None:
        self._reason = text.strip()[:REASON]

    @property
    def _words(self) -> str:
        point = self._definition
        kind = Kind.STATUS if point.kind is Kind.DOUBLE else point.kind
        return f"{point.name} → {value_text(kind, self._wanted)} {point.unit}".strip()

    async def _begin(self) -> None:
        if self._busy:
            return
        if not math.isfinite(self._wanted):
            say(self._said, "▲ Choose what to command first.", "warn")
            return
        if not self._reason:
            say(self._said, "▲ Give a reason first: it goes on record.", "warn")
            return
        if self._selects and not await self._ask(Operation.SELECT):
            return
        self._confirm()

    def _confirm(self) -> None:
        self._dialog.clear()
        held = seconds_text(self._control.select_timeout)
        with self._dialog, tag("div", classes="gw-dialog"):
            tag("h2", "Selected. Execute?" if self._selects else "Execute?")
            tag("p", self._words, "gw-value").style("font-size: 1.3rem")
            tag("p", f"Reason: {self._reason}")
            if self._selects:
                tag("p", f"The selection is held for {held}.", "gw-note")
            with tag("div", classes="gw-row"):
                button("Execute", partial(self._end, execute=True), strong=True)
                button("Cancel", partial(self._end, execute=False))
        self._dialog.open()

    async def _end(self, *, execute: bool) -> None:
        self._dialog.close()
        if execute:
            await self._ask(Operation.EXECUTE if self._selects else Operation.DIRECT)
        elif self._selects:
            await self._ask(Operation.CANCEL)
        else:
            say(self._said, "Nothing was sent.")

    async def _ask(self, operation: Operation) -> bool:
        """Have the gateway do it, and show its answer."""
        if self._busy:
            return False
        site, client = self._view.desk.site, self._view.client
        if not self._view.present or site.under_way[client] >= site.console.max_commands:
            say(self._said, "✕ Not sent: logged out, or too many commands under way.", "bad")
            return False
        self._busy = True
        site.under_way[client] += 1
        say(self._said, f"… {operation} of {self._words}")
        try:
            request = Request(self._point, operation, self._wanted, client, reason=self._reason)
            answer = await site.ctx.command(request)
        finally:
            self._busy = False
            site.under_way[client] -= 1
            if not site.under_way[client]:
                del site.under_way[client]
        self._tell(operation, answer)
        return answer.status is CommandStatus.SUCCESS

    def _tell(self, operation: Operation, answer: Answer) -> None:
        sign, state = ("●", "good") if answer else ("✕", "bad")
        detail = f": {answer.detail}" if answer.detail else ""
        where = f" (record {answer.id})" if answer.id else ""
        say(self._said, f"{sign} {operation} {self._words}: {answer.status}{detail}{where}", state)
