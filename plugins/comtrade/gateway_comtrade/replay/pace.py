"""Which rows are due, and which index they have: a session with an injected clock."""

from __future__ import annotations

from enum import StrEnum

NANO = 1_000_000_000
LATE = 1.0
"""Seconds behind the clock after which what was missed is left out."""


class Start(StrEnum):
    """Where the first row stands in time."""

    NOW = "now"
    AS_RECORDED = "as_recorded"


class Pace:
    """The pace of one recording.

    rate:   rows per second.
    rows:   how many there are.
    begin:  index of the first row that its time is to be: in `now` the next whole second, or
            where the recording before it ended.
    """

    def __init__(self, rate: int, rows: int, begin: int, anchor: int, speed: float) -> None:
        """`anchor` is the wall clock [ns] at which the first row is due."""
        self.rate = rate
        self.rows = rows
        self.begin = begin
        self._anchor = anchor
        self._speed = speed

    @classmethod
    def now(cls, rate: int, rows: int, now: int, after: int | None = None) -> Pace:
        """Place the rows at the wall clock.

        after: index that follows the last row of before, at the same rate; where that is None or
        more than half a second ago, the rows begin with the next whole second.
        """
        begin = (now // NANO + 1) * rate
        if after is not None and now * rate - after * NANO <= rate * NANO // 2:
            begin = after
        return cls(rate, rows, begin, -(-begin * NANO // rate), 1.0)

    @classmethod
    def recorded(cls, rate: int, rows: int, now: int, start: int, speed: float) -> Pace:
        """Place the rows where they were recorded: at the index next to `start` [ns UTC]."""
        return cls(rate, rows, (start * rate + NANO // 2) // NANO, now, speed)

    def due(self, now: int) -> int:
        """Return how many rows are due."""
        elapsed = now - self._anchor
        if elapsed < 0:
            return 0
        if self._speed != 1.0:
            elapsed = int(elapsed * self._speed)
        return min(self.rows, elapsed * self.rate // NANO + 1)

    def late(self, row: int, now: int) -> bool:
        """Return whether the row is so late that it is left out, because the clock went on."""
        return self._speed == 1.0 and row < self.due(now - int(LATE * NANO))

    def time(self, row: int) -> int:
        """Return when a row was taken [ns UTC]."""
        second, number = divmod(self.begin + row, self.rate)
        return second * NANO + number * NANO // self.rate
