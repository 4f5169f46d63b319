"""What a session wants done after each call, and what it is told of it later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from gateway_dnp3.app import Fragment, Iin
from gateway_dnp3.master.duty import Duty
from gateway_dnp3.master.script import Script
from gateway_dnp3.objects.columns import Columns


class Custody(Enum):
    """Who has what an outstation said: nobody yet, the gateway, or the outstation still."""

    PENDING = auto()
    TAKEN = auto()
    REFUSED = auto()


@dataclass(slots=True, eq=False)
class Parcel:
    """Measurements of one fragment, to be taken in this order; say so with `settled`.

    iin:       indications of the fragment.
    confirm:   the outstation waits to hear that they were taken.
    """

    columns: list[Columns]
    iin: Iin
    fragment: Fragment
    confirm: bool = False
    custody: Custody = Custody.PENDING

    def same(self, other: Fragment) -> bool:
        """Whether another fragment is this one again; its indications may have changed."""
        mine = self.fragment
        return mine.control.sequence == other.control.sequence and mine.objects == other.objects


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
