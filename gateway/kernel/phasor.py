"""Synchrophasors: frequency, phasors and their sequences from the samples of one stream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from gateway.kernel._kernel import ffi, lib
from gateway.kernel.error import KernelError
from gateway.model.batch import QualityColumn, TimeColumn, ValueColumn

Performance: TypeAlias = Literal["P", "M"]
SampleRows: TypeAlias = npt.NDArray[np.int32]
IntegerSums: TypeAlias = npt.NDArray[np.int64]

_push = lib.gw_phasor_push
_from_buffer = ffi.from_buffer

_PERFORMANCES: dict[str, int] = {"P": lib.GW_CLASS_P, "M": lib.GW_CLASS_M}
_INT32 = np.dtype(np.int32)
_UINT16 = np.dtype(np.uint16)


@dataclass(frozen=True, slots=True, eq=False)
class PhasorReports:
    """Reports as columns, one row each, in the order of time.

    time:      ns since the Unix epoch, UTC.
    quality:   that of the samples in the report's window; invalid where the window was not full.
    frequency: Hz, rocof: Hz/s; NaN where the report is invalid or the magnitude below `least`.
    magnitude: rms in the unit of the channel, angle: rad, -pi..pi, of a cosine of the nominal
               frequency whose peak is at the second; shape (reports, channels).
    sequence_magnitude, sequence_angle: the positive, negative and zero sequence of each set,
               shape (reports, sets, 3); NaN for a set of one channel.
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
    """Output columns for `capacity` reports of so many channels and sets, emptied by `drain`.

    Owned by one thread at a time.
    """

    __slots__ = ("_c", "_columns", "capacity", "channels", "sets")

    def __init__(self, capacity: int, channels: int, sets: int) -> None:
        if capacity < 1:
            raise ValueError(f"rows of capacity {capacity}; it must be at least 1")
        self.capacity, self.channels, self.sets = capacity, channels, sets
        self._columns = PhasorReports(
            np.zeros(capacity, np.int64),
            np.zeros(capacity, np.uint16),
            np.zeros(capacity),
            np.zeros(capacity),
            np.zeros((capacity, channels)),
            np.zeros((capacity, channels)),
            np.zeros((capacity, sets, 3)),
            np.zeros((capacity, sets, 3)),
        )
        self._c = ffi.new("gw_phasor_rows *")
        self._c.capacity = capacity
        for name in PhasorReports.__slots__:
            column = getattr(self._columns, name)
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
        columns = (getattr(self._columns, name)[:n].copy() for name in PhasorReports.__slots__)
        return PhasorReports(*columns)


