"""A gateway as its user runs it: the real command on a whole configuration."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.testing import free_ports

CONFIGS = Path(__file__).parents[2] / "configs"
GATEWAY = str(Path(sys.executable).with_name("gateway"))
PATIENCE = 60.0


class Copy:
    """A configuration of configs/, copied, with free ports in place of its own.

    Tests that run beside each other, and beside somebody's demo, do not meet.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.path = folder / name
        text = (CONFIGS / name).read_text()
        for file in re.findall(r"\b[\w-]+\.(?:csv|pcap)\b", text):
            (folder / file).write_bytes((CONFIGS / file).read_bytes())
        found = re.findall(r"(?:127\.0\.0\.1:|port: )(\d+)", text)
        own = [int(port) for port in dict.fromkeys(found)]
        self.ports = dict(zip(own, free_ports(len(own)), strict=True))
        text = re.sub(
            r"(127\.0\.0\.1:|port: )(\d+)",
            lambda match: f"{match[1]}{self.ports[int(match[2])]}",
            text,
        )
        self.path.write_text(text)

    def replace(self, old: str, new: str) -> None:
        text = self.path.read_text()
        assert old in text, f"{old!r} is not in {self.path.name}"
        self.path.write_text(text.replace(old, new))


class Gateway:
    """`gateway run` as a process without a terminal."""

    def __init__(self, path: Path, data: Path, every: str = "500ms") -> None:
        self.log = data.with_suffix(".stderr")
        self.lines: list[str] = []
        with self.log.open("w") as stderr:
            self.process = subprocess.Popen(
                [GATEWAY, "run", str(path), "--data", str(data), "--status-every", every],
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    @property
    def stderr(self) -> str:
        return self.log.read_text()

    def until(self, pattern: str, timeout: float = PATIENCE, after: int = 0) -> str:
        """Wait for a status line, after the first `after` ones, that matches, and return it."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            for line in self.lines[after:]:
                if re.search(pattern, line):
                    return line
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError(
            f"no status line matched {pattern!r}:\n" + "\n".join(self.lines[-5:]) + self.stderr
        )

    def end(self, number: signal.Signals = signal.SIGTERM, timeout: float = PATIENCE) -> int:
        """Send a signal, and return the exit code; it has `timeout` seconds to end.

        One or two on a machine that has time; an OPC UA server that is just being started needs
        some CPU seconds, which a busy machine does not have at once.
        """
        self.process.send_signal(number)
        code = self.process.wait(timeout)
        self._reader.join(5)
        return code

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        self._reader.join(5)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def copied(tmp_path: Path) -> Callable[[str], Copy]:
    """Copy a configuration of configs/ to a folder of the test's own, with free ports."""
    return lambda name: Copy(name, tmp_path)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[Path], Gateway]]:
    """Start a gateway; it is killed at the end of the test if it still runs."""
    started: list[Gateway] = []

    def start(path: Path) -> Gateway:
        started.append(Gateway(path, tmp_path / f"data{len(started)}"))
        return started[-1]

    yield start
    for gateway in started:
        gateway.kill()
