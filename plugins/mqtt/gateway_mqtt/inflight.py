"""Messages sent and not yet acknowledged, and the deliveries they complete."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

MOST_BYTES = 4_000_000
"""Bounds what waits in memory for a slow line; above it more in flight makes nothing faster."""


@dataclass(slots=True)
class _Delivery:
    seq: int
    waiting: int = 0
    whole: bool = False


class InFlight:
    """The window of one connection, without I/O and without a clock of its own.

    For each delivery: `begin(seq)`, `sent(mid, …)` for each of its messages, `end()`;
    `acknowledged(mid, …)` as the broker answers, in any order.
    `delivered` is the highest delivery whose messages, and those of all before it,
    have been acknowledged; 0 before the first.
    """

    def __init__(self, most: int, most_bytes: int = MOST_BYTES) -> None:
        self.delivered = 0
        self.progress = 0.0
        """When the window last moved: an acknowledgement, or a message into an empty window."""
        self._most = most
        self._most_bytes = most_bytes
        self._bytes = 0
        self._messages: dict[int, tuple[_Delivery, int, str]] = {}
        self._deliveries: deque[_Delivery] = deque()

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def full(self) -> bool:
        """Whether the next message must wait; one message always fits, however large."""
        return len(self._messages) >= self._most or self._bytes >= self._most_bytes

    def narrow(self, most: int) -> None:
        """Lower the number of messages, as the broker asks (MQTT 5.0 clause 3.2.2.3.3)."""
        self._most = min(self._most, most)

    def topic(self, mid: int) -> str:
        """Return the topic of a message that waits, or an empty text."""
        return self._messages[mid][2] if mid in self._messages else ""

    def begin(self, seq: int) -> None:
        """Start a delivery; its messages follow. 0 is for messages that belong to none."""
        self._deliveries.append(_Delivery(seq))

    def sent(self, mid: int, topic: str, size: int, now: float) -> None:
        """Take note of a message of the delivery begun last."""
        if not self._messages:
            self.progress = now
        delivery = self._deliveries[-1]
        delivery.waiting += 1
        self._messages[mid] = delivery, size, topic
        self._bytes += size

    def sent_alone(self, mid: int, topic: str, size: int, now: float) -> None:
        """Take note of a message that belongs to no delivery, and holds none up."""
        if not self._messages:
            self.progress = now
        self._messages[mid] = _Delivery(0, waiting=1), size, topic
        self._bytes += size

    def end(self) -> None:
        """Say that the delivery begun last has no more messages."""
        self._deliveries[-1].whole = True
        self._advance()

    def acknowledged(self, mid: int, now: float) -> bool:
        """Take note of an acknowledgement; false where no message waits for this one."""
        entry = self._messages.pop(mid, None)
        if entry is None:
            return False
        delivery, size, _ = entry
        self._bytes -= size
        self.progress = now
        delivery.waiting -= 1
        if not delivery.waiting and delivery.whole:
            self._advance()
        return True

    def _advance(self) -> None:
        deliveries = self._deliveries
        while deliveries and deliveries[0].whole and not deliveries[0].waiting:
            self.delivered = max(self.delivered, deliveries.popleft().seq)
