"""Deliveries that the broker has, and that the primary host may still turn out not to have."""

from __future__ import annotations

from collections import deque

MOST = 900
"""Deliveries that may be held; 1,000 are handed out before one must be acknowledged."""


class Hold:
    """What is reported as delivered, and when; without a clock of its own.

    seconds: how long a delivery is held behind its proof.
    rows:    most samples held; beyond them the oldest go early, so that live ones never wait.
    """

    def __init__(self, seconds: float, rows: int) -> None:
        self.shortened = 0
        """Deliveries that were held for less than they should have been."""
        self._seconds = seconds
        self._most = rows
        self._taken: deque[tuple[int, int]] = deque()
        self._held: deque[tuple[int, int, float]] = deque()
        self._rows = 0

    def take(self, seq: int, rows: int) -> None:
        """Take note of a delivery that is sent."""
        self._taken.append((seq, rows))
        self._rows += rows

    def prove(self, seq: int, now: float) -> None:
        """Say that the broker has all deliveries up to this one."""
        while self._taken and self._taken[0][0] <= seq:
            number, rows = self._taken.popleft()
            self._held.append((number, rows, now + self._seconds))

    def release(self, now: float, *, everything: bool = False) -> int:
        """Return the highest delivery to report now, with all before it; 0 where there is none."""
        delivered = 0
        while self._held:
            number, rows, due = self._held[0]
            crowded = self._rows > self._most or len(self._held) > MOST
            if not (everything or crowded or due <= now):
                break
            self.shortened += crowded and not everything and due > now
            self._held.popleft()
            self._rows -= rows
            delivered = number
        return delivered
