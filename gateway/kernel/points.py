"""The points table: how every point is judged, and the last sample reported of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from gateway.kernel._kernel import ffi, lib
from gateway.kernel.error import KernelError
from gateway.kernel.rows import Rows
from gateway.model.batch import Batch, QualityColumn, TimeColumn, ValueColumn
from gateway.model.quality import Quality

if TYPE_CHECKING:
    from gateway.kernel.plan import Plan

KindColumn: TypeAlias = npt.NDArray[np.uint8]

ABSOLUTE: int = lib.GW_ABSOLUTE
INTEGRATED: int = lib.GW_INTEGRATED
HELD = Quality(lib.GW_HELD)
MARKS = Quality(lib.GW_MARKS)

_decode = lib.gw_points_decode
_judge = lib.gw_points_judge
_from_buffer = ffi.from_buffer

_INT32 = np.dtype(np.int32)
_FLOAT64 = np.dtype(np.float64)
_UINT16 = np.dtype(np.uint16)
_INT64 = np.dtype(np.int64)

# Column, type in C, and what it holds before anybody sets it.
_COLUMNS: tuple[tuple[str, str, npt.DTypeLike, float], ...] = (
    ("scale", "double[]", np.float64, 1.0),
    ("offset", "double[]", np.float64, 0.0),
    ("low", "double[]", np.float64, -np.inf),
    ("high", "double[]", np.float64, np.inf),
    ("rate", "double[]", np.float64, np.inf),
    ("deadband", "double[]", np.float64, 0.0),
    ("deadband_kind", "uint8_t[]", np.uint8, ABSOLUTE),
    ("value", "double[]", np.float64, np.nan),
    ("quality", "uint16_t[]", np.uint16, Quality.INVALID | Quality.OLD_DATA),
    ("time", "int64_t[]", np.int64, 0),
    ("previous", "double[]", np.float64, np.nan),
    ("previous_time", "int64_t[]", np.int64, 0),
    ("area", "double[]", np.float64, 0.0),
    ("mark", "uint16_t[]", np.uint16, 0),
    ("said_value", "double[]", np.float64, np.nan),
    ("said_quality", "uint16_t[]", np.uint16, Quality.INVALID | Quality.OLD_DATA),
    ("said_time", "int64_t[]", np.int64, 0),
    ("withheld", "int64_t[]", np.int64, 0),
)


@dataclass(frozen=True, eq=False)
class Points:
    """Columns of length `n`; the index is the point's id.

    Parameters, written in place (`points.low[3] = 0.0`) and seen by the next call:

    scale, offset:  v = raw * scale + offset.
    low, high:      range [unit]; -inf and inf for none.
    rate:           most change [unit/s] between two samples; inf for none.
    deadband:       [unit], or [unit*s] where its kind is integrated; 0 reports every change,
                    below zero every sample.
    deadband_kind:  `ABSOLUTE`, or `INTEGRATED`: report when the area between the samples and the
                    value last reported has reached the deadband.

    Plans look at `rate` and `deadband_kind` when they are compiled: set those two before.

    The image, the last *reported* sample of each point: value [unit], quality, time [ns since the
    Unix epoch, UTC]; before the first NaN, invalid and oldData, 0.
    To restore it, write all three; a point of time 0 has its next sample reported, whatever it is.

    Marks are what the gateway itself says of a point, whatever its device says; `put` sets them.
    mark:       bits of `MARKS`, or 0; with one of `HELD` the point does not show its device.
    said_value, said_quality, said_time: of a marked point, what its device said, judged as ever.
    withheld:   samples that would have been reported, had the point not been held.

    One thread at a time: the kernel takes no locks, and calls release the GIL.
    """

    n: int
    scale: ValueColumn = field(init=False, repr=False)
    offset: ValueColumn = field(init=False, repr=False)
    low: ValueColumn = field(init=False, repr=False)
    high: ValueColumn = field(init=False, repr=False)
    rate: ValueColumn = field(init=False, repr=False)
    deadband: ValueColumn = field(init=False, repr=False)
    deadband_kind: KindColumn = field(init=False, repr=False)
    value: ValueColumn = field(init=False, repr=False)
    quality: QualityColumn = field(init=False, repr=False)
    time: TimeColumn = field(init=False, repr=False)
    mark: QualityColumn = field(init=False, repr=False)
    said_value: ValueColumn = field(init=False, repr=False)
    said_quality: QualityColumn = field(init=False, repr=False)
    said_time: TimeColumn = field(init=False, repr=False)
    withheld: TimeColumn = field(init=False, repr=False)
    _c: Any = field(init=False, repr=False)
    _history: tuple[npt.NDArray[Any], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not 0 <= self.n < 2**31:
            raise ValueError(f"a table of {self.n} points; it must be 0 to {2**31 - 1}")
        table = ffi.new("gw_points *")
        table.n = self.n
        history = []
        for name, ctype, dtype, start in _COLUMNS:
            column = np.full(self.n, start, dtype)
            setattr(table, name, _from_buffer(ctype, column, require_writable=True))
            if name in self.__dataclass_fields__:
                object.__setattr__(self, name, column)
            else:
                history.append(column)
        object.__setattr__(self, "_c", table)
        object.__setattr__(self, "_history", tuple(history))

    def __len__(self) -> int:
        return self.n

    def decode(
        self,
        plan: Plan,
        data: bytes | bytearray | memoryview,
        time: int,
        quality: int,
        rows: Rows,
    ) -> int:
        """Decode a raw block, judge each field, append what is to be reported, return how many.

        time [ns since the Unix epoch, UTC] is the time of every sample of the block;
        quality are flags of the whole block, merged into each sample's.
        Costs the least with `bytes`.  Raises KernelError, with nothing changed, where the block is
        shorter than `plan.length`, `rows` has less than `plan.size` free, or the plan is of
        another table.
        """
        block = data if type(data) is bytes else _from_buffer("uint8_t[]", data)
        count: int = _decode(self._c, plan._c, block, len(block), time, quality, rows._c)
        if count < 0:
            raise KernelError(count, plan.numbers(len(block), rows))
        return count

    def judge(self, batch: Batch, every: bool, rows: Rows) -> int:
        """Judge the samples of a batch in order, append what is to be reported, return how many.

        every: report all of them (events), not only what changed.
        Raises KernelError, with nothing changed, where an id lies outside the table or `rows` has
        less free than the batch has samples; ValueError where the columns are not those of a
        batch, or not contiguous.
        """
        if not len(batch):
            return 0
        point, value, moment = batch.point, batch.value, batch.time
        # from_buffer takes any type, and refuses only what is not contiguous.
        if (
            point.dtype != _INT32
            or value.dtype != _FLOAT64
            or batch.quality.dtype != _UINT16
            or moment.dtype != _INT64
        ):
            raise ValueError(_shapes(batch))
        points = _from_buffer("int32_t[]", point)
        values = _from_buffer("double[]", value)
        qualities = _from_buffer("uint16_t[]", batch.quality)
        times = _from_buffer("int64_t[]", moment)
        n = len(points)
        if len(values) != n or len(qualities) != n or len(times) != n:
            raise ValueError(_shapes(batch))
        count: int = _judge(self._c, n, points, values, qualities, times, every, rows._c)
        if count < 0:
            raise KernelError(
                count,
                f"{n} samples of points {point.min()} to {point.max()}, "
                f"a table of {self.n} points, {rows.free} rows free",
            )
        return count

    def put(self, point: int, mark: int, value: float, quality: int, time: int, rows: Rows) -> None:
        """Report this sample of a point, as it stands, and have these marks on it from now on.

        mark: bits of `MARKS`, which the quality gets as well; with 0 the point is its device's
        again, and its next sample is compared with this one.
        Raises ValueError for any other mark, and KernelError where no row is free.
        """
        if mark & ~MARKS:
            raise ValueError(f"a mark of {mark:#06x}; its bits must be of {int(MARKS):#06x}")
        row = (point, value, quality | mark, time)
        rows.append(row)
        if not self.mark[point]:
            self.said_value[point] = self.value[point]
            self.said_quality[point] = self.quality[point]
            self.said_time[point] = self.time[point]
        self.mark[point] = mark
        _, self.value[point], self.quality[point], self.time[point] = row


def _shapes(batch: Batch) -> str:
    names = ("point", "value", "quality", "time")
    columns = (getattr(batch, name) for name in names)
    found = (f"{name} {c.dtype}{c.shape}" for name, c in zip(names, columns, strict=True))
    return f"columns must be int32, float64, uint16, int64 of one length, got {', '.join(found)}"
