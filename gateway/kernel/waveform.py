"""Samples as the kernel takes them: rows of columns, int32."""

from __future__ import annotations

from typing import Any

import numpy as np

from gateway.kernel._kernel import ffi, lib
from gateway.model.batch import QualityColumn
from gateway.model.waveform import Samples

_INT32 = np.dtype(np.int32)
_UINT16 = np.dtype(np.uint16)
_from_buffer = ffi.from_buffer


def check_samples(rows: Samples, columns: int) -> None:
    """Raise ValueError where these are not rows of int32 with at least so many columns."""
    if rows.dtype != _INT32 or rows.ndim != 2 or not rows.flags.c_contiguous:
        raise ValueError(
            f"samples of {rows.dtype}, {rows.ndim} dimensions; they must be int32, "
            "2 dimensions, C-contiguous"
        )
    if rows.shape[1] < columns:
        raise ValueError(f"samples of {rows.shape[1]} columns; the stream has {columns}")


def flags(quality: QualityColumn | None, n: int) -> Any:
    """Return the qualities of n rows for the kernel, NULL for None.

    Raises ValueError where they are not uint16, n of them, contiguous.
    """
    if quality is None:
        return ffi.NULL
    if quality.dtype != _UINT16 or quality.shape != (n,) or not quality.flags.c_contiguous:
        raise ValueError(
            f"quality of {quality.dtype}, shape {quality.shape}; it must be uint16, ({n},), "
            "C-contiguous"
        )
    return _from_buffer("uint16_t[]", quality)


def room(size: int) -> Any:
    """Return memory for the kernel's state, fit for doubles."""
    return ffi.new("double[]", (size + 7) // 8)


def row_sums(rows: Samples) -> list[int]:
    """Return the exact sums over rows of 8 lanes: u*u, i*i, u*i, and u times the next phase's u.

    Four lanes of each: a, b, c, neutral; the last four are a*b, b*c, c*a and neutral's square.
    """
    check_samples(rows, 8)
    if rows.shape[1] != 8:
        raise ValueError(f"samples of {rows.shape[1]} columns; sums are of 8 lanes")
    high, low = ffi.new("uint64_t[16]"), ffi.new("uint64_t[16]")
    lib.gw_row_sums(_from_buffer("int32_t[]", rows), len(rows), high, low)
    signed = ffi.cast("int64_t *", high)
    return [signed[i] * 2**32 + low[i] for i in range(16)]
