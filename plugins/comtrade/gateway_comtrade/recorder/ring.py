"""The last seconds of a waveform."""

from __future__ import annotations

from collections import deque
from enum import Enum

import numpy as np

from gateway.waveform import Waveform

NANO = 1_000_000_000


class Taken(Enum):
    """What became of a block."""

    KEPT = "kept"
    AGAIN = "again"
    """Its rows were there already."""
    ANEW = "anew"
    """It is another waveform, or its clock was set back: what was kept before is gone."""


class Ring:
    """Blocks of one rate with the same channels, in order, until they are forgotten."""

    def __init__(self) -> None:
        self._blocks: deque[Waveform] = deque()

    def fits(self, block: Waveform) -> bool:
        """Return whether a block goes on with what is kept: the same waveform, not set back."""
        if not self._blocks:
            return True
        last = self._blocks[-1]
        same = last.rate == block.rate and last.channels == block.channels
        return same and block.index + len(block) > last.index + len(last) - block.rate

    def take(self, block: Waveform) -> Taken:
        """Keep a block; rows that were there already are left out."""
        taken = Taken.KEPT
        if not self.fits(block):
            self._blocks.clear()
            taken = Taken.ANEW
        if self._blocks:
            last = self._blocks[-1]
            again = last.index + len(last) - block.index
            if again >= len(block):
                return Taken.AGAIN
            if again > 0:
                quality = None if block.quality is None else block.quality[again:]
                index = block.index + again
                block = Waveform(
                    block.rate,
                    block.channels,
                    index,
                    np.ascontiguousarray(block.samples[again:]),
                    quality,
                )
        if len(block):
            self._blocks.append(block)
        return taken

    def forget(self, before: int) -> None:
        """Forget blocks that end before a time [ns UTC]; the newest one stays."""
        while len(self._blocks) > 1 and self._blocks[0].time(len(self._blocks[0])) < before:
            self._blocks.popleft()

    @property
    def oldest(self) -> int:
        """Time of the first row [ns UTC]; 0 where there is none."""
        return self._blocks[0].time() if self._blocks else 0

    @property
    def newest(self) -> int:
        """Time behind the last row [ns UTC]; 0 where there is none."""
        return self._blocks[-1].time(len(self._blocks[-1])) if self._blocks else 0

    def between(self, start: int, end: int) -> list[Waveform]:
        """Return the blocks that have rows from `start` to before `end` [ns UTC]."""
        return [b for b in self._blocks if b.time() < end and b.time(len(b)) > start]
