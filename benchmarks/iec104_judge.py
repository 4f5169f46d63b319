"""What became of numbered events: how long they took, and which are not as they must be."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.iec104_wire import POINTS, values


@dataclass(frozen=True, slots=True)
class Heard:
    """What one consumer got.

    delay:  ms from the event to the consumer: p50, p99 and the most.
    last:   when the last event came.
    wrong:  events that are missing, there twice, of another point or value, or before an earlier
            one of their point.
    """

    delay: tuple[float, float, float]
    last: float
    wrong: int

    @classmethod
    def of(cls, folder: Path, number: int, first: int, events: int) -> Heard:
        """Read what the programs left; `first` and `events`: the first and the end of the numbers
        that the delay is about, of which all before are counted, too.
        """
        made = np.load(folder / "made.npy")
        with np.load(folder / f"heard-{number}.npz") as heard:
            mine = heard["number"] >= 0
            when, point, numbers, value = (
                heard[name][mine] for name in ("when", "point", "number", "value")
            )
        if not len(numbers):
            return cls((float("nan"),) * 3, float("nan"), len(made))
        known = np.unique(numbers)
        wrong = len(made) - len(known) + len(numbers) - len(known)
        wrong += int((point % POINTS != numbers % POINTS).sum())
        wrong += int((value != values(numbers)).sum())
        order = np.argsort(point, kind="stable")
        wrong += int(((np.diff(numbers[order]) < 0) & (np.diff(point[order]) == 0)).sum())
        counted = (numbers >= first) & (numbers < events)
        took = (when - made[numbers])[counted] * 1e3
        p50, p99 = np.percentile(took, [50, 99]).tolist()
        return cls((p50, p99, float(took.max())), float(when[counted].max()), wrong)
