"""Records of the audit log as lines for people."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from gateway.audit.record import time_text

if TYPE_CHECKING:
    from gateway.audit import Record

_STEP = 13
_POINT = 20
_INDENT = 12 + 2 + _STEP + 2 + _POINT + 2
_WHO = ("user", "role", "address", "sink")
_SAID = {"id", "point", "operation", "action", "value", "status", "detail", *_WHO}
_BAD = {
    "refused", "expired", "interrupted", "late", "login_refused", "locked_out", "set_aside",
    "resumed",
}  # fmt: skip


def lines(width: int) -> Callable[[Record], str]:
    """Return what writes records, each on as many lines as it needs, a day above its first."""
    day = ""

    def write(record: Record) -> str:
        nonlocal day
        date, _, clock = time_text(record.time).partition("T")
        above = f"{click.style(date, bold=True)}\n" if date != day else ""
        day = date
        point = printable(str(record.facts.get("point", "")))
        text = textwrap.wrap(_story(record.facts), max(30, width - _INDENT), break_on_hyphens=False)
        start = f"{clock[:12]}  {_styled(record)}  {point:<{_POINT}}"
        if len(point) <= _POINT and text:
            start += "  " + text.pop(0)
        return "\n".join([above + start.rstrip(), *(" " * _INDENT + line for line in text)])

    return write


def facts_text(facts: Mapping[str, Any]) -> str:
    """Return facts as `name value, name value`."""
    return ", ".join(f"{name} {printable(_value(value))}" for name, value in facts.items())


def printable(text: str) -> str:
    """Return a text in which nothing moves a terminal's cursor or hides what is there."""
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape", "replace").decode()
        for one in text
    )


def _styled(record: Record) -> str:
    bad = record.step in _BAD or record.facts.get("status", "success") != "success"
    return click.style(f"{record.step:<{_STEP}}", fg="red" if bad else None)


def _story(facts: Mapping[str, Any]) -> str:
    """Tell what was asked for, how it ended, who asked, and the rest."""
    asked = " ".join(
        _value(facts[name]) for name in ("operation", "action", "value") if name in facts
    )
    ended = ": ".join(str(facts[name]) for name in ("status", "detail") if facts.get(name))
    rest = {name: value for name, value in facts.items() if name not in _SAID}
    number = f"id {facts['id']}" if facts.get("id") else ""
    return "; ".join(
        filter(None, (printable(asked), printable(ended), _who(facts), facts_text(rest), number))
    )


def _who(facts: Mapping[str, Any]) -> str:
    if not any(facts.get(name) for name in _WHO):
        return ""
    user, role, address, sink = (printable(str(facts.get(name) or "")) for name in _WHO)
    parts = [user or "somebody", f"({role})" if role else ""]
    parts += [f"at {address}" if address else "", f"through {sink}" if sink else ""]
    return " ".join(filter(None, parts))


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
