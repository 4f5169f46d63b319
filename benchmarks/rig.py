"""What stands around a gateway under measurement: devices, broker, subscriber, and which core."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from gateway_mqtt.testing import Broker

from benchmarks.native import build
from benchmarks.process import Usage

MODULUS = 1 << 24
RECORD = np.dtype(
    [
        ("device", "<u4"),
        ("counter", "<u4"),
        ("changed", "<u4"),
        ("historical", "<u4"),
        ("received", "<u8"),
    ]
)
"""As `subscriber.c` writes it."""
PATIENCE = 60.0
URGENT = -15
"""Nice value, where the system allows it: what else runs on the machine disturbs less."""
FILES = 65_536
"""Handles that the gateway may have: one per device and some more."""


def cores() -> tuple[int, int]:
    """Return the core of the gateway and that of everything else; the same one if there is one."""
    have = sorted(os.sched_getaffinity(0))
    return have[0], have[-1]


class Console:
    """A program of the rig that answers a line on standard input with numbers."""

    def __init__(self, command: Sequence[str | Path], core: int) -> None:
        self._process = subprocess.Popen(
            command,
            preexec_fn=lambda: _confine(core),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if self._answer() != "ready":
            raise RuntimeError(f"{command[0]} did not start")

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self) -> list[int]:
        assert self._process.stdin is not None
        self._process.stdin.write("?\n")
        self._process.stdin.flush()
        return [int(number) for number in self._answer().split()]

    def _answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()


class Devices(Console):
    """The simulated Modbus devices, at one port."""

    def __init__(self, folder: Path, core: int) -> None:
        self.port = free_port()
        super().__init__([build("devices", folder), str(self.port)], core)

    def polls(self) -> int:
        return self.ask()[0]


class Heard(NamedTuple):
    """What the subscriber counted so far."""

    messages: int
    bytes: int
    values: int
    records: int


class Subscriber(Console):
    """The consumer at the broker."""

    def __init__(self, folder: Path, core: int, port: int, qos: int = 0) -> None:
        self._file = folder / f"records-{port}-{time.monotonic_ns()}"
        super().__init__([build("subscriber", folder), str(port), str(qos), self._file], core)

    def heard(self) -> Heard:
        return Heard(*self.ask())

    def records(self, first: int = 0) -> npt.NDArray[np.void]:
        """Return the records from number `first` on."""
        self.ask()
        return np.fromfile(self._file, RECORD, offset=first * RECORD.itemsize)

    def stop(self) -> None:
        """End it; its records are gone."""
        super().stop()
        self._file.unlink(missing_ok=True)


class Gateway:
    """A gateway, or the reference in its place, as a process pinned to one core."""

    def __init__(
        self,
        command: Sequence[str | Path],
        folder: Path,
        core: int,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.log = folder / "gateway.log"
        self.started = time.monotonic()
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environ or {})},
                preexec_fn=lambda: _confine(core),
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def usage(self) -> Usage:
        return Usage.of(self.pid)

    def check(self) -> None:
        """Raise RuntimeError with the end of its log where it has ended."""
        if self._process.poll() is not None:
            tail = self.log.read_text(errors="replace")[-3000:]
            raise RuntimeError(f"the gateway ended with {self._process.returncode}:\n{tail}")

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


def urge() -> None:
    """Let this process and what it starts go before the machine's other work, if that is allowed.

    A session of processes has one share of a core where the system groups them so.
    """
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, URGENT)
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(URGENT))


def _confine(core: int) -> None:
    os.sched_setaffinity(0, {core})
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    most = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def gateway_command(configuration: Path) -> list[str | Path]:
    """Return the command line of a real gateway."""
    return [Path(sys.executable).parent / "gateway", "run", configuration]


@contextlib.contextmanager
def rig(folder: Path) -> Iterator[Rig]:
    """Run devices, broker and subscriber for the length of the block."""
    urge()
    _, core = cores()
    broker = Broker(folder, command=("taskset", "-c", str(core)))
    with contextlib.ExitStack() as stack:
        stack.enter_context(broker.running())
        devices = Devices(folder, core)
        stack.callback(devices.stop)
        subscriber = Subscriber(folder, core, broker.port)
        stack.callback(subscriber.stop)
        yield Rig(folder, devices, broker, subscriber)


class Rig(NamedTuple):
    """Everything but the gateway, on the other core."""

    folder: Path
    devices: Devices
    broker: Broker
    subscriber: Subscriber

    def cpu(self) -> float:
        """Return the CPU seconds that the rig itself used."""
        pids = (self.devices.pid, self.broker.pid, self.subscriber.pid)
        return sum(Usage.of(pid).cpu for pid in pids)


@contextlib.contextmanager
def at_work(
    command: Sequence[str | Path],
    folder: Path,
    environ: Mapping[str, str] | None = None,
) -> Iterator[Gateway]:
    """Run a gateway pinned to its core for the length of the block."""
    gateway = Gateway(command, folder, cores()[0], environ)
    try:
        yield gateway
    finally:
        gateway.stop()


def until(condition: Callable[[], bool], gateway: Gateway, what: str, patience: float) -> None:
    """Wait for a condition; raises TimeoutError saying what was waited for, and the log's end."""
    deadline = time.monotonic() + patience
    while not condition():
        gateway.check()
        if time.monotonic() > deadline:
            tail = gateway.log.read_text(errors="replace")[-2000:]
            raise TimeoutError(f"not within {patience:g} s: {what}\n{tail}")
        time.sleep(0.02)


def results() -> Path:
    """Return the folder of the results; on a disk, where the system's temporary one may not be."""
    folder = Path(__file__).parent / "results"
    folder.mkdir(exist_ok=True)
    return folder


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
