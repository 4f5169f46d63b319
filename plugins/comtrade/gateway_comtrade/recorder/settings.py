"""The fields and columns of the recorder, and what they must have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from gateway import Duration, Kind, LinkPoint, Sink, SinkPoint, Size, seconds_text
from gateway_comtrade.codec import Format
from gateway_comtrade.recorder.trigger import Trigger, unknown

TEXT = r"^[^,\x00-\x1f\x7f]*$"


class RecorderPoint(SinkPoint):
    """The column of a point that is recorded as a status channel."""

    channel: Annotated[
        str | None,
        Field(
            pattern=TEXT,
            min_length=1,
            max_length=64,
            description="name of the status channel that shows the point in recordings",
        ),
    ] = None


class RecorderFields(Sink):
    """What the recorder's YAML says."""

    Point = RecorderPoint

    source: Annotated[str, Field(description="name of the source whose waveforms are recorded")]
    folder: Annotated[
        Path | None,
        Field(description="where recordings are written; left out: `recordings` in the link's own"),
    ] = None
    when: Annotated[
        tuple[Trigger, ...],
        Field(min_length=1, max_length=64, description="triggers, each a name and a condition"),
    ]
    before: Annotated[Duration, Field(ge=0, le=60, description="recorded before a trigger")] = 0.2
    after: Annotated[Duration, Field(gt=0, le=60, description="recorded behind a trigger")] = 1.0
    longest: Annotated[
        Duration,
        Field(gt=0, le=60, description="of a recording that more triggers make longer"),
    ] = 10.0
    late: Annotated[
        Duration,
        Field(gt=0, le=30, description="for which results may come behind their samples"),
    ] = 1.0
    memory: Annotated[
        Duration,
        Field(gt=0, le=120, description="of samples that are kept for a trigger to come"),
    ] = 5.0
    format: Annotated[
        Literal["binary", "binary32", "ascii", "float32"],
        Field(description="of the data file; binary32 and float32 need revision 2013"),
    ] = "binary"
    revision: Annotated[Literal[1999, 2013], Field(description="of COMTRADE")] = 2013
    station: Annotated[
        str,
        Field(pattern=TEXT, max_length=64, description="name of it; the gateway's where left out"),
    ] = ""
    device: Annotated[
        str,
        Field(pattern=TEXT, max_length=64, description="name of it; the source's where left out"),
    ] = ""
    company: Annotated[str, Field(pattern=TEXT, max_length=64, description="in file names")] = ""
    frequency: Annotated[Literal[50, 60], Field(description="nominal, of the network [Hz]")] = 50
    most: Annotated[
        int, Field(gt=0, description="recordings in the folder; more of them, and the oldest go")
    ] = 1000
    max_size: Annotated[
        Size, Field(description="of all recordings in the folder; beyond it the oldest go")
    ] = 10**9

    @model_validator(mode="after")
    def _fits(self) -> RecorderFields:
        if self.revision < 2013 and self.stored in (Format.BINARY32, Format.FLOAT32):
            raise ValueError(
                f"found format {self.format} with revision {self.revision}, "
                "allowed: binary, ascii; or revision: 2013"
            )
        whole = self.before + self.after
        if self.longest < whole:
            raise ValueError(
                f"found longest {seconds_text(self.longest)}, allowed: {seconds_text(whole)} or "
                "more, before and after together"
            )
        if self.memory < self.before + self.late:
            raise ValueError(
                f"found memory {seconds_text(self.memory)}, allowed: "
                f"{seconds_text(self.before + self.late)} or more, before and late together"
            )
        names = [trigger.name for trigger in self.when]
        if again := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"found the trigger '{again[0]}' twice, allowed: once")
        return self

    @property
    def stored(self) -> Format:
        return Format(self.format.upper())

    def check_points(self, points: Sequence[LinkPoint]) -> Iterable[tuple[LinkPoint, str, str]]:
        names = [point.name for point in points]
        for name, sentence in unknown(self.when, names):
            # Health points are the gateway's; whether there is one of that name shows at the start.
            if points and not name.startswith("_health."):
                yield points[0], "", sentence
        first: dict[str, str] = {}
        for point in points:
            channel = channel_of(point)
            if channel is None:
                continue
            if point.kind not in (Kind.STATUS, Kind.DOUBLE):
                yield (
                    point,
                    "channel",
                    f"found a point of kind {point.kind}, allowed: status, double",
                )
            if (other := first.setdefault(channel, point.name)) != point.name:
                yield point, "channel", f"found '{channel}', which already is {other}"


def channel_of(point: LinkPoint) -> str | None:
    """Return the status channel that a point is recorded as."""
    return point.address.channel if isinstance(point.address, RecorderPoint) else None
