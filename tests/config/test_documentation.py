"""docs/configuration.md shows files that exist, and output that the gateway prints."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gateway.cli.command import gateway
from gateway.config.header import BASE
from gateway.config.schema import plugins, schema
from gateway.host import Host
from gateway.model.command import Control
from gateway.model.configuration import GatewaySettings
from gateway.model.fields import seconds_text

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


@pytest.mark.parametrize(
    ("file", "point", "shown"),
    [
        ("substation.yaml", "feeder1.energy", "explain.txt"),
        ("commands.yaml", "feeder1.breaker", "commands.txt"),
    ],
)
def test_the_explanation_is_what_is_printed(file: str, point: str, shown: str) -> None:
    """The page shows what `gateway explain` prints."""
    result = CliRunner().invoke(gateway, ["explain", file, point])

    assert result.stdout == (SAMPLES / shown).read_text()
    assert f"`gateway explain {file} {point}`" in PAGE


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
    groups = {
        "journal": "JournalSettings",
        "trace": "TraceSettings",
        "telemetry": "TelemetrySettings",
    }
    expected = {
        name: one.get("default", "")
        for name, one in settings.items()
        if name in GatewaySettings.model_fields and name not in groups
    } | {
        f"{group}.{name}": one.get("default") or ""
        for group, model in groups.items()
        for name, one in own[model]["properties"].items()
    }

    assert {name: rows.get(name, "missing").strip() for name in expected} == expected

    good, _ = plugins(Host())
    sinks = [one for plugin in good for one in plugin.components if not one.is_source]
    properties = sinks[0].schema["properties"]
    for name in ("history_rate", "window"):
        assert rows[name].strip() == str(properties[name]["default"])


def test_every_column_of_commands_is_described_with_its_default() -> None:
    """The table of the command columns agrees with the model."""
    rows = re.findall(r"^\| ((?:`command\.\w+`(?:, )?)+) \| *([^|]*?) *\|", PAGE, re.MULTILINE)
    described: dict[str, str] = {}
    for names, defaults in rows:
        columns = re.findall(r"`command\.(\w+)`", names)
        values = re.findall(r"`([^`]+)`", defaults) or [""] * len(columns)
        described |= zip(columns, values, strict=True)
    expected = {
        name: "" if one.is_required() or one.default is None else _written(name, one.default)
        for name, one in Control.model_fields.items()
    }

    assert described == expected


def _written(name: str, default: object) -> str:
    if isinstance(default, float) and ("time" in name or name == "interval"):
        return "0s" if default == 0 else seconds_text(default)
    return f"{default:g}" if isinstance(default, float) else str(default)


def test_every_key_of_commands_and_access_is_described_with_its_default() -> None:
    """The tables of both sections agree with the models."""
    rows = dict(re.findall(r"^\| `([\w.\[\]]+)` \| *`?([^|`]*?)`? *\|", PAGE, re.MULTILINE))
    own = schema(())["$defs"]
    expected = {
        **_keys(own["CommandSettings"]),
        **{f"audit.{key}": one for key, one in _keys(own["AuditSettings"]).items()},
        **{f"bays[].{key}": one for key, one in _keys(own["Bay"]).items()},
        **_keys(own["AccessSettings"]),
        **{f"roles[].{key}": one for key, one in _keys(own["Role"]).items()},
        **{f"certificates[].{key}": one for key, one in _keys(own["CertificateRule"]).items()},
    }
    del expected["audit"]

    assert {name: rows.get(name, "missing").strip() for name in expected} == expected


def _keys(definition: dict[str, Any]) -> dict[str, str]:
    """Return the keys of a model with their defaults, as the page writes them."""
    found: dict[str, str] = {}
    for name, one in definition["properties"].items():
        default = one.get("default")
        if isinstance(default, list):
            found[name] = str(default).replace("'", '"') if default else ""
        elif default is None or isinstance(default, dict):
            found[name] = ""
        else:
            found[name] = f"{default:g}" if isinstance(default, float) else str(default)
    return found
