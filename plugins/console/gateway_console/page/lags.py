"""How far the devices' time stamps lie behind the gateway's clock when samples are seen."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

SPAN = 10.0
"""Seconds over which the least is taken."""


class Lags:
    """Fed twice a second with the newest device's time of what came; answers with the least lag.

    A look comes up to half a second after the sample, so each finds too much and never too little:
    the least of many looks is an upper bound of what device, line and gateway take together.
    Clocks that do not agree are in it, too: it may be negative.
    """

    def __init__(self) -> None:
        self._past: deque[tuple[float, dict[str, int]]] = deque(maxlen=64)

    def take(self, at: float, now: int, stamped: Mapping[str, int]) -> None:
        """Take what a look found.

        at:      of the monotonic clock, in seconds; now: of the gateway's clock, ns since the Unix
                 epoch.
        stamped: the newest device's time by source, ns since the Unix epoch.
        """
        self._past.append((at, {source: now - time for source, time in stamped.items()}))
        while at - self._past[0][0] > SPAN:
            self._past.popleft()

    def of(self, source: str) -> int | None:
        """Return the least lag of the last 10 s in ns; None where no sample had a device's time."""
        return min((lags[source] for _, lags in self._past if source in lags), default=None)
