"""A sink that hears waveforms, and a source that hands over what a test gives it."""

from __future__ import annotations

import asyncio
from typing import Literal

from pydantic import PrivateAttr

from gateway import Sink, SinkContext, SourceContext
from gateway.waveform import Waveform, WaveformSource


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


class Feeder(WaveformSource):
    """A merging unit in memory."""

    type: Literal["testing.feeder"] = "testing.feeder"
    _ctx: asyncio.Future[SourceContext] | None = PrivateAttr(None)

    async def run(self, ctx: SourceContext) -> None:
        ctx.up()
        self._door().set_result(ctx)
        await asyncio.Event().wait()

    def _door(self) -> asyncio.Future[SourceContext]:
        if self._ctx is None:
            self._ctx = asyncio.get_running_loop().create_future()
        return self._ctx

    async def hand(self, waveform: Waveform) -> None:
        await (await self._door()).emit_waveform(waveform)
