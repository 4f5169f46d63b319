"""docs/configuration.md shows files that exist, and output that the gateway prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli.command import gateway
from gateway.config.points import BASE
from gateway.config.schema import plugins, schema
from gateway.host import Host
from gateway.model.configuration import GatewaySettings

DOCS = Path(__file__).parents[2] / "docs"
SAMPLES = DOCS / "samples" / "configuration"
PAGE = (DOCS / "configuration.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
GOOD = sorted(path for path in SAMPLES.glob("*.yaml") if path.stem != "mistakes")


@pytest.fixture(autouse=True)
def _in_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(SAMPLES)
    monkeypatch.setenv("MQTT_PASSWORD", "opensesame")


def test_every_sample_is_on_the_page() -> None:
    """Each block of YAML, CSV and output is a file, and each file is a block."""
    shown = {text for kind, text in BLOCKS if kind in ("yaml", "csv", "text")}
    editor_line = {text for text in shown if text.startswith("# yaml-language-server")}
    files = {path.read_text() for path in SAMPLES.iterdir() if path.is_file()}

    assert shown - editor_line == files


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.name)
def test_good_samples_are_good(path: Path) -> None:
    """The samples have no problem."""
    result = CliRunner().invoke(gateway, ["check", path.name])

    assert result.exit_code == 0, result.output


def test_the_mistakes_are_found() -> None:
    """The page shows what `gateway check` prints."""
    result = CliRunner().invoke(gateway, ["check", "mistakes.yaml"])

    assert result.exit_code == 1
    assert result.stdout == (SAMPLES / "mistakes.txt").read_text()


def test_the_explanation_is_what_is_printed() -> None:
    """The page shows what `gateway explain` prints."""
    result = CliRunner().invoke(gateway, ["explain", "substation.yaml", "feeder1.energy"])

    assert result.stdout == (SAMPLES / "explain.txt").read_text()


def test_every_column_is_described() -> None:
    """No column of the point list is missing on the page."""
    described = set(re.findall(r"^\| (.*?) \|", PAGE, re.MULTILINE))
    words = {word for cell in described for word in re.findall(r"`([^`]+)`", cell)}

    assert set(BASE) <= words


def test_every_setting_is_described_with_its_default() -> None:
    """The tables of the gateway's and the sinks' settings agree with the models."""
    rows = dict(re.findall(r"^\| `([\w.]+)` \| *`?([^|`]*?)`? *\|", PAGE, re.MULTILINE))
    own = schema(())["$defs"]
    settings = own["GatewaySettings"]["properties"]
    journal = own["JournalSettings"]["properties"]
    expected = {
        name: one.get("default", "")
        for name, one in settings.items()
        if name in GatewaySettings.model_fields and name != "journal"
    } | {f"journal.{name}": one["default"] for name, one in journal.items()}

    assert {name: rows.get(name, "missing").strip() for name in expected} == expected

    good, _ = plugins(Host())
    sinks = [one for plugin in good for one in plugin.components if not one.is_source]
    properties = sinks[0].schema["properties"]
    for name in ("history_rate", "window"):
        assert rows[name].strip() == str(properties[name]["default"])
