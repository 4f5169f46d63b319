"""How long a change of a register takes to the consumer, and what of it was lost on the way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.rig import MODULUS


@dataclass(frozen=True, slots=True)
class Delay:
    """Quantiles in ms.

    transit: from the change in the device, which happens as it is read, to the consumer.
    beyond:  from the moment when the poll was due to the consumer, that is how much later than the
             poll interval alone explains the consumer has a change; polls that were late included.
    lost:    polls of which the consumer got nothing, between the first and the last it got.
    """

    transit: tuple[float, float, float]
    beyond: tuple[float, float, float]
    lost: int
    polls: int

    @classmethod
    def of(cls, records: npt.NDArray[np.void], first: int, poll: float) -> Delay:
        """Judge the delay of live records from `first` on, and the loss of all; `poll` in s."""
        live = records[first:]
        live = live[live["historical"] == 0]
        if not len(live):
            nothing = (float("nan"),) * 3
            return cls(nothing, nothing, _lost(records["device"], records["counter"]), len(records))
        received = live["received"].astype(np.int64)
        transit = (received - live["changed"]) % MODULUS
        late = _lateness(live["device"], received - transit, round(poll * 1e6))
        return cls(
            _quantiles(transit),
            _quantiles(transit + late),
            _lost(records["device"], records["counter"]),
            len(records),
        )


def _quantiles(us: npt.NDArray[np.int64]) -> tuple[float, float, float]:
    p50, p99, p999 = (np.percentile(us, [50, 99, 99.9]) / 1e3).tolist()
    return p50, p99, p999


def _lateness(
    device: npt.NDArray[np.uint32], changed: npt.NDArray[np.int64], period: int
) -> npt.NDArray[np.int64]:
    """Return how far behind the beat of its device each poll came [µs]; the earliest sets it."""
    number = device.astype(np.int64)
    reference = np.zeros(int(number.max()) + 1, np.int64)
    reference[number[::-1]] = changed[::-1]
    half = period // 2
    phase = (changed - reference[number] + half) % period - half
    earliest = np.full(len(reference), period, np.int64)
    np.minimum.at(earliest, number, phase)
    return phase - earliest[number]


def _lost(device: npt.NDArray[np.uint32], counter: npt.NDArray[np.uint32]) -> int:
    """Count the gaps in the counters of all devices."""
    key = np.unique(device.astype(np.int64) << 32 | counter)
    same = np.diff(key >> 32) == 0
    return int((np.diff(key)[same] - 1).sum())
