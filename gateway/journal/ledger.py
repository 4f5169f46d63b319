"""The count per sink: taken = delivered + coalesced + dropped + pending; nothing else."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any


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
