"""IEC 60870-5-104: from stations through the journal to masters, who acknowledge everything.

python -m benchmarks.iec104 --rate 20000 --seconds 8
python -m benchmarks.iec104 --half receive --objects 1 --k 12 --w 8 --rate 60000

Stations report events of measured values and single points by themselves, as far as the window k
leaves them room; the gateway acknowledges what is on the disk. Its own stations report them to
masters, and forget what these have acknowledged. 10,000 points in all.
"""

from __future__ import annotations

import argparse
import select
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Literal

import orjson

from benchmarks.iec104_judge import Heard
from benchmarks.iec104_wire import ANALOGS, POINTS
from benchmarks.process import Usage
from benchmarks.rig import Gateway, at_work, cores, free_port, gateway_command, results, urge

STATIONS = 8
TOTAL = 10_000
"""Points that a master sees: those of the stations that change, and some that never do."""
FULL = 127
"""Objects of an ASDU: as many as it holds."""
STANDARD = 12, 8
"""k and w as the standard proposes them (9.6)."""
LOOK = 0.2
"""Seconds between two looks at whether the gateway is still there."""

Half = Literal["receive", "send"]


@dataclass(frozen=True, slots=True)
class Job:
    """What stands around the gateway, and how it is spoken with.

    rate, seconds: of the events that are offered.
    objects:       of an ASDU of a station, at the most.
    k, w:          of all ends, and of the gateway towards them.
    masters, slow: masters, and how many of them wait half a second with every acknowledgement.
    half:          the gateway only receives from the stations, or only sends to the masters; its
                   other side is in memory. None for the whole gateway.
    """

    rate: float
    seconds: float
    stations: int = STATIONS
    objects: int = FULL
    k: int = STANDARD[0]
    w: int = STANDARD[1]
    masters: int = 1
    slow: int = 0
    half: Half | None = None
    total: int = TOTAL

    @property
    def changing(self) -> int:
        """Points that change."""
        return POINTS * self.stations


@dataclass(frozen=True, slots=True)
class Figures:
    """One run.

    offered, rate: events per second that happened, and that were delivered until the last was, to
                   each master that is not slow.
    behind:        events on their way when the last had happened.
    cpu:           µs of the gateway per event; share: part of its core that it used.
    ends:          part of the other core that the ends used: above 0.9 they may be the limit.
    delay:         ms from an event to a master that is not slow: p50, p99 and the most.
    interrogation: ms of a general interrogation, the median of ten; busy: beside the events.
    avalanche:     ms until 10,000 events of one instant were delivered to all.
    wrong:         events that are missing, twice there, out of order or not what they were.
    """

    offered: float
    rate: float
    behind: int
    cpu: float
    share: float
    ends: float
    resident: int
    delay: tuple[float, float, float]
    points: int
    interrogation: float
    busy: float
    avalanche: float
    wrong: int

    def __str__(self) -> str:
        return (
            f"{self.offered:,.0f} events/s offered, {self.rate:,.0f} delivered "
            f"({self.behind:,} behind at the end), {self.cpu:.1f} µs each, {self.share:.0%} of a "
            f"core (the ends {self.ends:.0%} of the other), {self.resident / 1e6:.0f} MB; delay "
            f"{self.delay[0]:.1f} ms p50, {self.delay[1]:.1f} p99, {self.delay[2]:.1f} at most; "
            f"{self.points:,} points read in "
            f"{self.interrogation:.0f} ms, {self.busy:.0f} beside them; 10,000 at once in "
            f"{self.avalanche:.0f} ms; {self.wrong} wrong"
        )


