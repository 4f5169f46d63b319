"""Cyclic transmission and the background scan."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial

from gateway import SinkContext
from gateway_iec60870.asdu import LAYOUTS, Cause
from gateway_iec60870.controlled.database import Database
from gateway_iec60870.controlled.layout import Slots
from gateway_iec60870.controlled.manners import Manners
from gateway_iec60870.controlled.outgoing import Outgoing


class Scans:
    """Sends what objects show at whole multiples of their periods, where a connection is there.

    A scan whose time comes while the one before it still waits is left out, and counted.
    """

    def __init__(
        self, ctx: SinkContext, manners: Manners, database: Database, outgoing: Outgoing
    ) -> None:
        self._ctx = ctx
        self._sizes = manners.sizes
        self._database = database
        self._outgoing = outgoing
        self._waiting: set[str] = set()
        layout = database.layout
        self._scans: list[tuple[str, float, Cause, list[Slots]]] = [
            (f"cycle {period:g}", period, Cause.PERIODIC, list(self._pieces(slots)))
            for period, slots in layout.cycles.items()
        ]
        if manners.background is not None:
            slots = database.interrogated[layout.background[database.interrogated]]
            pieces = list(self._pieces(slots))
            self._scans.append(("background", manners.background, Cause.BACKGROUND, pieces))

    async def run(self) -> None:
        """Scan until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for scan in self._scans:
                tasks.create_task(self._run(*scan))

    def lost(self) -> None:
        """Forget what waits: the connection is gone."""
        self._waiting.clear()

    async def _run(self, name: str, period: float, cause: Cause, pieces: list[Slots]) -> None:
        async for _ in self._ctx.every(period):
            if name in self._waiting:
                self._ctx.count("scans_skipped")
            elif pieces and self._outgoing.scan(self._calls(name, cause, pieces)):
                self._waiting.add(name)

    def _calls(self, name: str, cause: Cause, pieces: list[Slots]) -> list[partial[list[bytes]]]:
        calls = [partial(self._database.encode, piece, cause) for piece in pieces[:-1]]
        return [*calls, partial(self._last, name, pieces[-1], cause)]

    def _last(self, name: str, piece: Slots, cause: Cause) -> list[bytes]:
        self._waiting.discard(name)
        return self._database.encode(piece, cause)

    def _pieces(self, slots: Slots) -> Iterator[Slots]:
        """Yield slots that fit an ASDU: what is in it is then as new as can be."""
        for segment in self._database.layout.segments(slots):
            size = LAYOUTS[segment.type].size
            assert size is not None  # noqa: S101 - all that is shown has a size
            most = (self._sizes.longest - self._sizes.head) // (size + self._sizes.object)
            for first in range(segment.first, segment.last, min(most, 127)):
                yield slots[first : min(first + min(most, 127), segment.last)]
