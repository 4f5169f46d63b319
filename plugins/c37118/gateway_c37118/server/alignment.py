"""Time alignment: which samples belong into the frame of an instant, and when it may go.

A frame goes when every group of points, the points of a PMU that one source brings, has all of its
samples of that instant, or one of a later instant (what did not change is not reported), and at the
latest `wait` after the instant.
A point that is silent, because its device or a part of it was lost, is not waited for.

No I/O and no clock: whoever holds it says what time it is.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gateway import Batch, Image, Quality
from gateway_c37118.server.delivered import Acknowledged, Pending
from gateway_c37118.server.grid import Grid, Qualities
from gateway_c37118.server.instants import SECOND, TOLERANCE, Instants, Times
from gateway_c37118.server.stream import Columns, Flags, Index, Values

Counts = npt.NDArray[np.intp]

AHEAD = 1.0
"""Seconds of frames that samples may be ahead, and that a stalled gateway makes up for."""
_BAD = np.array([False, True, True, False])
"""Of each validity, whether it says that there is no value: invalid, reserved."""


@dataclass(frozen=True, slots=True, eq=False)
class Aligned:
    """What belongs to an instant: columns of the stream, (P,).

    value:   as the points have it; the last one known where there is none of this instant.
    absent:  exact columns that have none, because their group has not reported.
    missing: of each PMU, whether one of its groups has not.
    """

    time: int
    value: Values
    quality: Qualities
    absent: Flags
    missing: Flags


class Alignment:
    """The frames of a stream, one after the other, from samples as they come.

    wait:   ns that a frame waits for late samples.
    counts: `late_samples`: their frame had gone.   `early_samples`: too far ahead to be true.
            `late_pmus`: waited for in vain, one for each frame.   `absent_pmus`: silent, likewise.
            `frames_skipped`: after a stall, or a step of the clock.
    latest: ns by which the most late sample was late since somebody set it to 0.
    """

    def __init__(
        self, columns: Columns, instants: Instants, wait: int, now: int, image: Image
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.latest = 0
        self._columns = columns
        self._instants = instants
        self._wait = wait
        count, groups = len(columns), len(columns.group_pmu)
        self._column_of = np.full(int(columns.point.max(initial=-1)) + 1, -1, np.intp)
        self._column_of[columns.point] = np.arange(count)
        self._exact = np.flatnonzero(columns.exact)
        self._group = columns.group[self._exact]
        self._groups = groups
        self._value = image.value[columns.point].astype(np.float64)
        self._quality = image.quality[columns.point].astype(np.uint16)
        self._silent = columns.exact & _BAD[self._quality & Quality.VALIDITY]
        self._silence = self._quality.copy()
        self._reached = np.full(groups, -1, np.int64)
        self._length = int((AHEAD * SECOND + wait) / instants.period) + 2
        self._grid = Grid(self._length, count)
        self._pending: deque[Pending] = deque()
        self._next = instants.number(now) + 1

    @property
    def deadline(self) -> int:
        """The time at which the next frame goes, whatever there is, ns since the Unix epoch."""
        return self._instants.time(self._next) + self._wait

    # Taking samples

    def take(self, seq: int, batch: Batch, now: int) -> None:
        """Sort samples into the frames that they belong to."""
        column = self._column_of[batch.point]
        exact = self._columns.exact[column]
        pending = Pending(seq, self._next - 1, len(batch), 0, 0)
        self._pending.append(pending)
        if exact.all():
            self._take_exact(column, batch, pending, now)
        else:
            self._take_held(column[~exact], batch.take(~exact), pending)
            if exact.any():
                self._take_exact(column[exact], batch.take(exact), pending, now)

    def shed(self, seq: int, rows: int) -> None:
        """Leave out a delivery as a whole, in its turn."""
        self._pending.append(Pending(seq, self._next - 1, rows, 0, rows))

    def _take_exact(self, column: Index, batch: Batch, pending: Pending, now: int) -> None:
        quality = batch.quality
        silent = _BAD[quality & Quality.VALIDITY]
        if silent.any():
            # A report that is invalid has the device's time; what the gateway says has not.
            silent &= (quality & Quality.OLD_DATA != 0) | (quality & Quality.DEVICE_TIME == 0)
            self._silent[column[silent]] = True
            self._silence[column[silent]] = quality[silent]
            if silent.all():
                return
            column, batch = column[~silent], batch.take(~silent)
        back = column[self._silent[column]]
        if len(back):
            # Until its first sample comes into a frame it has no value.
            self._quality[back] = self._silence[back]
            self._silent[back] = False
        group = self._columns.group[column]
        first = int(batch.time[0])
        if (batch.time == first).all():
            self._take_report(column, group, batch, first, pending, now)
            return
        number = self._instants.number(batch.time)
        ahead = number >= self._next + self._length
        late = number < self._next
        on = np.abs(batch.time - self._instants.time(number)) <= TOLERANCE
        pending.coalesced += int(np.count_nonzero(~on))
        self._lose("early_samples", int(np.count_nonzero(on & ahead)), pending)
        late_here = on & late
        if late_here.any():
            self._lose("late_samples", int(np.count_nonzero(late_here)), pending)
            self.latest = max(self.latest, now - int(batch.time[late_here].min()))
        np.maximum.at(self._reached, group[~ahead], (number - ~on)[~ahead])
        taken = on & ~ahead & ~late
        if taken.any():
            self._put(number[taken], column[taken], batch.take(taken), pending)

    def _take_report(
        self,
        column: Index,
        group: Index,
        batch: Batch,
        time: int,
        pending: Pending,
        now: int,
    ) -> None:
        """Take exact samples that are all of one time, as reports are: the same, and quicker."""
        number = self._instants.number(time)
        on = abs(time - self._instants.time(number)) <= TOLERANCE
        if number >= self._next + self._length:
            if on:
                self._lose("early_samples", len(batch), pending)
            else:
                pending.coalesced += len(batch)
            return
        self._reached[group] = np.maximum(self._reached[group], number - (not on))
        if not on:
            pending.coalesced += len(batch)
        elif number < self._next:
            self._lose("late_samples", len(batch), pending)
            self.latest = max(self.latest, now - time)
        else:
            self._grid.put(number, column, batch.value, batch.quality)
            pending.last = max(pending.last, number)

    def _lose(self, why: str, rows: int, pending: Pending) -> None:
        if rows:
            self.counts[why] += rows
            pending.shed += rows

    def _take_held(self, column: Index, batch: Batch, pending: Pending) -> None:
        number = self._instants.after(batch.time)
        # Where its time is over, or cannot be, it is what is known now.
        now = (number < self._next) | (number >= self._next + self._length)
        self._value[column[now]] = batch.value[now]
        self._quality[column[now]] = batch.quality[now]
        coming = ~now
        if coming.any():
            self._put(number[coming], column[coming], batch.take(coming), pending)

    def _put(self, number: Times, column: Index, batch: Batch, pending: Pending) -> None:
        self._grid.put(number, column, batch.value, batch.quality)
        pending.last = max(pending.last, int(number.max()))

    # Giving frames

    def due(self, now: int) -> Iterator[Aligned]:
        """Yield what may go now, oldest first."""
        self._follow(now)
        while True:
            time = self._instants.time(self._next)
            have = self._grid.have(self._next)[self._exact]
            came = np.bincount(self._group[have], minlength=self._groups) > 0
            if now < time + self._wait and not self._complete(have, came):
                return
            yield self._frame(time, have, came)

    def _complete(self, have: Flags, came: Flags) -> bool:
        awaited = self._group[~have & ~self._silent[self._exact]]
        later = self._reached > self._next
        there = np.bincount(awaited, minlength=self._groups) == 0
        return bool((there | later).all() and (came | later).any())

    def _frame(self, time: int, have: Flags, came: Flags) -> Aligned:
        columns, silent = self._columns, self._silent
        lost = self._exact[silent[self._exact] & ~have]
        self._grid.take(self._next, self._value, self._quality)
        quality = self._quality.copy()
        quality[lost] = self._silence[lost]
        absent = np.zeros(len(columns), np.bool_)
        missing = np.zeros(columns.pmus, np.bool_)
        if not came.all():
            absent[self._exact] = ~came[self._group]
            missing[columns.group_pmu[~came]] = True
            speaking = np.bincount(self._group[~silent[self._exact]], minlength=self._groups) > 0
            waited = np.zeros(columns.pmus, np.bool_)
            waited[columns.group_pmu[~came & speaking]] = True
            self.counts["late_pmus"] += int(np.count_nonzero(waited))
            self.counts["absent_pmus"] += int(np.count_nonzero(missing & ~waited))
        self._next += 1
        return Aligned(time, self._value.copy(), quality, absent, missing)

    def _follow(self, now: int) -> None:
        """Go where the clock is, when it was set or the gateway stood still for too long."""
        present = self._instants.number(now)
        behind = self._instants.number(now - self._wait) - self._next
        if behind > self._length or self._next > present + self._length:
            self.counts["frames_skipped"] += max(0, present + 1 - self._next)
            self._grid.clear()
            self._reached[:] = -1
            self._next = present + 1
            for pending in self._pending:
                pending.last = min(pending.last, self._next - 1)

    def acknowledged(self) -> Iterator[Acknowledged]:
        """Yield the deliveries of which nothing is needed any more, in their order."""
        while self._pending and self._pending[0].last < self._next:
            one = self._pending.popleft()
            yield Acknowledged(one.seq, one.rows, one.coalesced, one.shed)
