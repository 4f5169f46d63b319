"""Rows: where the kernel puts what is to be reported."""

from __future__ import annotations

import numpy as np

from gateway.kernel._kernel import ffi, lib
from gateway.kernel.error import KernelError
from gateway.model.batch import Batch


class Rows:
    """Output columns for `capacity` samples, filled by calls and emptied by `drain`.

    Owned by one thread at a time, like the points table.
    """

    __slots__ = ("_c", "_point", "_quality", "_time", "_value", "capacity")

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise ValueError(f"rows of capacity {capacity}; it must be at least 1")
        self.capacity = capacity
        self._point = np.zeros(capacity, np.int32)
        self._value = np.zeros(capacity, np.float64)
        self._quality = np.zeros(capacity, np.uint16)
        self._time = np.zeros(capacity, np.int64)
        self._c = ffi.new("gw_rows *")
        self._c.capacity = capacity
        self._c.point = ffi.from_buffer("int32_t[]", self._point, require_writable=True)
        self._c.value = ffi.from_buffer("double[]", self._value, require_writable=True)
        self._c.quality = ffi.from_buffer("uint16_t[]", self._quality, require_writable=True)
        self._c.time = ffi.from_buffer("int64_t[]", self._time, require_writable=True)

    @property
    def count(self) -> int:
        """Rows waiting to be drained."""
        count: int = self._c.count
        return count

    @property
    def free(self) -> int:
        """Rows that may still be appended."""
        free: int = self.capacity - self._c.count
        return free

    def append(self, row: tuple[int, float, int, int]) -> None:
        """Add one row: point, value, quality, time; raises KernelError where none is free."""
        i = self.count
        if i == self.capacity:
            raise KernelError(lib.GW_ROWS_FULL, f"1 sample, 0 of {self.capacity} rows free")
        self._point[i], self._value[i], self._quality[i], self._time[i] = row
        self._c.count = i + 1

    def clear(self) -> None:
        """Forget the waiting rows."""
        self._c.count = 0

    def drain(self) -> Batch | None:
        """Return the waiting rows as a batch of its own and forget them; None if there are none."""
        n = self.count
        if n == 0:
            return None
        self.clear()
        return Batch(
            self._point[:n].copy(),
            self._value[:n].copy(),
            self._quality[:n].copy(),
            self._time[:n].copy(),
        )
