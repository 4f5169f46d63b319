"""DNP3: from outstations through the journal to a second master, who confirms everything.

python -m benchmarks.dnp3 --rate 20000 --seconds 8

Outstations report events of binary inputs by themselves, each the next ones when the gateway has
confirmed those before, which it does when they are on the disk; the gateway's own outstation
reports them to a master, and forgets them when that has confirmed. 10,000 points in all.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import orjson

from benchmarks.dnp3_ends import POINTS
from benchmarks.process import Usage
from benchmarks.rig import at_work, cores, free_port, gateway_command, results, urge

OUTSTATIONS = 8
TOTAL = 10_000
"""Points that the master sees: those of the outstations, and some that never change."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One run.

    offered, rate: events per second that happened, and that were delivered until the last was.
    behind:        events on their way when the last had happened.
    cpu:           µs of the gateway per event; share: part of its core that it used.
    delay:         ms from an event to the master: p50, p99 and the most.
    integrity:     ms of reading all points, the median of ten.
    avalanche:     ms until 10,000 events of one instant were delivered.
    wrong:         events that are missing, twice there or out of order.
    """

    offered: float
    rate: float
    behind: int
    cpu: float
    share: float
    resident: int
    delay: tuple[float, float, float]
    points: int
    integrity: float
    avalanche: float
    wrong: int

    @property
    def sustained(self) -> bool:
        """Whether what was on its way at the end is a tenth of a second's, at the most."""
        return self.behind < self.offered / 10

    def __str__(self) -> str:
        return (
            f"{self.offered:,.0f} events/s offered, {self.rate:,.0f} delivered "
            f"({self.behind:,} behind at the end), {self.cpu:.1f} µs each, {self.share:.0%} of a "
            f"core, {self.resident / 1e6:.0f} MB; delay {self.delay[0]:.1f} ms p50, "
            f"{self.delay[1]:.1f} p99, {self.delay[2]:.1f} at most; {self.points:,} points read in "
            f"{self.integrity:.0f} ms; 10,000 at once in {self.avalanche:.0f} ms; "
            f"{self.wrong} wrong"
        )


def run(rate: float, seconds: float, outstations: int = OUTSTATIONS) -> Figures:
    """Set everything up, measure, and take it all down."""
    urge()
    # On a disk: what is confirmed to an outstation is there before.
    with tempfile.TemporaryDirectory(prefix="dnp3-", dir=results()) as name:
        folder, port = Path(name), free_port()
        ends = subprocess.Popen(
            ["taskset", "-c", str(cores()[1]), sys.executable, "-m", "benchmarks.dnp3_ends",
             str(outstations), str(port), str(rate), str(seconds)],
            stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        try:
            path = _configuration(folder, int(_line(ends)), port, outstations)
            with at_work(gateway_command(path), folder) as gateway:
                _expect(ends, "begin", gateway.log)
                before = Usage.of(gateway.pid).cpu
                _expect(ends, "end", gateway.log)
                after = gateway.usage()
                found = orjson.loads(_line(ends))
                gateway.check()
        finally:
            ends.kill()
            ends.wait()
    cpu = after.cpu - before
    integrity = sorted(found["integrity"])[len(found["integrity"]) // 2]
    return Figures(
        found["events"] / found["seconds"], found["rate"], found["behind"],
        cpu / found["events"] * 1e6, cpu / found["events"] * found["rate"], after.resident,
        tuple(found["delay"]), found["points"], integrity, found["avalanche"],
        found["wrong"] + found["avalanche_wrong"],
    )  # fmt: skip


def _line(ends: subprocess.Popen[str]) -> str:
    assert ends.stdout is not None
    return ends.stdout.readline().strip()


def _expect(ends: subprocess.Popen[str], word: str, log: Path) -> None:
    if (found := _line(ends)) != word:
        tail = log.read_text(errors="replace")[-2000:]
        raise RuntimeError(f"the ends said {found!r}, expected {word}; the gateway:\n{tail}")


def _configuration(folder: Path, devices: int, port: int, outstations: int) -> Path:
    rows = ["name,kind,scada.index," + ",".join(f"rtu{n}.index" for n in range(outstations))]
    for point in range(outstations * POINTS):
        places = [""] * outstations
        places[point // POINTS] = str(point % POINTS)
        rows.append(f"b{point},status,{point}," + ",".join(places))
    rows += [
        f"a{point},analog,{point},{point}" + "," * (outstations - 1)
        for point in range(TOTAL - outstations * POINTS)
    ]
    (folder / "points.csv").write_text("\n".join(rows) + "\n")
    sources = [
        f"  - {{name: rtu{n}, type: dnp3.master, host: 127.0.0.1, port: {devices}, "
        "outstation: 10, unsolicited: true}"
        for n in range(outstations)
    ]
    path = folder / "dnp3.yaml"
    path.write_text(
        f"gateway: {{name: bench, data: {folder / 'data'}}}\npoints: points.csv\nsources:\n"
        + "\n".join(sources)
        + f"\nsinks:\n  - {{name: scada, type: dnp3.outstation, listen: 127.0.0.1:{port}, "
        "address: 10, master: 2, unsolicited: true}\n"
    )
    return path


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dnp3", description=__doc__)
    parser.add_argument("--rate", type=float, default=20_000)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--outstations", type=int, default=OUTSTATIONS)
    chosen = parser.parse_args()
    print(run(chosen.rate, chosen.seconds, chosen.outstations))


if __name__ == "__main__":
    main()
