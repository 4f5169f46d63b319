"""What the point list says of a point, before anything is connected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from gateway.model.command import Control


class Kind(StrEnum):
    """What a point is, which decides how it is kept and translated."""

    ANALOG = "analog"
    STATUS = "status"
    DOUBLE = "double"
    COUNTER = "counter"


class Keep(StrEnum):
    """What a sink must have of a point: each sample, or the latest one."""

    EVERY = "every"
    LATEST = "latest"


class Point(BaseModel):
    """The columns that a row of the point list has for one link: `<link>.<field>`.

    A plugin subclasses it; a cell that is empty is as if the column were not there.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class SinkPoint(Point):
    """The columns of a sink; every sink has `keep`, which overrides its own rule for this point."""

    keep: Annotated[
        Keep | None,
        Field(description="what this sink must have of the point: every sample or the latest"),
    ] = None


class DeadbandKind(StrEnum):
    """How a deadband is meant: in the point's unit, or in unit · seconds."""

    ABSOLUTE = "absolute"
    INTEGRATED = "integrated"


@dataclass(frozen=True, slots=True)
class Deadband:
    """How far a value moves before it is reported; a negative width reports every sample."""

    width: float = 0.0
    kind: DeadbandKind = DeadbandKind.ABSOLUTE


@dataclass(frozen=True, slots=True)
class Definition:
    """One row of the point list: the point, its limits, and its addresses at the links.

    `value = raw × scale + offset`; `low`, `high` in `unit`; `rate` in `unit` per second.
    `addresses` maps the name of a link to that link's point model.
    `source` is the name of the one link that brings the point in, or None for a health point.
    `command` says how the point is commanded; None for a measurement.
    """

    name: str
    kind: Kind = Kind.ANALOG
    unit: str = ""
    description: str = ""
    model: str = ""
    scale: float = 1.0
    offset: float = 0.0
    low: float = float("-inf")
    high: float = float("inf")
    rate: float = float("inf")
    deadband: Deadband = Deadband()
    source: str | None = None
    addresses: Mapping[str, Point] = field(default_factory=dict)
    command: Control | None = None


@dataclass(frozen=True, slots=True)
class LinkPoint:
    """A point as one link sees it: its id in batches, its definition, its address there.

    `address` is None at a sink that addresses by name and has no columns in the row.
    """

    id: int
    definition: Definition
    address: Point | None

    @property
    def name(self) -> str:
        return self.definition.name

    @property
    def kind(self) -> Kind:
        return self.definition.kind

    @property
    def command(self) -> Control | None:
        return self.definition.command
