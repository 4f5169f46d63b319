"""Waveforms on their way from the sources to the sinks that asked for them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from typing import Protocol

from gateway.model.errors import LinkError
from gateway.model.waveform import Waveform

MOST = 4.0
"""Seconds of a waveform that wait for a sink at most."""


class Listening(Protocol):
    """Who asks for waveforms: a sink's context."""

    def count(self, what: str, n: int = 1) -> None: ...


class Waveforms:
    """Who listens to which source."""

    def __init__(self, sources: Iterable[str]) -> None:
        self._ears: dict[str, list[_Ear]] = {name: [] for name in sources}

    def listen(self, source: str, who: Listening) -> AsyncIterator[Waveform]:
        """Return what this source hands over from now on, until `leave`."""
        if source not in self._ears:
            known = ", ".join(self._ears) or "none"
            raise LinkError(
                f"found no waveforms of '{source}', allowed: a source that has them: {known}"
            )
        ear = _Ear(who)
        self._ears[source].append(ear)
        return ear

    def put(self, source: str, waveform: Waveform) -> None:
        """Hand a waveform to whoever listens to its source."""
        for ear in self._ears[source]:
            ear.put(waveform)

    def leave(self, who: Listening) -> None:
        """Forget what is waiting for a sink whose connection ended."""
        for source, ears in self._ears.items():
            self._ears[source] = [ear for ear in ears if ear.who is not who]


class _Ear(AsyncIterator[Waveform]):
    """What waits for one sink, bounded."""

    def __init__(self, who: Listening) -> None:
        self.who = who
        self._waiting: deque[Waveform] = deque()
        self._seconds = 0.0
        self._some = asyncio.Event()

    def put(self, waveform: Waveform) -> None:
        self._waiting.append(waveform)
        self._seconds += len(waveform) / waveform.rate
        while self._seconds > MOST and len(self._waiting) > 1:
            self._take()
            self.who.count("waveforms_dropped")
        self._some.set()

    def _take(self) -> Waveform:
        waveform = self._waiting.popleft()
        self._seconds -= len(waveform) / waveform.rate
        return waveform

    async def __anext__(self) -> Waveform:
        while not self._waiting:
            self._some.clear()
            await self._some.wait()
        return self._take()
