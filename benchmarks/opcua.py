"""OPC UA out: what it costs while nobody looks, and while one client monitors every node.

python -m benchmarks.opcua --devices 50 --poll 1s --seconds 10
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from benchmarks.job import VALUES, Job
from benchmarks.plane import WARM_UP, report
from benchmarks.process import Usage
from benchmarks.rig import (
    Console,
    Devices,
    at_work,
    cores,
    free_port,
    gateway_command,
    until,
    urge,
)
from gateway import Duration


@dataclass(frozen=True, slots=True)
class Figures:
    """One run.

    rate:      values per second read from the devices, all of which change.
    delivered: changes per second that the client was told; `bad` those of them not good.
    share:     part of its core that the gateway used; `client` the same of the client.
    """

    devices: int
    poll: float
    rate: float
    delivered: float
    bad: int
    share: float
    client: float
    resident: int

    def __str__(self) -> str:
        return (
            f"{self.devices} devices × {VALUES} values every {self.poll:g} s: "
            f"read {self.rate:,.0f} values/s, "
            f"client told {self.delivered:,.0f} changes/s ({self.bad} bad), "
            f"gateway {self.share:.1%} of its core, client {self.client:.1%}, "
            f"{self.resident / 1e6:.0f} MB"
        )

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def run(devices: int, poll: float, seconds: float, *, sink: bool, monitored: bool) -> Figures:
    """Measure a gateway without a sink, with OPC UA and no client, or with one client."""
    urge()
    _, core = cores()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        simulated = Devices(folder, core)
        job = Job(devices, poll, "opcua" if sink else "none", simulated.port, free_port())
        try:
            with at_work(gateway_command(job.write(folder)), folder) as gateway:
                polls = simulated.polls()
                until(
                    lambda: simulated.polls() - polls >= 2 * devices,
                    gateway,
                    "all devices are polled",
                    120.0,
                )
                if sink:
                    until(lambda: _up(folder / "data"), gateway, "the server listens", 120.0)
                client = None
                if monitored:
                    client = Console(
                        [sys.executable, "-m", "benchmarks.monitor", str(job.sink_port),
                         str(devices)], core,
                    )  # fmt: skip
                try:
                    time.sleep(WARM_UP)
                    before = _look(simulated, client, gateway.pid)
                    time.sleep(seconds)
                    after = _look(simulated, client, gateway.pid)
                finally:
                    if client is not None:
                        client.stop()
                gateway.check()
                resident = gateway.usage().resident
        finally:
            simulated.stop()
    when, polled, told, bad, cpu, client_cpu = (b - a for a, b in zip(before, after, strict=True))
    return Figures(
        devices,
        poll,
        polled * VALUES / when,
        told / when,
        round(bad),
        cpu / when,
        client_cpu / when,
        resident,
    )


def _up(data: Path) -> bool:
    return bool(report(data)["links"]["out"]["state"] == "up")


def _look(devices: Devices, client: Console | None, pid: int) -> tuple[float, ...]:
    told, bad = client.ask() if client is not None else (0, 0)
    used = Usage.of(client.pid).cpu if client is not None else 0.0
    return time.monotonic(), devices.polls(), told, bad, Usage.of(pid).cpu, used


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.opcua", description=__doc__)
    parser.add_argument("--devices", type=int, default=50)
    parser.add_argument("--poll", default="1s")
    parser.add_argument("--seconds", type=float, default=10.0)
    chosen = parser.parse_args()
    poll = TypeAdapter(Duration).validate_python(chosen.poll)
    for sink, monitored in ((False, False), (True, False), (True, True)):
        print("sink" if sink else "no sink", "and a client" if monitored else "", end=": ")
        print(run(chosen.devices, poll, chosen.seconds, sink=sink, monitored=monitored))


if __name__ == "__main__":
    main()
