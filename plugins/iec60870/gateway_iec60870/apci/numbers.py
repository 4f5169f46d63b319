"""I frames of one direction that wait, and since when."""

from __future__ import annotations

from collections import deque


class Numbers:
    """Counts the I frames that passed and those of them that are settled, oldest first.

    The counts go on for ever; the numbers on the wire are these modulo 32768.
    total:   all that passed; the next one has this number.
    settled: those that wait for nothing any more.
    """

    __slots__ = ("_passed", "settled", "total")

    def __init__(self) -> None:
        self.total = 0
        self.settled = 0
        self._passed: deque[tuple[int, float]] = deque()  # the total after a run, and its time

    @property
    def waiting(self) -> int:
        """Those that are not settled."""
        return self.total - self.settled

    @property
    def oldest(self) -> float | None:
        """When the oldest one that waits has passed."""
        return self._passed[0][1] if self._passed else None

    def add(self, count: int, now: float) -> None:
        """Take note that so many have passed, at least one."""
        self.total += count
        self._passed.append((self.total, now))

    def settle(self, settled: int) -> None:
        """Settle all before this one."""
        self.settled = settled
        passed = self._passed
        while passed and passed[0][0] <= settled:
            passed.popleft()

    def pause(self, since: float, now: float) -> None:
        """Let the time between not count."""
        self._passed = deque((total, later(at, since, now)) for total, at in self._passed)


def later(at: float, since: float, now: float) -> float:
    """Return the time that is as long before `now` as `at` was before `since`, at most `now`."""
    return now - max(since - at, 0.0)
