"""`gateway run` as a process of its own: signals, exit codes, what it prints."""

from __future__ import annotations

import asyncio
import logging
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
async def running(
    file: Path, *options: str, stdout: int = PIPE, path: Path | None = None
) -> AsyncIterator[Process]:
    """Run `gateway run`, and kill it at the end if it still runs; `path` is for plugins."""
    environ = os.environ | {"TERM": "xterm"} | ({"PYTHONPATH": str(path)} if path else {})
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from gateway.cli import main; main()",
        "run",
        str(file),
        *options,
        stdout=stdout,
        stderr=PIPE,
        env=environ,
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


def test_in_this_process(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same in the process of the tests: the first status line is answered with SIGTERM."""
    from gateway.cli import main, run

    asked: list[object] = []

    def status_line(engine: object) -> str:
        if not asked:
            os.kill(os.getpid(), signal.SIGTERM)
        asked.append(engine)
        return "status"

    monkeypatch.setattr(run, "status_line", status_line)
    monkeypatch.setattr(logging, "basicConfig", lambda **_: None)
    monkeypatch.setattr(sys, "argv", ["gateway", "run", str(file), "--status-every", "10ms"])
    monkeypatch.setattr(sys, "argv", [*sys.argv, "--log-level", "error", "--trace", "field"])
    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("status\n")


@pytest.mark.parametrize("failure", [BrokenPipeError("gone"), RuntimeError("surprise")])
def test_a_display_that_fails(
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    failure: Exception,
) -> None:
    """The gateway goes on where only its display fails, and says so once."""
    from gateway.cli import run
    from gateway.config import load

    def status_line(engine: object) -> str:
        asyncio.get_running_loop().call_later(0.05, os.kill, os.getpid(), signal.SIGINT)
        raise failure

    monkeypatch.setattr(run, "status_line", status_line)
    monkeypatch.setattr(logging, "basicConfig", lambda **_: None)

    assert run.operate(load(file), {}, (), 0.01, view=True) == 0
    told = [one.getMessage() for one in caplog.records if one.name == "gateway"]
    assert sum("stdout" in one or "display failed" in one for one in told) == 1


async def test_a_second_signal_ends_it_at_once(file: Path) -> None:
    """Who asks twice does not wait for sinks that do not answer: exit code 130."""
    plugin = """\
import asyncio
from typing import Literal
from gateway import Sink, hookimpl

class Stuck(Sink):
    type: Literal["stuck"]
    async def run(self, ctx):
        ctx.up()
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                print("asked to stop", flush=True)

@hookimpl
def gateway_components():
    return [Stuck]
"""
    folder = file.parent
    (folder / "gateway_stuck.py").write_text(plugin)
    info = folder / "grid_gateway_stuck-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: grid-gateway-stuck\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[gateway.plugins]\nstuck = gateway_stuck\n")
    file.write_text(YAML + "sinks:\n  - {name: end, type: stuck}\n")
    async with running(file, "--status-every", "100ms", path=folder) as process:
        await line_with(process.stdout, "1/1 sinks up")
        process.terminate()
        await line_with(process.stdout, "asked to stop")
        process.terminate()
        await asyncio.wait_for(process.communicate(), TIMEOUT)

    assert process.returncode == 130


async def test_health_of_a_running_gateway(file: Path) -> None:
    """`gateway health` asks the gateway that has the data folder; without one it fails."""
    data = file.parent / "elsewhere"
    async with running(file, "--data", str(data), "--status-every", "100ms") as process:
        await line_with(process.stdout, "1/1 sources up")
        result = await asyncio.to_thread(CliRunner().invoke, gateway, ["health", str(data)])
        assert result.output.splitlines() == [
            "field (simulator) up",
            "journal works",
            "audit works",
        ]
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
