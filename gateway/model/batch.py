"""Samples as parallel columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

PointColumn: TypeAlias = npt.NDArray[np.int32]
ValueColumn: TypeAlias = npt.NDArray[np.float64]
QualityColumn: TypeAlias = npt.NDArray[np.uint16]
TimeColumn: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Samples as columns of one length *n*; row *i* of each column is one sample.

    point:   int32 (n,), ids of points.
    value:   float64 (n,), in the point's unit; a status is 0.0 or 1.0,
             a double-point status 0.0 to 3.0 (intermediate, off, on, bad);
             integers are exact up to 2**53.
    quality: uint16 (n,), `Quality` flags.
    time:    int64 (n,), nanoseconds since the Unix epoch, UTC;
             the device's own time where the quality has `DEVICE_TIME`, else the time of receipt.

    A batch is shared between sinks: nobody writes into its columns.
    """

    point: PointColumn
    value: ValueColumn
    quality: QualityColumn
    time: TimeColumn

    @classmethod
    def of(
        cls,
        point: npt.ArrayLike,
        value: npt.ArrayLike,
        quality: npt.ArrayLike = 0,
        time: npt.ArrayLike = 0,
    ) -> Batch:
        """Make a batch from anything array-like; a scalar stands for the whole column.

        Raises ValueError where the lengths do not fit.
        """
        points = np.atleast_1d(np.asarray(point, np.int32))
        n = points.shape[0]

        def column(data: npt.ArrayLike, dtype: npt.DTypeLike) -> npt.NDArray[np.generic]:
            array = np.asarray(data, dtype)
            if array.ndim == 0:
                return np.full(n, array, dtype)
            if array.shape != (n,):
                raise ValueError(f"column of shape {array.shape} beside {n} points")
            return np.ascontiguousarray(array)

        return cls(
            np.ascontiguousarray(points),
            column(value, np.float64),  # type: ignore[arg-type]
            column(quality, np.uint16),  # type: ignore[arg-type]
            column(time, np.int64),  # type: ignore[arg-type]
        )

    @classmethod
    def concat(cls, batches: Iterable[Batch]) -> Batch:
        """Return the rows of all batches, in their order."""
        parts = list(batches)
        if len(parts) == 1:
            return parts[0]
        if not parts:
            return EMPTY
        return cls(
            np.concatenate([part.point for part in parts]),
            np.concatenate([part.value for part in parts]),
            np.concatenate([part.quality for part in parts]),
            np.concatenate([part.time for part in parts]),
        )

    def take(self, rows: Mask | npt.NDArray[np.intp] | slice) -> Batch:
        """Return the rows that a mask, an index array or a slice selects."""
        return Batch(self.point[rows], self.value[rows], self.quality[rows], self.time[rows])

    def __len__(self) -> int:
        return len(self.point)


EMPTY = Batch.of([], [], [], [])
