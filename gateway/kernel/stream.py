"""Streams of samples: what all that is measured of them has in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from gateway.kernel._kernel import ffi


@dataclass(frozen=True, slots=True)
class Stream:
    """Rows of int32 samples at a steady rate.

    rate:    [samples/s] 1000..32768.
    scale:   what a count is worth, of each column of a row, 1 to 32 of them [unit].
    nominal: 50 or 60 [Hz].
    hold:    up to so many missing rows are filled with the last one, whose results then are
             questionable; after a longer gap all begins anew.

    A row's time is its index: second since the Unix epoch * rate + number within the second.
    """

    rate: int
    scale: Sequence[float]
    nominal: int = 50
    hold: int = 0

    @property
    def columns(self) -> int:
        """Columns that a row has at least."""
        return len(self.scale)

    def _fill(self, c_stream: Any) -> Any:
        """Fill in the kernel's struct, and return what must live until it was read."""
        scale = ffi.new("double[]", list(self.scale))
        c_stream.rate, c_stream.nominal, c_stream.hold = self.rate, self.nominal, self.hold
        c_stream.columns, c_stream.scale = len(self.scale), scale
        return scale


class StreamState(NamedTuple):
    """Where a stream stands.

    next:       index of the row that is expected, 0 before the first.
    held:       missing rows that were filled.
    gaps, lost: gaps that were not, and their rows.
    """

    next: int
    held: int
    gaps: int
    lost: int
