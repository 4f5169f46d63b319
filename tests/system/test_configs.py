"""Every file in configs/, run as its user runs it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.timeout(300)
CONFIGS = Path(__file__).parents[2] / "configs"
FILES = sorted(path.name for path in CONFIGS.glob("*.yaml"))
STATUS = re.compile(
    r"\d\d:\d\d:\d\d \d+/\d+ sources up, \d+/\d+ sinks up, [\d,]+ points( \([^)]*\))?(, .*)?"
)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_configuration_runs_and_ends_cleanly(
    copied: Callable[[str], Any], start: Callable[[Path], Any], name: str, number: signal.Signals
) -> None:
    """Each configuration brings its sources up, shows only status lines, and ends with exit 0."""
    gateway = start(copied(name).path)
    gateway.until(r" (\d+)/\1 sources up")
    assert gateway.end(number) == 0, gateway.stderr
    assert "Traceback" not in gateway.stderr
    assert gateway.lines
    for line in gateway.lines:
        assert STATUS.fullmatch(line), line


@pytest.mark.parametrize("name", FILES)
def test_a_configuration_is_valid_where_it_stands(name: str) -> None:
    """`gateway check` finds no problem in the file itself."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("gateway")), "check", CONFIGS / name],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
