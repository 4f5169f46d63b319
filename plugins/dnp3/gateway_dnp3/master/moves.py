"""What a session wants done after each call, and how what it asks ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from gateway_dnp3.master.duty import Duty
from gateway_dnp3.master.parcels import Parcel
from gateway_dnp3.master.script import Script


@dataclass(slots=True)
class Moves:
    """Fragments to send, measurements to take, and whether to ask for the link status."""

    fragments: list[bytes] = field(default_factory=list)
    parcels: list[Parcel] = field(default_factory=list)
    link_status: bool = False


class Ended(Enum):
    """How a job ended.

    DONE:      the script came to its end.
    SILENT:    no answer in time.
    MALFORMED: an answer that cannot be read.
    UNTAKEN:   the gateway did not take the answer.
    UNSENT:    nothing was sent: its time was over, or the outstation does not answer.
    """

    DONE = auto()
    SILENT = auto()
    MALFORMED = auto()
    UNTAKEN = auto()
    UNSENT = auto()


@dataclass(slots=True, eq=False)
class Job:
    """Something to ask. `expires` is on the session's clock; then nothing more is sent for it."""

    name: str
    begin: Callable[[], Script]
    retries: int = 0
    expires: float = float("inf")
    done: Callable[[Ended, Any], None] | None = None
    duty: Duty | None = None
