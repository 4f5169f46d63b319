"""Commands: from a client through the gateway to a Modbus device and back, beside a data plane.

python -m benchmarks.command --client opcua --seconds 15

The gateway polls 200 devices of 100 values a second and delivers them to MQTT, in custody; beside
that a client commands a breaker. Each command is authorised, put on record on the disk, written to
the device, answered by it, and only then answered to the client.
The references, in the same run and beside the same load: a client at the device itself, and a line
that is synced to a file, which is what every command waits for in any case.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from benchmarks.job import VALUES, Job
from benchmarks.plane import WARM_UP, report
from benchmarks.process import Usage
from benchmarks.rig import (
    Console,
    Gateway,
    Rig,
    at_work,
    cores,
    free_port,
    gateway_command,
    results,
    rig,
    until,
)

Kind = Literal["opcua", "modbus"]
DEVICES = 200
"""Of 100 values each, every second."""
RATE = 1000
"""Requests per second that the gateway allows: the pace is the client's."""
LONGEST = 120.0
"""s that the client may take beyond its time."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One run.

    p50, p99, most: ms from a command to its answer.
    direct, synced: p50 and p99 of the references.
    commands:       that were measured; `failed` those of them without success.
    writes:         that reached the device while the gateway was measured: one for each command.
    rate:           values per second at the MQTT consumer meanwhile.
    share:          part of its core that the gateway used.
    """

    client: Kind
    p50: float
    p99: float
    most: float
    direct: tuple[float, float]
    synced: tuple[float, float]
    commands: int
    failed: int
    writes: int
    rate: float
    share: float

    def __str__(self) -> str:
        return (
            f"{self.client}: {self.commands} commands ({self.failed} failed, {self.writes} writes) "
            f"in {self.p50:.2f} ms p50, {self.p99:.2f} p99, {self.most:.2f} at most, beside "
            f"{self.rate:,.0f} values/s; gateway {self.share:.1%} of its core; at the device "
            f"itself {self.direct[0]:.2f} p50, {self.direct[1]:.2f} p99, a line synced to a file "
            f"{self.synced[0]:.2f} p50, {self.synced[1]:.2f} p99"
        )


def run(client: Kind, seconds: float) -> Figures:
    """Set everything up, command through the gateway and then directly, and take it all down."""
    # On a disk: that a command is about to leave is there before it does.
    with tempfile.TemporaryDirectory(prefix="command-", dir=results()) as name:
        folder = Path(name)
        with rig(folder) as at:
            port, ports = free_port(), {"opcua": free_port(), "modbus": free_port()}
            breaker = Console([sys.executable, "-m", "benchmarks.breaker", str(port)], cores()[1])
            try:
                path = _configuration(folder, at, port, ports)
                with at_work(gateway_command(path), folder) as gateway:
                    return _measure(client, seconds, at, breaker, gateway, port, ports[client])
            finally:
                breaker.stop()


def _measure(
    client: Kind, seconds: float, at: Rig, breaker: Console, gateway: Gateway, port: int, to: int
) -> Figures:
    data = gateway.log.parent / "data"
    until(lambda: at.devices.polls() >= 2 * DEVICES, gateway, "all devices are polled", LONGEST)
    until(lambda: _up(data), gateway, "all links are up", LONGEST)
    time.sleep(WARM_UP)
    before = time.monotonic(), at.subscriber.heard().values, Usage.of(gateway.pid).cpu
    writes = breaker.ask()[0]
    took, failed = _dispatch(client, str(to), seconds)
    after = time.monotonic(), at.subscriber.heard().values, Usage.of(gateway.pid).cpu
    writes = breaker.ask()[0] - writes
    gateway.check()
    lasted, values, cpu = (b - a for a, b in zip(before, after, strict=True))
    return Figures(
        client,
        *_quantiles(took),
        max(took),
        _quantiles(_dispatch("modbus", str(port), seconds / 2)[0]),
        _quantiles(_dispatch("disk", str(data.parent / "synced"), seconds / 2)[0]),
        len(took),
        failed,
        writes,
        values / lasted,
        cpu / lasted,
    )


def _quantiles(took: list[float]) -> tuple[float, float]:
    p50, p99 = np.percentile(took, [50, 99]).tolist()
    return p50, p99


def _configuration(folder: Path, at: Rig, port: int, ports: dict[str, int]) -> Path:
    """Write the common job with a breaker, and both servers, beside it."""
    path = Job(DEVICES, 1.0, "device", at.devices.port, at.broker.port).write(folder)
    (folder / "points" / "breaker.csv").write_text(
        "name,kind,command.model,breaker.table,breaker.register,scada.table,scada.register\n"
        "breaker,status,latch,coil,0,coil,0\n"
    )
    here = "listen: 127.0.0.1"
    text = path.read_text()
    for key, more in (
        ("points", "points/breaker.csv"),
        ("sources", f"{{name: breaker, type: modbus, host: 127.0.0.1, port: {port}, poll: 1s}}"),
        ("sinks", f"{{name: scada, type: modbus.server, {here}:{ports['modbus']}, "
                  "role: operator}"),
        ("sinks", f"{{name: ua, type: opcua.server, {here}:{ports['opcua']}, security: [none], "
                  "select: [breaker], role: operator}"),
    ):  # fmt: skip
        text = text.replace(f"{key}:\n", f"{key}:\n  - {more}\n", 1)
    path.write_text(f"{text}commands: {{rate: {RATE}}}\n")
    return path


def _up(data: Path) -> bool:
    return all(link["state"] == "up" for link in report(data)["links"].values())


def _dispatch(kind: str, where: str, seconds: float) -> tuple[list[float], int]:
    """Run the client on the rig's core; returns ms per command and how many failed."""
    ran = subprocess.run(
        ["taskset", "-c", str(cores()[1]), sys.executable, "-m", "benchmarks.dispatcher", kind,
         where, str(seconds)],
        capture_output=True,
        text=True,
        timeout=seconds + LONGEST,
        check=False,
    )  # fmt: skip
    if ran.returncode:
        raise RuntimeError(f"the {kind} client ended with {ran.returncode}: {ran.stderr[-2000:]}")
    said = json.loads(ran.stdout)
    return said["took"], said["failed"]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.command", description=__doc__)
    parser.add_argument("--client", choices=["opcua", "modbus"], default="opcua")
    parser.add_argument("--seconds", type=float, default=15.0)
    chosen = parser.parse_args()
    assert DEVICES * VALUES == 20_000
    print(run(chosen.client, chosen.seconds))


if __name__ == "__main__":
    main()
