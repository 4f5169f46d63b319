"""The count per sink: taken = delivered + coalesced + dropped + pending; nothing else."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

UNWANTED = frozenset({"unwatched", "deselected"})
"""Reasons for which samples are dropped because the consumer does not want them."""


@dataclass(slots=True)
class Ledger:
    """What became of the samples that a sink was to have.

    taken:     samples that reached the gateway for this sink.
    delivered: acknowledged by its consumer.
    coalesced: replaced by a later sample of the point before delivery, where the latest is kept.
    dropped:   shed, by reason.
    """

    taken: int = 0
    delivered: int = 0
    coalesced: int = 0
    dropped: Counter[str] = field(default_factory=Counter)

    @property
    def pending(self) -> int:
        """Samples that the gateway still has to deliver, by this count."""
        return self.taken - self.delivered - self.coalesced - self.dropped.total()

    @property
    def lost(self) -> int:
        """Samples that were dropped at a bound; not those that nobody wanted any more."""
        return sum(n for reason, n in self.dropped.items() if reason not in UNWANTED)

    def correct(self, coalesced: int, shed: int) -> None:
        """Book samples that count as delivered as what the link says became of them."""
        self.delivered -= coalesced + shed
        self.coalesced += coalesced
        if shed:
            self.dropped["link_full"] += shed

    def to_dict(self) -> dict[str, Any]:
        return {
            "taken": self.taken,
            "delivered": self.delivered,
            "coalesced": self.coalesced,
            "dropped": dict(self.dropped),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Ledger:
        return cls(data["taken"], data["delivered"], data["coalesced"], Counter(data["dropped"]))
