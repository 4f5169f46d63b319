"""Which deliveries the broker has taken, although nobody acknowledges a message of QoS 0."""

from __future__ import annotations

from collections import deque


class Custody:
    """Deliveries of one connection, without I/O and without a clock of its own.

    A broker reads what one client sends in order, and answers a ping (MQTT clause 3.12) when it
    comes to it: then it has handled all messages before. So after a delivery's last message
    `sent`, `pinged` behind it, and `ponged` as the answer comes proves all up to there.
    """

    def __init__(self) -> None:
        self.delivered = 0
        """The highest delivery that the broker has taken, with all before it."""
        self.octets = 0
        """What was sent and is not proved."""
        self.pinged_at = 0.0
        """When the ping went that is to be answered next; of no meaning without one."""
        self._sent = 0
        self._behind = 0
        self._pings: deque[tuple[int, int, int, float]] = deque()

    @property
    def waiting(self) -> bool:
        """Whether a ping is under way."""
        return bool(self._pings)

    @property
    def unproved(self) -> bool:
        """Whether anything was sent behind the last ping."""
        return self._behind > 0

    def sending(self, octets: int) -> None:
        """Take note of a message."""
        self.octets += octets
        self._behind += octets

    def sent(self, seq: int) -> None:
        """Say that all messages of a delivery have been sent, and those of all before it."""
        self._sent = seq
        if not self._behind:
            # A delivery may need no message at all, and is to be reported all the same.
            self.sending(1)

    def pinged(self, number: int, now: float) -> None:
        """Take note of a ping behind everything sent so far."""
        if not self._pings:
            self.pinged_at = now
        self._pings.append((number, self._sent, self._behind, now))
        self._behind = 0

    def ponged(self, number: int) -> None:
        """Take note of the answer to a ping, which may be one that others sent."""
        while self._pings and self._pings[0][0] <= number:
            _, self.delivered, proved, _ = self._pings.popleft()
            self.octets -= proved
        if self._pings:
            self.pinged_at = self._pings[0][3]
