"""Waveforms: blocks of raw samples of currents and voltages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from gateway.model.batch import QualityColumn

Samples: TypeAlias = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Channel:
    """A column of a waveform: its name, and what a count of it is worth [unit], primary."""

    name: str
    scale: float
    unit: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Waveform:
    """Samples at a steady rate, as rows that follow each other.

    rate:     samples per second, 1000 to 32768.
    channels: of the columns, 1 to 32.
    index:    of the first row: second since the Unix epoch, UTC, * rate + number within the second.
              All time comes from it, and never from when a block came.
    samples:  int32 (rows, channels), C-contiguous, in counts.
    quality:  uint16 (rows,), `Quality` flags of each row; None for good.

    A waveform is shared: nobody writes into its columns once it was handed over.
    """

    rate: int
    channels: tuple[Channel, ...]
    index: int
    samples: Samples
    quality: QualityColumn | None = None

    def __len__(self) -> int:
        return len(self.samples)

    def time(self, row: int = 0) -> int:
        """Return when a row was taken [ns since the Unix epoch, UTC]."""
        second, number = divmod(self.index + row, self.rate)
        return second * 1_000_000_000 + number * 1_000_000_000 // self.rate
