"""What is needed to go on with a subscription after the connection, or the gateway, was gone."""

from __future__ import annotations

import dataclasses
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(slots=True)
class Ticket:
    """A subscription at the server, and the session that it is in.

    endpoint:     of the server.
    digest:       of settings and points: with another one the subscription is of no use.
    token, nonce: of the session, in hexadecimal, to activate it anew; empty where it was closed.
    subscription: its id.
    taken:        the last sequence number of which the gateway has custody.
    exact:        whether `taken` is that; after a crash more may have been taken since.
    items:        ids of the monitored items by client handle.
    interval, keep_alive: of the subscription as the server revised them, in seconds.
    """

    endpoint: str
    digest: str
    token: str = ""
    nonce: str = ""
    subscription: int = 0
    taken: int = 0
    exact: bool = False
    interval: float = 0.0
    keep_alive: float = 0.0
    items: dict[int, int] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write it, for the gateway's eyes only: the token opens the session."""
        new = path.with_suffix(".new")
        text = json.dumps(dataclasses.asdict(self))
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        new.replace(path)


def load(path: Path, endpoint: str) -> Ticket | None:
    """Return the ticket in a file; None where there is none for this endpoint."""
    try:
        found: dict[str, Any] = json.loads(path.read_text())
        found["items"] = {int(handle): int(item) for handle, item in found["items"].items()}
        ticket = Ticket(**found)
        whole = all(
            isinstance(getattr(ticket, name), kind)
            for name, kind in (
                ("endpoint", str),
                ("digest", str),
                ("token", str),
                ("nonce", str),
                ("subscription", int),
                ("taken", int),
                ("exact", bool),
                ("interval", float),
                ("keep_alive", float),
            )
        )
        bytes.fromhex(ticket.nonce + ticket.token)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return ticket if whole and ticket.subscription and ticket.endpoint == endpoint else None