class Peers:
    """The ends as a process on the other core."""

    def __init__(self, job: Job, folder: Path, port: int) -> None:
        words = {
            "folder": folder, "port": port, "rate": job.rate, "seconds": job.seconds,
            "stations": 0 if job.half == "send" else job.stations, "slow": job.slow,
            "masters": 0 if job.half == "receive" else job.masters, "objects": job.objects,
            "others": job.total - job.changing, "k": job.k, "w": job.w,
            "events": round(job.rate * job.seconds) if job.half == "send" else 0,
        }  # fmt: skip
        command = ["taskset", "-c", str(cores()[1]), sys.executable, "-m", "benchmarks.iec104_ends"]
        for name, value in words.items():
            command += [f"--{name}", str(value)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.port = int(self.line())

    @property
    def cpu(self) -> float:
        """CPU seconds that they have used."""
        return Usage.of(self._process.pid).cpu

    def line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def expect(self, word: str, gateway: Gateway) -> None:
        """Wait for a line; raises RuntimeError where the gateway ends, or another one comes."""
        while not select.select([self._process.stdout], [], [], LOOK)[0]:
            gateway.check()
        if (found := self.line()) != word:
            tail = gateway.log.read_text(errors="replace")[-2000:]
            raise RuntimeError(f"the ends said {found!r}, expected {word}; the gateway:\n{tail}")

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


def run(job: Job) -> Figures:
    """Set everything up, measure, and take it all down."""
    urge()
    # On a disk: what is acknowledged to a station is there before.
    with tempfile.TemporaryDirectory(prefix="iec104-", dir=results()) as name:
        folder, port = Path(name), free_port()
        peers = Peers(job, folder, port)
        try:
            path = configuration(job, folder, peers.port, port)
            command = gateway_command(path)
            if job.half is not None:
                command = [sys.executable, "-m", "benchmarks.iec104_half", path]
            with at_work(command, folder) as gateway:
                peers.expect("begin", gateway)
                before, theirs = Usage.of(gateway.pid).cpu, peers.cpu
                peers.expect("end", gateway)
                after, theirs = gateway.usage(), peers.cpu - theirs
                found = orjson.loads(peers.line())
                gateway.check()
        finally:
            peers.stop()
        counted = found["first"], found["events"]
        consumers = [0] if job.half == "receive" else range(job.masters)
        heard = [Heard.of(folder, number, *counted) for number in consumers]
    quick = heard[job.slow :]
    events = counted[1] - counted[0]
    rate = min(events / (one.last - found["began"]) for one in quick)
    cpu = after.cpu - before
    return Figures(
        events / found["lasted"] if job.half != "send" else job.rate,
        rate,
        found["behind"],
        cpu / events * 1e6,
        cpu / events * rate,
        theirs / events * rate,
        after.resident,
        (
            max(one.delay[0] for one in quick),
            max(one.delay[1] for one in quick),
            max(one.delay[2] for one in quick),
        ),
        found["points"],
        median(found["polls"] or [float("nan")]),
        median(found["busy"] or [float("nan")]),
        found.get("avalanche", float("nan")),
        sum(one.wrong for one in heard) + found["wrong"],
    )


def configuration(job: Job, folder: Path, stations: int, port: int) -> Path:
    """Write the gateway's files and return the path of the YAML.

    stations, port: where the stations listen, and where the masters connect to.
    """
    receives, sends = job.half != "send", job.half != "receive"
    sources = [f"rtu{number}" for number in range(job.stations)] if receives else ["field"]
    sinks = [f"scada{number}" for number in range(job.masters)] if sends else []
    (folder / "points.csv").write_text("\n".join(_rows(job, sources, sinks)) + "\n")
    lines = [f"gateway: {{name: bench, data: {folder / 'data'}}}", "points: points.csv", "sources:"]
    if receives:
        lines += [
            f"  - {{name: {name}, type: iec104.client, host: 127.0.0.1, port: {stations}, ca: 1, "
            f"k: {job.k}, w: {job.w}, t2: 1s}}"
            for name in sources
        ]
    else:
        lines.append(
            f"  - {{name: field, type: benchmark.emitter, folder: {folder}, rate: {job.rate}, "
            f"events: {round(job.rate * job.seconds)}}}"
        )
    lines.append("sinks:")
    lines += [
        f"  - {{name: {name}, type: iec104.server, listen: 127.0.0.1:{port}, ca: 1, keep: every, "
        f"clients: [127.0.0.{number + 1}], k: {job.k}, w: {job.w}}}"
        for number, name in enumerate(sinks)
    ]
    if not sends:
        lines.append(
            f'  - {{name: memory, type: benchmark.recorder, folder: {folder}, select: ["p*"]}}'
        )
    path = folder / "iec104.yaml"
    path.write_text("\n".join(lines) + "\n")
    return path


def _rows(job: Job, sources: Sequence[str], sinks: Sequence[str]) -> list[str]:
    """Return the point list: the stations' points one behind the other, then what never changes."""
    column = "at" if job.half == "send" else "ioa"
    rows = [",".join(["name", "kind", *(f"{one}.{column}" for one in sources)])]
    rows[0] += "".join(f",{one}.ioa" for one in sinks)
    for point in range(job.total):
        station = point // POINTS if point < job.changing else 0
        address = point % POINTS if point < job.changing else point - job.changing + POINTS
        places = [""] * len(sources)
        places[min(station, len(sources) - 1)] = str(address + 1)
        status = point < job.changing and point % POINTS >= ANALOGS
        cells = [f"p{point}", "status" if status else "analog", *places]
        rows.append(",".join([*cells, *[str(point + 1)] * len(sinks)]))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.iec104", description=__doc__)
    parser.add_argument("--rate", type=float, default=20_000)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--stations", type=int, default=STATIONS)
    parser.add_argument("--objects", type=int, default=FULL, help="of a station's ASDU, at most")
    parser.add_argument("--k", type=int, default=STANDARD[0])
    parser.add_argument("--w", type=int, default=STANDARD[1])
    parser.add_argument("--masters", type=int, default=1)
    parser.add_argument("--slow", type=int, default=0, help="masters that are slow")
    parser.add_argument("--half", choices=["receive", "send"], help="the other side is in memory")
    print(run(Job(**vars(parser.parse_args()))))


if __name__ == "__main__":
    main()
