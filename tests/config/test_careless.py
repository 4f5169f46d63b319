"""Plugins that raise what they should not, where the configuration asks them something."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import pytest
from pydantic import field_validator, model_validator

from gateway import LinkPoint, Point, Settings, Source, SourceContext, hookimpl
from gateway.host import Host

YAML = """\
gateway: {name: north}
points: points.csv
sources:
  - {name: c, type: careless}
"""


class CarelessPoint(Point):
    index: int

    @field_validator("index")
    @classmethod
    def _index(cls, value: int) -> int:
        return 10 // value

    @model_validator(mode="after")
    def _rule(self) -> CarelessPoint:
        if self.index == 1:
            raise ValueError("found an index above 5, allowed: up to 5")
        return self


class Careless(Source):
    Point = CarelessPoint
    type: Literal["careless"]

    async def run(self, ctx: SourceContext) -> None: ...

    def check_points(self, points: Sequence[LinkPoint]) -> Iterable[tuple[LinkPoint, str, str]]:
        raise LookupError("nothing there")


class Plugin:
    @hookimpl
    def gateway_components(self) -> list[type[Source]]:
        return [Careless]


@pytest.fixture
def careless(site: Any) -> Any:
    site.host = Host({"careless": Plugin()})
    site.write({"gateway.yaml": YAML})
    return site


def test_a_point_model_that_raises(careless: Any) -> None:
    """The row is named, and whose mistake it is; other rows are not affected."""
    careless.write({"points.csv": "name,c.index\na,2\nb,0\nc,9\n"})

    assert careless.problems() == [
        "points.csv:3:3: c: CarelessPoint failed while it read this row, which is a mistake "
        "in the plugin: ZeroDivisionError: integer division or modulo by zero",
        "points.csv:4:3: c: found an index above 5, allowed: up to 5",
    ]


def test_a_check_of_points_that_raises(careless: Any) -> None:
    """The link's line is named, and whose mistake it is."""
    careless.write({"points.csv": "name,c.index\na,2\n"})

    assert careless.problems() == [
        "gateway.yaml:4:5: c: Careless.check_points failed, which is a mistake in the plugin: "
        "LookupError: nothing there"
    ]


def test_a_rule_across_keys_and_one_for_a_key(site: Any) -> None:
    """Both rules of a nested model are told, each at its place."""

    class Pair(Settings):
        first: int = 0
        second: int = 0

        @model_validator(mode="after")
        def _rule(self) -> Pair:
            if self.first > self.second:
                raise ValueError("first is\nabove second")
            return self

    class Strict(Source):
        type: Literal["careless"]
        pairs: tuple[Pair, ...] = ()

        async def run(self, ctx: SourceContext) -> None: ...

    class Own:
        @hookimpl
        def gateway_components(self) -> list[type[Source]]:
            return [Strict]

    site.host = Host({"careless": Own()})
    pairs = "[{first: 2, second: 1}, {first: x}, {frist: 1}]"
    site.write({"gateway.yaml": YAML.replace("careless}", f"careless, pairs: {pairs}" + "}")})
    site.write({"points.csv": "name\n"})

    assert site.problems() == [
        "gateway.yaml:4:39: pairs[0]: first is above second",
        "gateway.yaml:4:70: pairs[1].first: found 'x', allowed: a whole number",
        "gateway.yaml:4:75: pairs[2]: found the unknown key 'frist', allowed: first, second; "
        "did you mean 'first'?",
    ]
