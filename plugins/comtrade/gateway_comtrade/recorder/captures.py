"""Which stretches of time are to be recorded: a session with injected times [ns UTC]."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway_comtrade.recorder.trigger import Fired

MOST_OPEN = 8
"""Recordings that wait for their end at a time."""


@dataclass(slots=True)
class Capture:
    """A stretch of time, and the triggers that asked for it by their times; the first one
    names it.

    continues: whether it begins where another one had to end.
    """

    start: int
    end: int
    fired: list[Fired] = field(default_factory=list)
    continues: bool = False


class Captures:
    """The recordings that are under way.

    before, after, longest: ns before a trigger, behind it, and of a recording at most.
    late: ns for which results may come behind their samples.
    """

    def __init__(self, before: int, after: int, longest: int, late: int) -> None:
        self._before = before
        self._after = after
        self._longest = longest
        self.late = late
        self._open: list[Capture] = []

    def fire(self, fired: Fired) -> bool:
        """Begin a recording, or go on with the last one; returns whether there was room for it."""
        last = self._open[-1] if self._open else None
        end = fired.time + self._after
        if last is None or fired.time > last.end or end < last.start:
            if len(self._open) >= MOST_OPEN:
                return False
            self._open.append(Capture(fired.time - self._before, end, [fired]))
            self._open.sort(key=lambda one: one.start)
            return True
        last.fired.append(fired)
        last.fired.sort(key=lambda one: one.time)
        last.start = min(last.start, max(fired.time - self._before, last.end - self._longest))
        most = last.start + self._longest
        last.end = max(last.end, min(end, most))
        if end > most:
            if len(self._open) >= MOST_OPEN:
                return False
            self._open.append(Capture(last.end, end, [fired], continues=True))
        return True

    @property
    def needed(self) -> int | None:
        """Time from which samples are needed; None for none."""
        return min((one.start for one in self._open), default=None)

    def due(self, newest: int) -> list[Capture]:
        """Take out what has ended: samples up to `newest` are there, and their results, too."""
        ended = [one for one in self._open if newest >= one.end + self.late]
        self._open = [one for one in self._open if one not in ended]
        return ended

    def all(self) -> list[Capture]:
        """Take out everything: there will be no more samples."""
        ended, self._open = self._open, []
        return ended
