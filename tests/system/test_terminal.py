"""The live view in a real terminal: tmux shows what a person would see."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

pytestmark = pytest.mark.timeout(300)
GATEWAY = str(Path(sys.executable).with_name("gateway"))
PATIENCE = 90.0


class Terminal:
    """A terminal of a size, with a command in it."""

    def __init__(self, width: int, height: int, command: str) -> None:
        program = shutil.which("tmux")
        if program is None:
            raise FileNotFoundError(
                "tmux is not installed; it is the terminal that this test looks at: "
                "apt-get install tmux"
            )
        self._tmux = [program, "-L", f"gateway-{uuid4().hex}", "-f", "/dev/null"]
        self._run("new-session", "-d", "-x", str(width), "-y", str(height), command)

    def _run(self, *words: str) -> str:
        done = subprocess.run([*self._tmux, *words], capture_output=True, text=True, check=True)
        return done.stdout

    def lines(self) -> list[str]:
        """What is on the screen, line by line."""
        return self._run("capture-pane", "-p").rstrip("\n").split("\n")

    def press(self, key: str) -> None:
        self._run("send-keys", key)

    def resize(self, width: int, height: int) -> None:
        self._run("resize-window", "-x", str(width), "-y", str(height))

    def until(self, pattern: str) -> list[str]:
        """Wait for a line that matches, and return the screen."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            lines = self.lines()
            if any(re.search(pattern, line) for line in lines):
                return lines
            time.sleep(0.05)
        raise AssertionError(f"no line matched {pattern!r}:\n" + "\n".join(lines))

    def close(self) -> None:
        subprocess.run([*self._tmux, "kill-server"], capture_output=True, check=False)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    """Open a terminal in which a configuration runs; when it ends, its exit code is shown."""
    opened: list[Terminal] = []

    def open_(path: Path, width: int = 100, height: int = 30) -> Terminal:
        run = shlex.join([GATEWAY, "run", str(path), "--data", str(tmp_path / "data")])
        # Ctrl-C goes to the shell too; COLUMNS and LINES of a shell that was started elsewhere
        # must not fool the view.
        script = f"trap : INT; COLUMNS=60 LINES=10 {run}; echo exit code $?; sleep 100"
        opened.append(Terminal(width, height, shlex.join(["sh", "-c", script])))
        return opened[-1]

    yield open_
    for one in opened:
        one.close()


def test_the_view_shows_points_links_and_ledgers(
    copied: Callable[[str], Any], terminal: Callable[..., Terminal]
) -> None:
    """Within the first seconds the screen has a headline, links, ledgers and moving points."""
    screen = terminal(copied("slave.yaml").path)
    screen.until(r"^feeder\.voltage_a +2\d\d\.\d\d +V +good +[\d.]+s +field$")
    screen.until(r"^ bay-controller +\d\d:\d\d:\d\d UTC +1/1 sources up, 1/1 sinks up, 5 points")
    screen.until(r"^field +simulator +up +[\d.]+s +5 signals")
    lines = screen.until(r"^rtu +modbus\.server +up ")
    assert any(re.match(r"ledger +taken +delivered +coalesced +dropped +pending", x) for x in lines)
    assert lines[-1] == "5 points" or "5 points" in lines
    first = [line for line in lines if line.startswith("feeder.current_a")]
    assert re.match(r"feeder\.current_a +\d+\.\d+ +A +good", first[0])


def test_pages_turn_where_points_do_not_fit(
    copied: Callable[[str], Any], terminal: Callable[..., Terminal]
) -> None:
    """On a low terminal the points come in pages, and the headline stays on top."""
    screen = terminal(copied("mqtt.yaml").path, width=90, height=18)
    lines = screen.until(r"^points 1 to \d+ of 14, the next page comes every 6 s$")
    assert lines[0].startswith(" feeder-house")
    assert len(lines) <= 18
    lines = screen.until(r"^points (?!1 to)\d+ to \d+ of 14")
    assert not any(line.startswith("bay1.voltage_a") for line in lines)


def test_the_view_follows_the_size_of_the_terminal(
    copied: Callable[[str], Any], terminal: Callable[..., Terminal]
) -> None:
    """A terminal that is made larger shows all points; made tiny, it still shows the headline."""
    screen = terminal(copied("mqtt.yaml").path, width=90, height=18)
    screen.until(r"^points \d+ to \d+ of 14")
    screen.resize(120, 45)
    screen.until(r"^14 points$")
    screen.resize(40, 4)
    assert screen.until(r"^ feeder-house")[0].startswith(" feeder-house")


def test_ctrl_c_leaves_a_clean_terminal(
    copied: Callable[[str], Any], terminal: Callable[..., Terminal]
) -> None:
    """Ctrl-C ends it with exit 0, the view is gone, and the log lines of the run are there."""
    screen = terminal(copied("slave.yaml").path, width=140)
    screen.until(r"^feeder\.voltage_a ")
    screen.press("C-c")
    lines = screen.until(r"^exit code 0$")
    assert not any("feeder.voltage_a" in line for line in lines)
    assert any(re.search(r"INFO .*source field is up", line) for line in lines)
    assert not any("Traceback" in line for line in lines)


def test_a_link_that_is_down_is_seen_with_its_reason(
    copied: Callable[[str], Any], terminal: Callable[..., Terminal]
) -> None:
    """With no broker the sink is down on top of the links, with the reason, and samples pend."""
    screen = terminal(copied("mqtt.yaml").path, width=130)
    lines = screen.until(r"^broker +mqtt\.json +down .*refused")
    links = [line.split()[0] for line in lines if re.match(r"\w+ +(mqtt\.json|simulator) ", line)]
    assert links == ["broker", "field"]
    screen.until(r"^broker +\d+ +0 +0 +0 +[1-9]\d*")
