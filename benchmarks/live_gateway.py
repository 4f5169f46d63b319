"""A whole gateway that measures one stream of sampled values, and a sink that looks at its watch.

python -m benchmarks.live_gateway INTERFACE PROFILE CLASS RATE GATHER

Says "ready" when it receives; when standard input ends, what it saw, as JSON.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
import time
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import orjson
from gateway_sv.source import SampledValuesSource
from pydantic import PrivateAttr

from benchmarks.rig import urge
from gateway import Sink, SinkContext
from gateway.testing import running

PHASORS = (
    "phasor/frequency", "phasor/rocof",
    *(f"phasor/{part}/{of}" for of in ("u1", "i1", "ua", "ub", "uc", "ia", "ib", "ic")
      for part in ("magnitude", "angle")),
)  # fmt: skip
METER = (
    *(f"half/rms/{lane}" for lane in ("ua", "ub", "uc")),
    *(f"cycles/{kind}/{lane}" for lane in ("ua", "ub", "uc", "ia", "ib", "ic")
      for kind in ("rms", "thd")),
    "cycles/active/all", "cycles/reactive/all",
)  # fmt: skip


def _point(result: str) -> str:
    return result.replace("/", ".")


class Watch(Sink):
    """Keeps when each report of the frequency came."""

    type: Literal["benchmark.watch"] = "benchmark.watch"
    _reports: list[npt.NDArray[np.int64]] = PrivateAttr(default_factory=list)
    _samples: int = PrivateAttr(0)

    async def run(self, ctx: SinkContext) -> None:
        frequency = next(point.id for point in ctx.points if point.name == _point(PHASORS[0]))
        ctx.up()
        async for delivery in ctx.batches():
            batch, now = delivery.batch, time.time_ns()
            self._samples += len(batch)
            if len(times := batch.time[(batch.point == frequency) & (batch.value > 0)]):
                self._reports.append(np.stack([times, np.full(len(times), now)]))
            ctx.delivered(delivery.seq)

    def reports(self) -> npt.NDArray[np.int64]:
        """Return instants and arrivals."""
        return np.concatenate(self._reports or [np.zeros((2, 0), np.int64)], axis=1)

    @property
    def samples(self) -> int:
        return self._samples


async def main(interface: str, profile: str, performance: str, rate: int, gather: str) -> None:
    mu = SampledValuesSource.model_validate(
        {
            "name": "mu", "interface": interface, "profile": profile, "sv_id": "MU0101",
            "timeout": "10s", "gather": gather,
            "waveform": {
                "phasors": {"class": performance, "rate": rate},
                "meter": {"declared": 63_508, "orders": 40},
            },
        }
    )  # fmt: skip
    watch = Watch(name="watch")
    points = "name,mu.result\n" + "".join(
        f"{_point(result)},{result}\n" for result in (*PHASORS, *METER)
    )
    with tempfile.TemporaryDirectory() as folder:
        async with running([mu], [watch], points, data=Path(folder)) as gateway:
            await asyncio.sleep(0.3)
            print("ready", flush=True)
            await gateway.until(lambda: gateway.state("mu") == "up")
            cpu, wall = time.process_time(), time.monotonic()
            await asyncio.to_thread(sys.stdin.readline)
            used, passed = time.process_time() - cpu, time.monotonic() - wall
            told = gateway.counters("mu")
    instants, arrivals = watch.reports()
    late = (arrivals - instants) / 1e6
    print(
        orjson.dumps(
            {
                "counters": told, "reports": len(late), "results": watch.samples,
                "latency": [float(x) for x in np.percentile(late, [50, 99, 100])],
                "steady": bool((np.diff(instants) == 10**9 // rate).all()),
                "cpu": used, "passed": passed,
            }
        ).decode()
    )  # fmt: skip


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    urge()
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5]))
