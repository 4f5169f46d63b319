"""How often one client may ask: a bucket of tokens each."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

MOST = 10_000
"""Clients that are told apart; the one that was silent for longest is forgotten first."""


class Rates:
    """`rate` requests per second of each client, and `burst` at once.

    clock: monotonic, in seconds.
    """

    def __init__(self, rate: float, burst: float, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._burst = max(1.0, burst)
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, client: str) -> float:
        """Count a request; returns 0, or the seconds after which it would have been in time."""
        now = self._clock()
        left, then = self._buckets.pop(client, (self._burst, now))
        left = min(self._burst, left + (now - then) * self._rate)
        late = 0.0 if left >= 1.0 else (1.0 - left) / self._rate
        self._buckets[client] = (left if late else left - 1.0, now)
        if len(self._buckets) > MOST:
            self._buckets.popitem(last=False)
        return late
