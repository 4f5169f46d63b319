"""Time alignment: which samples belong into the frame of an instant, and when it may go.

A frame goes when every group of points, the points of a PMU that one source brings, has all of its
samples of that instant, or one of a later instant (what did not change is not reported), and at the
latest `wait` after the instant.
A group whose source has lost its device is not waited for.

No I/O and no clock: whoever holds it says what time it is.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gateway import STALE, Batch, Image
from gateway_c37118.server.delivered import Acknowledged, Pending
from gateway_c37118.server.instants import SECOND, TOLERANCE, Instants
from gateway_c37118.server.stream import Columns, Flags, Index, Values

Qualities = npt.NDArray[np.uint16]
Counts = npt.NDArray[np.intp]

AHEAD = 1.0
"""Seconds of frames that samples may be ahead, and that a stalled gateway makes up for."""
_GONE = int(STALE)


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
            `late_pmus`: waited for in vain, one for each frame.   `absent_pmus`: gone, likewise.
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
        self._group_size = np.bincount(self._group, minlength=groups)
        self._groups = groups
        self._value = image.value[columns.point].astype(np.float64)
        self._quality = image.quality[columns.point].astype(np.uint16)
        self._reached = np.full(groups, -1, np.int64)
        self._gone = np.zeros(groups, np.bool_)
        self._length = int((AHEAD * SECOND + wait) / instants.period) + 2
        self._values = np.zeros((self._length, count))
        self._qualities = np.zeros((self._length, count), np.uint16)
        self._have = np.zeros((self._length, count), np.bool_)
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
        group = self._columns.group[column]
        stale = (batch.quality & _GONE) == _GONE
        if stale.any():
            self._gone[group[stale]] = True
            if stale.all():
                return
            fresh = ~stale
            column, group, batch = column[fresh], group[fresh], batch.take(fresh)
        self._gone[group] = False
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
            self._put(number[taken], column[taken], batch.take(taken))
            pending.last = max(pending.last, int(number[taken].max()))

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
            slot = number % self._length
            self._values[slot, column] = batch.value
            self._qualities[slot, column] = batch.quality
            self._have[slot, column] = True
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
            self._put(number[coming], column[coming], batch.take(coming))
            pending.last = max(pending.last, int(number[coming].max()))

    def _put(self, number: npt.NDArray[np.int64], column: Index, batch: Batch) -> None:
        slot = number % self._length
        # Of two rows for one place numpy keeps the last, which is the later one.
        self._values[slot, column] = batch.value
        self._qualities[slot, column] = batch.quality
        self._have[slot, column] = True

    # Giving frames

    def due(self, now: int) -> Iterator[Aligned]:
        """Yield what may go now, oldest first."""
        self._follow(now)
        while True:
            time = self._instants.time(self._next)
            have = self._have[self._next % self._length]
            came = np.bincount(self._group[have[self._exact]], minlength=self._groups)
            over = now >= time + self._wait
            if not over and not self._complete(came):
                return
            yield self._frame(time, have, came > 0)

    def _complete(self, came: Counts) -> bool:
        there = (came >= self._group_size) | (self._reached > self._next)
        return bool(there.any() and (there | self._gone).all())

    def _frame(self, time: int, have: Flags, came: Flags) -> Aligned:
        slot = self._next % self._length
        self._value[have] = self._values[slot, have]
        self._quality[have] = self._qualities[slot, have]
        absent = np.zeros(len(have), np.bool_)
        missing = np.zeros(self._columns.pmus, np.bool_)
        if not came.all():
            absent[self._exact] = ~came[self._group]
            missing[self._columns.group_pmu[~came]] = True
            waited = np.zeros(self._columns.pmus, np.bool_)
            waited[self._columns.group_pmu[~came & ~self._gone]] = True
            self.counts["late_pmus"] += int(np.count_nonzero(waited))
            self.counts["absent_pmus"] += int(np.count_nonzero(missing & ~waited))
        self._have[slot] = False
        self._next += 1
        return Aligned(time, self._value.copy(), self._quality.copy(), absent, missing)

    def _follow(self, now: int) -> None:
        """Go where the clock is, when it was set or the gateway stood still for too long."""
        present = self._instants.number(now)
        behind = self._instants.number(now - self._wait) - self._next
        if behind > self._length or self._next > present + self._length:
            self.counts["frames_skipped"] += max(0, present + 1 - self._next)
            self._have[:] = False
            self._reached[:] = -1
            self._next = present + 1
            for pending in self._pending:
                pending.last = min(pending.last, self._next - 1)

    def acknowledged(self) -> Iterator[Acknowledged]:
        """Yield the deliveries of which nothing is needed any more, in their order."""
        while self._pending and self._pending[0].last < self._next:
            one = self._pending.popleft()
            yield Acknowledged(one.seq, one.rows, one.coalesced, one.shed)
