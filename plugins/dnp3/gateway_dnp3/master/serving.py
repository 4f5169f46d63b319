"""One connection of the source: samples from the sessions to the gateway, commands to them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from gateway import CustodyRefused, LinkError, SourceContext
from gateway.channel import Channel, ChannelClosed, Listener
from gateway_dnp3.master.master import Master, Silence
from gateway_dnp3.master.orders import Orders, outputs
from gateway_dnp3.master.parcels import Parcel
from gateway_dnp3.master.samples import Samples

if TYPE_CHECKING:
    from gateway_dnp3.master.source import DnpMaster

NS_PER_MS = 1_000_000
COUNTED = 1.0
"""Seconds from one look at the counters to the next."""
_QUIET = {"frames_in", "frames_out", "transport_fragments"}
"""Counters of what goes well."""


async def serve(
    source: DnpMaster, ctx: SourceContext, channel: Channel, listener: Listener | None = None
) -> None:
    """Serve the points until the channel ends; raises LinkError.

    listener: whoever dials in again takes the place of the connection before.
    """
    samples = Samples(ctx.points, source.outstation)
    taking = _Taking(ctx, samples, channel.name)
    master = Master(
        channel,
        {address: source.manners(address) for address in samples.by_outstation},
        taking,
        wall=lambda: ctx.now() // NS_PER_MS,
        note=ctx.log.warning,
        lower=source.lower,
        tracer=ctx,
    )
    counters = _Counters(ctx, master)
    jobs: list[Coroutine[Any, Any, None]] = [master.run(), counters.run()]
    if any(point.command is not None for point in ctx.points):
        jobs.append(Orders(ctx, outputs(ctx.points, source.outstation), master).run())
    if listener is not None:
        jobs.append(_replaced(listener))
    try:
        async with asyncio.TaskGroup() as tasks:
            for job in jobs:
                tasks.create_task(job)
    except* (ChannelClosed, Silence, LinkError) as group:
        raise LinkError(str(_first(group))) from None
    finally:
        counters.look()


class _Taking:
    """Has the gateway take what outstations say."""

    def __init__(self, ctx: SourceContext, samples: Samples, name: str) -> None:
        self._ctx = ctx
        self._samples = samples
        self._name = name
        self._up = False
        self._silent: set[int] = set()

    async def take(self, address: int, parcel: Parcel) -> bool:
        """See `Taker.take`."""
        ctx = self._ctx
        if not self._up:
            self._up = True
            ctx.up(self._name)
            for other in self._silent - {address}:
                await self._report(other)
        if address in self._silent:
            self._silent.discard(address)
            ctx.log.info("outstation %d answers again", address)
        try:
            for batch, events in self._samples.of(address, parcel, ctx.now()):
                await ctx.emit(batch, every=events)
        except CustodyRefused:
            return False
        return True

    async def silent(self, address: int) -> None:
        """See `Taker.silent`."""
        self._silent.add(address)
        self._samples.forget(address)
        # While nobody has answered the host says so of the whole link, once.
        if self._up:
            await self._report(address)

    async def _report(self, address: int) -> None:
        if len(self._samples.by_outstation) > 1:
            self._ctx.log.warning("outstation %d does not answer", address)
        self._ctx.count("silent_outstations")
        await self._ctx.stale(self._samples.by_outstation[address])


class _Counters:
    """Hands the counters of the layers on to the operator."""

    def __init__(self, ctx: SourceContext, master: Master) -> None:
        self._ctx = ctx
        self._master = master
        self._known: Counter[str] = Counter()

    async def run(self) -> None:
        """Look every second."""
        async for _ in self._ctx.every(COUNTED):
            self.look()

    def look(self) -> None:
        counts = self._master.counts
        for name, number in (counts - self._known).items():
            if name not in _QUIET:
                self._ctx.count(name, number)
        self._known = counts


async def _replaced(listener: Listener) -> None:
    channel = await listener.accept()
    raise LinkError(f"{channel.name} dials in and takes the place of the connection before")


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
