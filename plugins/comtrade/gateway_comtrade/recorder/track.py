"""Status channels of a recorder: the edges of points, for as long as samples are kept."""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gateway import Batch, Image, Kind

MOST_EDGES = 100_000
"""Of all channels, kept at a time; the oldest ones become the state from which all begins."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A point that is recorded as a status channel."""

    point: int
    label: str
    kind: Kind


class Track:
    """States of status channels over time; a double point is 1 where it is on."""

    def __init__(self, channels: Sequence[Recorded], image: Image) -> None:
        self.channels = tuple(channels)
        self._column = {one.point: number for number, one in enumerate(channels)}
        self._on = [2.0 if one.kind is Kind.DOUBLE else None for one in channels]
        self._base = [
            self._state(number, float(image.value[one.point])) or 0
            for number, one in enumerate(channels)
        ]
        self._last = list(self._base)
        self._edges: list[tuple[int, int, int]] = []

    @property
    def points(self) -> frozenset[int]:
        return frozenset(self._column)

    def feed(self, batch: Batch) -> int:
        """Take samples; returns how many edges had to be forgotten early."""
        rows = np.flatnonzero(np.isin(batch.point, list(self._column)))
        for point, value, time in zip(
            batch.point[rows].tolist(),
            batch.value[rows].tolist(),
            batch.time[rows].tolist(),
            strict=True,
        ):
            column = self._column[point]
            state = self._state(column, value)
            if state is not None and state != self._last[column]:
                self._last[column] = state
                insort(self._edges, (time, column, state))
        early = max(0, len(self._edges) - MOST_EDGES)
        self._fold(early)
        return early

    def forget(self, before: int) -> None:
        """Fold edges before a time [ns UTC] into the states from which all begins."""
        self._fold(np.searchsorted([time for time, _, _ in self._edges[:1024]], before).item())

    def snapshot(self) -> tuple[list[int], list[tuple[int, int, int]]]:
        """Return a copy: states at first, and edges in order of their times."""
        return list(self._base), list(self._edges)

    def _fold(self, many: int) -> None:
        for _, column, state in self._edges[:many]:
            self._base[column] = state
        del self._edges[:many]

    def _state(self, column: int, value: float) -> int | None:
        if value != value:
            return None
        on = self._on[column]
        return int(value == on) if on is not None else int(value != 0)


def states_at(
    base: Sequence[int], edges: Sequence[tuple[int, int, int]], times: npt.NDArray[np.int64]
) -> npt.NDArray[np.uint8]:
    """Return uint8 (times, channels): the states at these times [ns UTC], which ascend."""
    found = np.tile(np.array(base, np.uint8), (len(times), 1))
    # One turn for each edge: it holds from the first row that is not before it.
    for time, column, state in edges:
        found[int(np.searchsorted(times, time)) :, column] = state
    return found
