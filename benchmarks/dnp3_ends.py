"""The ends of a DNP3 run: outstations before the gateway, a master after it, and one clock.

python -m benchmarks.dnp3_ends OUTSTATIONS MASTER_PORT RATE SECONDS

Prints the port of the outstations and, when all are connected, `begin`; then `end`, and what was
delivered when, as JSON.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
import sys
import time
from collections import deque
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import uvloop
from gateway_dnp3.app import Fragment, FunctionCode, Iin, class_objects, contents, parse
from gateway_dnp3.link import Control, Frame, Function, Reader, encode
from gateway_dnp3.objects import Columns
from gateway_dnp3.transport import Reassembly, count, split

POINTS = 100
"""Binary inputs of each outstation."""
MOST = 220
"""Events in a fragment of 2048 octets."""
EPOCH = 1_700_000_000_000
TICK = 0.005
"""Seconds between two bursts of events."""
PATIENCE = 20.0
EVENT = np.dtype([("index", "<u2"), ("flags", "u1"), ("low", "<u4"), ("high", "<u2")])
"""g2v2 behind a prefix of two octets; its time in two parts."""

Numbers = npt.NDArray[np.int64]


class End(asyncio.Protocol):
    """One end of a connection."""

    def __init__(self, local: int, remote: int, *, master: bool) -> None:
        self.local, self.remote = local, remote
        self._control = Control(Function.UNCONFIRMED_USER_DATA, dir=master)
        self._reader = Reader()
        self._fragments = Reassembly(65_536)
        self._segment = 0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        for frame in self._reader.feed(data):
            fragment = self._fragments.feed(frame.data) if frame.data else None
            if fragment is not None:
                if frame.destination != self.local:
                    self.local = frame.destination
                self.take(fragment)

    def send(self, fragment: bytes) -> None:
        assert self._transport is not None
        ends = self._control, self.remote, self.local
        frames = [encode(Frame(*ends, one)) for one in split(fragment, self._segment)]
        self._segment = (self._segment + count(len(fragment))) % 64
        self._transport.write(b"".join(frames))

    def take(self, fragment: bytes) -> None:
        raise NotImplementedError


class Outstation(End):
    """Tells of its events by itself; the next ones when those before are confirmed."""

    def __init__(self, ends: Ends) -> None:
        super().__init__(10, 1, master=False)
        self.enabled = False
        self.queue: deque[Numbers] = deque()
        self._ends = ends
        self._sequence = 0
        self._waits = False

    def take(self, fragment: bytes) -> None:
        request = parse(fragment)
        if request.function is FunctionCode.CONFIRM:
            self._waits = False
            self._sequence = (self._sequence + 1) % 16
            self.go_on()
            return
        self.send(Fragment.response(Iin.NONE, sequence=request.control.sequence).encode())
        if request.function is FunctionCode.ENABLE_UNSOLICITED:
            self.enabled = True
            self._ends.look()

    def go_on(self) -> None:
        if self._waits or not self.queue:
            return
        parts, room = [], MOST
        while self.queue and room:
            first = self.queue.popleft()
            parts.append(first[:room])
            if len(first) > room:
                self.queue.appendleft(first[room:])
            room -= len(parts[-1])
        numbers = np.concatenate(parts)
        rows = np.empty(len(numbers), EVENT)
        rows["index"] = numbers % POINTS
        rows["flags"] = np.where(numbers // POINTS % 2, 0x81, 0x01)
        time_ = EPOCH + numbers
        rows["low"], rows["high"] = time_ & 0xFFFF_FFFF, time_ >> 32
        objects = struct.pack("<BBBH", 2, 2, 0x28, len(rows)) + rows.tobytes()
        self._waits = True
        self.send(
            Fragment.response(
                Iin.NONE, objects, self._sequence, con=True, unsolicited=True
            ).encode()
        )


class Master(End):
    """Takes what comes by itself, and confirms it at once."""

    def __init__(self, ends: Ends) -> None:
        super().__init__(2, 10, master=True)
        self.enabled = False
        self.numbers: list[Numbers] = []
        self.points: list[npt.NDArray[np.int32]] = []
        self.times: list[tuple[float, int]] = []
        self.got = 0
        self.came = asyncio.Event()
        self.read: asyncio.Future[int] | None = None
        self._ends = ends
        self._rows = 0

    def begin(self) -> None:
        self.send(Fragment.request(FunctionCode.WRITE, b"\x50\x01\x00\x07\x07\x00", 0).encode())
        request = FunctionCode.ENABLE_UNSOLICITED
        self.send(Fragment.request(request, class_objects(1, 2, 3), 1).encode())
        self.enabled = True
        self._ends.look()

    async def integrity(self) -> tuple[float, int]:
        """Read everything; returns seconds and how many points there are."""
        self.read = asyncio.get_running_loop().create_future()
        self._rows = 0
        began = time.perf_counter()
        self.send(Fragment.request(FunctionCode.READ, class_objects(1, 2, 3, 0), 2).encode())
        rows = await asyncio.wait_for(self.read, PATIENCE)
        return time.perf_counter() - began, rows

    def take(self, fragment: bytes) -> None:
        now = time.perf_counter()
        response = parse(fragment)
        control = response.control
        if control.con:
            self.send(Fragment.confirm(control.sequence, unsolicited=control.uns).encode())
        for _, found in contents(response):
            if not isinstance(found, Columns):
                continue
            if found.group == 2:
                numbers = found.time - EPOCH
                mine = numbers < 10**11
                self.numbers.append(numbers[mine])
                self.points.append(found.index[mine])
                self.times.append((now, int(mine.sum())))
                self.got += self.times[-1][1]
                self.came.set()
            else:
                self._rows += len(found)
        if self.read is not None and not control.uns and control.fin and not self.read.done():
            self.read.set_result(self._rows)


class Ends:
    """Everything that stands around the gateway."""

    def __init__(self, outstations: int) -> None:
        self.outstations: list[Outstation] = []
        self.master = Master(self)
        self._wanted = outstations
        self._made: list[float] = []
        self._ready = asyncio.Event()

    def outstation(self) -> Outstation:
        self.outstations.append(Outstation(self))
        return self.outstations[-1]

    def look(self) -> None:
        enabled = sum(one.enabled for one in self.outstations)
        if enabled >= self._wanted and self.master.enabled:
            self._ready.set()

    async def connect(self, port: int) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE
        while True:
            try:
                await loop.create_connection(lambda: self.master, "127.0.0.1", port)
                break
            except OSError:
                if loop.time() > deadline:
                    raise
                await asyncio.sleep(0.1)
        self.master.begin()
        await asyncio.wait_for(self._ready.wait(), PATIENCE)

    def happen(self, events: int) -> None:
        """Let events happen now, the same number at each outstation."""
        now = time.perf_counter()
        live = [one for one in self.outstations if one.enabled]
        share = -(-events // len(live))
        for one in live:
            first = len(self._made)
            self._made += [now] * share
            one.queue.append(np.arange(first, first + share))
            one.go_on()

    async def arrived(self) -> bool:
        """Wait until everything is at the master."""
        deadline = time.perf_counter() + PATIENCE
        while self.behind and time.perf_counter() < deadline:
            self.master.came.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self.master.came.wait()
        return not self.behind

    @property
    def behind(self) -> int:
        return len(self._made) - self.master.got

    async def load(self, rate: float, seconds: float) -> None:
        began = time.perf_counter()
        done = 0
        while (passed := time.perf_counter() - began) < seconds:
            due = round(passed * rate) - done
            if due >= len(self.outstations):
                self.happen(due)
                done += due
            await asyncio.sleep(TICK)

    def judge(self, first: int) -> tuple[list[float], int]:
        """Return p50, p99 and the most in ms, of the events from a number on, and how many are
        missing, there twice or out of their order."""
        master = self.master
        numbers, points = np.concatenate(master.numbers), np.concatenate(master.points)
        wrong = abs(len(self._made) - len(np.unique(numbers)))
        wrong += len(numbers) - len(np.unique(numbers))
        order = np.argsort(points, kind="stable")
        runs = numbers[order]
        wrong += int(((np.diff(runs) <= 0) & (np.diff(points[order]) == 0)).sum())
        when = np.repeat([at for at, _ in master.times], [rows for _, rows in master.times])
        took = (when - np.array(self._made)[numbers])[numbers >= first] * 1e3
        return [*np.percentile(took, [50, 99]).tolist(), float(took.max())], wrong


async def main(outstations: int, port: int, rate: float, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    ends = Ends(outstations)
    server = await loop.create_server(ends.outstation, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await ends.connect(port)
    await asyncio.sleep(1.0)
    said: dict[str, Any] = {}
    polls = [await ends.master.integrity() for _ in range(10)]
    said["points"] = polls[0][1]
    said["integrity"] = [took * 1e3 for took, _ in polls]
    await ends.load(rate, 1.0)
    await ends.arrived()
    first = len(ends._made)
    print("begin", flush=True)
    began = time.perf_counter()
    await ends.load(rate, seconds)
    lasted = time.perf_counter() - began
    said["behind"] = ends.behind
    await ends.arrived()
    said["events"] = len(ends._made) - first
    said["rate"] = said["events"] / (time.perf_counter() - began)
    said["seconds"] = lasted
    print("end", flush=True)
    said["delay"], said["wrong"] = ends.judge(first)
    began = time.perf_counter()
    ends.happen(10_000)
    await ends.arrived()
    said["avalanche"] = (time.perf_counter() - began) * 1e3
    said["avalanche_wrong"] = ends.judge(first)[1]
    print(orjson.dumps(said).decode(), flush=True)


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])))
