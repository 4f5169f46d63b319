"""One outstation at work: samples to its events, controls to commands, counters to the operator."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from gateway import Keep, LinkError, LinkPoint, SinkContext
from gateway.channel import Channel
from gateway_dnp3.app import Iin
from gateway_dnp3.outstation.application import Controls
from gateway_dnp3.outstation.association import Association
from gateway_dnp3.outstation.attributes import Attributes
from gateway_dnp3.outstation.database import Database
from gateway_dnp3.outstation.events import CROWDED, EventBuffer, Finished
from gateway_dnp3.outstation.reception import Reception
from gateway_dnp3.outstation.session import Session
from gateway_dnp3.outstation.sink.commands import Commands
from gateway_dnp3.outstation.sink.layout import NS_PER_MS, Layout
from gateway_dnp3.outstation.sink.point import address_of

if TYPE_CHECKING:
    from gateway_dnp3.outstation.sink.sink import DnpOutstation

UNHURRIED = 500
"""Open deliveries up to which samples are taken as they come."""
LONGEST_PACE = 10.0
"""Seconds that samples are put together where the bound of open deliveries is near."""
COUNTED = 1.0
"""Seconds from one look at the counters to the next."""
_QUIET = {
    "requests",
    "events",
    "unsolicited",
    "transport_fragments",
    "frames_in",
    "frames_out",
    "accepted",
}
"""Counters of what goes well; `events` is in the ledger."""
MANUFACTURER, PRODUCT, VERSION, NAME, SUBSET = 252, 250, 242, 247, 249
SECONDS_OFF = 1.0
"""How far the master's clock is from the gateway's before it is worth a line in the log."""


class Serving:
    """The application behind a session; see `Application`."""

    def __init__(self, link: DnpOutstation, ctx: SinkContext, association: Association) -> None:
        self._ctx = ctx
        self._link = link
        self._association = association
        keep = [_rule(link, point) for point in ctx.points]
        self._layout = Layout(ctx.points, link.event_class, keep)
        self.database = Database(
            self._layout.points, lambda slots: self._layout.now(ctx.image, slots), self._wall
        )
        self._progress = asyncio.Event()
        self.events = EventBuffer(
            len(self.database), link.max_events, self._finished, link.window * 9 // 10
        )
        self.commands = Commands(ctx, self._layout.outputs, link.command_timeout, self._operated)
        settings = link.session_settings
        texts = {
            MANUFACTURER: "grid-gateway",
            PRODUCT: "grid-gateway DNP3 outstation",
            VERSION: link.software,
            NAME: f"{ctx.gateway} {ctx.name}",
            SUBSET: "3:2012",
        }
        attributes = Attributes(
            self.database, texts, fragment=settings.fragment, controls=settings.controls
        )
        self.session = Session(
            settings,
            self.database,
            self.events,
            attributes,
            self,
            asyncio.get_running_loop().time,
            self._wall,
        )
        self._lost = ctx.lost
        self._restarting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._known: Counter[str] = Counter()
        self.here: Reception | None = None

    def _wall(self) -> int:
        return self._ctx.now() // NS_PER_MS

    # Samples

    async def feed(self) -> None:
        """Make events of samples; they are acknowledged as the master confirms them."""
        async for delivery in self._ctx.batches():
            batch = delivery.batch
            slots, values, synchronised = self._layout.samples(batch)
            chosen, rows = self.database.records(slots, values, synchronised)
            classes = self.database.event_class[slots]
            within = int(np.count_nonzero(~chosen & (classes > 0)))
            slots = slots[chosen]
            self.events.add(
                delivery.seq,
                self.database.code[slots],
                self.database.event_class[slots],
                self.database.variation[slots],
                rows,
                self.database.latest[slots],
                within,
            )
            if len(rows):
                self.session.wake()
                self._association.arm()
            await self._pace()

    async def _pace(self) -> None:
        """Take samples in larger portions the more of them wait for the master.

        The number of open deliveries is bounded, and those that wait in the feed are put together.
        """
        hurry = (self.events.open - UNHURRIED) / (CROWDED - UNHURRIED)
        if hurry <= 0:
            return
        self._progress.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_PACE * hurry**2):
                await self._progress.wait()

    def _finished(self, one: Finished) -> None:
        self._progress.set()
        # The session tells the master of these itself.
        self._lost += one.shed
        self._ctx.delivered(one.key, coalesced=one.replaced, shed=one.shed)

    # The session's application

    def send(self, fragment: bytes) -> None:
        """See `Application.send`."""
        self._association.send(fragment)

    def operate(self, controls: Controls) -> None:
        """See `Application.operate`."""
        self.commands.operate(controls)

    def release(self, controls: Controls) -> None:
        """See `Application.release`."""
        self.commands.release(controls)

    def refused(self, controls: Controls, status: int, why: str) -> None:
        """See `Application.refused`."""
        self.commands.refused(controls, status, why)

    def _operated(self, controls: Controls, statuses: list[int]) -> None:
        self.session.operated(controls, statuses)
        self._association.arm()

    def time_written(self, ms: int, delay: float | None) -> None:
        """See `Application.time_written`: it is compared with ours, and never set."""
        off = ms / 1e3 + (delay or 0.0) - self._ctx.now() / 1e9
        self._ctx.count("times_written")
        if abs(off) > SECONDS_OFF:
            ahead = "ahead" if off > 0 else "behind"
            self._ctx.log.warning(
                "master %d: its clock is %.3f s %s of the gateway's, which stays as it is",
                self._link.master,
                abs(off),
                ahead,
            )

    def restart(self, *, cold: bool) -> int | None:
        """See `Application.restart`: it is the link that begins anew, not the gateway."""
        if not self._link.restart:
            return None
        what = "cold" if cold else "warm"
        self._ctx.log.warning("master %d asks for a %s restart", self._link.master, what)
        loop = asyncio.get_running_loop()
        # The answer leaves first.
        loop.call_later(0.1, _set, self._restarting)
        return round(self._link.reconnect.min * 1e3) + 100

    def indications(self) -> Iin:
        """See `Application.indications`."""
        iin = Iin.NONE
        value = self._ctx.image.value
        for point, bit in self._layout.indications:
            if value[point] == 1.0:
                iin |= Iin(bit)
        if self._ctx.lost != self._lost:
            self._lost = self._ctx.lost
            self.session.overflowed = True
        return iin

    # Around it

    def changed(self, channel: Channel | None) -> None:
        """The master has come on a channel, or has left."""
        master = self._link.master
        if channel is None:
            self._ctx.log.info("master %d has left", master)
            self.commands.speaks(None)
            return
        self._ctx.log.info("master %d is at %s", master, channel.name)
        self._ctx.count("connections")
        host = channel.name.rpartition(":")[0] if ":" in channel.name else channel.name
        client = self._ctx.client(f"master {master} at {host}", certificate=channel.certificate)
        self.commands.speaks(client)

    async def restarted(self) -> None:
        """Wait for the master to ask for a restart; raises LinkError."""
        await self._restarting
        raise LinkError(f"master {self._link.master} asked for a restart")

    async def count(self) -> None:
        """Hand the counters on, every second."""
        async for _ in self._ctx.every(COUNTED):
            self.look()

    def look(self) -> None:
        """Hand on what has been counted since the last look."""
        counts = self._association.counts
        if self.here is not None and self.here.first is self._association:
            # What happens at the door is counted once, whoever is behind it.
            counts += self.here.all_counts
        for name, number in (counts - self._known).items():
            if name not in _QUIET:
                self._ctx.count(name, number)
        self._known = counts


def _rule(link: DnpOutstation, point: LinkPoint) -> Keep:
    return address_of(point).keep or link.keep.of(point.kind)


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
