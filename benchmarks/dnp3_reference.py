"""What stands beside the DNP3 run: another implementation over one hop, the codec, the disk.

python -m benchmarks.dnp3_reference --seconds 4
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import orjson
from gateway_dnp3.app import Fragment, Iin, contents, parse
from gateway_dnp3.link import Control, Frame, Function, Reader, encode
from gateway_dnp3.objects import Columns, encode_events
from gateway_dnp3.transport import Reassembly, split

from benchmarks.rig import cores, results, urge

POINTS = 100
FRAGMENT = 2044
PERIOD = 0.01
"""Seconds between two lines that are synced."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What was measured, on one core.

    codec: events per second, encoded and decoded again, in memory.
    peer:  events per second from an outstation of dnp3py to its master, in memory: from the
           database over the octets of frames to the handler.
    synced: ms, p50 and p99, until a fragment's octets are on the disk.
    """

    codec: float
    peer: float
    synced: tuple[float, float]


def codec(seconds: float) -> float:
    """Encode and decode fragments of events, down to frames."""
    index = np.arange(POINTS * 4, dtype=np.int32) % POINTS
    events = Columns.of(2, 2, index, index % 2, time=np.full(len(index), 1_700_000_000_000))
    control = Control(Function.UNCONFIRMED_USER_DATA, dir=False)
    reader, fragments = Reader(), Reassembly()
    done = sequence = 0
    began = time.perf_counter()
    while (lasted := time.perf_counter() - began) < seconds:
        objects, _ = encode_events([events], np.zeros(len(events), np.intp), FRAGMENT)
        response = Fragment.response(Iin.NONE, objects, con=True, unsolicited=True).encode()
        for segment in split(response, sequence):
            sequence = (sequence + 1) % 64
            for frame in reader.feed(encode(Frame(control, 1, 10, segment))):
                whole = fragments.feed(frame.data)
                if whole is not None:
                    done += sum(
                        len(found)
                        for _, found in contents(parse(whole))
                        if isinstance(found, Columns)
                    )
    return done / lasted


def peer(seconds: float) -> float:
    """Let an outstation of dnp3py tell its events to a master of the same, with confirmations."""
    from dnp3.core.timestamp import DNP3Timestamp
    from dnp3.database import BinaryInputConfig, Database, EventClass
    from dnp3.datalink.builder import build_unconfirmed_user_data
    from dnp3.datalink.parser import FrameParser
    from dnp3.master import DefaultSOEHandler, Master
    from dnp3.outstation import Outstation
    from dnp3.transport.reassembler import Reassembler
    from dnp3.transport.segment import TransportSegment
    from dnp3.transport.segmenter import Segmenter

    class Handler(DefaultSOEHandler):
        values = 0

        def on_binary_input(self, values: list[Any], info: Any) -> None:
            self.values += len(values)

    database = Database()
    for index in range(POINTS):
        database.add_binary_input(index, BinaryInputConfig(event_class=EventClass.CLASS_1))
    heard = Handler()
    station, master = Outstation(database=database), Master(handler=heard)
    parser, segmenter, fragments = FrameParser(), Segmenter(), Reassembler()
    state = False
    began = time.perf_counter()
    while (lasted := time.perf_counter() - began) < seconds:
        state = not state
        stamp = DNP3Timestamp(1_700_000_000_000)
        for index in range(POINTS):
            database.update_binary_input(index, state, timestamp=stamp)
        request = master.build_class_poll(class_1=True, class_2=False, class_3=False)
        for response in station.process_request(request.to_bytes()):
            for segment in segmenter.segment(response.to_bytes()):
                frame = build_unconfirmed_user_data(1, 10, False, segment.to_bytes())
                for found in parser.feed(frame.to_bytes()):
                    whole = fragments.add(TransportSegment.from_bytes(found.user_data))
                    if whole is not None:
                        master.process_response(whole.data)
    return heard.values / lasted


def synced(seconds: float) -> tuple[float, float]:
    """Write the octets of a fragment to a file and sync it, a hundred times a second at most."""
    took = []
    with tempfile.NamedTemporaryFile(dir=results()) as file:
        began = time.perf_counter()
        while time.perf_counter() - began < seconds:
            at = time.perf_counter()
            file.write(bytes(2048))
            file.flush()
            os.fdatasync(file.fileno())
            took.append((time.perf_counter() - at) * 1e3)
            time.sleep(PERIOD)
    p50, p99 = np.percentile(took, [50, 99]).tolist()
    return p50, p99


def run(seconds: float) -> Reference:
    """Measure in a process of its own, on the gateway's core."""
    urge()
    command = [sys.executable, "-m", "benchmarks.dnp3_reference", "--seconds", str(seconds)]
    found = orjson.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return Reference(found["codec"], found["peer"], tuple(found["synced"]))


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.dnp3_reference", description=__doc__
    )
    parser.add_argument("--seconds", type=float, default=4.0)
    seconds = parser.parse_args().seconds
    os.sched_setaffinity(0, {cores()[0]})
    print(
        orjson.dumps(
            asdict(Reference(codec(seconds / 3), peer(seconds / 3), synced(seconds / 3)))
        ).decode()
    )


if __name__ == "__main__":
    main()
