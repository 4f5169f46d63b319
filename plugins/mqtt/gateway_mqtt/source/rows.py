"""Samples as they are read, message by message, until they are a batch."""

from __future__ import annotations

import numpy as np

from gateway import Batch, Quality

_INVALID = int(Quality.INVALID)


class Rows:
    """Columns that grow. `historical` rows are events of the past, and all of them are taken."""

    __slots__ = ("historical", "point", "quality", "time", "value")

    def __init__(self, *, historical: bool = False) -> None:
        self.historical = historical
        self.point: list[int] = []
        self.value: list[float] = []
        self.quality: list[int] = []
        self.time: list[int] = []

    def __len__(self) -> int:
        return len(self.point)

    def add(self, points: list[int], values: list[float], quality: int, time: int) -> None:
        """Append samples of one quality and one time."""
        n = len(points)
        self.point += points
        self.value += values
        self.quality += [quality] * n
        self.time += [time] * n

    def void(self, points: list[int], time: int, quality: int = _INVALID) -> None:
        """Append samples without a value: the last one stays, with this quality."""
        self.add(points, [float("nan")] * len(points), quality, time)

    def batch(self, top: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[Batch, int]:
        """Return the batch, and how many of its values no state has.

        top: the highest state of each point by its id; NaN for those that are no states.
        Such a value is left out, which makes its sample invalid.
        """
        batch = Batch.of(self.point, self.value, self.quality, self.time)
        most = top[batch.point]
        value = batch.value
        wrong = ~np.isnan(most) & ((value < 0) | (value > most) | (value != np.floor(value)))
        wrong &= ~np.isnan(value)
        value[wrong] = np.nan
        return batch, int(np.count_nonzero(wrong))


class Runs:
    """Rows in the order in which they came, cut where history begins or ends."""

    def __init__(self) -> None:
        self._runs: list[Rows] = []

    def rows(self, *, historical: bool = False) -> Rows:
        """Return where to append."""
        if not self._runs or self._runs[-1].historical is not historical:
            self._runs.append(Rows(historical=historical))
        return self._runs[-1]

    def take(self) -> list[Rows]:
        """Return what is there, and begin anew."""
        runs, self._runs = self._runs, []
        return [rows for rows in runs if len(rows)]
