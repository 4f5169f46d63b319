"""A station of the gateway's own at a line: what it hears, and what of it leaves in which class."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from gateway import SinkContext
from gateway_iec60870.controlled import Controlled
from gateway_iec60870.ft12 import Line, LinkDown, LinkEvent, Station

if TYPE_CHECKING:
    from gateway_iec60870.iec101.place import Place
    from gateway_iec60870.iec101.slave import Iec101Slave

QUEUE = 4
"""ASDUs of a class that wait in the link layer: enough to say (ACD) that there are more, and few
enough that an answer passes the events behind them."""
COUNTED = 1.0
"""Seconds from one look at the counters to the next."""
_QUIET = {"frames_in", "frames_out", "accepted"}
"""Counters of what goes well."""


class Drop:
    """Joins a controlled station and whatever line there is; `Place` brings the lines.

    A life of the link is to the station what a started connection is in 104.

    link:    its settings.
    address: its link address.
    here:    where its lines come from, as soon as that is known.
    """

    def __init__(self, link: Iec101Slave, ctx: SinkContext, controlled: Controlled) -> None:
        self.link = link
        self.address = link.own_link
        self.ctx = ctx
        self.here: Place | None = None
        self._controlled = controlled
        self._outgoing = controlled.outgoing
        self._counts: Counter[str] = Counter()
        self._known: Counter[str] = Counter()
        self._station: Station | None = None
        self._name = ""
        self._late = 0  # ASDUs that came in a life that is over, and are not carried out
        self._held = 0  # ASDUs that are being carried out
        self._scanned = asyncio.Event()

    async def serve(self, line: Line) -> None:
        """Serve a line until it ends: raises ChannelClosed, in a group."""
        self._name = line.channel.name
        station = line.add(
            self.link.association,
            on_up=self._up,
            on_down=self._down,
            on_acknowledged=self._acknowledged,
            on_event=self._heard_of,
        )
        self._station = station
        self._late = self._held = 0
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._receive(station))
                tasks.create_task(self._send(station))
                if not self.link.balanced:
                    tasks.create_task(self._send_scans(station))
        finally:
            self._station = None
            self._counts += station.counts
            line.remove(station.address)

    # Lives

    def _up(self) -> None:
        self._controlled.started(self.ctx.client(self._name))
        self.ctx.log.info("%s has reset the link of station %d", self._name, self.address)

    def _down(self, why: str) -> None:
        self._controlled.stopped()
        self._scanned.set()
        if self._station is not None:
            self._late = self._station.unconfirmed - self._held
        # An unbalanced link ends when the control centre begins anew, or with the line.
        log = self.ctx.log.warning if self.link.balanced else self.ctx.log.info
        log("%s", why if why.startswith(self._name) else f"{self._name}: {why}")

    def _acknowledged(self, count: int, group: int) -> None:
        if group == 1:
            self._outgoing.acknowledged(count)

    def _heard_of(self, event: LinkEvent) -> None:
        if event is LinkEvent.SILENT:
            self._counts["silences"] += 1
            self.ctx.log.warning(
                "%s: nobody asks station %d for %g s",
                self._name,
                self.address,
                self.link.longest_silence or 0,
            )
        elif event is LinkEvent.HEARD:
            self.ctx.log.info("%s: station %d is asked again", self._name, self.address)

    # What passes

    async def _receive(self, station: Station) -> None:
        while True:
            asdus = await station.receive()
            # On a balanced line it may speak before our direction is there to answer it.
            await station.started()
            late = min(self._late, len(asdus))
            self._late -= late
            self._counts["too_late"] += late
            station.confirm(late)
            self._held = len(asdus) - late
            await self._controlled.take(asdus[late:])
            station.confirm(self._held)
            self._held = 0

    async def _send(self, station: Station) -> None:
        """Send answers and data, which are class 1; on a balanced line scans, too."""
        outgoing, scans = self._outgoing, self.link.balanced
        while True:
            await outgoing.ready(scans=scans)
            await station.started()
            try:
                # One at a time: an answer passes what has not been taken.
                await station.send(outgoing.take(1, scans=scans))
            except LinkDown:
                # `_down` has been told: events are back in their place.
                continue

    async def _send_scans(self, station: Station) -> None:
        """Send scans, which are class 2: each is made when it is asked for."""
        while True:
            await self._outgoing.ready(urgent=False)
            await station.started()
            self._scanned.clear()
            try:
                await station.send([self._scan], group=2)
            except LinkDown:
                continue
            await self._scanned.wait()

    def _scan(self) -> bytes:
        self._scanned.set()
        (asdu,) = self._outgoing.take(1, urgent=False)
        return asdu

    # What the operator sees

    async def count(self) -> None:
        """Look at the counters every second."""
        async for _ in self.ctx.every(COUNTED):
            self.look()

    def look(self) -> None:
        """Hand on what has been counted since the last look."""
        counts = Counter(self._counts)
        if self._station is not None:
            counts += self._station.counts
        if self.here is not None and self.here.first is self:
            # What happens on the line is counted once, whoever is on it.
            counts += self.here.counts
        for name, number in (counts - self._known).items():
            if name not in _QUIET:
                self.ctx.count(f"link_{name}", number)
        self._known = counts
