"""The page of the plugin names every field and column, with the default that it has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from gateway_dnp3.master.settings import Assignment, FreezeSettings, Poll
from gateway_dnp3.master.source import DnpMaster
from gateway_dnp3.outstation.sink import DnpOutstation
from pydantic import BaseModel
from pydantic.fields import FieldInfo

PAGE = (Path(__file__).parents[1] / "README.md").read_text()
HOST = {"name", "type", "reconnect", "select", "live_first", "history_rate", "window"}
"""What every link has stands in docs/configuration.md."""


def section(title: str) -> str:
    return PAGE.partition(f"\n## `{title}`\n")[2].partition("\n## ")[0]


def table(title: str, head: str) -> dict[str, str]:
    """The default of each name in the first column; one default for several is that of each."""
    body = section(title).partition(f"| {head} |")[2].partition("\n\n")[0]
    found: dict[str, str] = {}
    for line in body.splitlines()[2:]:
        names, default = (cell.strip() for cell in line.split("|")[1:3])
        names_here = re.findall(r"`([a-z_0-9]+)`", names)
        # `[0s, 0s]`, `[1, 1]`: a comma between backticks parts two defaults.
        defaults = re.split(r"(?<=`), (?=`)|(?<=–), ", default)
        if len(defaults) != len(names_here):
            defaults = [default] * len(names_here)
        found |= dict(zip(names_here, defaults, strict=True))
    return found


def named(model: type[BaseModel]) -> Mapping[str, FieldInfo]:
    return {one.alias or name: one for name, one in model.model_fields.items()}


@pytest.mark.parametrize("model", [DnpMaster, DnpOutstation])
def test_every_field_has_its_row(model: type[DnpMaster] | type[DnpOutstation]) -> None:
    """The table has each field of the YAML, and no other; it says which are required."""
    title = str(model.model_fields["type"].default)
    rows, fields = table(title, "field"), named(model)
    assert set(rows) == set(fields) - HOST
    for name, default in rows.items():
        assert (default == "required") is fields[name].is_required(), name


@pytest.mark.parametrize("model", [DnpMaster, DnpOutstation])
def test_every_column_has_its_row(model: type[DnpMaster] | type[DnpOutstation]) -> None:
    """So has that of the columns."""
    title = str(model.model_fields["type"].default)
    rows, fields = table(title, "column"), named(model.Point)
    assert set(rows) == set(fields)
    for name, default in rows.items():
        assert (default == "required") is fields[name].is_required(), name


@pytest.mark.parametrize("model", [DnpMaster, DnpOutstation])
def test_defaults_are_those_of_the_model(model: type[DnpMaster] | type[DnpOutstation]) -> None:
    """What the page gives as a default, written into the YAML, changes nothing."""
    title = str(model.model_fields["type"].default)
    given = {"name": "x"}
    given |= {"host": "h"} if model is DnpMaster else {"listen": "h:1", "address": 1, "master": 2}
    plain = model.model_validate(given)
    checked = 0
    for name, default in table(title, "field").items():
        found = re.fullmatch(r"`([^`]*)`", default)
        if found is None or name in ("port", "keep"):
            continue
        again = model.model_validate(given | {name: yaml.safe_load(found[1])})
        assert getattr(again, name) == getattr(plain, name), name
        checked += 1
    assert checked > 12


def test_what_stands_inside_a_field_is_named() -> None:
    """The fields of polls, freeze and assign."""
    text = section("dnp3.master")
    for model in (Poll, FreezeSettings, Assignment):
        for name in named(model):
            assert re.search(rf"[{{ `]{name}[:`]", text), (model.__name__, name)
