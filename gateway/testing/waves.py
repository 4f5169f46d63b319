"""A source of waveforms in memory, and the waveforms of a circuit in closed form."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Literal

import numpy as np
from pydantic import PrivateAttr

from gateway.model.context import SourceContext
from gateway.model.errors import LinkError
from gateway.model.waveform import Channel, Samples, Waveform
from gateway.testing.wave import Tone, counts, three, wave
from gateway.waveform import WaveformPoint, WaveformSource

CIRCUIT = tuple(
    Channel(lane, 0.001 if lane.startswith("i") else 0.01, "A" if lane.startswith("i") else "V")
    for lane in ("ia", "ib", "ic", "in", "ua", "ub", "uc", "un")
)
"""Channels as IEC 61850-9-2LE has them: 1 mA and 10 mV."""


class SamplerPoint(WaveformPoint):
    """A result, or any text for a point that is none."""

    at: str | None = None


class Sampler(WaveformSource):
    """A source in memory: the test says what its sensors see."""

    Point = SamplerPoint
    type: Literal["testing.sampler"] = "testing.sampler"
    _ctx: SourceContext | None = PrivateAttr(None)
    _opened: asyncio.Event = PrivateAttr(default_factory=asyncio.Event)
    _broken: asyncio.Future[None] | None = PrivateAttr(None)

    async def run(self, ctx: SourceContext) -> None:
        self._ctx = ctx
        self._broken = asyncio.get_running_loop().create_future()
        self._opened.set()
        ctx.up()
        try:
            await self._broken
        finally:
            self._opened.clear()

    async def context(self) -> SourceContext:
        """Wait until the link is up, and return its context."""
        async with asyncio.timeout(10):
            await self._opened.wait()
        if self._ctx is None:
            raise RuntimeError("the link has no context")
        return self._ctx

    async def emit(self, waveform: Waveform, block: int | None = None) -> int:
        """Hand a waveform over, in blocks of so many rows; returns how many results it made."""
        ctx = await self.context()
        return sum([await ctx.emit_waveform(part) for part in in_parts(waveform, block)])

    def lose(self, why: str = "the test broke the link") -> None:
        """Break the connection; the host brings it back."""
        if self._broken is not None and not self._broken.done():
            self._broken.set_exception(LinkError(why))


def in_parts(waveform: Waveform, block: int | None) -> list[Waveform]:
    """Cut a waveform into blocks of so many rows."""
    step = block or len(waveform)
    return [
        Waveform(
            waveform.rate,
            waveform.channels,
            waveform.index + first,
            waveform.samples[first : first + step],
            None if waveform.quality is None else waveform.quality[first : first + step],
        )
        for first in range(0, len(waveform), step)
    ]


def circuit(
    second: int,
    seconds: float,
    *,
    volts: float = 230.0,
    amperes: float = 5.0,
    behind: float = 0.0,
    hertz: float = 50.0,
    rate: int = 4800,
) -> Waveform:
    """Return a balanced circuit of three phases without harmonics, from a UTC second on.

    The cosine of ua has its peak at the second, that of ia so many degrees behind.
    """
    phases: list[list[Tone]] = [
        *three(amperes, hertz, rate, {}, -behind),
        [],
        *three(volts, hertz, rate, {}),
        [],
    ]
    return Waveform(rate, CIRCUIT, second * rate, sampled(phases, CIRCUIT, rate, seconds))


def sampled(
    phases: Sequence[Sequence[Tone]], channels: Sequence[Channel], rate: int, seconds: float
) -> Samples:
    """Return the counts of tones, a column for each channel."""
    rows = round(rate * seconds)
    waves = [
        wave(tones, rate, rows) / channel.scale
        for tones, channel in zip(phases, channels, strict=True)
    ]
    return counts([np.asarray(one) for one in waves], 1.0)
