"""Samples that wait for the frames of their instants."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gateway_c37118.server.stream import Flags, Index, Values

Qualities = npt.NDArray[np.uint16]


class Grid:
    """A sample of each column, for each of so many instants that follow each other."""

    def __init__(self, length: int, columns: int) -> None:
        self.length = length
        self._values = np.zeros((length, columns))
        self._qualities = np.zeros((length, columns), np.uint16)
        self._have = np.zeros((length, columns), np.bool_)

    def put(
        self,
        number: int | npt.NDArray[np.int64],
        column: Index,
        value: Values,
        quality: Qualities,
    ) -> None:
        """Keep samples for their instants; of two for one place the later row stays."""
        slot = number % self.length
        # numpy keeps the last of several values for one index.
        self._values[slot, column] = value
        self._qualities[slot, column] = quality
        self._have[slot, column] = True

    def have(self, number: int) -> Flags:
        """Return which columns have a sample of an instant; for reading only, until `take`."""
        have: Flags = self._have[number % self.length]
        return have

    def take(self, number: int, value: Values, quality: Qualities) -> None:
        """Put the samples of an instant into these columns, and forget them."""
        slot = number % self.length
        have = self._have[slot]
        value[have] = self._values[slot, have]
        quality[have] = self._qualities[slot, have]
        have[:] = False

    def clear(self) -> None:
        """Forget all samples."""
        self._have[:] = False
