"""The times of frames: which are missing, late, or there twice."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

REMEMBERED = 512
"""Frames among which a late one may be a duplicate."""
WINDOW = 10_000_000_000
"""ns behind the newest frame; what is older still is no late frame, but a clock set back."""
LEAP_PENDING = 0x10
"""Bit 4 of the highest octet of FRACSEC (table 3)."""

Keys = npt.NDArray[np.uint16]


class Sequence:
    """Follows the times of a stream's frames.

    duplicates: whether frames may come twice, as datagrams do; two are the same frame where their
                times and their checks are.
    count:      told `lost_frames` (at each gap), `late_frames`, `duplicates`.

    While a leap second is pending nothing is judged: a second may come twice or not at all.
    """

    def __init__(self, count: Callable[[str, int], None], *, duplicates: bool) -> None:
        self._count = count
        self._duplicates = duplicates
        self._period = 0
        self._newest: int | None = None
        self._seen: deque[tuple[int, int]] = deque(maxlen=REMEMBERED)

    def rate(self, rate: int) -> None:
        """Take DATA_RATE: frames per second, below zero seconds per frame."""
        period = 0 if rate == 0 else round(1e9 / rate) if rate > 0 else -rate * 1_000_000_000
        if period != self._period:
            self._period, self._newest = period, None

    def order(
        self, time: npt.NDArray[np.int64], time_quality: npt.NDArray[np.uint8], check: Keys
    ) -> npt.NDArray[np.intp]:
        """Return which of these frames are to be taken, in the order of their times."""
        every = np.arange(len(time), dtype=np.intp)
        if (time_quality & LEAP_PENDING).any():
            self._newest = None
            self._seen.clear()
            return every
        steps = np.diff(time, prepend=time[0] - 1 if self._newest is None else self._newest)
        if (steps > 0).all():
            self._gaps(steps)
            self._newest = int(time[-1])
        else:
            every = self._sorted(time.tolist(), check.tolist())
        if self._duplicates:
            self._seen.extend(zip(time[every].tolist(), check[every].tolist(), strict=True))
        return every

    def _gaps(self, steps: npt.NDArray[np.int64]) -> None:
        if not self._period:
            return
        # Times are rounded to 1/TIME_BASE, and some devices' to the millisecond.
        missing = int((np.maximum(np.rint(steps / self._period), 1) - 1).sum())
        if missing:
            self._count("lost_frames", missing)

    def _sorted(self, times: list[int], checks: list[int]) -> npt.NDArray[np.intp]:
        """Judge frame by frame: some are not in their order."""
        taken: list[int] = []
        here = set(self._seen)
        for i, key in enumerate(zip(times, checks, strict=True)):
            time = key[0]
            if self._duplicates and key in here:
                self._count("duplicates", 1)
                continue
            here.add(key)
            taken.append(i)
            newest = self._newest
            if newest is None or time < newest - WINDOW:
                self._newest = time
            elif time <= newest:
                self._count("late_frames", 1)
            else:
                self._gaps(np.array([time - newest]))
                self._newest = time
        taken.sort(key=lambda i: times[i])
        return np.array(taken, np.intp)
