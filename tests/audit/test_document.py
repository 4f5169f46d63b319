"""docs/audit.md names what the gateway writes."""

from __future__ import annotations

import re
from pathlib import Path

from small_log import DOCUMENT

CORE = Path(__file__).parents[2] / "gateway"
CODE = "".join(
    path.read_text()
    for layer in ("audit", "command", "access", "engine")
    for path in sorted((CORE / layer).glob("*.py"))
)


def rows() -> set[str]:
    table = DOCUMENT.read_text().partition("## What is in it")[2].partition("\n## ")[0]
    firsts = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    return {step for first in firsts for step in re.findall(r"`(\w+)`", first)}


def test_every_step_is_told() -> None:
    """Each step that the code writes has a row, and each row is a step of the code."""
    calls = r"(?:begin|note|_note|write|_on_event|append|notes\.append)\(\s*\(?\s*\"(\w+)\""
    given = set(re.findall(calls, CODE))
    assert {"received", "login", "resumed", "repaired", "set_aside", "started"} <= given
    assert given <= rows()
    assert {step for step in rows() if f'"{step}"' not in CODE} == set()