class Phasors:
    """The estimator of one stream, designed to the limits of IEC/IEEE 60255-118-1:2018.

    rate:        samples per second, 1000..32768.
    nominal:     50 or 60 Hz.
    reporting:   reports per second: 10, 25, 50 or 100 at 50 Hz; 10, 12, 15, 20, 30, 60 or 120 at
                 60 Hz.  They belong to the instants second + k/reporting, UTC.
    performance: the class, "P" or "M".
    sets:        three phases, as channels in their order, or one channel; frequency and its rate
                 of change are those of the first set.
    scale:       unit per count, of each channel.
    turn:        rad to be added to the angle of each channel, for the error of its transformer.
    hold:        a gap of up to so many rows is filled with the row before it.
    least:       the magnitude below which the first set has no frequency.

    Samples are rows of int32; channel *c* is column *c*, and more columns than channels are left.
    A row's time is its index, second * rate + number in the second, from the Unix epoch.
    One thread at a time: the kernel takes no locks, and calls release the GIL.

    Raises ValueError for what cannot be.
    """

    __slots__ = ("_c", "_memory", "channels", "delay", "sets")

    def __init__(
        self,
        *,
        rate: int,
        nominal: int,
        reporting: int,
        performance: Performance,
        sets: Sequence[Sequence[int]],
        scale: Sequence[float],
        turn: Sequence[float] | None = None,
        hold: int = 0,
        least: float = 0.0,
    ) -> None:
        if performance not in _PERFORMANCES:
            raise ValueError(f"class {performance!r}; there are {', '.join(_PERFORMANCES)}")
        turns = [0.0] * len(scale) if turn is None else list(turn)
        if len(turns) != len(scale):
            raise ValueError(f"{len(scale)} channels have a scale and {len(turns)} a turn")
        wrong = [tuple(phases) for phases in sets if len(phases) not in (1, 3)]
        if wrong:
            raise ValueError(f"set {wrong[0]}; a set is three channels, or one")
        flat = [c for phases in sets for c in (*phases, *[-1] * (3 - len(phases)))]
        config = ffi.new("gw_phasor_config *")
        # These live until the kernel has copied them.
        c_set, c_scale = ffi.new("int32_t[]", flat), ffi.new("double[]", list(scale))
        c_turn = ffi.new("double[]", turns)
        config.rate, config.nominal, config.reporting = rate, nominal, reporting
        config.performance, config.hold = _PERFORMANCES[performance], hold
        config.channels, config.sets, config.least = len(scale), len(sets), least
        config.set, config.scale, config.turn = c_set, c_scale, c_turn

        self._memory = np.zeros(max(0, lib.gw_phasor_size(config)) // 8 + 1)
        memory = _from_buffer("char[]", self._memory, require_writable=True)
        code: int = lib.gw_phasor_init(memory, len(memory), config)
        if code < 0:
            raise KernelError(
                code,
                f"{rate} samples/s, {nominal} Hz, {reporting} reports/s, class {performance}, "
                f"{len(scale)} channels, sets {[tuple(phases) for phases in sets]}, hold {hold}",
            )
        self._c = ffi.cast("gw_phasor *", memory)
        self.channels, self.sets = len(scale), len(sets)
        self.delay: int = lib.gw_phasor_delay(self._c)
        """Rows after a report's own that complete it."""

    @property
    def held(self) -> int:
        """Rows that were missing and were filled, so far."""
        held: int = lib.gw_phasor_held(self._c)
        return held

    def rows(self, capacity: int) -> PhasorRows:
        """Return rows for the reports of this estimator."""
        return PhasorRows(capacity, self.channels, self.sets)

    def reports(self, rows: int, index: int) -> int:
        """Return how many reports a push of so many rows at this index would append.

        Raises KernelError where the index is not after the rows that were there before.
        """
        count: int = lib.gw_phasor_reports(self._c, rows, index)
        if count < 0:
            raise KernelError(count, f"{rows} rows from index {index}")
        return count

    def push(
        self, samples: SampleRows, index: int, quality: QualityColumn | None, reports: PhasorRows
    ) -> int:
        """Take rows of samples, the first of this index; return the number of reports appended.

        quality: of each row; None where all are good.
        Raises KernelError, with nothing changed, where the index is not after the rows that were
        there before or `reports` has too few free; ValueError where an array is of the wrong type
        or shape, or not contiguous.
        """
        shape = samples.shape
        if samples.dtype != _INT32 or len(shape) != 2 or shape[1] < self.channels:
            raise ValueError(
                f"samples must be int32 rows of {self.channels} or more, got {samples.dtype}{shape}"
            )
        n, stride = shape
        marks: Any = ffi.NULL
        if quality is not None:
            if quality.dtype != _UINT16 or quality.shape != (n,):
                raise ValueError(
                    f"quality must be uint16 of {n} rows, got {quality.dtype}{quality.shape}"
                )
            marks = _from_buffer("uint16_t[]", quality)
        if reports.channels != self.channels or reports.sets != self.sets:
            raise ValueError(
                f"rows of {reports.channels} channels and {reports.sets} sets for an estimator "
                f"of {self.channels} and {self.sets}"
            )
        block = _from_buffer("int32_t[]", samples)
        count: int = _push(self._c, block, n, stride, index, marks, reports._c)
        if count < 0:
            raise KernelError(count, f"{n} rows from index {index}, {reports.free} reports free")
        return count

    def sums(self) -> tuple[int, int, IntegerSums]:
        """Return the exact sums of class P after the last row, for whoever wants to check them.

        Row in the middle of their window, bits of their cosine's amplitude 2^bits, and real and
        imaginary part of each channel.  Raises KernelError where they are not made.
        """
        out = np.zeros((self.channels, 2), np.int64)
        bits = ffi.new("int32_t *")
        row: int = lib.gw_phasor_sums(
            self._c, _from_buffer("int64_t[]", out, require_writable=True), bits
        )
        if row < 0:
            raise KernelError(row)
        return row, bits[0], out
