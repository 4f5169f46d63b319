"""The sink `comtrade.recorder`: a fault recorder."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Literal

from gateway import LinkError, SinkContext, reason
from gateway.waveform import Waveform
from gateway_comtrade.codec import ComtradeError, encode
from gateway_comtrade.recorder.assemble import Label, Material, assemble, plain
from gateway_comtrade.recorder.captures import Captures
from gateway_comtrade.recorder.desk import Desk
from gateway_comtrade.recorder.settings import RecorderFields, channel_of
from gateway_comtrade.recorder.store import Store
from gateway_comtrade.recorder.track import Recorded, Track
from gateway_comtrade.recorder.trigger import Watch, unknown

NANO = 1_000_000_000
TICK = 0.1
"""Seconds between looks at what has ended."""
QUEUE = 8
"""Recordings that wait to be written."""
FAREWELL = 3.0
"""Seconds for what is under way when the link ends."""


class Recorder(RecorderFields):
    """A fault recorder: waveforms of a source, from before a trigger to behind it, as files."""

    type: Literal["comtrade.recorder"] = "comtrade.recorder"

    async def run(self, ctx: SinkContext) -> None:
        for _, sentence in unknown(self.when, [point.name for point in ctx.points]):
            raise LinkError(sentence)
        waveforms = ctx.waveforms(self.source)
        store = Store(
            self.folder or ctx.data / "recordings",
            self.station or ctx.gateway,
            self.device or self.source,
            self.company,
            self.most,
            self.max_size,
        )
        try:
            await asyncio.to_thread(store.prepare)
        except OSError as error:
            raise LinkError(f"the folder {store.folder} cannot be used: {reason(error)}") from None
        watch = Watch(self.when, ctx.points, ctx.image, self.source)
        recorded = [
            Recorded(point.id, channel, point.kind)
            for point in ctx.points
            if (channel := channel_of(point)) is not None
        ]
        desk = Desk(
            Captures(
                *(round(s * NANO) for s in (self.before, self.after, self.longest, self.late))
            ),
            watch,
            Track(recorded, ctx.image),
            asyncio.Queue(QUEUE),
            round(self.memory * NANO),
            ctx.now(),
        )
        ctx.watch(desk.watch.points | desk.track.points)
        ctx.up(f"{len(self.when)} triggers, {store.folder}")
        label = Label(
            plain(store.station), plain(store.device), self.revision, self.stored, self.frequency
        )
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_write(ctx, desk.ended, store, label))
                tasks.create_task(_hear(ctx, desk, waveforms))
                tasks.create_task(_look(ctx, desk))
                async for delivery in ctx.batches():
                    # What comes late out of the journal had its samples long ago.
                    if delivery.historical:
                        ctx.count("samples_historical", len(delivery.batch))
                    else:
                        desk.evaluate(ctx, delivery.batch, ctx.now())
                    ctx.delivered(delivery.seq)
        finally:
            desk.close(ctx, desk.captures.all())
            with contextlib.suppress(TimeoutError, asyncio.QueueEmpty):
                async with asyncio.timeout(FAREWELL):
                    while True:
                        await _save(ctx, desk.ended.get_nowait(), store, label)


async def _hear(ctx: SinkContext, desk: Desk, waveforms: AsyncIterator[Waveform]) -> None:
    async for block in waveforms:
        desk.hear(ctx, block, ctx.now())


async def _look(ctx: SinkContext, desk: Desk) -> None:
    async for now in ctx.every(TICK):
        desk.look(ctx, now)


async def _write(
    ctx: SinkContext, ended: asyncio.Queue[Material], store: Store, label: Label
) -> None:
    while True:
        await _save(ctx, await ended.get(), store, label)


async def _save(ctx: SinkContext, material: Material, store: Store, label: Label) -> None:
    """Write a recording in a thread; what fails is logged and counted, and the link stays up."""
    try:
        name, size = await asyncio.to_thread(_record, material, store, label)
        ctx.count("recordings")
        ctx.log.info("recorded %s, %d bytes", name, size)
        removed = await asyncio.to_thread(store.shed)
    except (OSError, ComtradeError) as error:
        ctx.count("recordings_failed")
        why = reason(error) if isinstance(error, OSError) else str(error)
        ctx.log.error("a recording could not be written to %s: %s", store.folder, why)
        return
    if removed:
        ctx.count("recordings_removed", len(removed))
        ctx.log.warning("removed the oldest recordings: %s", "; ".join(removed[:10]))


def _record(material: Material, store: Store, label: Label) -> tuple[str, int]:
    recording = assemble(material, label)
    name = store.name(recording.header.start, material.capture.fired[0].name)
    return name, store.save(name, encode(recording, name))
