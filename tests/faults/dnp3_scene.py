"""An outstation, a gateway of many lives, one or two masters; what must be true at the end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sqlite3
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

from cable import Cable
from dnp3_device import Device
from dnp3_process import SINKS
from dnp3_scada import Record, Scada
from dnp3_wire import EPOCH, event
from lives import PATIENCE, Lives

from gateway.engine.local import ask
from gateway.testing import free_port

HERE = Path(__file__).parent
MEMORY = 250_000_000
"""Bytes that the gateway may take at the most."""
SEED = 20261122
MASTERS = (2, 3)


class DnpScene:
    """Everything that runs in one fault test of DNP3.

    field, desk: the cables between the outstation and the gateway, and the gateway and the masters.
    """

    def __init__(self, folder: Path, masters: int) -> None:
        self.folder = folder
        self.chance = random.Random(SEED)
        self.device = Device(self.chance)
        self.field, self.desk = Cable(0), Cable(free_port())
        self.masters: list[Scada] = []
        self.repetitions: Counter[str] = Counter()
        self._count = masters
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        await self.device.start()
        self.field.target = self.device.port
        await self.field.start()
        await self.desk.start()
        self.gateway = Lives(
            self.folder / "gateway.log", HERE / "dnp3_process.py", self.folder / "data",
            self.field.port, self.desk.target, *MASTERS[: self._count],
        )  # fmt: skip
        await self.gateway.open()
        await self.gateway.start()
        for number in MASTERS[: self._count]:
            scada = Scada(self.desk.port, self.chance, lambda: self.gateway.starts, local=number)
            self.masters.append(scada)
        self.connect(0)

    def connect(self, number: int) -> None:
        """Let a master come."""
        self._tasks.append(asyncio.create_task(self.masters[number].run()))

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.gateway.close()
        for one in (self.desk, self.field, self.device):
            await one.stop()

    def trouble(self, lost: float, twice: float) -> None:
        """Have both ends lose confirmations and say things twice, with these probabilities."""
        self.device.deaf, self.device.stutter = lost, twice
        for scada in self.masters:
            scada.mute, scada.stutter = lost, twice

    def happen(self, rate: float, count: int) -> asyncio.Task[None]:
        """Let events happen."""
        return asyncio.create_task(self.device.generate(rate, count))

    async def settle(self) -> None:
        """Wait until all events are with all masters, then end the gateway."""
        device = self.device
        await self.until(lambda: device.released == device.generated, "all are confirmed")
        for scada in self.masters:
            await self.until(partial(_has, scada, device.generated), "all arrive")
        async with asyncio.timeout(PATIENCE):
            while any(one["pending"] for one in (await self._ledgers()).values()):
                await asyncio.sleep(0.05)
        assert await self.gateway.stop() == 0, self.gateway.log[-3000:]

    async def _ledgers(self) -> dict[str, Any]:
        with contextlib.suppress(OSError, TimeoutError, ValueError):
            return dict((await ask(self.folder / "data"))["ledgers"])
        return {"": {"pending": 1}}

    async def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait for what the test can see, unless the gateway or a master ends."""

        def holds() -> object:
            for task in self._tasks:
                if task.done():
                    task.result()
            return condition()

        await self.gateway.until(holds, what)

    # What must be true

    def check(self) -> None:
        """Nothing lost, nothing invented, order kept, repetitions explained, ledgers balanced."""
        assert len(self.device.offers) == self.device.generated
        for scada in self.masters:
            self._check(scada)
        for name in SINKS[: self._count]:
            ledger = self.ledger(name)
            assert ledger["taken"] == ledger["delivered"], ledger
            assert ledger["dropped"] == {}, ledger
        assert self.gateway.most_memory < MEMORY
        assert "Traceback" not in self.gateway.log
        assert "the ledger says" not in self.gateway.log

    def _check(self, scada: Scada) -> None:
        first: set[int] = set()
        streams: dict[tuple[int, int], list[int]] = defaultdict(list)
        latest: dict[int, Record] = {}
        for record in scada.records:
            for found, flags in record.found:
                number = found.time - EPOCH
                if number > self.device.generated:
                    # Not of the outstation: the gateway says that a point is stale, or good again.
                    continue
                assert found == event(number), record
                assert flags == 1, record
                if number not in first:
                    first.add(number)
                    streams[found.group, found.place].append(number)
                elif self.device.offers[number] == 1:
                    self._explain(number, latest[number], record)
                latest[number] = record
        missing = set(range(1, self.device.generated + 1)) - first
        assert not missing, f"{len(missing)} lost, the first {min(missing)}"
        for stream, numbers in streams.items():
            assert numbers == sorted(numbers), stream

    def _explain(self, number: int, before: Record, again: Record) -> None:
        """A repetition that the outstation is not the cause of: a confirmation was lost."""
        if before.lost:
            return
        assert before.connection != again.connection, f"event {number}: {before}, then {again}"
        self.repetitions["after a kill" if before.life != again.life else "after a cut"] += 1

    def ledger(self, name: str) -> dict[str, Any]:
        """Read the ledger from the file that an ended gateway leaves."""
        with contextlib.closing(sqlite3.connect(self.folder / "data" / "journal.db")) as db:
            (state,) = db.execute("SELECT state FROM sinks WHERE name = ?", (name,)).fetchone()
            assert db.execute("SELECT count(*) FROM batches").fetchone() == (0,)
        found: dict[str, Any] = json.loads(state)["ledger"]
        return found


def _has(scada: Scada, events: int) -> bool:
    return len(scada.have) >= events


@contextlib.asynccontextmanager
async def dnp3_scene(folder: Path, masters: int = 1) -> AsyncIterator[DnpScene]:
    """Set everything up, the gateway started, and take it down again."""
    stage = DnpScene(folder, masters)
    try:
        await stage.open()
        yield stage
    finally:
        await stage.close()
