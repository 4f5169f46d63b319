"""Commands of an earlier run whose end is not on record: it was killed, or its log took nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from gateway.audit import Record

Recall: TypeAlias = Callable[..., Iterator[Record]]
"""`AuditLog.recall`."""

DAY = 86_400 * 10**9
"""ns by which the clock may have been stepped back between two steps of a command."""
_ENDS = ("ended", "refused", "interrupted")
_SAME = ("id", "sink", "address", "user", "role", "point", "operation", "value", "key", "test")


@dataclass(frozen=True, slots=True)
class Unfinished:
    """One of them.

    facts: what was on record when it was received.
    sent:  whether it had been on its way to its device, so that the device may have acted.
    """

    facts: dict[str, Any]
    sent: bool

    @property
    def detail(self) -> str:
        what = "the device may have acted" if self.sent else "nothing was sent"
        return f"no end of it is on record: {what}"

    def __str__(self) -> str:
        point, operation, value = (self.facts.get(name) for name in ("point", "operation", "value"))
        may = "the device may have acted" if self.sent else "not sent"
        return f"{operation} {value} of {point} ({may})"


def unfinished(recall: Recall, since: int) -> list[Unfinished]:
    """Return what was under way when the last run ended.

    Looks at what is on record since a time (ns), and where there is nothing as far as the log
    is recalled. Each start of a gateway puts on record what it finds before it says that it
    started, so that nothing is found twice, and nothing is lost where that did not succeed.
    """
    found = _open(recall, since)
    received = _open(recall, 0) if found is None else found
    if not received:
        return []
    first = min(record.time for record in received.values())
    sent = {_name(record) for record in recall(first - DAY, "forwarded")}
    return [
        Unfinished({same: record.facts[same] for same in _SAME if same in record.facts}, at in sent)
        for at, record in received.items()
    ]


def _open(recall: Recall, since: int) -> dict[tuple[str, str], Record] | None:
    """Return what was received and did not end, None where nothing at all is on record."""
    found: dict[tuple[str, str], Record] | None = None
    for record in recall(since, "started", "received", *_ENDS):
        if found is None or record.step == "started":
            found = {}
        if record.step == "received":
            found[_name(record)] = record
        else:
            found.pop(_name(record), None)
    return found


def _name(record: Record) -> tuple[str, str]:
    """A select and its execute have one number."""
    return str(record.facts.get("id")), str(record.facts.get("operation"))
