"""The ends of a 104 run: stations before the gateway, masters after it, and one clock.

python -m benchmarks.iec104_ends --folder F --stations 8 --masters 1 --rate 20000 --seconds 8

Prints the port of the stations and, when all are connected, `begin`; then `end`, and what was
measured, as JSON. `made.npy` and `heard-N.npz` in the folder say what happened when, and what each
master heard when: see `iec104_judge`.

Without stations the events happen in the gateway, which begins when the file `go` is there.
Without masters it is waited for that the stations' events are acknowledged.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import uvloop

from benchmarks.iec104_stations import MOST, PATIENCE, Master, Station
from benchmarks.rig import free_port

TICK = 0.005
"""Seconds between two bursts of events."""
STILL = 3.0
"""Seconds without progress after which what is missing does not come any more."""
POLLS = 10
"""General interrogations, of which the median counts."""
WARM_UP = 1.0
"""Seconds of the load before it is measured, with interrogations beside it."""
BETWEEN = 0.05
SLOW = 0.5
"""Seconds that a slow master waits with each acknowledgement."""
AVALANCHE = 10_000


class Ends:
    """Everything that stands around the gateway."""

    def __init__(self, chosen: argparse.Namespace) -> None:
        self.stations: list[Station] = []
        self.came = asyncio.Event()
        self._chosen = chosen
        self.masters = [Master(self.look, chosen.k, chosen.w) for _ in range(chosen.masters)]
        self.quick = self.masters[chosen.slow :]
        self.made: list[float] = []
        self.expected: int = chosen.events
        self._ready = asyncio.Event()

    def station(self) -> Station:
        chosen = self._chosen
        others = 0 if self.stations else chosen.others
        self.stations.append(Station(self.look, chosen.k, chosen.w, chosen.objects, others))
        return self.stations[-1]

    def look(self) -> None:
        self.came.set()
        if self._ready.is_set():
            return
        started = sum(one.started for one in self.stations)
        if started >= self._chosen.stations and all(one.started for one in self.masters):
            self._ready.set()

    async def connect(self, port: int) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE
        for number, master in enumerate(self.masters):
            here = (f"127.0.0.{number + 1}", 0)
            while True:
                try:
                    await loop.create_connection(
                        partial(_same, master), "127.0.0.1", port, local_addr=here
                    )
                    break
                except OSError:
                    if loop.time() > deadline:
                        raise
                    await asyncio.sleep(0.1)
        await asyncio.wait_for(self._ready.wait(), PATIENCE)

    def happen(self, many: int) -> None:
        """Let events happen now, the same number at each station."""
        now = time.perf_counter()
        live = [one for one in self.stations if one.started]
        share = many // len(live)
        for one in live:
            first = len(self.made)
            self.made += [now] * share
            one.queue.append(np.arange(first, first + share))
            one.go_on()
        self.expected = len(self.made)

    async def load(self, rate: float, seconds: float) -> None:
        began, before = time.perf_counter(), len(self.made)
        while (passed := time.perf_counter() - began) < seconds:
            due = round(passed * rate) - (len(self.made) - before)
            if due >= len(self.stations):
                self.happen(due)
            await asyncio.sleep(TICK)

    def behind(self, masters: list[Master]) -> int:
        """Return how many events are still to come to the last of these."""
        came = sum(one.confirmed for one in self.stations)
        if masters:
            came = min(one.got for one in masters)
        return self.expected - came

    async def until(self, reached: Callable[[], bool]) -> None:
        """Wait until something is reached, or nothing comes any more."""
        still = time.perf_counter() + PATIENCE
        while not reached() and time.perf_counter() < still:
            self.came.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STILL):
                    await self.came.wait()
                    still = time.perf_counter() + STILL

    async def arrived(self, masters: list[Master]) -> None:
        await self.until(lambda: self.behind(masters) <= 0)


def _same(master: Master) -> Master:
    return master


async def measure(ends: Ends, chosen: argparse.Namespace) -> dict[str, Any]:
    """Let events happen, and return what was measured of them."""
    said: dict[str, Any] = {"busy": []}
    if chosen.stations:
        async with asyncio.TaskGroup() as tasks:
            load = tasks.create_task(ends.load(chosen.rate, WARM_UP))
            while ends.masters and not load.done():
                said["busy"].append(await ends.masters[-1].interrogate())
                await asyncio.sleep(BETWEEN)
        await ends.arrived(ends.quick)
    else:
        (chosen.folder / "go").touch()
        await ends.until(lambda: ends.quick[0].got > 0)
    print("begin", flush=True)
    said["first"], said["began"] = len(ends.made), time.perf_counter()
    if chosen.stations:
        await ends.load(chosen.rate, chosen.seconds)
    said["lasted"] = time.perf_counter() - said["began"]
    said["behind"] = max(0, ends.behind(ends.quick)) if chosen.stations else 0
    await ends.arrived(ends.quick)
    print("end", flush=True)
    said["events"] = ends.expected
    for master in ends.masters:
        master.pause = 0.0
        master.settle()
    await ends.arrived(ends.masters)
    return said


async def main(chosen: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()
    ends = Ends(chosen)
    hosts = [f"127.0.0.{number + 1}" for number in range(max(1, chosen.stations))]
    port = free_port()
    server = await loop.create_server(ends.station, hosts, port)
    print(port, flush=True)
    await ends.connect(chosen.port)
    await asyncio.sleep(1.0)
    polls = [await one.interrogate() for one in ends.masters[-1:] for _ in range(POLLS)]
    for master in ends.masters[: chosen.slow]:
        master.pause = SLOW
    said = await measure(ends, chosen)
    said["points"] = min((points for _, points in [*polls, *said["busy"]]), default=0)
    said["polls"], said["busy"] = ([ms for ms, _ in those] for those in (polls, said["busy"]))
    if chosen.stations and ends.masters:
        began = time.perf_counter()
        ends.happen(AVALANCHE)
        await ends.arrived(ends.masters)
        said["avalanche"] = (time.perf_counter() - began) * 1e3
    said["wrong"] = sum(one.wrong for one in (*ends.stations, *ends.masters))
    np.save(chosen.folder / "made.npy", np.array(ends.made))
    for number, master in enumerate(ends.masters):
        master.save(chosen.folder / f"heard-{number}.npz")
    print(orjson.dumps(said).decode(), flush=True)
    server.close()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.iec104_ends", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True, help="where the masters connect to")
    parser.add_argument("--stations", type=int, default=8)
    parser.add_argument("--masters", type=int, default=1)
    parser.add_argument("--slow", type=int, default=0, help="how many of them are slow")
    parser.add_argument("--rate", type=float, default=20_000)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--events", type=int, default=0, help="that happen in the gateway")
    parser.add_argument("--objects", type=int, default=MOST, help="most of them in an ASDU")
    parser.add_argument("--others", type=int, default=0, help="points that never change")
    parser.add_argument("--k", type=int, default=12)
    parser.add_argument("--w", type=int, default=8)
    return parser.parse_args()


if __name__ == "__main__":
    uvloop.run(main(arguments()))
