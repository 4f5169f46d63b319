"""The source `sv`: a stream of sampled values, from an interface or from a capture."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from gateway import Duration, SourceContext
from gateway.sampled_values import SampledValues, Stream
from gateway.waveform import Channel, WaveformSource
from gateway_sv.address import MacAddress
from gateway_sv.profile import (
    ChannelSettings,
    Profile,
    ProfileName,
    channels_of,
    parse_profile,
    waveform_channels,
)
from gateway_sv.replay import replay
from gateway_sv.subscriber import subscribe

_LIVE = ("destination", "vlan", "promiscuous", "timeout", "gather", "buffer")
_REPLAYED = ("repeat", "time", "speed")


class SampledValuesSource(WaveformSource):
    """A subscriber to one stream of a merging unit."""

    type: Literal["sv"] = "sv"
    interface: Annotated[
        str | None, Field(min_length=1, max_length=15, description="the network interface")
    ] = None
    file: Annotated[
        Path | None, Field(description="a capture instead: Ethernet in libpcap's format")
    ] = None
    sv_id: Annotated[
        str | None, Field(min_length=1, max_length=129, description="svID of the stream; null: any")
    ] = None
    appid: Annotated[int | None, Field(ge=0, le=0xFFFF, description="APPID; null: any")] = None
    revision: Annotated[
        int | None, Field(ge=0, le=0xFFFFFFFF, description="confRev; null: any")
    ] = None
    profile: ProfileName = "9-2LE-80"
    channels: Annotated[
        tuple[str | ChannelSettings, ...] | None,
        Field(description="the values of the data set in their order, currents first, by name"),
    ] = None
    synch: Annotated[
        Literal["local", "global"],
        Field(description="the least smpSynch of a clock that counts as synchronised"),
    ] = "local"
    simulated: Annotated[
        Literal["ignore", "accept"],
        Field(
            description="frames with the simulation bit; accepted, they are a test, and once there "
            "was one, those without it are left"
        ),
    ] = "ignore"
    destination: Annotated[
        MacAddress | None, Field(description="multicast address of the stream; null: all")
    ] = None
    vlan: Annotated[
        int | None,
        Field(ge=0, le=4094, description="VLAN id of the frames, 0 also for none; null: any"),
    ] = None
    promiscuous: Annotated[
        bool, Field(description="take frames for others, too: at a mirror port")
    ] = False
    timeout: Annotated[
        Duration, Field(ge=0.1, description="without a sample for so long, the link is down")
    ] = 2.0
    gather: Annotated[
        Duration,
        Field(ge=0.001, le=0.1, description="time for which frames are gathered: less is sooner"),
    ] = 0.002
    buffer: Annotated[
        Duration, Field(ge=0.1, le=10, description="time for which frames wait for the gateway")
    ] = 1.0
    repeat: Annotated[
        Literal["loop", "once"],
        Field(description="after the last sample of a file: begin again, or stay there"),
    ] = "loop"
    time: Annotated[
        Literal["now", "recorded"],
        Field(description="of a file's samples: as if they were taken now, or as they were"),
    ] = "now"
    speed: Annotated[
        float, Field(gt=0, le=1000, description="how many times faster than it was recorded")
    ] = 1.0

    @model_validator(mode="after")
    def _together(self) -> Self:
        live, replayed = self.interface is not None, self.file is not None
        if live == replayed:
            raise ValueError(
                f"found {'both' if live else 'neither'} of `interface` and `file`, allowed: one"
            )
        fields = _REPLAYED if live else _LIVE
        if extra := sorted(self.model_fields_set & set(fields)):
            place = "interface" if live else "file"
            raise ValueError(f"found `{extra[0]}`, which nothing that has `{place}` has")
        if self.time == "recorded" and self.repeat == "loop":
            raise ValueError("found `time: recorded`, allowed with `repeat: once` only")
        if self.time == "now" and self.speed != 1.0:
            raise ValueError("found a `speed`, allowed with `time: recorded` only")
        channels_of(self.shape, self.channels)
        return self

    @property
    def shape(self) -> Profile:
        """What the profile says, at the nominal frequency."""
        return parse_profile(self.profile, self.waveform.nominal)

    def stream(self) -> tuple[int, tuple[Channel, ...]]:
        return self.shape.rate, waveform_channels(channels_of(self.shape, self.channels))

    def subscriber(self) -> SampledValues:
        """Return the kernel's subscriber to the stream."""
        channels = channels_of(self.shape, self.channels)
        return SampledValues(
            Stream(self.shape.rate, [one.scale or 1.0 for one in channels], self.waveform.nominal),
            self.sv_id,
            asdus=self.shape.asdus,
            appid=self.appid,
            revision=self.revision,
            synch=self.synch,
            simulated=self.simulated == "accept",
            watched=[at for at, one in enumerate(channels) if one.watched],
        )

    @property
    def gathered(self) -> int:
        """Frames that come while they are gathered, at least one."""
        return max(1, math.floor(self.shape.frames * self.gather))

    def wanted(self) -> str:
        """Say which stream is meant."""
        return " ".join(
            f"{name} {value}"
            for name, value in (
                ("svID", self.sv_id),
                ("APPID", self.appid if self.appid is None else f"0x{self.appid:04X}"),
                ("confRev", self.revision),
                ("profile", self.shape),
            )
            if value is not None
        )

    async def run(self, ctx: SourceContext) -> None:
        if self.interface is not None:
            await subscribe(self, self.interface, ctx)
        elif self.file is not None:
            await replay(self, self.file, ctx)
