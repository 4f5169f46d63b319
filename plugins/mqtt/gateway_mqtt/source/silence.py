"""Who was not heard for too long: MQTT has no poll whose answer could be missing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt


class Silence:
    """Follows when each point was last heard; `now` is monotonic, in seconds."""

    def __init__(self, limits: Mapping[int, float], now: float) -> None:
        """`limits` by point id, in seconds; points without one may be silent for ever."""
        self._points = np.array(sorted(limits), np.int32)
        self._limits = np.array([limits[point] for point in sorted(limits)])
        size = int(self._points.max(initial=-1)) + 1
        self._heard = np.full(size, now)
        self._known = np.zeros(size, np.bool_)
        self._size = size

    @property
    def period(self) -> float:
        """Seconds between two looks: a silence is noticed within a quarter more than its limit."""
        return float(min(max(self._limits.min() / 4, 0.05), 5.0)) if len(self._limits) else 0.0

    def heard(self, points: npt.NDArray[np.int32], now: float) -> None:
        """Take note of points that were heard; others than those with a limit do not matter."""
        points = points[points < self._size]
        self._heard[points] = now
        self._known[points] = False

    def silent(self, now: float) -> list[int]:
        """Return the points that have become silent; each once, until it is heard again."""
        late = (now - self._heard[self._points] > self._limits) & ~self._known[self._points]
        points = self._points[late]
        self._known[points] = True
        found: list[int] = points.tolist()
        return found
