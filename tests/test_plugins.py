"""The contract of every plugin folder: what a vendor's plugin must keep, ours keep too."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.host import Host, installed
from gateway.testing.contract import check_plugin

ROOT = Path(__file__).parents[1]
GATEWAY = str(Path(sys.executable).with_name("gateway"))
PLUGINS = sorted(path.parent for path in (ROOT / "plugins").glob("*/pyproject.toml"))


def name(folder: Path) -> str:
    return folder.name


@pytest.mark.parametrize("folder", PLUGINS, ids=name)
def test_a_folder_keeps_the_contract(folder: Path) -> None:
    """A plugin folder breaks no rule of the contract."""
    assert check_plugin(folder) == []


@pytest.mark.parametrize("folder", PLUGINS, ids=name)
def test_a_plugin_is_installed_from_its_folder(folder: Path) -> None:
    """The plugin that is tested is the one in the folder: `pip install -e plugins/NAME`."""
    found = {one.distribution: one.location for one in installed() if one.editable}
    name = f"grid-gateway-{folder.name}"
    assert found.get(name) == folder, f"pip install -e {folder.relative_to(ROOT)}"


def test_no_two_plugins_have_a_type_in_common() -> None:
    """Every type of the YAML belongs to one plugin."""
    host = Host()
    names = [one.name for one in installed() if one.location in PLUGINS]
    types = [word for name in names for part in host.load(name).components for word in part.types]
    assert len(names) >= len(PLUGINS)
    assert sorted(types) == sorted(set(types))


@pytest.mark.parametrize("folder", PLUGINS, ids=name)
def test_a_sample_runs(folder: Path, tmp_path: Path) -> None:
    """`gateway run sample.yaml` shows its status lines and ends cleanly on SIGTERM."""
    process = subprocess.Popen(
        [
            *(GATEWAY, "run", str(folder / "sample.yaml")),
            *("--data", str(tmp_path / "data"), "--status-every", "1s"),
        ],
        stdout=subprocess.PIPE,
        stderr=(tmp_path / "stderr").open("w"),
        text=True,
        env=dict.fromkeys(secrets(folder / "sample.yaml"), "secret") | os.environ,
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(30)
        process.stdout.close()
    stderr = (tmp_path / "stderr").read_text()
    assert re.match(r"\d\d:\d\d:\d\d \d+/\d+ sources up, \d+/\d+ sinks up, \d+ points", line), (
        stderr
    )
    assert code == 0, stderr
    assert "Traceback" not in stderr


def secrets(sample: Path) -> list[str]:
    """The environment variables that a sample takes secrets from."""
    return re.findall(r"\{\s*env:\s*(\w+)", sample.read_text())
