"""The message as its reader sees it: the contract behind `message.schema.json`."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator


class Payload(BaseModel):
    """Samples of one topic as columns of one length: element *i* of each belongs to sample *i*.

    Samples of one point stand in the order in which they were taken.
    After an outage live messages pass historical ones, so order by `time` where it matters.
    """

    model_config = ConfigDict(extra="forbid", title="mqtt.json message")

    gateway: Annotated[str, Field(description="name of the gateway")]
    source: Annotated[
        str | None,
        Field(
            description="the link that brings the points in, null for the gateway's own; "
            "there if the topic names {source} or {name}"
        ),
    ] = None
    device: Annotated[
        str | None,
        Field(
            description="dotted name of the points without its last segment; "
            "there if the topic names {device} or {name}"
        ),
    ] = None
    historical: Annotated[
        bool,
        Field(description="true for samples kept during an outage; else not there"),
    ] = False
    points: Annotated[list[str], Field(min_length=1, description="full names of the points")]
    values: Annotated[
        list[float | None],
        Field(
            description="in the unit of the point; a status is 0 or 1, a double status 0 to 3 "
            "(intermediate, off, on, bad); null where there is no number"
        ),
    ]
    quality: Annotated[
        list[str] | list[int],
        Field(description="words of IEC 61850-7-3, validity first: `invalid,oldData`; or flags"),
    ]
    time: Annotated[
        list[int] | list[AwareDatetime],
        Field(description="nanoseconds since 1970-01-01 UTC; or RFC 3339, UTC, microseconds"),
    ]

    @model_validator(mode="after")
    def _columns(self) -> Self:
        lengths = {len(c) for c in (self.points, self.values, self.quality, self.time)}
        if len(lengths) > 1:
            raise ValueError(f"columns of different lengths: {sorted(lengths)}")
        return self
