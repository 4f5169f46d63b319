"""A vendor's plugin with a field of every sort, and a folder to write configurations into."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field, model_validator

from gateway import (
    Duration,
    Endpoint,
    LinkPoint,
    Point,
    Secret,
    Settings,
    Sink,
    SinkContext,
    SinkPoint,
    Size,
    Source,
    SourceContext,
    hookimpl,
)
from gateway.config import ConfigError, load
from gateway.host import Host
from gateway.model.configuration import Configuration

NAME = "acme"


class Parity(StrEnum):
    NONE = "none"
    EVEN = "even"


class Serial(Settings):
    mode: Literal["serial"]
    device: Path
    baud: Annotated[int, Field(ge=300, le=115_200)] = 9600
    parity: Parity = Parity.NONE


class Network(Settings):
    mode: Literal["network"]
    address: Endpoint
    password: Secret | None = None


class Range(Settings):
    low: float = 0.0
    high: float = 100.0

    @model_validator(mode="after")
    def _order(self) -> Range:
        if self.low >= self.high:
            raise ValueError(f"low is {self.low:g}, allowed: less than high, {self.high:g}")
        return self


class MeterPoint(Point):
    index: Annotated[int, Field(ge=0, le=999)]
    wire: Annotated[Literal["float32", "uint16"], Field(alias="type")] = "uint16"
    factor: Annotated[float, Field(gt=0)] = 1.0
    tag: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None


class Meter(Source):
    Point = MeterPoint
    takes_commands = True
    type: Literal["acme"]
    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, le=65_535)] = 502
    poll: Duration = 1.0
    buffer: Size = 1_000_000
    ratio: Annotated[float, Field(gt=0, le=1)] = 0.5
    debug: bool = False
    token: Secret | None = None
    transport: Annotated[Serial | Network, Field(discriminator="mode")] | None = None
    span: Range = Range()
    tags: dict[str, str] = Field(default_factory=dict)
    retries: tuple[Annotated[int, Field(ge=0)], ...] = ()
    certificate: Path | None = None
    timeout: Duration | Literal["never"] = 1.0

    async def run(self, ctx: SourceContext) -> None:
        raise NotImplementedError

    def check_points(self, points: Sequence[LinkPoint]) -> Iterable[tuple[LinkPoint, str, str]]:
        seen: dict[int, str] = {}
        for point in points:
            assert isinstance(point.address, MeterPoint)
            index = point.address.index
            if index in seen:
                yield point, "index", f"found index {index} again, first at {seen[index]}"
            seen.setdefault(index, point.name)


class OutPoint(SinkPoint):
    slot: int | None = None


class Out(Sink):
    Point = OutPoint
    by_name = False
    type: Literal["acme.out"]
    listen: Endpoint

    async def run(self, ctx: SinkContext) -> None:
        raise NotImplementedError


class Broker(Sink):
    type: Literal["acme.broker"]
    key: Secret | None = None

    async def run(self, ctx: SinkContext) -> None:
        raise NotImplementedError


class Plugin:
    @hookimpl
    def gateway_components(self) -> list[type[Source] | type[Sink]]:
        return [Meter, Out, Broker]


@pytest.fixture(scope="session")
def host() -> Host:
    return Host({NAME: Plugin()})


class Site:
    """A folder with `gateway.yaml` and `points.csv`."""

    def __init__(self, folder: Path, host: Host) -> None:
        self.folder = folder
        self.host = host
        self.environ: dict[str, str] = {}

    def write(self, files: Mapping[str, str | bytes]) -> None:
        for name, content in files.items():
            data = content if isinstance(content, bytes) else content.encode()
            (self.folder / name).write_bytes(data)

    def load(self) -> Configuration:
        return load(self.folder / "gateway.yaml", self.environ, self.host)

    def problems(self) -> list[str]:
        """Return the problems without the folder; an empty list where there are none."""
        try:
            self.load()
        except ConfigError as error:
            return [str(one).replace(f"{self.folder}/", "") for one in error.problems]
        return []


@pytest.fixture
def site(tmp_path: Path, host: Host) -> Site:
    return Site(tmp_path, host)


GOOD_YAML = """\
gateway: {name: north}
points: points.csv
sources:
  - {name: meter1, type: acme, host: 10.0.0.11}
  - {name: meter2, type: acme, host: 10.0.0.12}
sinks:
  - {name: scada, type: acme.out, listen: "0.0.0.0:20000"}
  - {name: broker, type: acme.broker}
"""


@pytest.fixture
def check_yaml(site: Site) -> Callable[[str], list[str]]:
    """Return the problems of a YAML text beside a good point list."""

    def check(text: str) -> list[str]:
        site.write({"gateway.yaml": text, "points.csv": "name,meter1.index\na.b,1\n"})
        return site.problems()

    return check


@pytest.fixture
def check_csv(site: Site) -> Callable[[str | bytes], list[str]]:
    """Return the problems of a point list beside a good YAML file."""

    def check(text: str | bytes) -> list[str]:
        site.write({"gateway.yaml": GOOD_YAML, "points.csv": text})
        return site.problems()

    return check


@pytest.fixture
def load_csv(site: Site) -> Callable[[str | bytes], Configuration]:
    """Return the configuration of a point list beside a good YAML file."""

    def load_it(text: str | bytes) -> Configuration:
        site.write({"gateway.yaml": GOOD_YAML, "points.csv": text})
        return site.load()

    return load_it
