"""A tape device, a gateway process, a network, a real broker; what must be true at the end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import sqlite3
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from gateway_mqtt.testing import Broker, Subscriber
from gateway_process import POINTS
from proxy import Proxy
from tape import Device

from gateway.engine.local import ask

HERE = Path(__file__).parent
PATIENCE = 60.0
MEMORY = 250_000_000
"""Bytes that the gateway may take at the most; it needs about a quarter of it."""


class Scene:
    """Everything that runs in one fault test."""

    def __init__(
        self, folder: Path, rate: int, command: tuple[str, ...] = (), data: Path | None = None
    ) -> None:
        self.folder = folder
        self.data = data or folder / "data"
        self.inside = self.data
        """The same folder as this process sees it."""
        self.command = command
        self.device = Device(POINTS, rate)
        self.broker = Broker(folder)
        self.subscriber = Subscriber(self.broker.endpoint, "test")
        self.proxy = Proxy(self.broker.port)
        self.process: asyncio.subprocess.Process | None = None
        self.starts = 0
        self.most_memory = 0

    @property
    def log(self) -> str:
        return (self.folder / "gateway.log").read_text()

    async def start_gateway(self) -> None:
        with (self.folder / "gateway.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *self.command,
                sys.executable,
                str(HERE / "gateway_process.py"),
                str(self.data),
                str(self.device.port),
                str(self.proxy.port),
                stdout=log,
                stderr=log,
            )
        self.starts += 1

    async def kill_gateway(self) -> None:
        assert self.process is not None
        self.process.kill()
        await self.process.wait()

    async def stop_gateway(self) -> int:
        """End it as an orchestrator does, and return its exit code."""
        assert self.process is not None
        self.process.terminate()
        return await asyncio.wait_for(self.process.wait(), 20)

    async def report(self) -> dict[str, Any]:
        """Ask the gateway what it says of itself, as soon as it says anything."""
        async with asyncio.timeout(PATIENCE):
            while True:
                with contextlib.suppress(OSError, TimeoutError, ValueError):
                    report = await ask(self.inside)
                    if report["links"]:
                        return report
                await asyncio.sleep(0.05)

    async def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait for what the test itself can see, looking at the gateway's memory meanwhile."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while not condition():
            if asyncio.get_running_loop().time() > deadline:
                raise TimeoutError(f"not within {PATIENCE:g} s: {what}\n{self.log[-3000:]}")
            self._look_at_memory()
            await asyncio.sleep(0.02)

    def _look_at_memory(self) -> None:
        assert self.process is not None
        with contextlib.suppress(OSError):
            pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
            self.most_memory = max(self.most_memory, pages * 4096)

    def samples(self) -> list[tuple[bool, str, int]]:
        """Return what the subscriber heard: historical or not, point, number of the event."""
        found = []
        for heard in list(self.subscriber.heard):
            message = json.loads(heard.payload)
            found += [
                (bool(message.get("historical")), name, int(value))
                for name, value in zip(message["points"], message["values"], strict=True)
                if value is not None
            ]
        return found

    def arrived(self) -> int:
        return len({number for _, _, number in self.samples()})

    async def settle(self) -> None:
        """Wait until the device is rid of everything, and the gateway too; then end it."""
        await self.until(
            lambda: self.device.acknowledged == self.device.generated, "all acknowledged"
        )
        async with asyncio.timeout(PATIENCE):
            while (await self.report())["ledgers"]["out"]["pending"]:
                await asyncio.sleep(0.1)
        await self.until(lambda: self.arrived() >= self.device.generated, "all arrived")
        assert await self.stop_gateway() == 0, self.log[-3000:]

    def check(self) -> None:
        """Nothing lost, order kept, ledger balanced, memory bounded, no restart by itself."""
        samples = self.samples()
        # Stale marks repeat a point's last number; the first arrival of each number counts.
        first: set[int] = set()
        streams: dict[tuple[bool, str], list[int]] = defaultdict(list)
        for historical, name, number in samples:
            if number not in first:
                first.add(number)
                streams[historical, name].append(number)
                assert name == f"p{number % POINTS}"
        missing = set(range(1, self.device.generated + 1)) - first
        assert not missing, f"{len(missing)} lost, the first {min(missing)}"
        assert first == set(range(1, self.device.generated + 1))
        for stream, numbers in streams.items():
            assert numbers == sorted(numbers), stream
        ledger = self.ledger()
        assert ledger["taken"] == ledger["delivered"], ledger
        assert ledger["dropped"] == {}, ledger
        assert ledger["delivered"] >= self.device.generated
        assert self.most_memory < MEMORY
        assert "Traceback" not in self.log
        assert "the ledger says" not in self.log

    def lives(self) -> int:
        """Return how many of the gateway's starts came as far as reading the device."""
        return self.log.count("source field is up")

    def ledger(self) -> dict[str, Any]:
        """Read the ledger from the file that an ended gateway leaves."""
        # A copy: SQLite would follow /proc to the folder that the mount hides.
        db = sqlite3.connect(shutil.copy(self.inside / "journal.db", self.folder / "copy.db"))
        (state,) = db.execute("SELECT state FROM sinks WHERE name = 'out'").fetchone()
        assert db.execute("SELECT count(*) FROM batches").fetchone() == (0,)
        db.close()
        ledger: dict[str, Any] = json.loads(state)["ledger"]
        return ledger


@contextlib.asynccontextmanager
async def scene(
    folder: Path, rate: int = 2_000, command: tuple[str, ...] = (), data: Path | None = None
) -> AsyncIterator[Scene]:
    """Set everything up, the gateway running, and take it down again."""
    stage = Scene(folder, rate, command, data)
    with stage.broker.running(), stage.subscriber.listening():
        await stage.device.start()
        await stage.proxy.start()
        await stage.start_gateway()
        try:
            yield stage
        finally:
            if stage.process is not None and stage.process.returncode is None:
                await stage.kill_gateway()
            await stage.proxy.stop()
            await stage.device.stop()
