"""A whole gateway, as the configuration describes it: validated, frozen, not yet connected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from gateway.model.access import AccessSettings
from gateway.model.fields import Duration, Secret, Settings, Size
from gateway.model.link import LINK_NAME, Sink, Source
from gateway.model.point import Definition


class WhenFull(StrEnum):
    """What is shed when the journal reaches a bound."""

    DROP_OLDEST = "drop_oldest"
    DROP_NEWEST = "drop_newest"
    WAIT = "wait"


class JournalSettings(Settings):
    """The bounds of the journal, and what happens at them."""

    max_size: Annotated[Size, Field(description="most bytes that undelivered samples may take")] = (
        1_000_000_000
    )
    max_age: Annotated[Duration, Field(description="how long an undelivered sample is kept")] = (
        7 * 86400.0
    )
    when_full: Annotated[
        WhenFull,
        Field(
            description="drop_oldest and drop_newest shed and count samples; "
            "wait leaves new ones with their devices until there is room"
        ),
    ] = WhenFull.DROP_OLDEST


class TraceSettings(Settings):
    """The last frames of each link, which `gateway trace` shows."""

    size: Annotated[
        Size | Literal[0],
        Field(
            description="memory for the last frames of a link; 0 keeps none",
            json_schema_extra={"default": "4MB"},
        ),
    ] = 4_000_000
    total: Annotated[
        Size,
        Field(description="of all links together; where they are many, each has its share"),
    ] = 64_000_000


class LogFormat(StrEnum):
    """For whom the log and the status lines are."""

    TEXT = "text"
    JSON = "json"


class TelemetrySettings(Settings):
    """Traces of commands, for a collector that takes OTLP over HTTP."""

    endpoint: Annotated[
        str,
        Field(
            pattern=r"^https?://[^\s/]+/\S*$",
            description="where the collector takes traces",
            examples=["https://collector:4318/v1/traces"],
        ),
    ]
    authorization: Annotated[
        Secret | None,
        Field(description="the header Authorization of each request, such as Bearer and a token"),
    ] = None
    service: Annotated[
        str,
        Field(max_length=64, description="service.name of the traces; empty is the gateway's name"),
    ] = ""


class GatewaySettings(Settings):
    """The gateway itself."""

    name: Annotated[str, Field(pattern=f"^{LINK_NAME}$", max_length=64)]
    data: Annotated[
        Path,
        Field(description="folder for journal and certificates, relative to the file"),
    ] = Path("data")
    journal: JournalSettings = JournalSettings()
    trace: TraceSettings = TraceSettings()
    log_level: Annotated[
        str, Field(pattern="^(debug|info|warning|error)$", description="least level that is logged")
    ] = "info"
    log: Annotated[
        LogFormat,
        Field(
            description="text: log and status lines for people; json: an object per line, for "
            "a collector"
        ),
    ] = LogFormat.TEXT
    telemetry: Annotated[
        TelemetrySettings | None,
        Field(description="traces of commands in OpenTelemetry; needs grid-gateway[telemetry]"),
    ] = None


class AuditSettings(Settings):
    """The audit log."""

    max_size: Annotated[
        Size,
        Field(description="of the log; beyond it the oldest file goes, on record"),
    ] = 1_000_000_000
    key: Annotated[
        Secret | None,
        Field(description="with it nobody without it can forge a record: HMAC instead of a hash"),
    ] = None


class Bay(Settings):
    """Points behind one local/remote switch."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    points: Annotated[
        tuple[str, ...],
        Field(description="names of the points it has, with * and ?; a leading ! leaves out"),
    ]
    switch: Annotated[
        str, Field(min_length=1, description="status point: 1 on remote, anything else is local")
    ]


class CommandSettings(Settings):
    """What holds for commands to any point."""

    bays: tuple[Bay, ...] = ()
    rate: Annotated[
        float, Field(gt=0, le=10_000, description="requests per second that one client may make")
    ] = 100.0
    remember: Annotated[
        Duration,
        Field(gt=0, description="how long the keys of requests are known, so that none runs twice"),
    ] = 86400.0
    audit: AuditSettings = AuditSettings()


@dataclass(frozen=True, slots=True)
class Configuration:
    """The tree of models that a YAML file and its point list stand for.

    `gateway.data` is absolute. The order is that of the files.
    `files` are those that were read, the YAML first, with the SHA-256 of each in hexadecimal.
    """

    path: Path
    gateway: GatewaySettings
    sources: tuple[Source, ...]
    sinks: tuple[Sink, ...]
    points: tuple[Definition, ...]
    commands: CommandSettings = field(default_factory=CommandSettings)
    access: AccessSettings = field(default_factory=AccessSettings)
    files: Mapping[Path, str] = field(default_factory=dict)
