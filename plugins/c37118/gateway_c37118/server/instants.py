"""The instants that frames belong to: whole fractions of the UTC second (IEC/IEEE 60255-118-1)."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

Times = npt.NDArray[np.int64]
T = TypeVar("T", int, Times)

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

    def number(self, time: T) -> T:
        """Return the nearest instant of a time, or of each, ns since the Unix epoch."""
        whole = time // self._span
        rest = time - whole * self._span
        return whole * self._per + (2 * rest * self._per + self._span) // (2 * self._span)

    def time(self, number: T) -> T:
        """Return the time of an instant, or of each, rounded to a nanosecond."""
        whole = number // self._per
        rest = number - whole * self._per
        return whole * self._span + (2 * rest * self._span + self._per) // (2 * self._per)

    def after(self, time: Times) -> Times:
        """Return the first instant that is not before each time, but for the tolerance."""
        number = self.number(time)
        return number + (self.time(number) < time - TOLERANCE)
