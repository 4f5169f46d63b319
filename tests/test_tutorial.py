"""The samples of the tutorial, installed and tested as a vendor would."""

from __future__ import annotations

import asyncio
import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway.model.waveform import Channel
from gateway.testing.wave import three
from gateway.testing.waves import sampled

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "docs" / "samples"
CHANNELS = [Channel(name, 0.01) for name in ("ua", "ub", "uc")]
TUTORIAL = (ROOT / "docs" / "plugins.md").read_text()


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which the samples are installed, away from the real plugins."""
    target = tmp_path_factory.mktemp("installed")
    sources = tmp_path_factory.mktemp("sources")
    for name in ("load", "acme", "daq"):
        # Built from a copy: setuptools writes into the folder it builds.
        subprocess.run(["cp", "-r", SAMPLES / name, sources], check=True)
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-build-isolation"),
            *("--no-deps", "--no-index", "--target", target),
            *(sources / "load", sources / "acme", sources / "daq"),
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


async def test_the_third_plugin_hands_over_waveforms(
    environ: dict[str, str], tmp_path: Path
) -> None:
    """A box that sends 231 V with 10 % of the fifth harmonic: rms, THD and frequency by hand."""
    second = time.time_ns() // 10**9
    tones = [[*phase] for phase in three(231.0, 50.02, 4800, {5: 0.1})]
    rows = sampled(tones, CHANNELS, 4800, 2.0).astype(">i4")

    async def box(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for first in range(0, len(rows), 96):
            writer.write((second * 4800 + first).to_bytes(8, "big"))
            writer.write(rows[first : first + 96].tobytes())
        # It stays connected until the gateway leaves.
        await writer.drain()

    server = await asyncio.start_server(box, "127.0.0.1", 15040)
    gateway = Path(sys.executable).with_name("gateway")
    async with server:
        process = await asyncio.create_subprocess_exec(
            *(gateway, "run", SAMPLES / "daq" / "sample.yaml", "--data", tmp_path),
            env=environ,
            stdout=asyncio.subprocess.DEVNULL,
        )
        try:
            found = await asyncio.to_thread(shown, gateway, tmp_path, environ)
        finally:
            process.terminate()
            assert await process.wait() == 0

    assert found["bus.frequency"] == pytest.approx(50.02, abs=0.002)
    assert found["bus.voltage_a"] == pytest.approx(231.0 * math.sqrt(1.01), abs=0.2)
    assert found["bus.thd_a"] == pytest.approx(10.0, abs=0.2)
    assert found["bus.dip"] == 0.0


def shown(gateway: Path, data: Path, environ: dict[str, str]) -> dict[str, float]:
    """The values that an operator sees, once there are any."""
    end = time.monotonic() + 15
    while time.monotonic() < end:
        done = subprocess.run(
            [gateway, "point", "show", data, "bus.*", "--json"],
            env=environ, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode == 0:
            values = {row["point"]: row["value"] for row in json.loads(done.stdout)}
            if None not in values.values():
                return values
        time.sleep(0.1)
    raise TimeoutError(done.stdout + done.stderr)


@pytest.mark.parametrize(
    ("language", "file"),
    [
        ("python", "load/gateway_load/__init__.py"),
        ("toml", "load/pyproject.toml"),
        ("python", "daq/gateway_daq/__init__.py"),
        ("yaml", "daq/sample.yaml"),
        ("csv", "daq/sample.csv"),
        ("yaml", "load/sample.yaml"),
        ("csv", "load/sample.csv"),
        ("python", "acme/gateway_acme/__init__.py"),
    ],
)
def test_the_tutorial_shows_the_files_that_are_tested(language: str, file: str) -> None:
    """What docs/plugins.md shows is, to the letter, the file that these tests run."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```", TUTORIAL, re.MULTILINE | re.DOTALL)
    assert (SAMPLES / file).read_text() in blocks
