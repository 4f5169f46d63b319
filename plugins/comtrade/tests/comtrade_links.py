"""A sink that hears waveforms."""

from __future__ import annotations

from typing import Literal

from pydantic import PrivateAttr

from gateway import Sink, SinkContext
from gateway.waveform import Waveform


class Listener(Sink):
    """Keeps the waveforms of a source."""

    type: Literal["testing.listener"] = "testing.listener"
    source: str
    _heard: list[Waveform] = PrivateAttr(default_factory=list)

    @property
    def heard(self) -> list[Waveform]:
        return self._heard

    async def run(self, ctx: SinkContext) -> None:
        waveforms = ctx.waveforms(self.source)
        ctx.up()
        async for waveform in waveforms:
            self._heard.append(waveform)
