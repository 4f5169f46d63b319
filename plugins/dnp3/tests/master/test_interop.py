"""The source against dnp3py's outstation (MIT), which nobody here wrote; tshark reads it all."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import struct
import subprocess
from collections.abc import AsyncIterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from gateway_dnp3.master.source import DnpMaster
from pydantic import PrivateAttr

from gateway import Operation, Quality, SourceContext
from gateway.testing import Collector, Running, free_port, paused, running

outstations: Any = import_module("dnp3.outstation")
databases: Any = import_module("dnp3.database")
buffers: Any = import_module("dnp3.database.event_buffer")
flags: Any = import_module("dnp3.core.flags")

POINTS = 400
ROWS = (
    "name,kind,command.model,command.select,rtu.index,rtu.type,rtu.control_index,rtu.control_type,"
    "rtu.operate\n"
    + "".join(f"b{n},status,,,{n},,,,\n" for n in range(POINTS))
    + "".join(f"a{n},analog,,,{n},,,,\n" for n in range(POINTS))
    + "c0,counter,,,0,,,,\nf0,counter,,,0,frozen_counter,,,\n"
    + "out,status,latch,forward,0,binary_output_status,,,\n"
    + "each,status,latch,,1,binary_output_status,,,select\n"
    + "direct,status,latch,,2,binary_output_status,,,\n"
    + "target,analog,setpoint,,0,analog_output_status,,int32,\n"
    + "need_time,status,,,4,iin,,,\n"
)


class Traced(DnpMaster):
    """Remembers its frames."""

    _frames: list[tuple[str, bytes]] = PrivateAttr(default_factory=list)

    async def run(self, ctx: SourceContext) -> None:
        await super().run(_Tracing(ctx, self._frames))  # type: ignore[arg-type]

    @property
    def frames(self) -> list[tuple[str, bytes]]:
        return self._frames


class _Tracing:
    tracing = True

    def __init__(self, ctx: SourceContext, frames: list[tuple[str, bytes]]) -> None:
        self._ctx, self._frames = ctx, frames

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ctx, name)

    def trace(self, direction: str, frame: bytes, note: str = "", peer: str = "") -> None:
        self._frames.append((direction, frame))


def handler() -> Any:
    """Takes every control, and writes down what it was told."""
    success = outstations.CommandResult.success

    class Obeying(outstations.DefaultCommandHandler):  # type: ignore[misc]
        def __init__(self) -> None:
            self.told: list[tuple[Any, ...]] = []

        def __getattribute__(self, name: str) -> Any:
            if name.startswith(("select_", "operate_", "direct_")):
                told = self.told

                def take(*args: Any, **more: Any) -> Any:
                    told.append((name, *args, *more.values()))
                    return success()

                return take
            return super().__getattribute__(name)

    return Obeying()


class Theirs:
    """Their outstation with points of each type."""

    def __init__(self, port: int) -> None:
        config = databases.DatabaseConfig(
            max_binary_inputs=POINTS,
            max_analog_inputs=POINTS,
            event_buffer_config=buffers.EventBufferConfig(max_binary_events=5000),
        )
        self.database = databases.Database(config=config)
        for n in range(POINTS):
            self.database.add_binary_input(n, quality=flags.BinaryQuality.ONLINE)
            self.database.add_analog_input(n, value=n * 1.0, quality=flags.AnalogQuality.ONLINE)
        for n in range(3):
            self.database.add_binary_output(n, quality=flags.BinaryQuality.ONLINE)
        self.database.add_analog_output(0, quality=flags.AnalogQuality.ONLINE)
        self.database.add_counter(0, value=41, quality=flags.CounterQuality.ONLINE)
        self.database.add_frozen_counter(0, quality=flags.CounterQuality.ONLINE)
        self.handler = handler()
        self.outstation = outstations.Outstation(
            config=outstations.OutstationConfig(address=10, master_address=1, database=config),
            database=self.database,
            handler=self.handler,
        )
        self.runner = outstations.OutstationTcpRunner(self.outstation, "127.0.0.1", port)


@contextlib.asynccontextmanager
async def bench(
    data: Path, **more: Any
) -> AsyncIterator[tuple[Theirs, Traced, Collector, Running]]:
    port = free_port()
    theirs = Theirs(port)
    task = asyncio.create_task(theirs.runner.run())
    while not theirs.runner.is_running:
        await asyncio.sleep(0.01)
    settings = {
        "name": "rtu", "host": "127.0.0.1", "port": port, "outstation": 10, "event": "200ms",
    }  # fmt: skip
    source = Traced.model_validate(settings | more)
    collector = Collector(name="scada", role="engineer")
    try:
        async with running([source], [collector], ROWS, data=data) as gw:
            await gw.until(lambda: gw.sample("a399").value == 399)
            yield theirs, source, collector, gw
    finally:
        await theirs.runner.stop()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@paused
async def test_their_outstation(tmp_path: Path) -> None:
    """Everything at the start, every event once and in order, the time, a counter."""
    async with bench(
        tmp_path,
        time_sync="non_lan",
        freeze={"every": "1min"},
        polls=[{"every": "7s", "type": "counter"}],
    ) as (theirs, source, collector, gw):
        assert gw.sample("b399")[1:3] == (0, Quality.GOOD)
        assert gw.sample("c0").value == 41
        await gw.until(lambda: gw.sample("need_time").value == 0)

        expected = []
        for turn in range(5):
            for n in range(300):
                theirs.database.update_binary_input(n, bool((turn + 1) % 2))
                expected.append((f"b{n}", float((turn + 1) % 2)))
            await asyncio.sleep(0.3)
        await asyncio.sleep(2)
        got = [(r.name, r.value) for r in collector.rows() if r.name[0] == "b"]
        # Their events have no time, and 400 samples of the start come before them.
        assert got[POINTS:] == expected

        theirs.database.update_counter(0, 4711)
        await asyncio.sleep(61)
        assert gw.sample("c0").value == 4711
        # It does not know freezes: that is said and counted, and everything else goes on.
        assert gw.counters("rtu")["refused"] == 1
        assert gw.state("rtu") == "up"
        counters = gw.counters("rtu")
        assert not {"timeouts", "malformed", "unexpected", "duplicates"} & set(counters), counters
        judge(tmp_path, source.frames)


@paused
async def test_their_controls(tmp_path: Path) -> None:
    """Select before operate in all its forms, direct operate, a setpoint."""
    async with bench(tmp_path, event="never") as (theirs, source, collector, _gw):
        told = theirs.handler.told
        assert await collector.ask("out", 1, Operation.SELECT)
        assert await collector.ask("out", 1, Operation.EXECUTE)
        assert await collector.ask("each", 0)
        assert await collector.ask("direct", 1)
        assert await collector.ask("target", -70_000)
        assert [(one[0], one[1], int(one[2])) for one in told] == [
            ("select_binary_output", 0, 3),
            ("operate_binary_output", 0, 3),
            ("select_binary_output", 1, 4),
            ("operate_binary_output", 1, 4),
            ("direct_operate_binary_output", 2, 3),
            ("direct_operate_analog_output", 0, -70_000),
        ]
        judge(tmp_path, source.frames)


def judge(folder: Path, frames: list[tuple[str, bytes]]) -> None:
    """Assert that tshark finds nothing wrong with what we sent, and all of it."""
    tshark = shutil.which("tshark")
    if tshark is None:
        pytest.fail("tshark is missing: apt-get install tshark")
    path = folder / "sent.pcap"
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        for number, (direction, frame) in enumerate(frames):
            ports = (40000, 20000) if direction == "tx" else (20000, 40000)
            udp = struct.pack(">HHHH", *ports, 8 + len(frame), 0) + frame
            ip = struct.pack(
                ">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), number & 0xFFFF, 0, 64, 17, 0,
                b"\x7f\0\0\1", b"\x7f\0\0\1",
            )  # fmt: skip
            file.write(struct.pack("<IIII", number, 0, len(ip + udp), len(ip + udp)) + ip + udp)

    def ask(*words: str) -> list[str]:
        command = [tshark, "-r", str(path), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        return done.stdout.splitlines()

    sent = sum(direction == "tx" for direction, _ in frames)
    assert len(ask("-Y", "dnp3 && udp.dstport == 20000")) == sent > 5
    wrong = "_ws.malformed || (_ws.expert.severity >= 0x600000 && udp.dstport == 20000)"
    assert ask("-Y", wrong, "-V") == []
