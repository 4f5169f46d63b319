"""The samples of the tutorial, installed and tested as a vendor would."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "docs" / "samples"
TUTORIAL = (ROOT / "docs" / "plugins.md").read_text()


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which both samples are installed, away from the real plugins."""
    target = tmp_path_factory.mktemp("installed")
    sources = tmp_path_factory.mktemp("sources")
    for name in ("load", "acme"):
        # Built from a copy: setuptools writes into the folder it builds.
        subprocess.run(["cp", "-r", SAMPLES / name, sources], check=True)
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-build-isolation"),
            *("--no-deps", "--no-index", "--target", target, sources / "load", sources / "acme"),
        ],
        check=True,
    )
    return os.environ | {"PYTHONPATH": str(target)}


def test_the_first_plugin_runs(environ: dict[str, str], tmp_path: Path) -> None:
    """The twenty-line plugin of the tutorial runs and brings two points."""
    process = subprocess.Popen(
        [
            *(Path(sys.executable).with_name("gateway"), "run", SAMPLES / "load" / "sample.yaml"),
            *("--data", tmp_path, "--status-every", "1500ms"),
        ],
        env=environ,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        lines = [process.stdout.readline() for _ in range(2)]
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        process.stdout.close()
    assert re.search(r" 1/1 sources up, 0/0 sinks up, 2 points(?! \()", lines[1]), lines


def test_the_second_plugin_passes_its_own_tests(environ: dict[str, str], tmp_path: Path) -> None:
    """The tests of the second plugin, the contract among them, pass where a vendor runs them."""
    subprocess.run(["cp", "-r", SAMPLES / "acme", tmp_path], check=True)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        cwd=tmp_path / "acme",
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


@pytest.mark.parametrize(
    ("language", "file"),
    [
        ("python", "load/gateway_load/__init__.py"),
        ("toml", "load/pyproject.toml"),
        ("yaml", "load/sample.yaml"),
        ("csv", "load/sample.csv"),
        ("python", "acme/gateway_acme/__init__.py"),
    ],
)
def test_the_tutorial_shows_the_files_that_are_tested(language: str, file: str) -> None:
    """What docs/plugins.md shows is, to the letter, the file that these tests run."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```", TUTORIAL, re.MULTILINE | re.DOTALL)
    assert (SAMPLES / file).read_text() in blocks
