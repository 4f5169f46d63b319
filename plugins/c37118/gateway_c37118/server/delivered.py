"""What becomes of deliveries, whose samples go in many frames, or in none."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Pending:
    """A delivery, the last frame that needs it, and how much of it never gets into one.

    coalesced: between the instants of frames.   shed: too late, too early, or of the past.
    """

    seq: int
    last: int
    rows: int
    coalesced: int
    shed: int


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A delivery that is over: see `SinkContext.delivered`; rows is how many samples it had."""

    seq: int
    rows: int
    coalesced: int
    shed: int
