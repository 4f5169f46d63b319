"""The source `comtrade.replay`: recordings played again, as waveforms and as status points."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, field_validator, model_validator

from gateway import Batch, LinkError, LinkPoint, Quality, SourceContext
from gateway.waveform import Channel, Waveform, WaveformPoint, WaveformSource
from gateway_comtrade.codec import ComtradeError, Header, read, read_header
from gateway_comtrade.replay.library import recordings_of, utc, zone_of
from gateway_comtrade.replay.pace import Pace, Start
from gateway_comtrade.replay.played import Played, Side, played, stream_of

TICK = 0.01
"""Seconds between blocks of rows."""
UNRELIABLE = 15
"""TMQ_CODE of a clock that is not reliable."""


class Repeat(StrEnum):
    """What comes after the last row of the last recording."""

    LOOP = "loop"
    ONCE = "once"


class ReplayPoint(WaveformPoint):
    """The columns of a point: a result that is measured, or a status channel."""

    status: Annotated[
        str | None,
        Field(
            min_length=1, description="status channel: its name, or its number", examples=["51A"]
        ),
    ] = None


class Replay(WaveformSource):
    """Recordings played again."""

    Point = ReplayPoint

    type: Literal["comtrade.replay"] = "comtrade.replay"
    file: Annotated[Path | None, Field(description="a recording: its .cfg or .cff file")] = None
    folder: Annotated[
        Path | None, Field(description="a folder of recordings, played in the order of their names")
    ] = None
    pattern: Annotated[
        str, Field(description="which files of the folder, lower and upper case alike")
    ] = "*.cf[fg]"
    repeat: Annotated[
        Repeat, Field(description="loop begins again after the last recording, once stays there")
    ] = Repeat.LOOP
    start: Annotated[
        Start,
        Field(description="now: rows stand at the present time; as_recorded: at that of the file"),
    ] = Start.NOW
    speed: Annotated[
        float, Field(gt=0, le=1000, description="how many times faster, with start: as_recorded")
    ] = 1.0
    side: Annotated[
        Side, Field(description="side of the transformers: primary, secondary, as_stored")
    ] = Side.PRIMARY
    channels: Annotated[
        tuple[str, ...], Field(description="analog channels that are played; none: all")
    ] = ()
    zone: Annotated[
        str, Field(description="time zone of recordings that do not say it (before 2013)")
    ] = "UTC"

    @field_validator("zone")
    @classmethod
    def _known(cls, zone: str) -> str:
        zone_of(zone)
        return zone

    @model_validator(mode="after")
    def _fits(self) -> Replay:
        if (self.file is None) is (self.folder is None):
            found = "neither" if self.file is None else "both"
            raise ValueError(f"found {found} of file and folder, allowed: one of them")
        if self.start is Start.NOW and self.speed != 1.0:
            raise ValueError(
                f"found speed {self.speed:g} with start: now, allowed: 1, because times of rows "
                "would run away from the clock"
            )
        if self.start is Start.AS_RECORDED and self.repeat is Repeat.LOOP:
            raise ValueError(
                "found repeat: loop with start: as_recorded, allowed: once, because a moment "
                "comes only once"
            )
        return self

    def check_points(self, points: Sequence[LinkPoint]) -> Iterable[tuple[LinkPoint, str, str]]:
        yield from super().check_points(points)
        first: dict[str, str] = {}
        for point in points:
            address = point.address
            if not isinstance(address, ReplayPoint):
                continue
            if (address.result is None) is (address.status is None):
                found = "neither" if address.result is None else "both"
                yield point, "", f"found {found} of result and status, allowed: one of them"
            elif address.status is not None:
                other = first.setdefault(address.status, point.name)
                if other != point.name:
                    yield point, "status", f"found '{address.status}', which already is {other}"

    def stream(self) -> tuple[int, tuple[Channel, ...]] | None:
        if self.file is None:
            return None
        # What is wrong with the file, the link says when it starts: it may come until then.
        with contextlib.suppress(LinkError):
            return stream_of(read_header(self.file), self.side, self.channels)
        return None

    async def run(self, ctx: SourceContext) -> None:
        points = {
            point.address.status: point.id
            for point in ctx.points
            if isinstance(point.address, ReplayPoint) and point.address.status is not None
        }
        held: dict[int, int] = {}
        after: tuple[int, int] | None = None
        while True:
            paths = await asyncio.to_thread(recordings_of, self.file, self.folder, self.pattern)
            fault: LinkError | None = None
            whole = 0
            for path in paths:
                try:
                    one = await asyncio.to_thread(self._load, path)
                except LinkError as error:
                    named = isinstance(error, ComtradeError)
                    fault = error if named else LinkError(f"{path.name}: {error}")
                    if len(paths) > 1:
                        ctx.log.error("%s; it is left out", fault)
                        ctx.count("recordings_failed")
                    continue
                ctx.up(f"{path.name}: {len(one)} rows at {one.rate} Hz")
                ctx.count("recordings")
                now = ctx.now()
                if self.start is Start.NOW:
                    follows = after[1] if after is not None and after[0] == one.rate else None
                    pace = Pace.now(one.rate, len(one), now, follows)
                else:
                    pace = Pace.recorded(
                        one.rate, len(one), now, utc(one.header, self.zone), self.speed
                    )
                await _play(ctx, one, pace, await _wired(ctx, one.header, points), held)
                after = (one.rate, pace.begin + len(one))
                whole += 1
            if not whole and fault is not None:
                raise fault
            if self.repeat is Repeat.ONCE:
                break
        await asyncio.Event().wait()

    def _load(self, path: Path) -> Played:
        one = played(read(path), self.side, self.channels)
        if self.start is Start.AS_RECORDED and one.header.quality == UNRELIABLE:
            unreliable = np.uint16(Quality.CLOCK_NOT_SYNCHRONISED)
            one = replace(one, quality=one.quality | unreliable)
        return one


async def _wired(ctx: SourceContext, header: Header, points: Mapping[str, int]) -> dict[int, int]:
    """Return the point of each status column; points without a column become stale."""
    names = {channel.name: column for column, channel in reversed([*enumerate(header.status)])}
    numbers = {str(channel.number): column for column, channel in enumerate(header.status)}
    columns = {word: names.get(word, numbers.get(word)) for word in points}
    if lost := [word for word, column in columns.items() if column is None]:
        known = ", ".join(names) or "none"
        ctx.log.error("found no status channel %s, allowed: %s", ", ".join(lost), known[:400])
        ctx.count("status_missing", len(lost))
        await ctx.stale([points[word] for word in lost])
    return {column: points[word] for word, column in columns.items() if column is not None}


async def _play(
    ctx: SourceContext, one: Played, pace: Pace, wired: Mapping[int, int], held: dict[int, int]
) -> None:
    """Hand over the rows as they come due, about 10 ms in a block, and the edges with them."""
    block = max(1, one.rate // 100)
    edges = one.edges[np.isin(one.edges[:, 1], list(wired))]
    row, edge = 0, 0
    async for now in ctx.every(TICK):
        if pace.late(row, now):
            missed = pace.due(now) - row
            ctx.count("rows_missed", missed)
            row += missed
        due = pace.due(now)
        while row < due:
            end = min(due, row + block)
            await ctx.emit_waveform(
                Waveform(
                    one.rate,
                    one.channels,
                    pace.begin + row,
                    one.samples[row:end],
                    one.quality[row:end],
                )
            )
            row = end
        last = int(np.searchsorted(edges[:, 0], row))
        if last > edge:
            await _tell(ctx, edges[edge:last], pace, wired, held)
            edge = last
        if row >= len(one):
            return


async def _tell(
    ctx: SourceContext,
    edges: np.ndarray[tuple[int, int], np.dtype[np.int64]],
    pace: Pace,
    wired: Mapping[int, int],
    held: dict[int, int],
) -> None:
    """Emit edges with their times; a beginning that finds a point as it was is none."""
    rows = [
        (wired[column], state, pace.time(row))
        for row, column, state in edges.tolist()
        if row or held.get(wired[column]) != state
    ]
    held.update((point, state) for point, state, _ in rows)
    if rows:
        ids, states, times = zip(*rows, strict=True)
        await ctx.emit(Batch.of(ids, states, Quality.DEVICE_TIME, times), every=True)
