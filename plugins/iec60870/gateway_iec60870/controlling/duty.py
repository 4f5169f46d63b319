"""Duties: what a controlling station does for another one by itself, in the order of urgency."""

from __future__ import annotations

import math
from collections.abc import Callable

from gateway_iec60870.asdu import Asdu

NEVER = math.inf


class Duty:
    """One of them: a request that is made again and again.

    request:    makes the ASDU in the moment in which it is sent; times are in it.
    compared:   octets of its body, from the first, that answers repeat.
    terminated: whether the station says when it has ended (ACT-TERM).
    data:       causes of the data that belongs to it.
    proves:     whether a station that does not answer it is taken for dead.
    due:        when, on the loop's clock; NEVER until something asks for it.
    period:     after which it is due again; None for once.
    start:      part of the start.
    align:      due at whole multiples of the period, by the wall clock.
    answered:   whether it ever was.
    then:       a duty that follows it at once.
    """

    def __init__(
        self,
        name: str,
        request: Callable[[], Asdu],
        compared: int,
        period: float | None = None,
        *,
        terminated: bool = False,
        data: range = range(0),
        proves: bool = False,
        start: bool = False,
        align: bool = False,
        then: Duty | None = None,
    ) -> None:
        self.name = name
        self.request = request
        self.compared = compared
        self.period = period
        self.terminated = terminated
        self.data = data
        self.proves = proves
        self.start = start
        self.align = align
        self.then = then
        self.due = NEVER
        self.answered = False

    def call(self, at: float) -> None:
        """Be due at this time, or earlier where it was to be earlier."""
        self.due = min(self.due, at)

    def plan(self, now: float, wall: float) -> None:
        """Be due as a station begins; `wall` is the wall clock in seconds."""
        self.due = now if self.start else self._following(now, wall)

    def done(self, now: float, wall: float) -> None:
        """Be due again, if ever; turns that were missed do not pile up."""
        self.due = self._following(now, wall)

    def failed(self, now: float, wall: float, pause: float) -> None:
        """Be due again, not later than after a pause if it was part of the start."""
        self.due = self._following(now, wall)
        if self.start:
            self.call(now + pause)

    def _following(self, now: float, wall: float) -> float:
        if self.period is None or self.period == math.inf:
            return NEVER
        return now + self.period - (wall % self.period if self.align else 0.0)
