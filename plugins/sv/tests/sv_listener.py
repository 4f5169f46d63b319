"""A sink that keeps the waveforms of a source."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import PrivateAttr

from gateway import Sink, SinkContext
from gateway.waveform import Waveform


class Listener(Sink):
    """Hears one source."""

    type: Literal["testing.listener"] = "testing.listener"
    hears: str = "mu"
    select: tuple[str, ...] = ("none",)
    _heard: list[Waveform] = PrivateAttr(default_factory=list)

    async def run(self, ctx: SinkContext) -> None:
        waveforms = ctx.waveforms(self.hears)
        ctx.up()
        async for waveform in waveforms:
            self._heard.append(waveform)

    @property
    def heard(self) -> list[Waveform]:
        return self._heard

    def index(self) -> npt.NDArray[np.int64]:
        """The index of each row, in the order of their coming."""
        parts = [one.index + np.arange(len(one)) for one in self._heard]
        return np.concatenate(parts) if parts else np.zeros(0, np.int64)

    def samples(self) -> npt.NDArray[np.int32]:
        return np.concatenate([one.samples for one in self._heard])

    def quality(self) -> npt.NDArray[np.uint16]:
        none = [
            np.zeros(len(one), np.uint16) if one.quality is None else one.quality
            for one in self._heard
        ]
        return np.concatenate(none)
