"""A subscriber's counters, as those of a link."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gateway.ethernet import RingCounts
from gateway.sampled_values import SampledState


class Tally:
    """Adds what came since the last time to the counters of a link."""

    def __init__(self, count: Callable[[str, int], None]) -> None:
        self._count = count
        self._seen: dict[str, int] = {}

    def take(self, state: SampledState) -> None:
        """Add what a subscriber's counters grew by."""
        for name, total in _totals(state):
            if more := total - self._seen.get(name, 0):
                self._count(name, more)
            self._seen[name] = total

    def begin_again(self) -> None:
        """The subscriber that comes next counts from 0."""
        self._seen.clear()

    def drops(self, counts: RingCounts) -> None:
        """Add what the system had no room for."""
        for name, more in (("dropped_frames", counts.dropped), ("ring_full", counts.frozen)):
            if more:
                self._count(name, more)


def _totals(state: SampledState) -> Iterator[tuple[str, int]]:
    yield "frames", state.frames
    yield "samples", state.rows
    yield "losses", state.stream.gaps
    yield "lost_samples", state.stream.lost
    yield "late_samples", state.late
    yield "duplicate_samples", state.duplicate
    yield "foreign_frames", state.foreign
    yield "simulated_frames", state.aside
    yield "malformed_frames", state.malformed
    yield "unfit_frames", state.unfit
