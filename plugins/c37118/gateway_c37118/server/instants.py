"""The instants that frames belong to: whole fractions of the UTC second (IEC/IEEE 60255-118-1)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Times = npt.NDArray[np.int64]

SECOND = 1_000_000_000
TOLERANCE = 1_000_000
"""ns by which the time of a report may miss its instant: the FRACSEC of some PMUs counts ms."""


class Instants:
    """Instants, numbered from the Unix epoch on.

    rate: frames per second, or below zero seconds per frame (DATA_RATE, table 9).
    """

    __slots__ = ("_per", "_span", "period")

    def __init__(self, rate: int) -> None:
        if not rate:
            raise ValueError("found rate 0, allowed: frames per second, or below zero s per frame")
        # So many instants in so many nanoseconds.
        self._per = rate if rate > 0 else 1
        self._span = SECOND if rate > 0 else -rate * SECOND
        self.period = self._span / self._per
        """Nanoseconds from one to the next."""

    def number(self, time: Times) -> Times:
        """Return the nearest instant of each time, ns since the Unix epoch."""
        whole, rest = np.divmod(time, self._span)
        number: Times = whole * self._per + (2 * rest * self._per + self._span) // (2 * self._span)
        return number

    def time(self, number: Times) -> Times:
        """Return the time of each instant, rounded to a nanosecond."""
        whole, rest = np.divmod(number, self._per)
        time: Times = whole * self._span + (2 * rest * self._span + self._per) // (2 * self._per)
        return time

    def after(self, time: Times) -> Times:
        """Return the first instant that is not before each time, but for the tolerance."""
        number = self.number(time)
        return number + (self.time(number) < time - TOLERANCE)

    def number_of(self, time: int) -> int:
        """Return the nearest instant of one time."""
        return int(self.number(np.array([time], np.int64))[0])

    def time_of(self, number: int) -> int:
        """Return the time of one instant."""
        return int(self.time(np.array([number], np.int64))[0])
