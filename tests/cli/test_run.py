"""`gateway run` as a process of its own: signals, exit codes, what it prints."""

from __future__ import annotations

import asyncio
import os
import pty
import signal
import sys
import termios
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli.command import gateway

YAML = """\
gateway: {name: workshop, data: state}
points: points.csv
sources:
  - {name: field, type: simulator, poll: 100ms}
"""
CSV = "name,field.signal\nfeeder1.voltage_a,sine\n"
TIMEOUT = 30.0


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "gateway.yaml").write_text(YAML)
    (tmp_path / "points.csv").write_text(CSV)
    return tmp_path / "gateway.yaml"


@asynccontextmanager
async def running(file: Path, *options: str, stdout: int = PIPE) -> AsyncIterator[Process]:
    """Run `gateway run`, and kill it at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from gateway.cli import main; main()",
        "run",
        str(file),
        *options,
        stdout=stdout,
        stderr=PIPE,
        env=os.environ | {"TERM": "xterm"},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def line_with(stream: asyncio.StreamReader | None, words: str) -> str:
    """Return the next line that has these words in it."""
    assert stream is not None
    seen = b""
    async with asyncio.timeout(TIMEOUT):
        async for line in stream:
            seen += line
            if words in line.decode():
                return line.decode()
    raise AssertionError(f"no line with {words!r} in\n{seen.decode()}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_cleanly(file: Path, number: signal.Signals) -> None:
    """Without a terminal it prints status lines; SIGINT and SIGTERM end it with exit code 0."""
    async with running(file, "--status-every", "100ms") as process:
        assert "1 points" in await line_with(process.stdout, "1/1 sources up")
        process.send_signal(number)
        _, errors = await asyncio.wait_for(process.communicate(), TIMEOUT)

    assert process.returncode == 0
    assert b"Traceback" not in errors
    assert (file.parent / "state" / "journal.db").exists()


async def test_health_of_a_running_gateway(file: Path) -> None:
    """`gateway health` asks the gateway that has the data folder; without one it fails."""
    data = file.parent / "elsewhere"
    async with running(file, "--data", str(data), "--status-every", "100ms") as process:
        await line_with(process.stdout, "1/1 sources up")
        result = await asyncio.to_thread(CliRunner().invoke, gateway, ["health", str(data)])
        assert result.output.splitlines() == ["field (simulator) up", "journal works"]
        assert result.exit_code == 0
        process.terminate()
        await asyncio.wait_for(process.communicate(), TIMEOUT)

    result = await asyncio.to_thread(CliRunner().invoke, gateway, ["health", str(data)])
    assert result.exit_code == 1
    assert result.stderr.startswith(f"{data}: no gateway answers: ")


async def test_a_data_folder_that_cannot_be_used(file: Path) -> None:
    """A file where the data folder should be is a sentence and not a traceback."""
    (file.parent / "state").write_text("in the way")
    async with running(file) as process:
        _, errors = await asyncio.wait_for(process.communicate(), TIMEOUT)

    assert process.returncode == 1
    assert b"Traceback" not in errors
    assert str(file.parent / "state").encode() in errors


async def test_a_terminal_shows_the_live_view(file: Path) -> None:
    """On a terminal the points are shown, and Ctrl-C ends it with exit code 0."""
    control, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (40, 120))
    try:
        async with running(file, stdout=terminal) as process:
            os.close(terminal)
            shown = b""
            async with asyncio.timeout(TIMEOUT):
                while b"feeder1.voltage_a" not in shown:
                    shown += await asyncio.to_thread(os.read, control, 65_536)
            process.send_signal(signal.SIGINT)
            drained = asyncio.get_running_loop().run_in_executor(None, _drain, control)
            _, errors = await asyncio.wait_for(process.communicate(), TIMEOUT)
            await asyncio.wait_for(drained, TIMEOUT)
    finally:
        os.close(control)

    assert process.returncode == 0
    assert b"Traceback" not in errors


def _drain(control: int) -> None:
    """Read until the other end of the terminal is closed, which Linux reports as an error."""
    try:
        while os.read(control, 65_536):
            pass
    except OSError:
        pass
