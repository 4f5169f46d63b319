"""The page of the plugin names every field and column, with the default that it has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from gateway_iec60870 import gateway_components
from gateway_iec60870.asdu import LAYOUTS, TypeId
from gateway_iec60870.controlled import ControlledLink
from gateway_iec60870.controlling.settings import CountersSettings, GroupSettings
from gateway_iec60870.iec101.line_fields import LineFields
from gateway_iec60870.quality import COUNTER, MEASURED, CounterFlag, Flag
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gateway import Sink, Source

Model = type[Source] | type[Sink]

PAGE = (Path(__file__).parents[1] / "README.md").read_text()
HOST = {"name", "type", "reconnect", "select", "live_first", "history_rate", "window"}
"""What every link has stands in docs/configuration.md."""
MODELS: list[Model] = list(gateway_components())
SPECIAL = {"port", "keep"}
"""Fields whose default the table cannot show as it stands in the YAML."""
SIZES = {"cause_octets", "ca_octets", "ioa_octets"}
"""Fields that 101 and 104 have in common, and not their defaults."""
REQUIRED: dict[str, dict[str, object]] = {
    "iec104.client": {"host": "h"},
    "iec104.server": {"listen": "h:1"},
    "iec101.master": {"port": "/dev/ttyS0", "ca": 1},
    "iec101.slave": {"port": "/dev/ttyS0", "ca": 1},
}
"""The least that a link of each type needs."""


def title(model: Model) -> str:
    return str(model.model_fields["type"].default)


def shared(model: Model) -> str:
    """The section with what 101 and 104 have in common."""
    return "Controlled station" if issubclass(model, ControlledLink) else "Controlling station"


def section(heading: str) -> str:
    assert f"\n## {heading}\n" in PAGE, heading
    return PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def table(heading: str, head: str) -> dict[str, str]:
    """The default of each name in the first column; one default for several is that of each."""
    body = section(heading).partition(f"| {head} |")[2].partition("\n\n")[0]
    found: dict[str, str] = {}
    for line in body.splitlines()[2:]:
        names, default = (cell.strip() for cell in line.split("|")[1:3])
        names_here = re.findall(r"`([a-z_0-9]+)`", names)
        defaults = re.split(r"(?<=`), (?=`)|(?<=–), ", default)
        if len(defaults) != len(names_here):
            defaults = [default] * len(names_here)
        assert not found.keys() & set(names_here)
        found |= dict(zip(names_here, defaults, strict=True))
    return found


def both(model: Model, head: str) -> dict[str, str]:
    """The rows of the type's own table and of those that it shares; its own defaults count."""
    own, common = table(f"`{title(model)}`", head), table(shared(model), head)
    line = table("Lines of 101", head) if issubclass(model, LineFields) else {}
    again = own.keys() & common.keys()
    assert not again - (SIZES if line else set())
    assert not line.keys() & (own.keys() | common.keys())
    return common | line | own


def named(model: type[BaseModel]) -> Mapping[str, FieldInfo]:
    return {one.alias or name: one for name, one in model.model_fields.items()}


@pytest.mark.parametrize("model", MODELS, ids=title)
def test_every_field_has_its_row(model: Model) -> None:
    """The tables have each field of the YAML, and no other; they say which are required."""
    rows, fields = both(model, "field"), named(model)
    assert set(rows) == set(fields) - HOST
    for name, default in rows.items():
        assert (default == "required") is fields[name].is_required(), name


@pytest.mark.parametrize("model", MODELS, ids=title)
def test_every_column_has_its_row(model: Model) -> None:
    """So have those of the columns."""
    rows, fields = both(model, "column"), named(model.Point)
    assert set(rows) == set(fields)
    for name, default in rows.items():
        assert (default == "required") is fields[name].is_required(), name


@pytest.mark.parametrize("model", MODELS, ids=title)
def test_defaults_are_those_of_the_model(model: Model) -> None:
    """What the page gives as a default, written into the YAML or a row, changes nothing."""
    given = {"name": "x"} | REQUIRED[title(model)]
    plain = model.model_validate(given)
    checked = 0
    for name, default in both(model, "field").items():
        found = re.fullmatch(r"`([^`]*)`", default)
        if found is None or name in SPECIAL:
            continue
        again = model.model_validate(given | {name: yaml.safe_load(found[1])})
        assert getattr(again, name) == getattr(plain, name), name
        checked += 1
    assert checked > 12
    for name, default in both(model, "column").items():
        found = re.fullmatch(r"`([^`]*)`", default)
        if found is not None and found[1] not in both(model, "column"):
            again = model.Point.model_fields[name].get_default()
            assert (
                again
                == model.Point.model_validate(
                    {"ioa": 1} | {name: yaml.safe_load(found[1])}
                ).__dict__[name]
            ), name


def test_what_stands_inside_a_field_is_named() -> None:
    """The fields of groups and counters."""
    text = section("Controlling station")
    for model in (GroupSettings, CountersSettings):
        for name in named(model):
            assert re.search(rf"[{{ `]{name}[:`]", text), (model.__name__, name)


def test_every_type_is_in_the_table_of_what_it_speaks() -> None:
    """Each type identification stands in one row, by its number."""
    body = section("What it speaks").partition("| types |")[2].partition("\n\n")[0]
    found: list[int] = []
    for line in body.splitlines()[2:]:
        for first, last in re.findall(r"(\d+)(?:–(\d+))?", line.split("|")[1]):
            found += range(int(first), int(last or first) + 1)
    assert sorted(found) == sorted(map(int, TypeId)) == sorted(LAYOUTS)


def test_the_table_of_quality_is_the_tested_one() -> None:
    """Each flag with the quality that it becomes, in the words of the gateway."""
    body = section("Quality").partition("| flag |")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in body.splitlines()[2:]]
    told = {row[0].split(" ")[0]: row[1] for row in rows}
    flags = {Flag(flag).name: meaning for flag, meaning in MEASURED}
    flags |= {CounterFlag(flag).name: meaning for flag, meaning in COUNTER}
    for name, meaning in flags.items():
        assert told[str(name)] == quality(meaning), name
    assert set(told) == {*map(str, flags), "CY", "EI", "transient", "T"}


def quality(meaning: int) -> str:
    from gateway import Quality, quality_text

    text = quality_text(Quality(meaning))
    return text.removeprefix("good,").replace(",", ", ")
