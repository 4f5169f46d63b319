"""What measures the waveforms of one source: its estimator, its counters, its energy."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gateway.engine.durable import replace
from gateway.model.batch import Batch
from gateway.model.errors import LinkError, reason
from gateway.model.point import Deadband, LinkPoint
from gateway.model.waveform import Waveform
from gateway.waveform import Estimator, Missing, WaveformSettings, parse_result, result_of

log = logging.getLogger("gateway")

LONG = 100_000
"""Values in a block that are measured in a thread: about a millisecond's work."""
BACK = 1.0
"""Seconds: samples that lie further back are not late, but those of a clock that was set."""
SAVE_INTERVAL = 60.0
"""Seconds of which energy is lost when the gateway is killed."""
REGISTERS = 16


class Measuring:
    """Lives as long as the gateway: a reconnect is a gap in the samples, as any other."""

    def __init__(
        self,
        settings: WaveformSettings,
        points: Sequence[LinkPoint],
        file: Path,
        counters: Counter[str],
        time: Callable[[], float],
    ) -> None:
        """`file` has the registers of energy; `time` runs steadily [s]."""
        named = [(result_of(point), point) for point in points]
        self._settings = settings
        self._points = {parse_result(name): point.id for name, point in named if name is not None}
        judged = [point.id for _, point in named if point.definition.deadband != Deadband()]
        self._judged = np.array(judged, np.int32)
        self._file, self._counters, self._time = file, counters, time
        self._counted = Missing()
        self._estimator: Estimator | None = None
        self._energy = self._load()
        self._saved = time()
        self.turn = asyncio.Lock()
        """Held by whoever calls `take`, until what it returned was taken."""

    async def take(self, waveform: Waveform) -> list[tuple[Batch, bool]]:
        """Measure a block, and return what came of it, and whether each row of it is to be taken.

        A result is a report of its own, changed or not, unless its point has a deadband.
        Raises LinkError where it cannot be measured as configured.
        """
        if self._settings.phasors is None and self._settings.meter is None:
            return []
        estimator = self._fitting(waveform)
        if waveform.samples.size > LONG:
            batch = await asyncio.to_thread(estimator.take, waveform)
        else:
            batch = estimator.take(waveform)
        self._count(estimator.missing)
        await self._save_now_and_then()
        if batch is None:
            return []
        if not len(self._judged):
            return [(batch, True)]
        judged = np.isin(batch.point, self._judged)
        parts = [(batch.take(~judged), True), (batch.take(judged), False)]
        return [(part, every) for part, every in parts if len(part)]

    async def close(self) -> None:
        """Keep the energy for the next start."""
        await self._save()

    def _fitting(self, waveform: Waveform) -> Estimator:
        now = self._estimator
        if now is not None:
            back = now.next - waveform.index > waveform.rate * BACK
            if (now.rate, now.channels) == (waveform.rate, waveform.channels) and not back:
                return now
            if back:
                self._counters["time_went_back"] += 1
            self._energy = now.energy if now.energy is not None else self._energy
        try:
            self._estimator = Estimator(
                self._settings, waveform.rate, waveform.channels, self._points, self._energy
            )
        except ValueError as error:
            names = ", ".join(channel.name for channel in waveform.channels)
            raise LinkError(
                f"waveform of {waveform.rate} samples/s, channels {names}: {error}"
            ) from error
        self._counted = Missing()
        return self._estimator

    def _count(self, missing: Missing) -> None:
        if missing == self._counted:
            return
        for name, now, before in zip(Missing._fields, missing, self._counted, strict=True):
            if now != before:
                self._counters["gaps" if name == "gaps" else f"samples_{name}"] += now - before
        self._counted = missing

    # Energy

    def _load(self) -> npt.NDArray[np.float64] | None:
        try:
            registers = np.array(json.loads(self._file.read_text()), np.float64)
            if registers.shape != (REGISTERS,) or not np.isfinite(registers).all():
                raise ValueError(f"found {registers.size} numbers, allowed: {REGISTERS}")
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            log.error("%s: %s: energy begins at 0", self._file, reason(error))
            return None
        return registers

    async def _save_now_and_then(self) -> None:
        if self._time() - self._saved >= SAVE_INTERVAL:
            await self._save()

    async def _save(self) -> None:
        self._saved = self._time()
        energy = None if self._estimator is None else self._estimator.energy
        if energy is None or not energy.any():
            return
        try:
            await asyncio.to_thread(self._write, json.dumps(energy.tolist()))
        except OSError as error:
            log.error("%s: energy is not kept: %s", self._file, reason(error))

    def _write(self, text: str) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        replace(self._file, text)
