"""A stream from an interface to `ctx`."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

from gateway import LinkError, SourceContext, seconds_text
from gateway.ethernet import Ring
from gateway_sv.address import octets
from gateway_sv.frame import FrameText
from gateway_sv.handover import Handover
from gateway_sv.live import Piece, Reader
from gateway_sv.tally import Tally

if TYPE_CHECKING:
    from gateway_sv.source import SampledValuesSource

WAITING = 64
"""Pieces that wait for the loop; what is beyond stays in the ring."""
_HEADS, _ASDU_HEADS, _PAIR = 40, 60, 8
"""About so many octets of a frame besides its values, and of an ASDU; of a value."""


async def subscribe(source: SampledValuesSource, interface: str, ctx: SourceContext) -> None:
    """Emit what comes, until there is nothing for too long."""
    _, channels = source.stream()
    handover: Handover[Piece] = Handover(WAITING)
    reader = Reader(
        _ring(source, interface),
        source.subscriber(),
        channels,
        handover,
        lambda: ctx.tracing,
        source.gather,
    )
    tally = Tally(ctx.count)
    reader.start()
    try:
        await _emit(source, interface, handover, tally, ctx)
    finally:
        handover.close()
        await asyncio.shield(asyncio.to_thread(reader.join))
        for piece in handover.rest():
            _count(tally, piece)


def _ring(source: SampledValuesSource, interface: str) -> Ring:
    shape = source.shape
    size = _HEADS + shape.asdus * (_ASDU_HEADS + _PAIR * shape.columns)
    return Ring(
        interface,
        destination=None if source.destination is None else octets(source.destination),
        vlan=source.vlan,
        appid=source.appid,
        promiscuous=source.promiscuous,
        frames=source.gathered,
        octets=size,
        retire=max(1, round(source.gather * 1000)),
        blocks=2 + math.ceil(source.buffer * shape.frames / source.gathered),
    )


async def _emit(
    source: SampledValuesSource,
    interface: str,
    handover: Handover[Piece],
    tally: Tally,
    ctx: SourceContext,
) -> None:
    loop = asyncio.get_running_loop()
    last, is_up = loop.time(), False
    found: FrameText | None = None
    while True:
        piece = await handover.take()
        found = piece.text or found
        if piece.frame:
            ctx.trace("rx", piece.frame, str(piece.text or ""))
        _count(tally, piece)
        if piece.error is not None:
            raise piece.error
        if piece.waveforms:
            last = loop.time()
            if not is_up:
                is_up = True
                ctx.up(f"{interface}: {found or source.wanted()}")
        elif loop.time() - last > source.timeout:
            there = f"found {found}" if found else "found no frames of sampled values at all"
            raise LinkError(
                f"no samples from {interface} for {seconds_text(source.timeout)}: {there}, "
                f"allowed: {source.wanted()}"
            )
        for waveform in piece.waveforms:
            await ctx.emit_waveform(waveform)


def _count(tally: Tally, piece: Piece) -> None:
    if piece.state is not None:
        tally.take(piece.state)
    if piece.counts is not None:
        tally.drops(piece.counts)
