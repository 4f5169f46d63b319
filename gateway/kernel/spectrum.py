"""Spectra: the coefficients and the scratch of harmonics, which meters share."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gateway.kernel._kernel import ffi, lib
from gateway.kernel.error import KernelError
from gateway.kernel.waveform import check_samples, room
from gateway.model.waveform import Samples

LANES = 8


class Spectrum:
    """For windows that are resampled to `points`, a power of two from 64 to 8192.

    Meters that one thread pushes can share one; `Meter` makes its own where none is given.
    """

    __slots__ = ("_c", "_memory", "points")

    def __init__(self, points: int) -> None:
        size: int = lib.gw_spectrum_size(points)
        if size < 0:
            raise KernelError(size, f"{points} points; a power of two from 64 to 8192")
        self.points = points
        self._memory = room(size)
        self._c: Any = ffi.cast("gw_spectrum *", self._memory)
        lib.gw_spectrum_init(self._c, size, points)

    def lines(self, rows: Samples, start: float, length: float, n: int) -> npt.NDArray[np.float64]:
        """Return the rms [counts] of lines 0 .. n-1 of a window: n rows of 8 lanes.

        rows: rows of 8 lanes; the window of `length` rows begins at `start` and needs 16 rows
        before it and after it.  Line k has k periods in the window; line 0 is not a constant.
        Raises KernelError where the window does not lie in the rows, or n is not 1 .. points / 2.
        """
        check_samples(rows, LANES)
        squares = np.empty((max(n, 1), LANES))
        code: int = lib.gw_spectrum_lines(
            self._c,
            ffi.from_buffer("int32_t[]", rows),
            len(rows),
            start,
            length,
            n,
            ffi.from_buffer("double[]", squares, require_writable=True),
        )
        if code < 0:
            numbers = f"{length} rows from {start} of {len(rows)}, 16 besides; {n} lines of 1.."
            raise KernelError(code, f"{numbers}{self.points // 2}")
        return np.sqrt(squares)
