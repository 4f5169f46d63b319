"""A stream from a capture to `ctx`, at its own pace."""

from __future__ import annotations

import asyncio
import mmap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gateway import LinkError, SourceContext, reason
from gateway.sampled_values import Frames, KernelError, pcap_frames
from gateway.waveform import Waveform
from gateway_sv.frame import FrameText, describe
from gateway_sv.rows import waveforms
from gateway_sv.tally import Tally

if TYPE_CHECKING:
    from gateway_sv.source import SampledValuesSource

TICK = 0.01
"""Seconds from one look at what is due to the next; a block is about so long."""
SECOND = 1_000_000_000
TRACED = SECOND // 10
"""ns from one frame that is shown to the next."""
PCAPNG = b"\x0a\x0d\x0d\x0a"
TALLIED = 100
"""Blocks from one look at the counters to the next."""


class Due(NamedTuple):
    """Samples, when they are to be handed over [ns], and a frame that they came in."""

    due: int
    waveform: Waveform
    frame: bytes


class Capture:
    """A file of frames, and what a subscriber makes of it, again and again."""

    def __init__(self, source: SampledValuesSource, path: Path) -> None:
        self._source, self._path = source, path
        self.found: FrameText | None = None
        try:
            with path.open("rb") as file:
                self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise LinkError(f"{path}: {reason(error)}") from error

    def rows(self, tally: Tally) -> Iterator[tuple[Waveform, bytes]]:
        """Yield the rows of the file as they were recorded, about a tick of them at a time, each
        with one of its frames."""
        rate, channels = self._source.stream()
        sampled = self._source.subscriber()
        most = max(1, round(self._source.shape.frames * TICK))
        rows = sampled.rows(most)
        tally.begin_again()
        for number, frames in enumerate(self._frames(most)):
            made = sampled.decode(frames, rows)
            start, size = int(frames.offset[0]), int(frames.size[0])
            frame = self._data[start : start + size]
            if self.found is None or not made:
                self.found = describe(frame) or self.found
            for waveform in waveforms(rows, rate, channels) if made else ():
                yield waveform, frame
            if number % TALLIED == 0:
                tally.take(sampled.state())
        tally.take(sampled.state())

    def _frames(self, most: int) -> Iterator[Frames]:
        try:
            yield from pcap_frames(self._data, most)
        except KernelError as error:
            if self._data[:4] == PCAPNG:
                raise LinkError(
                    f"{self._path}: found pcapng, allowed: pcap; `editcap -F pcap` makes one of it"
                ) from error
            raise LinkError(f"{self._path}: {error}") from error

    def placed(self, tally: Tally, start: int) -> Iterator[Due]:
        """Yield the samples with the time at which they are due, from `start` on, which is in ns.

        Raises LinkError where the file has none of the stream.
        """
        source, ahead, begin = self._source, 0, 0
        rate, is_now = source.shape.rate, source.time == "now"
        turn = 0
        while True:
            first = after = -1
            for waveform, frame in self.rows(tally):
                if first < 0:
                    first = waveform.index
                    if turn == 0:
                        begin = first
                        # By whole seconds: angles stay what they were recorded as.
                        late = start * rate // SECOND - first
                        ahead = -(-late // rate) * rate if is_now else 0
                after = waveform.index + len(waveform)
                moved = replace(waveform, index=waveform.index + ahead)
                rows = after - begin
                due = moved.time(len(moved))
                if not is_now:
                    due = start + _passed(rows, rate, source.speed)
                yield Due(due, moved, frame)
            if first < 0:
                there = f"found {self.found}" if self.found else "found none of sampled values"
                raise LinkError(f"no samples in {self._path}: {there}, allowed: {source.wanted()}")
            if source.repeat == "once":
                return
            turn += 1
            ahead += after - first


def _passed(rows: int, rate: int, speed: float) -> int:
    return round(rows * SECOND / (rate * speed))


async def replay(source: SampledValuesSource, path: Path, ctx: SourceContext) -> None:
    """Emit a file's samples when they are due, and again, or stay at its end."""
    capture = await asyncio.to_thread(Capture, source, path)
    pieces = capture.placed(Tally(ctx.count), ctx.now())
    piece: Due | None = next(pieces)
    ctx.up(f"{path.name}: {capture.found or source.wanted()}")
    traced = 0
    async for now in ctx.every(TICK):
        while piece is not None and piece.due <= now:
            if ctx.tracing and now - traced >= TRACED:
                traced = now
                ctx.trace("rx", piece.frame, str(describe(piece.frame) or ""))
            await ctx.emit_waveform(piece.waveform)
            piece = next(pieces, None)
            await asyncio.sleep(0)
        if piece is None:
            break
    await ctx.stale([point.id for point in ctx.points])
    await asyncio.get_running_loop().create_future()
