"""Data frames of IEEE C37.118.2-2011 and rows, in batches."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gateway.kernel._kernel import ffi, lib
from gateway.kernel.c37_config import Configuration, c_block
from gateway.kernel.c37_frame import Octets
from gateway.kernel.error import KernelError
from gateway.model.batch import QualityColumn

_unpack = lib.gw_c37_unpack
_pack = lib.gw_c37_pack
_from_buffer = ffi.from_buffer

_CTYPES = {
    "int64": "int64_t[]",
    "uint8": "uint8_t[]",
    "uint16": "uint16_t[]",
    "float64": "double[]",
}
_COLUMNS = (
    "time",
    "time_quality",
    "stat",
    "quality",
    "frequency",
    "rocof",
    "phasor",
    "analog",
    "digital",
)


class DataRows:
    """Columns for `capacity` data frames of a stream, one row each; `count` of them hold something.

    time:         ns since the Unix epoch, UTC.
    time_quality: the highest octet of FRACSEC (table 3).
    stat, quality, frequency [Hz], rocof [Hz/s]: of each PMU, shape (rows, PMUs); quality follows
                  from the first two when frames are unpacked, and is not read when they are packed.
    phasor:       shape (rows, phasors, 2): real and imaginary part in V or A, or magnitude in V
                  or A and angle in rad, as the PMU sends them.
    analog:       shape (rows, analogs).
    digital:      words of 16 bits, shape (rows, digitals).

    What is absent is NaN.  Owned by one thread at a time.
    """

    __slots__ = ("_c", "_count", "capacity", *_COLUMNS)

    def __init__(self, capacity: int, pmus: int, phasors: int, analogs: int, digitals: int) -> None:
        if capacity < 1:
            raise ValueError(f"rows of capacity {capacity}; it must be at least 1")
        self.capacity = capacity
        self.time = np.zeros(capacity, np.int64)
        self.time_quality = np.zeros(capacity, np.uint8)
        self.stat = np.zeros((capacity, pmus), np.uint16)
        self.quality = np.zeros((capacity, pmus), np.uint16)
        self.frequency = np.zeros((capacity, pmus))
        self.rocof = np.zeros((capacity, pmus))
        self.phasor = np.zeros((capacity, phasors, 2))
        self.analog = np.zeros((capacity, analogs))
        self.digital = np.zeros((capacity, digitals), np.uint16)
        self._c = ffi.new("gw_c37_rows *")
        self._c.capacity = capacity
        for name in _COLUMNS:
            column = getattr(self, name)
            memory = _from_buffer(_CTYPES[column.dtype.name], column, require_writable=True)
            setattr(self._c, name, memory)

    @property
    def count(self) -> int:
        """Rows that hold something."""
        count: int = self._c.count
        return count

    @count.setter
    def count(self, count: int) -> None:
        if not 0 <= count <= self.capacity:
            raise ValueError(f"{count} rows of {self.capacity}")
        self._c.count = count


class DataLayout:
    """How the data frames of a stream are laid out, made once for each configuration.

    size: octets of a frame.
    Integers are scaled as the configuration says; floats are in their units already (table 5).
    Calls release the GIL; a layout is only read, so threads may share it.

    Raises ValueError for a configuration whose frames would be too long, or whose scale is 0.
    """

    __slots__ = ("_c", "_memory", "_shape", "configuration", "size")

    def __init__(self, configuration: Configuration, *, version: int = 2) -> None:
        pmus = configuration.pmus
        scales, turns, analog_scales, offsets = [], [], [], []
        for pmu in pmus:
            for phasor in pmu.phasors:
                scales.append(1.0 if pmu.float_phasors else phasor.scale)
                turns.append(0.0 if pmu.float_phasors else phasor.turn)
            for analog in pmu.analogs:
                # A scale of 0 says nothing (table 9 leaves it to the user).
                analog_scales.append(1.0 if pmu.float_analogs else analog.scale or 1.0)
                offsets.append(0.0 if pmu.float_analogs else analog.offset)
        stream = ffi.new("gw_c37_stream *")
        keep = [
            ffi.new("gw_c37_block[]", [c_block(pmu) for pmu in pmus]),
            *(ffi.new("double[]", column) for column in (scales, turns, analog_scales, offsets)),
        ]
        stream.idcode, stream.version = configuration.idcode, version
        stream.time_base, stream.pmus = configuration.time_base, len(pmus)
        stream.block, stream.phasor_scale, stream.phasor_turn = keep[:3]
        stream.analog_scale, stream.analog_offset = keep[3:]
        self._memory = np.zeros(max(0, lib.gw_c37_layout_size(stream)) // 8 + 1)
        memory = _from_buffer("char[]", self._memory, require_writable=True)
        size: int = lib.gw_c37_layout_init(memory, len(memory), stream)
        if size < 0:
            raise KernelError(
                size, f"stream {configuration.idcode}, {len(pmus)} PMUs, {len(scales)} phasors"
            )
        self.size = size
        self.configuration = configuration
        self._c = ffi.cast("gw_c37_layout *", memory)
        words = sum(len(pmu.digitals) for pmu in pmus)
        self._shape = (len(pmus), len(scales), len(offsets), words)

    def rows(self, capacity: int) -> DataRows:
        """Return rows for the frames of this stream."""
        return DataRows(capacity, *self._shape)

    def _check(self, rows: DataRows) -> None:
        theirs = tuple(c.shape[1] for c in (rows.stat, rows.phasor, rows.analog, rows.digital))
        if theirs != self._shape:
            raise ValueError(
                f"rows of {theirs} PMUs, phasors, analogs, digitals for a stream of {self._shape}"
            )

    def unpack(self, octets: Octets, rows: DataRows) -> tuple[int, int]:
        """Append the data frames at the start of these octets; return rows and octets taken.

        Stops before the first frame that is not all there or cannot be taken.
        Raises KernelError where that is the very first one, with the kernel's code: no frame, or
        one of another kind or stream, another length, a wrong check, or no row free.
        """
        self._check(rows)
        used = ffi.new("int64_t *")
        count: int = _unpack(self._c, _from_buffer("uint8_t[]", octets), len(octets), rows._c, used)
        if count < 0:
            raise KernelError(count, f"{len(octets)} octets, {bytes(octets[:16]).hex(' ')}")
        return count, used[0]

    def pack(self, rows: DataRows, first: int = 0, count: int | None = None) -> tuple[bytes, int]:
        """Return rows as frames, one after the other, and how many values did not fit.

        Those and NaN are sent as absent.  All rows from the first one unless counted.
        Raises KernelError for rows that are not there, or a time outside 1970..2106.
        """
        self._check(rows)
        n = rows.count - first if count is None else count
        out = ffi.new("uint8_t[]", max(0, n) * self.size)
        unfit = ffi.new("int64_t *")
        made: int = _pack(self._c, rows._c, first, n, out, len(out), unfit)
        if made < 0:
            raise KernelError(made, f"rows {first}..{first + n - 1} of {rows.count}")
        whole: bytes = ffi.buffer(out, made)[:]
        return whole, unfit[0]


def _flat(column: npt.NDArray[Any], dtype: type, what: str) -> Any:
    if column.dtype != dtype:
        raise ValueError(f"{what} must be {np.dtype(dtype)}, got {column.dtype}")
    contiguous = np.ascontiguousarray(column)
    return _from_buffer(_CTYPES[column.dtype.name], contiguous)


def stat_of(quality: QualityColumn) -> QualityColumn:
    """Return STAT (table 7) for each quality, uint16 of any shape."""
    stat = np.zeros(quality.shape, np.uint16)
    memory = _from_buffer("uint16_t[]", stat, require_writable=True)
    lib.gw_c37_stat(quality.size, _flat(quality, np.uint16, "quality"), memory)
    return stat


def quality_of(stat: QualityColumn, time_quality: npt.NDArray[np.uint8]) -> QualityColumn:
    """Return the quality for each STAT and time quality, uint16 and uint8 of one shape."""
    if stat.shape != time_quality.shape:
        raise ValueError(f"stat of shape {stat.shape}, time quality of {time_quality.shape}")
    quality = np.zeros(stat.shape, np.uint16)
    memory = _from_buffer("uint16_t[]", quality, require_writable=True)
    stats, times = _flat(stat, np.uint16, "stat"), _flat(time_quality, np.uint8, "time quality")
    lib.gw_c37_quality(stat.size, stats, times, memory)
    return quality
