"""A gateway with a merging unit, a relay and a recorder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from gateway_comtrade.recorder.sink import Recorder

from gateway.testing import Emitter, Running, Sampler, running
from gateway.testing.wave import Tone, counts, wave
from gateway.waveform import Channel, Waveform

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECOND = 1_767_268_800
"""date -u -d '2026-01-01 12:00' +%s"""
NANO = 10**9
RATE = 4800
TONES = ([Tone(230.0, 50.0)], [Tone(12.0, 50.0, -30.0), Tone(3.0, 150.0)])
CHANNELS = (Channel("ua", 0.01, "V"), Channel("ia", 0.0001, "A"))
POINTS = (
    "name,kind,relay.at,rec.channel\n"
    "relay.trip,status,x,TRIP\nrelay.breaker,double,x,CB\nrelay.frequency,analog,x,\n"
)
WHEN = [
    {"name": "trip", "condition": "relay.trip"},
    {"name": "low", "condition": "relay.frequency < 49.5 or relay.breaker = open"},
]


@dataclass
class Bench:
    """A gateway with a merging unit, a relay and a recorder, and how far the samples are."""

    gateway: Running
    sampler: Sampler
    relay: Emitter
    folder: Path
    row: int = 0
    quality: int | None = None

    async def feed(self, seconds: float, leave_out: range = range(0)) -> None:
        """Hand over blocks of 10 ms, as time passes; some rows can be left out."""
        for _ in range(round(seconds * 100)):
            rows = range(self.row, self.row + RATE // 100)
            self.row = rows.stop
            if rows.start not in leave_out:
                await self.sampler.emit(block(rows, self.quality))
            await asyncio.sleep(0.01)

    async def tell(self, name: str, value: float, at: float, quality: int = 0) -> None:
        await self.relay.emit([name], [value], quality, SECOND * NANO + round(at * NANO))

    def files(self) -> list[Path]:
        return sorted(self.folder.glob("*.cfg"))

    def counted(self, what: str) -> int:
        return self.gateway.counters("rec").get(what, 0)


def values(rows: range) -> list[np.ndarray[Any, np.dtype[np.float64]]]:
    return [wave(tones, RATE, len(rows), rows.start) for tones in TONES]


def block(rows: range, quality: int | None = None) -> Waveform:
    samples = counts([values(rows)[0] / 100, values(rows)[1]], 0.0001)
    column = None if quality is None else np.full(len(rows), quality, np.uint16)
    return Waveform(RATE, CHANNELS, SECOND * RATE + rows.start, samples, column)


@asynccontextmanager
async def bench(
    tmp_path: Path, when: Sequence[dict[str, str]] = WHEN, **more: Any
) -> AsyncIterator[Bench]:
    folder = tmp_path / "recordings"
    fields = {"name": "rec", "source": "mu", "folder": folder, "when": list(when)} | more
    sampler, relay = Sampler(name="mu"), Emitter(name="relay")
    recorder = Recorder.model_validate(fields)
    async with running([sampler, relay], [recorder], POINTS, data=tmp_path) as gateway:
        await gateway.until(lambda: gateway.state("rec") == "up")
        one = Bench(gateway, sampler, relay, folder)
        await relay.emit(
            ["relay.trip", "relay.breaker", "relay.frequency"], [0, 2, 50], 0, SECOND * NANO
        )
        yield one
