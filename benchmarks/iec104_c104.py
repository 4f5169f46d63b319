"""What stands in the gateway's place: c104, which is lib60870-C with a face in Python.

python -m benchmarks.iec104_c104 receive F --stations 8 --port 2404
python -m benchmarks.iec104_c104 send F --port 2404 --events 40000 --points 10000

A client that counts what comes into Python, or a server that Python gives events to, one object in
each ASDU, as c104 has it. What it counted is in `c104.json` of the folder when it has ended.
"""

# mypy: disable-error-code="union-attr"
# Without `from __future__ import annotations`: c104 compares the text of what callbacks take.

import argparse
import signal
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import c104
import orjson

from benchmarks.iec104_wire import ANALOGS, EPOCH, POINTS, VALUES

TICK = 50
"""ms, the least that c104 takes."""
PORTION, PAUSE = 10, 0.001
"""Events that may be early, and seconds between two looks at whether they are."""
MIDNIGHT = datetime.fromtimestamp(EPOCH / 1000, UTC)


class _Counted:
    def __init__(self) -> None:
        self.values = 0
        self.last = 0.0

    def __call__(
        self,
        point: c104.Point,
        previous_info: c104.Information,
        message: c104.IncomingMessage,
    ) -> c104.ResponseState:
        if message.cot == c104.Cot.SPONTANEOUS:
            self.values += 1
            self.last = time.perf_counter()
        return c104.ResponseState.NONE


def _kind(number: int) -> c104.Type:
    changing = number < POINTS
    return c104.Type.M_SP_TB_1 if changing and number >= ANALOGS else c104.Type.M_ME_TF_1


def _windows(parameters: c104.ProtocolParameters, k: int, w: int) -> None:
    parameters.send_window_size = k
    parameters.receive_window_size = w
    parameters.confirm_interval = 1


def receive(chosen: argparse.Namespace, ended: threading.Event) -> dict[str, Any]:
    client = c104.Client(tick_rate_ms=TICK, command_timeout_ms=5000)
    counted = _Counted()

    def on_value(
        point: c104.Point, previous_info: c104.Information, message: c104.IncomingMessage
    ) -> c104.ResponseState:
        return counted(point, previous_info, message)

    connections = []
    for number in range(chosen.stations):
        # With any other `init` one connection in six is never started: c104 misses its own opening.
        connection = client.add_connection(
            ip=f"127.0.0.{number + 1}", port=chosen.port, init=c104.Init.MUTED
        )
        _windows(connection.protocol_parameters, chosen.k, chosen.w)
        station = connection.add_station(common_address=1)
        for point in range(POINTS):
            station.add_point(io_address=point + 1, type=_kind(point)).on_receive(callable=on_value)
        connections.append(connection)
    client.start()
    while not all(one.state == c104.ConnectionState.OPEN for one in connections):
        for one in connections:
            if one.state == c104.ConnectionState.OPEN_MUTED:
                one.unmute()
        if ended.wait(TICK / 1000):
            break
    ended.wait()
    client.stop()
    return {"values": counted.values, "last": counted.last}


def send(chosen: argparse.Namespace, ended: threading.Event) -> dict[str, Any]:
    server = c104.Server(ip="127.0.0.1", port=chosen.port, tick_rate_ms=TICK)
    _windows(server.protocol_parameters, chosen.k, chosen.w)
    station = server.add_station(common_address=1)
    points = [
        station.add_point(io_address=number + 1, type=_kind(number))
        for number in range(chosen.points)
    ]
    server.start()
    while not (chosen.folder / "go").exists():
        if ended.wait(0.02):
            return {}
    sent = 0
    began = time.perf_counter()
    for number in range(chosen.events):
        while (number - PORTION) / chosen.rate > time.perf_counter() - began:
            time.sleep(PAUSE)
        point = points[number % POINTS]
        when = MIDNIGHT + timedelta(milliseconds=number)
        if number % POINTS >= ANALOGS:
            point.info = c104.SingleInfo(bool(number // POINTS % 2), c104.Quality(), when)
        else:
            point.info = c104.ShortInfo(float(number % VALUES), c104.Quality(), when)
        sent += point.transmit(cause=c104.Cot.SPONTANEOUS)
    took = time.perf_counter() - began
    ended.wait()
    server.stop()
    return {"values": sent, "seconds": took}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.iec104_c104", description=__doc__)
    parser.add_argument("role", choices=["receive", "send"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--stations", type=int, default=8)
    parser.add_argument("--rate", type=float, default=20_000, help="at which it is given events")
    parser.add_argument("--events", type=int, default=40_000)
    parser.add_argument("--points", type=int, default=POINTS)
    parser.add_argument("--k", type=int, default=12)
    parser.add_argument("--w", type=int, default=8)
    chosen = parser.parse_args()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    found = (receive if chosen.role == "receive" else send)(chosen, ended)
    (chosen.folder / "c104.json").write_bytes(orjson.dumps(found))


if __name__ == "__main__":
    main()
