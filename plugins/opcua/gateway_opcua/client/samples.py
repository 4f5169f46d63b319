"""From values of a server to samples of points, and into the gateway's custody."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from gateway import Batch, Kind, LinkPoint, Quality, SourceContext
from gateway_opcua.client.changes import Changes
from gateway_opcua.client.quality import overflows, qualities
from gateway_opcua.client.source import address_of

GONE = (0x8033_0000, 0x8034_0000)
"""BadNodeIdInvalid and BadNodeIdUnknown: the server took the node away."""
_NAMED = 5
"""Points that a line of the log names at the most."""


class Samples:
    """Takes values of a list of points, whose places in the list are the handles."""

    def __init__(self, ctx: SourceContext, points: Sequence[LinkPoint]) -> None:
        self._ctx = ctx
        self._points = points
        self._ids = np.array([point.id for point in points], np.int32)
        self._double = np.array([point.kind is Kind.DOUBLE for point in points], np.bool_)
        self._banded = np.array([point.definition.deadband.width > 0 for point in points], np.bool_)
        self._strange: set[int] = set()
        self._overflowed = False
        self.gone: set[int] = set()
        """Handles whose node the server took away."""

    async def take(self, changes: Changes, *, events: bool) -> None:
        """Return when the gateway has custody; raises CustodyRefused.

        events: the server's queue had them: each is taken, but for the points that have a
        deadband of the gateway's.
        """
        handle = changes.handle
        known = handle < len(self._ids)
        if not known.all():
            self._ctx.count("unknown_items", int(np.count_nonzero(~known)))
        self._tell(changes)
        rows = np.flatnonzero(known)
        if not len(rows):
            return
        handle = handle[rows]
        batch = self._batch(changes, handle, rows)
        banded = self._banded[handle] if events else np.ones(len(rows), np.bool_)
        if banded.all():
            await self._ctx.emit(batch)
        elif not banded.any():
            await self._ctx.emit(batch, every=True)
        else:
            await asyncio.gather(
                self._ctx.emit(batch.take(~banded), every=True),
                self._ctx.emit(batch.take(banded)),
            )

    def _batch(
        self, changes: Changes, handle: npt.NDArray[np.uint32], rows: npt.NDArray[np.intp]
    ) -> Batch:
        value, time, status = changes.value[rows], changes.time[rows], changes.status[rows]
        # A Boolean has no intermediate state: false is off (1), true is on (2).
        value = np.where(self._double[handle] & changes.boolean[rows], value + 1, value)
        quality = qualities(status)
        quality |= np.where(time != 0, np.uint16(Quality.DEVICE_TIME), np.uint16(0))
        return Batch(self._ids[handle], value, quality, time)

    def _tell(self, changes: Changes) -> None:
        """Count and name what an engineer should know of these values."""
        lost = overflows(changes.status)
        if lost:
            self._ctx.count("queue_overflows", lost)
            if not self._overflowed:
                self._overflowed = True
                self._ctx.log.warning(
                    "the server's queues overflowed: values were lost there; "
                    "a longer `queue` or a shorter `publishing` helps"
                )
        self._note_gone(changes)
        if not changes.strange:
            return
        self._ctx.count("not_numbers", len(changes.strange))
        new = {
            handle: what
            for handle, what in changes.strange.items()
            if handle not in self._strange and handle < len(self._points)
        }
        self._strange |= set(new)
        for handle, what in list(new.items())[:_NAMED]:
            point = self._points[handle]
            address, more = address_of(point), ""
            if what.startswith("an array"):
                more = ", or an element of an array, by `index`"
                if address.index is not None:
                    more = f"; the server does not know how to give element {address.index} alone"
            self._ctx.log.warning(
                "%s: %s is %s; allowed: a number or a Boolean%s",
                point.name,
                address.read,
                what,
                more,
            )
        if len(new) > _NAMED:
            self._ctx.log.warning("and %d further points are no numbers", len(new) - _NAMED)

    def _note_gone(self, changes: Changes) -> None:
        if not changes.status.any():
            if self.gone:
                self.gone.difference_update(changes.handle.tolist())
            return
        codes = changes.status & np.uint32(0xFFFF_0000)
        away = np.isin(codes, GONE)
        if self.gone or away.any():
            self.gone.difference_update(changes.handle[~away].tolist())
            self.gone.update(changes.handle[away].tolist())
