"""Data frames from what belongs to an instant."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gateway import Quality
from gateway.c37118 import DataLayout, DataRows, stat_of
from gateway_c37118.server.alignment import Aligned
from gateway_c37118.server.grid import Qualities
from gateway_c37118.server.instants import SECOND
from gateway_c37118.server.stream import Columns, Flags, Index, Stream, Values

# STAT, table 7.
CHANGING = 0x0400
TRIGGER = 0x0800
REASONS = 16
UNLOCKED = 4
"""Bits 5-4: for how long without a lock, in the powers of ten that follow."""
UNLOCKED_FOR = np.array([10, 100, 1000]) * SECOND
CLOCK_FAILURE = 0x0F
"""Message time quality (table 4): nothing is known of how far the clock is off."""
_SEVERITY = np.array([0, 3, 2, 1], np.uint8)
_OF_SEVERITY = np.array([0, 3, 2, 1], np.uint16)
"""Validities by how bad they are, and back: good, questionable, reserved, invalid."""


class Frames:
    """Packs the data frames of a stream.

    unfit:    values that the format could not say, and that went as absent.
    changing: whether STAT says that the configuration has changed.
    """

    def __init__(self, stream: Stream) -> None:
        self.unfit = 0
        self.changing = False
        self.layout = DataLayout(stream.configuration)
        self._columns = stream.columns
        self._targets = stream.targets
        self._rows: DataRows = self.layout.rows(1)
        self._rows.count = 1
        self._speaks = _speakers(stream.columns)
        self._unlocked = np.full(stream.columns.pmus, -1, np.int64)

    def pack(self, aligned: Aligned) -> bytes:
        """Return the frame of an instant."""
        value = aligned.value
        quality = np.where(aligned.absent, Quality.INVALID.value, aligned.quality)
        value[aligned.absent] = np.nan
        whole = self._judge(value, quality.astype(np.uint16), aligned.absent)
        rows = self._rows
        rows.time[0] = aligned.time
        rows.stat[0] = self._stat(whole, value, aligned)
        lost = self._unlocked >= 0
        known = ~aligned.missing
        rows.time_quality[0] = CLOCK_FAILURE if known.any() and lost[known].all() else 0
        targets = self._targets
        rows.phasor[0] = self._phasors(value)
        rows.frequency[0] = _at(value, targets.frequency) * targets.frequency_factor
        rows.rocof[0] = _at(value, targets.rocof) * targets.rocof_factor
        rows.analog[0] = value[targets.analog]
        digital: npt.NDArray[Any] = rows.digital[0]
        digital[:] = 0
        on = value[targets.digital] > 0.5
        np.bitwise_or.at(digital, targets.word[on], targets.bit[on])
        frame, unfit = self.layout.pack(rows)
        self.unfit += unfit
        return frame

    def _judge(self, value: Values, quality: Qualities, absent: Flags) -> Qualities:
        """Return the quality of each PMU, and make values absent that STAT cannot speak of.

        STAT speaks of all that a PMU sends; so one phasor that is invalid among others that are
        not is left out, and STAT speaks of the others.
        """
        columns, count = self._columns, self._columns.pmus
        severity = _SEVERITY[quality & Quality.VALIDITY]
        bad = severity >= 2
        some = np.zeros(count, np.bool_)
        some[columns.pmu[self._speaks & ~bad]] = True
        counts = self._speaks & (~bad | ~some[columns.pmu])
        worst = np.zeros(count, np.uint8)
        flags = np.zeros(count, np.uint16)
        np.maximum.at(worst, columns.pmu[counts], severity[counts])
        np.bitwise_or.at(flags, columns.pmu[counts], quality[counts])
        # A digital has no word for absent: its bit stays as it was last seen.
        left_out = bad & some[columns.pmu]
        left_out[self._targets.digital] = False
        value[left_out] = np.nan
        return (flags & ~np.uint16(Quality.VALIDITY)) | _OF_SEVERITY[worst]

    def _stat(self, whole: Qualities, value: Values, aligned: Aligned) -> npt.NDArray[np.uint16]:
        stat = stat_of(whole)
        lost = (whole & Quality.CLOCK_NOT_SYNCHRONISED) != 0
        since = np.where(self._unlocked < 0, aligned.time, self._unlocked)
        # Of who has not reported nothing new is known.
        since = np.where(lost, since, -1)
        self._unlocked = np.where(aligned.missing, self._unlocked, since)
        elapsed = aligned.time - since[lost]
        stat[lost] |= (np.searchsorted(UNLOCKED_FOR, elapsed, "right") << UNLOCKED).astype(
            np.uint16
        )
        stat[_at(value, self._targets.trigger) > 0.5] |= TRIGGER
        reason = _at(value, self._targets.reason)
        stat |= np.where((reason >= 0) & (reason < REASONS), reason, 0).astype(np.uint16)
        if self.changing:
            stat |= CHANGING
        return stat

    def _phasors(self, value: Values) -> Values:
        targets = self._targets
        pairs = value[targets.phasor] * targets.phasor_factor
        pairs[np.isnan(pairs).any(axis=1)] = np.nan
        turned = targets.phasor_comes_polar & ~targets.phasor_goes_polar
        if turned.any():
            size, angle = pairs[turned, 0], pairs[turned, 1]
            pairs[turned] = np.stack([size * np.cos(angle), size * np.sin(angle)], axis=1)
        drawn = ~targets.phasor_comes_polar & targets.phasor_goes_polar
        if drawn.any():
            real, imaginary = pairs[drawn, 0], pairs[drawn, 1]
            pairs[drawn] = np.stack(
                [np.hypot(real, imaginary), np.arctan2(imaginary, real)], axis=1
            )
        # An angle goes from -pi to pi (table 5).
        beyond = targets.phasor_goes_polar & (np.abs(pairs[:, 1]) > np.pi)
        pairs[beyond, 1] -= 2 * np.pi * np.round(pairs[beyond, 1] / (2 * np.pi))
        return pairs


def _speakers(columns: Columns) -> Flags:
    """Mask the columns that STAT speaks of: the exact ones, or all where a PMU has none."""
    has = np.zeros(columns.pmus, np.bool_)
    has[columns.pmu[columns.exact]] = True
    return columns.exact | ~has[columns.pmu]


def _at(value: Values, column: Index) -> Values:
    """Return the value of each column, NaN for none."""
    return (
        np.where(column < 0, np.nan, value[column]) if len(value) else np.full(len(column), np.nan)
    )
