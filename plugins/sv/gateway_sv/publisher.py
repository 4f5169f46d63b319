"""The source `sv.publisher`: a merging unit that is made up, for tests and demonstrations."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from gateway import Duration, LinkError, Source, SourceContext, reason
from gateway.sampled_values import KernelError, Publisher, Stream
from gateway_sv.address import MacAddress, octets
from gateway_sv.capture import write_frames, write_head
from gateway_sv.disturbance import Disturbance, Disturbed, Sent
from gateway_sv.profile import ChannelSettings, Profile, ProfileName, channels_of, parse_profile
from gateway_sv.sending import Counts, send
from gateway_sv.signal import Signal

SECOND = 1_000_000_000
START = 1_767_225_600
"""The second at which files begin: 2026-01-01, so that the same settings make the same file."""
BATCH = 0.02
"""Seconds of frames that are made at once."""
_SYNCH = {"none": 0, "local": 1, "global": 2}


class SampledValuesPublisher(Source):
    """A simulated merging unit; it brings no points of its own."""

    type: Literal["sv.publisher"] = "sv.publisher"
    interface: Annotated[
        str | None, Field(min_length=1, max_length=15, description="where frames are sent")
    ] = None
    to_file: Annotated[
        Path | None, Field(description="a capture that is written instead, in libpcap's format")
    ] = None
    seconds: Annotated[
        Duration | None, Field(gt=0, description="of a capture; null, on an interface: no end")
    ] = None
    sv_id: Annotated[str, Field(min_length=1, max_length=129, description="svID of the stream")] = (
        "MU0101"
    )
    appid: Annotated[int, Field(ge=0, le=0xFFFF, description="APPID")] = 0x4000
    revision: Annotated[int, Field(ge=0, le=0xFFFFFFFF, description="confRev")] = 1
    data_set: Annotated[
        str | None, Field(max_length=129, description="datSet; null: none is sent")
    ] = None
    profile: ProfileName = "9-2LE-80"
    nominal: Annotated[Literal[50, 60], Field(description="frequency of the network [Hz]")] = 50
    channels: Annotated[
        tuple[str | ChannelSettings, ...] | None,
        Field(description="the values of the data set in their order, currents first, by name"),
    ] = None
    destination: Annotated[MacAddress, Field(description="address that frames go to")] = (
        "01-0C-CD-04-00-01"
    )
    sender: Annotated[MacAddress, Field(description="address that frames come from")] = (
        "02-00-00-00-00-01"
    )
    vlan: Annotated[
        int | None, Field(ge=0, le=4094, description="VLAN id of the tag; null: no tag")
    ] = 0
    priority: Annotated[int, Field(ge=0, le=7, description="of the tag")] = 4
    smp_mod: Annotated[
        Literal["cycle", "second"] | None, Field(description="smpMod with smpRate; null: neither")
    ] = None
    clock: Annotated[bool, Field(description="send refrTm in each ASDU")] = False
    synch: Annotated[Literal["none", "local", "global"], Field(description="smpSynch")] = "global"
    simulated: Annotated[bool, Field(description="set the simulation bit")] = False
    signal: Annotated[Signal, Field(description="what it measures")] = Signal()
    disturbance: Annotated[Disturbance, Field(description="what the network does to frames")] = (
        Disturbance()
    )

    @model_validator(mode="after")
    def _together(self) -> Self:
        if (self.interface is None) == (self.to_file is None):
            which = "neither" if self.interface is None else "both"
            raise ValueError(f"found {which} of `interface` and `to_file`, allowed: one")
        if self.to_file is not None and self.seconds is None:
            raise ValueError("found `to_file` without `seconds`, which say how long it is")
        channels_of(self.shape, self.channels)
        try:
            next(self.frames(START * self.shape.rate, Disturbed(Disturbance(), 1, _nobody)))
        except KernelError as error:
            raise ValueError(f"no such frame can be made: {error}") from error
        return self

    @property
    def shape(self) -> Profile:
        """What the profile says, at the nominal frequency."""
        return parse_profile(self.profile, self.nominal)

    @property
    def batch(self) -> int:
        """Rows that are made at once, whole frames of them."""
        return max(1, round(self.shape.frames * BATCH)) * self.shape.asdus

    def frames(self, first: int, disturbed: Disturbed) -> Iterator[list[Sent]]:
        """Yield batches of frames, from the row of this index on, without end; each frame is sent
        when its last row was taken."""
        shape = self.shape
        channels = channels_of(shape, self.channels)
        publisher = Publisher(
            Stream(shape.rate, [one.scale or 1.0 for one in channels], self.nominal),
            self.sv_id,
            shape.asdus,
            appid=self.appid,
            revision=self.revision,
            data_set=self.data_set,
            smp_mod=self.smp_mod,
            vlan=None if self.vlan is None else self.priority << 13 | self.vlan,
            clock=self.clock,
            simulated=self.simulated,
            destination=octets(self.destination),
            source=octets(self.sender),
        )
        row = 0
        while True:
            rows = self.signal.rows(channels, shape.rate, self.nominal, row, self.batch)
            made = publisher.encode(first + row, rows, synch=_SYNCH[self.synch])
            last = first + row + shape.asdus - 1
            yield disturbed.take(
                [
                    Sent(frame, (last + number * shape.asdus) * SECOND // shape.rate)
                    for number, frame in enumerate(made)
                ]
            )
            row += self.batch

    async def run(self, ctx: SourceContext) -> None:
        counts = Counts()
        disturbed = Disturbed(self.disturbance, self.shape.frames, counts.add)
        if self.to_file is not None:
            written = await asyncio.to_thread(self.write, self.to_file, disturbed)
            counts.flush(ctx.count)
            ctx.up(f"{written} frames in {self.to_file}")
            await asyncio.get_running_loop().create_future()
        elif self.interface is not None:
            first = (ctx.now() // SECOND + 1) * self.shape.rate
            await send(
                self.interface, self.frames(first, disturbed), self.seconds, counts, ctx,
                f"{self.interface}: svID {self.sv_id}, {self.shape}",
            )  # fmt: skip

    def write(self, path: Path, disturbed: Disturbed | None = None) -> int:
        """Write `seconds` of frames as a capture; return how many. Raises LinkError."""
        disturbed = disturbed or Disturbed(Disturbance(), 1, _nobody)
        end = START * SECOND + round((self.seconds or 0.0) * SECOND)
        written = 0
        try:
            # A reader never sees a part of it.
            part = path.with_name(f"{path.name}.part")
            with part.open("wb") as file:
                write_head(file)
                for batch in self.frames(START * self.shape.rate, disturbed):
                    frames = [one for one in batch if one.time < end]
                    write_frames(file, frames)
                    written += len(frames)
                    if batch and batch[-1].time >= end:
                        break
            part.replace(path)
        except OSError as error:
            raise LinkError(f"{path}: {reason(error)}") from error
        return written


def _nobody(what: str, n: int) -> None:
    """Count nothing."""
