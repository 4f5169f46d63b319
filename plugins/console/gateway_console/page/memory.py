"""The sequence of events: changes of statuses since the console started.

It is bounded; how many there were says `seen`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gateway import Batch, Definition, Kind

HEALTH = "_health."
"""How names of the gateway's own points begin: links that go down are alarms, not events."""
EVENTS = 5_000
"""Changes that are kept."""


@dataclass(frozen=True, slots=True)
class Event:
    """One change of a status: its number, and when it came to the console (ns)."""

    n: int
    point: int
    value: float
    quality: int
    time: int
    received: int


class Memory:
    """Fed with every delivery of the console; asked by pages."""

    def __init__(self, definitions: Sequence[Definition | None]) -> None:
        size = len(definitions)
        self.status: npt.NDArray[np.bool_] = np.zeros(size, np.bool_)
        for number, definition in enumerate(definitions):
            if definition is not None and definition.kind in (Kind.STATUS, Kind.DOUBLE):
                self.status[number] = not definition.name.startswith(HEALTH)
        self.events: deque[Event] = deque(maxlen=EVENTS)
        self.seen = 0
        self._value: npt.NDArray[np.float64] = np.full(size, np.nan)
        self._quality: npt.NDArray[np.int32] = np.full(size, -1, np.int32)

    def begin(self, image: Batch) -> None:
        """Take what all statuses are at the beginning: no events."""
        self._value[image.point] = image.value
        self._quality[image.point] = image.quality

    def take(self, batch: Batch, now: int) -> None:
        """Take a delivery that came at `now`; rows that change nothing are no events."""
        for row in np.flatnonzero(self.status[batch.point]).tolist():
            point, value = int(batch.point[row]), float(batch.value[row])
            quality = int(batch.quality[row])
            if value == self._value[point] and quality == self._quality[point]:
                continue
            self._value[point], self._quality[point] = value, quality
            self.seen += 1
            self.events.append(Event(self.seen, point, value, quality, int(batch.time[row]), now))
