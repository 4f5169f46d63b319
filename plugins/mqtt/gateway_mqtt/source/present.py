"""What points showed last, so that news of the past does not stay as the present."""

from __future__ import annotations

import numpy as np

from gateway import Batch


class Present:
    """The last live sample of each point, as it was read."""

    def __init__(self, size: int) -> None:
        self._value = np.zeros(size)
        self._quality = np.zeros(size, np.uint16)
        self._time = np.zeros(size, np.int64)

    def note(self, batch: Batch) -> None:
        """Take note of live samples; of several of one point the last counts."""
        self._value[batch.point] = batch.value
        self._quality[batch.point] = batch.quality
        self._time[batch.point] = batch.time

    def behind(self, batch: Batch) -> Batch:
        """Return samples of the past with the present ones of their points behind them.

        Else the gateway would show what was, until the next live sample.
        """
        points = np.unique(batch.point)
        points = points[self._time[points] != 0]
        now = Batch(points, self._value[points], self._quality[points], self._time[points])
        return Batch.concat([batch, now])
