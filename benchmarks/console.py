"""What a console costs the data plane: nobody there, one client, a crowd.

python -m benchmarks.console --poll 1s --streams 1 --pages 1 --seconds 8

50 devices of 100 values each, all of which change with every poll, to MQTT in custody; beside that
a `console`, and on the other core its clients: event streams of all 5,000 points, and pages with
the table of all points, as browsers have them open. Each setting stands beside the same gateway
without a console, in the same run.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from benchmarks import plane
from benchmarks.job import Job
from benchmarks.plane import measure
from benchmarks.rig import Console, Rig, at_work, cores, free_port, rig, until
from gateway import Duration

DEVICES = 50
PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Setting:
    """console: whether there is one; streams, pages: how many are open at it."""

    name: str
    console: bool = True
    streams: int = 0
    pages: int = 0


NONE = Setting("no console", console=False)
SETTINGS = (
    Setting("nobody there"),
    Setting("one event stream", streams=1),
    Setting("one page", pages=1),
    Setting("50 event streams", streams=50),
    Setting("50 pages", pages=50),
)


@dataclass(frozen=True, slots=True)
class Figures:
    """One run.

    plane:   of the data plane itself.
    late:    p50, p99 and most of the delay of the gateway's event loop, in ms.
    samples: per second that the first stream had; `drawn` tables per second that each page had.
    ended:   streams that ended before their time.
    """

    setting: Setting
    plane: plane.Figures
    late: tuple[float, float, float]
    samples: float
    drawn: float
    ended: int

    def __str__(self) -> str:
        p50, p99, most = self.late
        return (
            f"{self.setting.name}: {self.plane}\n  event loop  {p50:.2f} ms late p50, {p99:.2f} "
            f"p99, {most:.1f} at most; {self.samples:,.0f} samples/s to the first stream, "
            f"{self.drawn:.2f} drawings/s of each page, {self.ended} streams ended"
        )


def run(setting: Setting, poll: float, seconds: float) -> Figures:
    """Set everything up, measure one setting, and take everything down."""
    with tempfile.TemporaryDirectory(prefix="console-") as name, rig(Path(name)) as at:
        folder, port = Path(name), free_port()
        job = _job(at, poll)
        path = job.write(folder)
        if setting.console:
            with path.open("a") as file:
                file.write(
                    f"  - {{name: desk, type: console, listen: 127.0.0.1:{port}, tls: none, "
                    "role: viewer}\n"
                )
        delays = folder / "delays"
        command: list[str | Path] = [sys.executable, "-m", "benchmarks.console_gateway"]
        with at_work([*command, path, delays], folder) as gateway:
            data = folder / "data"
            until(lambda: _up(data), gateway, "all links are up", PATIENCE)
            with _clients(setting, port) as clients:
                time.sleep(plane.WARM_UP)
                _late(gateway.pid, delays)
                before, began = _counts(clients), time.monotonic()
                found = measure(job, gateway, at, seconds, data=data,
                                patience=PATIENCE)  # fmt: skip
                after, lasted = _counts(clients), time.monotonic() - began
                late = _late(gateway.pid, delays)
    more = [(b - a) / lasted for a, b in zip(before, after, strict=True)]
    return Figures(setting, found, late, more[0], more[2] / max(1, setting.pages), round(after[3]))


def _job(at: Rig, poll: float) -> Job:
    return Job(DEVICES, poll, "device", at.devices.port, at.broker.port)


def _up(data: Path) -> bool:
    try:
        links = plane.report(data)["links"].values()
    except (OSError, TimeoutError, ValueError):
        return False
    return all(link["state"] == "up" for link in links)


@contextmanager
def _clients(setting: Setting, port: int) -> Iterator[Console | None]:
    if not setting.streams + setting.pages:
        yield None
        return
    module = [sys.executable, "-m", "benchmarks.console_client"]
    clients = Console([*module, str(port), str(setting.streams), str(setting.pages)], cores()[1])
    try:
        yield clients
    finally:
        clients.stop()


def _counts(clients: Console | None) -> list[int]:
    return [0, 0, 0, 0] if clients is None else clients.ask()


def _late(pid: int, delays: Path) -> tuple[float, float, float]:
    """Return the delays of the event loop since the last call."""
    delays.unlink(missing_ok=True)
    os.kill(pid, signal.SIGUSR1)
    deadline = time.monotonic() + PATIENCE
    while not delays.exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"the event loop does not answer within {PATIENCE:g} s")
        time.sleep(0.02)
    p50, p99, most = map(float, delays.read_text().split())
    return p50, p99, most


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.console", description=__doc__)
    parser.add_argument("--poll", default="1s")
    parser.add_argument("--none", action="store_true", help="without a console")
    parser.add_argument("--streams", type=int, default=0)
    parser.add_argument("--pages", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=8.0)
    chosen = parser.parse_args()
    poll = TypeAdapter(Duration).validate_python(chosen.poll)
    setting = Setting("as asked", not chosen.none, chosen.streams, chosen.pages)
    print(run(setting, poll, chosen.seconds))


if __name__ == "__main__":
    main()
