"""The master and dnp3py's outstation (MIT): unsolicited responses, LAN time, freezes, a new start.

Polls, events and controls are in master/test_interop.py.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from importlib import import_module
from pathlib import Path
from typing import Any

from gateway_dnp3.master.source import DnpMaster

from gateway import Quality
from gateway.testing import Collector, Running, free_port, paused, running

outstations: Any = import_module("dnp3.outstation")
databases: Any = import_module("dnp3.database")
flags: Any = import_module("dnp3.core.flags")
builder: Any = import_module("dnp3.datalink.builder")
segmenter: Any = import_module("dnp3.transport.segmenter")

ROWS = """\
name,kind,rtu.index,rtu.type
breaker,status,0,
energy,counter,0,
frozen,counter,0,frozen_counter
need_time,status,4,iin
"""
T0 = 1_767_225_600_000
"""Where the paused clock begins, in ms: 2026-01-01T00:00:00Z, from `date -u +%s`."""


class Freezing(outstations.DefaultCommandHandler):  # type: ignore[misc]
    """Freezes the counters of a database."""

    def __init__(self, database: Any) -> None:
        self.database = database

    def freeze_counters(self, start: int, stop: int, clear: bool) -> Any:
        self.database.freeze_counter(0)
        return outstations.CommandResult.success()


class Runner(outstations.OutstationTcpRunner):  # type: ignore[misc]
    """Remembers its connection, on which it can report by itself."""

    channel: Any = None

    async def _handle_connection(self, channel: Any) -> None:
        self.channel = channel
        await super()._handle_connection(channel)

    async def report(self) -> None:
        """Send an unsolicited response with the events that wait."""
        response = self.outstation.generate_unsolicited()
        assert response is not None
        for segment in segmenter.Segmenter().segment(response.to_bytes()):
            frame = builder.build_unconfirmed_user_data(
                destination=1, source=10, dir_from_master=False, user_data=segment.to_bytes()
            )
            await self.channel.write_all(frame.to_bytes())


class Theirs:
    """Their outstation with a breaker and a counter."""

    def __init__(self, port: int) -> None:
        self.database = databases.Database()
        self.database.add_binary_input(0, quality=flags.BinaryQuality.ONLINE)
        self.database.add_counter(0, value=41, quality=flags.CounterQuality.ONLINE)
        self.database.add_frozen_counter(0, quality=flags.CounterQuality.ONLINE)
        self.times: list[int] = []
        self.outstation = outstations.Outstation(
            config=outstations.OutstationConfig(address=10, master_address=1),
            database=self.database,
            handler=Freezing(self.database),
            time_handler=lambda stamp: self.times.append(stamp.milliseconds),
        )
        self.runner = Runner(self.outstation, "127.0.0.1", port)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Theirs]:
        """Listen for the length of the block."""
        task = asyncio.create_task(self.runner.run())
        while not self.runner.is_running:
            await asyncio.sleep(0.01)
        try:
            yield self
        finally:
            await self.runner.stop()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    @property
    def unsolicited(self) -> Any:
        return self.outstation._state.unsolicited


@contextlib.asynccontextmanager
async def gateway(port: int, data: Path, **more: Any) -> AsyncIterator[tuple[Running, Collector]]:
    settings = {
        "name": "rtu", "host": "127.0.0.1", "port": port, "outstation": 10,
        "reconnect": {"min": "1s", "max": "1s"},
    }  # fmt: skip
    collector = Collector(name="scada")
    source = DnpMaster.model_validate(settings | more)
    async with running([source], [collector], ROWS, data=data) as gw:
        await gw.until(lambda: gw.sample("energy").value == 41)
        yield gw, collector


@paused
async def test_unsolicited(tmp_path: Path) -> None:
    """The classes are allowed; a report is taken in its order, confirmed, and taken once."""
    port = free_port()
    async with (
        Theirs(port).running() as theirs,
        gateway(port, tmp_path, unsolicited=True, time_sync="lan") as (gw, collector),
    ):
        await gw.until(lambda: theirs.unsolicited.class_1_enabled)
        for value in (True, False, True):
            theirs.database.update_binary_input(0, value)
        await theirs.runner.report()
        await gw.until(lambda: not theirs.unsolicited.pending_confirm)
        # It reports them without their times (g2v1).
        rows = [row.value for row in collector.rows() if row.name == "breaker"]
        assert rows == [0, 1, 0, 1]


@paused
async def test_lan_time(tmp_path: Path) -> None:
    """It asks for the time (IIN1.4) and is told: ours, and within a second."""
    port = free_port()
    async with (
        Theirs(port).running() as theirs,
        gateway(port, tmp_path, time_sync="lan") as (gw, _),
    ):
        await gw.until(lambda: theirs.times)
        assert len(theirs.times) == 1
        assert 0 <= theirs.times[0] - T0 < 10_000
        await gw.until(lambda: gw.sample("need_time").value == 0)


@paused
async def test_freeze(tmp_path: Path) -> None:
    """The counter is frozen at the full minute, and what was frozen is read."""
    port = free_port()
    async with (
        Theirs(port).running() as theirs,
        gateway(port, tmp_path, freeze={"every": "1min"}) as (gw, _),
    ):
        theirs.database.update_counter(0, 4711)
        await gw.until(lambda: gw.sample("frozen").value == 4711, timeout=130)
        assert gw.sample("frozen").quality == Quality.GOOD
        assert "refused" not in gw.counters("rtu")


@paused
async def test_it_is_replaced(tmp_path: Path) -> None:
    """The points are stale while it is away, and all is read again when another one is there."""
    port = free_port()
    first = Theirs(port).running()
    await first.__aenter__()
    async with gateway(port, tmp_path) as (gw, _):
        await first.__aexit__(None, None, None)
        stale = Quality.INVALID | Quality.OLD_DATA
        await gw.until(lambda: gw.sample("energy").quality & stale == stale)
        theirs = Theirs(port)
        theirs.database.update_counter(0, 99)
        async with theirs.running():
            await gw.until(lambda: gw.sample("energy").value == 99, timeout=60)
            assert not gw.sample("energy").quality & stale
