"""The page of the plugin names every field and column, with the default that it has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from gateway_comtrade.recorder.sink import Recorder
from gateway_comtrade.replay.source import Replay
from pydantic import BaseModel
from pydantic.fields import FieldInfo

HERE = Path(__file__).parents[1]
PAGE = (HERE / "README.md").read_text()
HOST = {"name", "type", "reconnect", "select", "live_first", "history_rate", "window", "role"}
"""What every link has stands in docs/configuration.md; nobody commands through a recorder."""
LEAST: Mapping[type[BaseModel], dict[str, Any]] = {
    Replay: {"name": "x", "folder": "f", "repeat": "once", "start": "as_recorded"},
    Recorder: {"name": "x", "source": "s", "when": [{"name": "t", "condition": "p"}]},
}
MODELS = pytest.mark.parametrize("model", [Replay, Recorder])


def table(title: str, head: str) -> dict[str, str]:
    """The default of each name in the first column."""
    section = PAGE.partition(f"\n## `{title}`\n")[2].partition("\n## ")[0]
    body = section.partition(f"| {head} |")[2].partition("\n\n")[0]
    rows = [line.split("|")[1:3] for line in body.splitlines()[2:]]
    return {name.strip().strip("`"): default.strip() for name, default in rows}


def fields(model: type[BaseModel]) -> Mapping[str, FieldInfo]:
    return {one.alias or name: one for name, one in model.model_fields.items()}


@MODELS
def test_every_field_has_its_row(model: type[Replay] | type[Recorder]) -> None:
    """The table has each field of the YAML, and no other; it says which are required."""
    rows = table(str(model.model_fields["type"].default), "field")
    assert set(rows) == set(fields(model)) - HOST
    for name, default in rows.items():
        assert (default == "required") is fields(model)[name].is_required(), name


@MODELS
def test_every_column_has_its_row(model: type[Replay] | type[Recorder]) -> None:
    """So has that of the columns."""
    rows = table(str(model.model_fields["type"].default), "column")
    assert set(rows) == set(fields(model.Point))


@MODELS
def test_defaults_are_those_of_the_model(model: type[Replay] | type[Recorder]) -> None:
    """What the page gives as a default, written into the YAML, changes nothing; where it gives
    none, there is none."""
    plain = model.model_validate(LEAST[model])
    for name, default in table(str(model.model_fields["type"].default), "field").items():
        if name in LEAST[model] or default == "required":
            continue
        found = re.fullmatch(r"`([^`]*)`", default)
        if found is None:
            assert default == "–", name
            assert getattr(plain, name) in (None, ""), name
            continue
        text = found[1] if found[1] != "*.cf[fg]" else f"'{found[1]}'"
        again = model.model_validate(LEAST[model] | {name: yaml.safe_load(text)})
        assert getattr(again, name) == getattr(plain, name), name


@MODELS
def test_other_defaults_are_right(model: type[Replay] | type[Recorder]) -> None:
    """Those that must differ in the smallest configuration."""
    if model is Replay:
        plain = Replay.model_validate({"name": "x", "file": "f"})
        rows = table("comtrade.replay", "field")
        assert (rows["repeat"], rows["start"]) == (f"`{plain.repeat}`", f"`{plain.start}`")


@pytest.mark.parametrize(
    ("folder", "title", "more"),
    [
        ("recorder", "comtrade.recorder", {"waveforms_dropped"}),
        ("replay", "comtrade.replay", set()),
    ],
)
def test_every_counter_has_its_row(folder: str, title: str, more: set[str]) -> None:
    """What is counted is in the table, and what the host counts of waveforms."""
    code = "\n".join(path.read_text() for path in (HERE / "gateway_comtrade" / folder).glob("*.py"))
    counted = set(re.findall(r'count\(\s*"([a-z_]+)"', code))
    counted |= set(re.findall(r'"(waveforms_[a-z]+)"', code))
    section = PAGE.partition(f"\n## `{title}`\n")[2].partition("\n## ")[0]
    body = section.partition("| counter |")[2].partition("\n\n")[0]
    cells = [line.split("|")[1] for line in body.splitlines()[2:]]
    assert {name for cell in cells for name in re.findall(r"`([a-z_]+)`", cell)} == counted | more
