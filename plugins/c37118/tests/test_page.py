"""The page of the plugin names every field and column, with the default that it has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from gateway_c37118.client.source import C37Client
from gateway_c37118.item import PARTS, STAT_FIELDS, TIME_FIELDS, Group
from gateway_c37118.server.settings import Destination, PmuSettings
from gateway_c37118.server.sink import C37Server
from pydantic import BaseModel
from pydantic.fields import FieldInfo

PAGE = (Path(__file__).parents[1] / "README.md").read_text()
HOST = {"name", "type", "reconnect", "select", "live_first", "history_rate", "window"} | {
    *("keep", "role")
}
"""What every link has stands in docs/configuration.md."""


def section(title: str) -> str:
    return PAGE.partition(f"\n## `{title}`\n")[2].partition("\n## ")[0]


def table(title: str, head: str) -> dict[str, str]:
    """The default of each name in the first column; one default for several is that of each."""
    body = section(title).partition(f"| {head} |")[2].partition("\n\n")[0]
    found: dict[str, str] = {}
    for line in body.splitlines()[2:]:
        names, default = (cell.strip() for cell in line.split("|")[1:3])
        here = re.findall(r"`([a-z_0-9]+)`", names)
        # A default for each name, or one for all of them.
        defaults = re.split(r"(?<=`), (?=`)", default)
        defaults = defaults if len(defaults) == len(here) else [default] * len(here)
        found |= dict(zip(here, defaults, strict=True))
    return found


def named(model: type[BaseModel]) -> Mapping[str, FieldInfo]:
    return {one.alias or name: one for name, one in model.model_fields.items()}


@pytest.mark.parametrize("model", [C37Client, C37Server])
def test_every_field_and_column_has_its_row(model: type[C37Client] | type[C37Server]) -> None:
    """The tables have each field and column, and no other; they say which are required."""
    title = str(model.model_fields["type"].default)
    for head, fields in (("field", named(model)), ("column", named(model.Point))):
        rows = table(title, head)
        assert set(rows) - HOST == set(fields) - HOST
        for name, default in rows.items():
            assert (default == "required") is fields[name].is_required(), name


@pytest.mark.parametrize(
    ("model", "given"),
    [(C37Client, {"host": "h", "idcode": 7}), (C37Server, {"listen": "127.0.0.1:4712"})],
)
def test_defaults_are_those_of_the_model(
    model: type[C37Client] | type[C37Server], given: dict[str, object]
) -> None:
    """What the page gives as a default, written into the YAML, changes nothing."""
    title = str(model.model_fields["type"].default)
    plain = model.model_validate(given | {"name": "x"})
    checked = 0
    for name, default in table(title, "field").items():
        found = re.fullmatch(r"`([^`]*)`", default)
        if found is None or name == "announce":
            continue
        again = model.model_validate(given | {"name": "x", name: yaml.safe_load(found[1])})
        assert getattr(again, name) == getattr(plain, name), name
        checked += 1
    assert checked > 5


def test_every_item_is_told() -> None:
    """The table of items has each group, part and field."""
    body = section("c37118.client").partition("| item |")[2].partition("\n\n")[0]
    told = set(re.findall(r"[a-z_]+", " ".join(re.findall(r"`([^`]*)`", body))))
    assert {*map(str, Group), *PARTS, *STAT_FIELDS, *TIME_FIELDS} <= told


def test_what_stands_inside_a_field_is_named() -> None:
    """The fields of `pmus` and `spontaneous`."""
    text = section("c37118.server")
    for model in (PmuSettings, Destination):
        for name in named(model):
            assert re.search(rf"[{{ `]{name}[:`}},]", text), (model.__name__, name)
