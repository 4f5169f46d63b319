"""What stands beside the 104 run: another implementation, the codec alone, the disk.

python -m benchmarks.iec104_reference --seconds 4
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson
from gateway_iec60870.apci import ApciSettings, Session
from gateway_iec60870.asdu import IEC104, Columns, decode_all, encode_events, parse

from benchmarks.dnp3_reference import PERIOD
from benchmarks.iec104 import FULL, Job, Peers
from benchmarks.iec104_wire import EPOCH, M_ME_TF_1, POINTS
from benchmarks.process import Usage
from benchmarks.rig import at_work, cores, free_port, results, urge

ASDU = 255
"""Octets of a full one with its APCI."""
INTERROGATED = 1_000
"""Points of c104: of 10,000 it sends 1,844 and does not come to an end."""


@dataclass(frozen=True, slots=True)
class Peer:
    """c104 in the gateway's place, without a disk.

    rate:  events per second that came out at its other side: in Python, or at the master.
    cpu:   µs of its process per event.
    lost:  events that it acknowledged, or said that it had sent, and that did not come out.
    interrogation: ms for 10,000 points, in ten interrogations of 1,000.
    """

    rate: float
    cpu: float
    lost: int
    interrogation: float


@dataclass(frozen=True, slots=True)
class Alone:
    """What a part of it takes by itself, on the gateway's core.

    codec:  events per second, encoded, framed, and read again, in memory.
    synced: ms, p50 and p99, until a full ASDU is on the disk.
    """

    codec: float
    synced: tuple[float, float]


def codec(seconds: float) -> float:
    """Encode and decode full ASDUs of events, down to frames."""
    number = np.arange(POINTS * 4)
    events = Columns.of(M_ME_TF_1, number % POINTS + 1, number, time=EPOCH + number)
    settings = ApciSettings(k=1024, w=1)
    sender = Session(settings, controlling=False, now=0.0)
    receiver = Session(settings, controlling=True, now=0.0)
    for frame in sender.receive(receiver.start(0.0).frames[0], 0.0).frames:
        receiver.receive(frame, 0.0)
    done = 0
    began = time.perf_counter()
    while (lasted := time.perf_counter() - began) < seconds:
        asdus = encode_events([(events, number)], IEC104, cause=3, address=1)
        frames = sender.send(asdus, lasted).frames
        came = receiver.receive(b"".join(frames), lasted).received
        columns, _ = decode_all([parse(one, IEC104) for one in came], IEC104)
        done += len(columns)
        sender.receive(b"".join(receiver.confirm(len(came), lasted).frames), lasted)
    return done / lasted


def synced(seconds: float) -> tuple[float, float]:
    """Write the octets of an ASDU to a file and sync it, a hundred times a second at most."""
    took = []
    with tempfile.NamedTemporaryFile(dir=results()) as file:
        began = time.perf_counter()
        while time.perf_counter() - began < seconds:
            at = time.perf_counter()
            file.write(bytes(ASDU))
            file.flush()
            os.fdatasync(file.fileno())
            took.append((time.perf_counter() - at) * 1e3)
            time.sleep(PERIOD)
    p50, p99 = np.percentile(took, [50, 99]).tolist()
    return p50, p99


def peer(job: Job) -> Peer:
    """Let c104 do the half of a job."""
    urge()
    with tempfile.TemporaryDirectory(prefix="c104-", dir=results()) as name:
        folder, port = Path(name), free_port()
        receives = job.half == "receive"
        peers = Peers(job, folder, port)
        command: list[str | Path] = [
            sys.executable, "-m", "benchmarks.iec104_c104", str(job.half), folder,
            "--port", str(peers.port if receives else port), "--stations", str(job.stations),
            "--rate", str(job.rate), "--events", str(round(job.rate * job.seconds)),
            "--points", str(INTERROGATED), "--k", str(job.k), "--w", str(job.w),
        ]  # fmt: skip
        try:
            with at_work(command, folder) as process:
                peers.expect("begin", process)
                before = Usage.of(process.pid).cpu
                peers.expect("end", process)
                cpu = Usage.of(process.pid).cpu - before
                found = orjson.loads(peers.line())
        finally:
            peers.stop()
        said = orjson.loads((folder / "c104.json").read_bytes())
        if receives:
            values, last = said["values"] - found["first"], said["last"]
            lost = found["events"] - said["values"]
        else:
            with np.load(folder / "heard-0.npz") as heard:
                values, last = len(heard["when"]), float(heard["when"].max())
            lost = said["values"] - values
    return Peer(
        values / (last - found["began"]), cpu / values * 1e6, lost, float(np.sum(found["polls"]))
    )


def alone(seconds: float) -> Alone:
    """Measure in a process of its own, on the gateway's core."""
    urge()
    command = [sys.executable, "-m", "benchmarks.iec104_reference", "--seconds", str(seconds)]
    found = orjson.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return Alone(found["codec"], tuple(found["synced"]))


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.iec104_reference", description=__doc__
    )
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--c104", choices=["receive", "send"], help="only this half of a job")
    parser.add_argument("--objects", type=int, default=FULL)
    parser.add_argument("--rate", type=float, default=60_000)
    chosen = parser.parse_args()
    if chosen.c104 is not None:
        print(peer(Job(chosen.rate, chosen.seconds, objects=chosen.objects, half=chosen.c104)))
        return
    os.sched_setaffinity(0, {cores()[0]})
    half = chosen.seconds / 2
    print(orjson.dumps({"codec": codec(half), "synced": synced(half)}).decode())


if __name__ == "__main__":
    main()
