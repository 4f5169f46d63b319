"""How many samples each link moves per second, from what its counters and ledgers said before."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping

SPAN = 10.0
"""Seconds over which a rate is taken."""


class Rates:
    """Fed about once a second with running totals; answers with rates."""

    def __init__(self) -> None:
        self._past: deque[tuple[float, dict[str, int]]] = deque(maxlen=64)

    def take(self, at: float, totals: Mapping[str, int]) -> None:
        """Take the totals at a time of the monotonic clock, in seconds."""
        self._past.append((at, dict(totals)))
        while len(self._past) > 2 and at - self._past[0][0] > SPAN:
            self._past.popleft()

    def of(self, name: str) -> float:
        """Return the rate per second; NaN where nothing is known yet."""
        if len(self._past) < 2:
            return math.nan
        (began, first), (ended, last) = self._past[0], self._past[-1]
        if name not in first or name not in last or ended <= began:
            return math.nan
        return max(0, last[name] - first[name]) / (ended - began)
