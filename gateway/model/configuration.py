"""A whole gateway, as the configuration describes it: validated, frozen, not yet connected."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field

from gateway.model.fields import Duration, Settings, Size
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


class GatewaySettings(Settings):
    """The gateway itself."""

    name: Annotated[str, Field(pattern=f"^{LINK_NAME}$", max_length=64)]
    data: Annotated[
        Path,
        Field(description="folder for journal and certificates, relative to the file"),
    ] = Path("data")
    journal: JournalSettings = JournalSettings()
    log_level: Annotated[
        str, Field(pattern="^(debug|info|warning|error)$", description="least level that is logged")
    ] = "info"


@dataclass(frozen=True, slots=True)
class Configuration:
    """The tree of models that a YAML file and its point list stand for.

    `gateway.data` is absolute. The order is that of the files.
    """

    path: Path
    gateway: GatewaySettings
    sources: tuple[Source, ...]
    sinks: tuple[Sink, ...]
    points: tuple[Definition, ...]
