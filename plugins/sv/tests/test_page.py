"""The page of the plugin names every field and column, with the default that it has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from gateway_sv import gateway_components
from gateway_sv.disturbance import Disturbance
from gateway_sv.profile import ChannelSettings
from gateway_sv.publisher import SampledValuesPublisher
from gateway_sv.signal import Signal
from gateway_sv.source import SampledValuesSource
from gateway_sv.tally import Tally
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gateway.sampled_values import SampledState, StreamState

PAGE = (Path(__file__).parents[1] / "README.md").read_text()
HOST = {"name", "type", "reconnect"}
"""What every link has stands in docs/configuration.md."""
MODELS = list(gateway_components())
REQUIRED = {"sv": {"interface": "eth1"}, "sv.publisher": {"interface": "eth1"}}


def title(model: type[BaseModel]) -> str:
    return str(model.model_fields["type"].default)


def section(heading: str) -> str:
    return PAGE.partition(f"\n## `{heading}`\n")[2].partition("\n## ")[0]


def table(text: str, head: str) -> dict[str, str]:
    """The default of each name in the first column, of all tables with this head."""
    found: dict[str, str] = {}
    for body in text.split(f"| {head} |")[1:]:
        for line in body.partition("\n\n")[0].splitlines()[2:]:
            names, default = (cell.strip() for cell in line.split("|")[1:3])
            found |= dict.fromkeys(re.findall(r"`([a-z_0-9]+)`", names), default)
    return found


def named(model: type[BaseModel]) -> Mapping[str, FieldInfo]:
    return {one.alias or name: one for name, one in model.model_fields.items()}


@pytest.mark.parametrize("model", MODELS, ids=title)
def test_every_field_has_its_row(model: type[BaseModel]) -> None:
    """The tables have each field of the YAML, and no other."""
    assert set(table(section(title(model)), "field")) == set(named(model)) - HOST


@pytest.mark.parametrize("model", MODELS, ids=title)
def test_defaults_are_those_of_the_model(model: type[BaseModel]) -> None:
    """What the page gives as a default, written into the YAML, changes nothing."""
    given = {"name": "x"} | REQUIRED[title(model)]
    plain = model.model_validate(given)
    checked = 0
    for name, default in table(section(title(model)), "field").items():
        found = re.fullmatch(r"`([^`]*)`", default)
        if found is None:
            continue
        if name in ("repeat", "time", "speed"):
            given_here: dict[str, object] = {"name": "x", "file": "x.pcap"}
        else:
            given_here = dict(given)
        again = model.model_validate(given_here | {name: yaml.safe_load(found[1])})
        assert getattr(again, name) == getattr(plain, name), name
        checked += 1
    assert checked > 8


@pytest.mark.parametrize(
    ("head", "model"),
    [
        ("in a channel", ChannelSettings),
        ("in `signal`", Signal),
        ("in `disturbance`", Disturbance),
        ("column", SampledValuesSource.Point),
    ],
)
def test_what_stands_inside_a_field_is_named(head: str, model: type[BaseModel]) -> None:
    """So have the parts of fields, with their defaults."""
    rows = table(PAGE, head)
    assert set(rows) == set(named(model))
    for name, default in rows.items():
        if found := re.fullmatch(r"`([a-z0-9.]+)`", default):
            assert named(model)[name].default == yaml.safe_load(found[1]), name


def test_every_counter_is_explained() -> None:
    """What a subscriber counts stands in the table of counters."""
    told: dict[str, int] = {}
    state = SampledState(StreamState(1, 0, 1, 1), *[1] * 10)
    Tally(lambda what, n: told.update({what: n})).take(state)
    rows = set(table(PAGE, "counter"))
    assert set(told) == rows - {"dropped_frames", "ring_full"}


def test_the_publisher_of_the_page_makes_the_capture(tmp_path: Path) -> None:
    """`sample.pcap` is what `sv.publisher` writes with these settings, octet for octet."""
    made = SampledValuesPublisher.model_validate(
        {
            "name": "mu",
            "to_file": str(tmp_path / "made.pcap"),
            "seconds": "100ms",
            "profile": "F4800S2I4U4",
            "signal": {"unbalance": 0.01, "harmonics": {"5": 0.03, "7": 0.02}},
        }
    )
    assert made.write(tmp_path / "made.pcap") == 240
    sample = Path(__file__).parents[1] / "sample.pcap"
    assert (tmp_path / "made.pcap").read_bytes() == sample.read_bytes()
