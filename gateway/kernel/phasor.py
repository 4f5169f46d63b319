"""Synchrophasors: frequency, phasors and their sequences from the samples of one stream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from gateway.kernel._kernel import ffi, lib
from gateway.kernel.error import KernelError
from gateway.kernel.stream import Stream, StreamState
from gateway.kernel.waveform import check_samples, flags, room
from gateway.model.batch import QualityColumn, TimeColumn, ValueColumn
from gateway.model.waveform import Samples

Performance: TypeAlias = Literal["P", "M"]
IntegerSums: TypeAlias = npt.NDArray[np.int64]

_push = lib.gw_phasor_push
_from_buffer = ffi.from_buffer

_PERFORMANCES: dict[str, int] = {"P": lib.GW_CLASS_P, "M": lib.GW_CLASS_M}


@dataclass(frozen=True, slots=True, eq=False)
class PhasorReports:
    """Reports as columns, one row each, in the order of time.

    time:      ns since the Unix epoch, UTC.
    quality:   that of the samples in the report's window; invalid where the window was not full.
    frequency: Hz, rocof: Hz/s; NaN where the report is invalid or the magnitude below `least`.
    magnitude: rms in the unit of the column, angle: rad, -pi..pi, of a cosine of the nominal
               frequency whose peak is at the second; shape (reports, columns).
    sequence_magnitude, sequence_angle: the positive, negative and zero sequence of each set,
               shape (reports, sets, 3); NaN for a set of one phase.
    """

    time: TimeColumn
    quality: QualityColumn
    frequency: ValueColumn
    rocof: ValueColumn
    magnitude: ValueColumn
    angle: ValueColumn
    sequence_magnitude: ValueColumn
    sequence_angle: ValueColumn

    def __len__(self) -> int:
        return len(self.time)


class PhasorRows:
    """Output columns for `capacity` reports of so many columns and sets, emptied by `drain`.

    Owned by one thread at a time.
    """

    __slots__ = ("_c", "_reports", "capacity", "columns", "sets")

    def __init__(self, capacity: int, columns: int, sets: int) -> None:
        if capacity < 1:
            raise ValueError(f"rows of capacity {capacity}; it must be at least 1")
        self.capacity, self.columns, self.sets = capacity, columns, sets
        self._reports = PhasorReports(
            np.zeros(capacity, np.int64),
            np.zeros(capacity, np.uint16),
            np.zeros(capacity),
            np.zeros(capacity),
            np.zeros((capacity, columns)),
            np.zeros((capacity, columns)),
            np.zeros((capacity, sets, 3)),
            np.zeros((capacity, sets, 3)),
        )
        self._c = ffi.new("gw_phasor_rows *")
        self._c.capacity = capacity
        for name in PhasorReports.__slots__:
            column = getattr(self._reports, name)
            ctype = {"int64": "int64_t[]", "uint16": "uint16_t[]", "float64": "double[]"}
            memory = _from_buffer(ctype[column.dtype.name], column, require_writable=True)
            setattr(self._c, name, memory)

    @property
    def count(self) -> int:
        """Reports waiting to be drained."""
        count: int = self._c.count
        return count

    @property
    def free(self) -> int:
        """Reports that may still be appended."""
        free: int = self.capacity - self._c.count
        return free

    def clear(self) -> None:
        """Forget the waiting reports."""
        self._c.count = 0

    def drain(self) -> PhasorReports | None:
        """Return the waiting reports, as columns of their own, and forget them; None if none."""
        n = self.count
        if n == 0:
            return None
        self.clear()
        columns = (getattr(self._reports, name)[:n].copy() for name in PhasorReports.__slots__)
        return PhasorReports(*columns)


class Phasors:
    """The estimator of one stream, designed to the limits of IEC/IEEE 60255-118-1:2018.

    stream:      every column of it has its phasors.
    reporting:   reports per second: 10, 25, 50 or 100 at 50 Hz; 10, 12, 15, 20, 30, 60 or 120 at
                 60 Hz.  They belong to the instants second + k/reporting, UTC.
    performance: the class, "P" or "M".
    sets:        three phases, as columns in their order, or one column; frequency and its rate
                 of change are those of the first set.
    turn:        rad to be added to the angle of each column, for the error of its transformer.
    least:       the magnitude below which the first set has no frequency.

    One thread at a time: the kernel takes no locks, and calls release the GIL.

    Raises ValueError for what cannot be.
    """

    __slots__ = ("_c", "_memory", "delay", "sets", "stream")

    def __init__(
        self,
        stream: Stream,
        *,
        reporting: int,
        performance: Performance,
        sets: Sequence[Sequence[int]],
        turn: Sequence[float] | None = None,
        least: float = 0.0,
    ) -> None:
        if performance not in _PERFORMANCES:
            raise ValueError(f"class {performance!r}; there are {', '.join(_PERFORMANCES)}")
        turns = [0.0] * stream.columns if turn is None else list(turn)
        if len(turns) != stream.columns:
            raise ValueError(f"{stream.columns} columns have a scale and {len(turns)} a turn")
        wrong = [tuple(phases) for phases in sets if len(phases) not in (1, 3)]
        if wrong:
            raise ValueError(f"set {wrong[0]}; a set is three columns, or one")
        flat = [c for phases in sets for c in (*phases, *[-1] * (3 - len(phases)))]
        setup = ffi.new("gw_phasor_setup *")
        # These live until the kernel has copied them.
        _scale = stream._fill(setup.stream)
        c_set, c_turn = ffi.new("int32_t[]", flat), ffi.new("double[]", turns)
        setup.reporting, setup.performance = reporting, _PERFORMANCES[performance]
        setup.sets, setup.set, setup.turn, setup.least = len(sets), c_set, c_turn, least

        size: int = lib.gw_phasor_size(setup)
        if size < 0:
            raise KernelError(
                size,
                f"{stream}, {reporting} reports/s, class {performance}, "
                f"sets {[tuple(phases) for phases in sets]}",
            )
        self._memory = room(size)
        self._c = ffi.cast("gw_phasor *", self._memory)
        lib.gw_phasor_init(self._c, size, setup)
        self.stream, self.sets = stream, len(sets)
        self.delay: int = lib.gw_phasor_delay(self._c)
        """Rows after a report's own that complete it."""

    def state(self) -> StreamState:
        """Return where the stream stands."""
        at = ffi.new("gw_stream_state *")
        lib.gw_phasor_look(self._c, at)
        return StreamState(at.next, at.held, at.gaps, at.lost)

    def rows(self, capacity: int) -> PhasorRows:
        """Return rows for the reports of this estimator."""
        return PhasorRows(capacity, self.stream.columns, self.sets)

    def reports(self, index: int, n: int) -> int:
        """Return how many reports a push of n rows at this index would append.

        Raises KernelError where the index is not after the rows that were there before.
        """
        count: int = lib.gw_phasor_reports(self._c, index, n)
        if count < 0:
            raise KernelError(count, f"{n} rows from index {index}, {self.state().next} expected")
        return count

    def push(
        self,
        index: int,
        samples: Samples,
        reports: PhasorRows,
        quality: QualityColumn | None = None,
    ) -> int:
        """Take rows of samples, append reports, and return how many.

        index:   of the first row: second since the Unix epoch * rate + number within the second.
        samples: int32, rows of at least the stream's columns.
        quality: of each row; None for good.

        Raises KernelError, with nothing changed, where `index` lies before the one expected, or
        `reports` has too few free; ValueError where an array does not fit.
        """
        check_samples(samples, self.stream.columns)
        n, stride = samples.shape
        marks = flags(quality, n)
        self._check(reports)
        block = _from_buffer("int32_t[]", samples)
        count: int = _push(self._c, index, block, n, stride, marks, reports._c)
        if count < 0:
            raise KernelError(
                count,
                f"index {index}, {self.state().next} expected, {n} rows, "
                f"{reports.free} reports free",
            )
        return count

    def _check(self, reports: PhasorRows) -> None:
        columns = self.stream.columns
        if reports.columns != columns or reports.sets != self.sets:
            raise ValueError(
                f"rows of {reports.columns} columns and {reports.sets} sets for an estimator "
                f"of {columns} and {self.sets}"
            )

    def sums(self) -> tuple[int, int, IntegerSums]:
        """Return the exact sums of class P after the last row, for whoever wants to check them.

        Row in the middle of their window, bits of their cosine's amplitude 2^bits, and real and
        imaginary part of each column.  Raises KernelError where they are not made.
        """
        out = np.zeros((self.stream.columns, 2), np.int64)
        bits = ffi.new("int32_t *")
        row: int = lib.gw_phasor_sums(
            self._c, _from_buffer("int64_t[]", out, require_writable=True), bits
        )
        if row < 0:
            raise KernelError(row)
        return row, bits[0], out
