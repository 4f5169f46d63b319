"""A live stream of sampled values: off a cable, through estimators, to a sink, in a whole gateway.

python -m benchmarks.live --class P --rate 100 --seconds 12

A merging unit on the other core sends each frame when its last sample is due, over two joined
interfaces (veth); the gateway measures synchrophasors and the meter to order 40, and a sink notes
when each report comes.  Needs root, for the interfaces.
"""

from __future__ import annotations

import argparse
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import orjson

from benchmarks.rig import cores

PROFILE = "F4800S1I4U4"
FRAMES = 4800
"""Frames per second, of one sample each."""
LIMITS = {"P": 2, "M": 7}
"""Reports within which one must be there: IEC/IEEE 60255-118-1 clause 6.5, of latency."""
SETTLED = 1.3
"""Seconds after the last frame until it is counted."""
PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Figures:
    """One run.

    sent, lost:  samples; `lost` are those that the gateway did not take.
    reports:     of the frequency; steady: whether none was left out or out of order.
    latency:     ms from the instant of a report to the sink: p50, p99 and the most.
    limit:       ms that the class allows.
    share:       part of its core that the gateway used.
    late:        ms that the merging unit itself was behind at its end.
    """

    sent: int
    lost: int
    reports: int
    results: int
    steady: bool
    latency: tuple[float, float, float]
    limit: float
    share: float
    late: float

    def __str__(self) -> str:
        return (
            f"{self.sent:,} samples, {self.lost} lost; {self.reports:,} reports"
            f"{'' if self.steady else ', NOT steady'}, {self.results:,} results; latency "
            f"{self.latency[0]:.1f} ms p50, {self.latency[1]:.1f} p99, {self.latency[2]:.1f} at "
            f"most, allowed {self.limit:.1f}; {self.share:.0%} of a core; the unit "
            f"{self.late:.2f} ms late at its end"
        )


def run(performance: Literal["P", "M"], rate: int, seconds: float, gather: str = "2ms") -> Figures:
    """Measure for so many seconds; `gather` is the source's field.

    Raises RuntimeError where interfaces cannot be made.
    """
    own, other = cores()
    with cable() as (near, far):
        gateway = subprocess.Popen(
            [*_module("live_gateway", own), far, PROFILE, performance, str(rate), gather],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            assert gateway.stdout is not None
            if gateway.stdout.readline() != "ready\n":
                raise RuntimeError("the gateway did not start")
            unit = subprocess.run(
                [*_module("live_unit", other), near, PROFILE, str(seconds)],
                capture_output=True, text=True, check=True, timeout=seconds + PATIENCE,
            )  # fmt: skip
            sent, behind = map(int, unit.stdout.split())
            time.sleep(SETTLED)
            said, _ = gateway.communicate("\n", timeout=PATIENCE)
        finally:
            gateway.kill()
            gateway.wait()
    found = orjson.loads(said.splitlines()[-1])
    counters = found["counters"]
    return Figures(
        sent, sent - counters.get("samples", 0), found["reports"], found["results"],
        found["steady"], tuple(found["latency"]), 1000 * LIMITS[performance] / rate,
        found["cpu"] / seconds, behind / 1e6,
    )  # fmt: skip


@contextmanager
def cable() -> Iterator[tuple[str, str]]:
    """Two interfaces that are joined."""
    name = f"gw{secrets.token_hex(4)}"
    near, far = f"{name}a", f"{name}b"
    _ip("link", "add", near, "type", "veth", "peer", "name", far)
    try:
        for end in (near, far):
            _ip("link", "set", end, "addrgenmode", "none", "up")
        yield near, far
    finally:
        _ip("link", "del", near)


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"ip {' '.join(words)}: {done.stderr.strip()}; it needs root")


def _module(name: str, core: int) -> list[str]:
    return ["taskset", "-c", str(core), sys.executable, "-m", f"benchmarks.{name}"]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live", description=__doc__)
    parser.add_argument("--class", dest="performance", choices=["P", "M"], default="P")
    parser.add_argument("--rate", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--gather", default="2ms")
    chosen = parser.parse_args()
    print(run(chosen.performance, chosen.rate, chosen.seconds, chosen.gather))


if __name__ == "__main__":
    main()
