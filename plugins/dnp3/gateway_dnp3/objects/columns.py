"""Measurements as parallel columns: row *i* of each column is one measurement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

NO_TIME = -1
ONLINE = 0x01


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """What one object header holds, or shall hold.

    `time` is in milliseconds since 1970-01-01 UTC, NO_TIME where there is none.
    `relative` says that it counts from the common time of occurrence before it (g51).
    `synchronised` is false where that common time says that the outstation's clock was not.
    State bits stand in `value` and are clear in `flags`.
    """

    group: int
    variation: int
    index: NDArray[np.int32]
    value: NDArray[np.float64]
    flags: NDArray[np.uint8]
    time: NDArray[np.int64]
    relative: bool = False
    synchronised: bool = True

    @classmethod
    def of(
        cls,
        group: int,
        variation: int,
        index: ArrayLike,
        value: ArrayLike,
        flags: ArrayLike = ONLINE,
        time: ArrayLike = NO_TIME,
        *,
        synchronised: bool = True,
    ) -> Columns:
        """Return columns made from anything numpy takes; one flag or time may serve all rows."""
        at = np.asarray(index, np.int32)

        def column(given: ArrayLike, dtype: Any) -> NDArray[Any]:
            return np.ascontiguousarray(np.broadcast_to(np.asarray(given, dtype), at.shape))

        return cls(
            group,
            variation,
            at,
            column(value, np.float64),
            column(flags, np.uint8),
            column(time, np.int64),
            synchronised=synchronised,
        )

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, rows: slice) -> Columns:
        """Return some of the rows; the columns are views."""
        return Columns(
            self.group,
            self.variation,
            self.index[rows],
            self.value[rows],
            self.flags[rows],
            self.time[rows],
            self.relative,
            self.synchronised,
        )
