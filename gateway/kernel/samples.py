"""Rows of samples that the kernel made, for what it measures of them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gateway.kernel._kernel import ffi
from gateway.model.batch import QualityColumn
from gateway.model.waveform import Samples

_NULL = ffi.NULL


class Run(NamedTuple):
    """Rows that follow each other.

    first:   the index of the first; samples: int32, (rows, columns); quality: of each row.
    each:    of each value, (rows, columns), or None.
    """

    first: int
    samples: Samples
    quality: QualityColumn
    each: npt.NDArray[np.uint16] | None


class SampleRows:
    """Room for `capacity` rows of so many columns; what fills them begins anew.

    Owned by one thread at a time.
    """

    __slots__ = (
        "_c", "_each", "_first", "_index", "_quality", "_samples", "capacity", "columns"
    )  # fmt: skip

    def __init__(self, capacity: int, columns: int, *, each: bool = False) -> None:
        if capacity < 1:
            raise ValueError(f"rows of capacity {capacity}; it must be at least 1")
        self.capacity, self.columns = capacity, columns
        self._samples = np.zeros((capacity, columns), np.int32)
        self._quality = np.zeros(capacity, np.uint16)
        self._each = np.zeros((capacity, columns), np.uint16) if each else None
        self._first = np.zeros(capacity, np.int64)
        self._index = np.zeros(capacity, np.int64)
        c = self._c = ffi.new("gw_sample_rows *")
        c.capacity, c.columns = capacity, columns
        c.samples = _memory("int32_t[]", self._samples)
        c.quality = _memory("uint16_t[]", self._quality)
        c.each = _NULL if self._each is None else _memory("uint16_t[]", self._each)
        c.run_first = _memory("int64_t[]", self._first)
        c.run_index = _memory("int64_t[]", self._index)

    @property
    def count(self) -> int:
        """Rows that there are."""
        count: int = self._c.count
        return count

    def __iter__(self) -> Iterator[Run]:
        """Yield the rows, as views: what fills them anew changes these."""
        c = self._c
        firsts = [*self._first[: c.runs].tolist(), c.count]
        for run, (first, end) in enumerate(pairwise(firsts)):
            rows = slice(first, end)
            each = None if self._each is None else self._each[rows]
            yield Run(int(self._index[run]), self._samples[rows], self._quality[rows], each)


def _memory(ctype: str, column: npt.NDArray[Any]) -> Any:
    return ffi.from_buffer(ctype, column, require_writable=True)
