"""What the broker was asked for before, so that a kept session forgets what nobody wants now."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

import orjson

_FILE = "subscriptions.json"


def recall(folder: Path, session: str) -> set[str]:
    """Return the filters of the session of that name; none where nothing is known."""
    with contextlib.suppress(OSError, orjson.JSONDecodeError, AttributeError, TypeError):
        known = orjson.loads((folder / _FILE).read_bytes())
        return {f for f in known.get(session, ()) if isinstance(f, str)}
    return set()


def remember(folder: Path, session: str, filters: Iterable[str]) -> None:
    """Keep the filters; before they are subscribed to. Raises OSError."""
    fresh = folder / f"{_FILE}.new"
    fresh.write_bytes(orjson.dumps({session: sorted(filters)}))
    fresh.replace(folder / _FILE)
