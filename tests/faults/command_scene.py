"""Clients, a gateway process, an actuator and a meter; what must be true of commands at the end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from account import Account
from actuator import Actuator, Received
from command_process import POINTS, REGISTERS
from operators import Local, Master, Operator, Told, UaClient, Wish, setpoints
from proxy import Proxy

from gateway.audit import records, verify
from gateway.engine.local import conversation
from gateway.testing import free_ports

HERE = Path(__file__).parent
PATIENCE = 60.0
MEMORY = 250_000_000
"""Bytes that the gateway may take at the most."""
PAUSE = 0.02
"""Most seconds between two requests of a client."""
TAIL = 200_000
"""Bytes at the end of the audit log in which the record of a write must stand."""
SEED = 20261122


class CommandScene:
    """Everything that runs in one fault test of commands.

    field:   the network between the gateway and the actuator.
    desks:   the networks between the clients and the gateway: Modbus, OPC UA; bypassed where
             `direct`, so that the gateway sees the clients' own addresses.
    """

    def __init__(
        self, folder: Path, direct: bool, command: tuple[str, ...] = (), data: Path | None = None
    ) -> None:
        self.folder = folder
        self.data = data or folder / "data"
        self.inside = self.data
        """The same folder as this process sees it."""
        self.command = command
        self.chance = random.Random(SEED)
        self.device = Actuator(self._announced)
        self.meter = Actuator()
        self.unannounced: list[Received] = []
        self.deaths: list[int] = []
        self.starts = 0
        self.most_memory = 0
        self.pid = 0
        self.field = Proxy(0)
        scada, ua = free_ports(2)
        self.desks = {"scada": Proxy(scada), "ua": Proxy(ua)}
        self.direct = direct
        self._process: asyncio.subprocess.Process | None = None
        self._ended: asyncio.Task[int] | None = None
        self._stop = asyncio.Event()
        self._working: list[asyncio.Task[None]] = []
        self.operators: list[Operator] = []

    async def open(self) -> None:
        for device in (self.device, self.meter):
            await device.start()
        self.field.target = self.device.port
        for network in (self.field, *self.desks.values()):
            await network.start()
        ports = (self.field.port, self.meter.port, *(one.target for one in self.desks.values()))
        with (self.folder / "gateway.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self.command,
                sys.executable,
                str(HERE / "command_process.py"),
                str(self.data),
                *map(str, ports),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        await self.start_gateway()

    async def close(self) -> None:
        for task in self._working:
            task.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)
        if self._ended is not None and not self._ended.done():
            await self.kill_gateway()
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            await self._process.wait()
        for network in (self.field, *self.desks.values()):
            await network.stop()
        for device in (self.device, self.meter):
            await device.stop()

    # The gateway

    @property
    def log(self) -> str:
        return (self.folder / "gateway.log").read_text()

    async def start_gateway(self) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(b"start\n")
        self.pid = await self._number()
        self.starts += 1
        self._ended = asyncio.create_task(self._number())

    async def _number(self) -> int:
        assert self._process is not None
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"no gateway can be started:\n{self.log[-3000:]}")
        return int(line)

    async def kill_gateway(self) -> None:
        """SIGKILL it; what it left on disk must be proven at once."""
        self._look_at_memory()
        os.kill(self.pid, signal.SIGKILL)
        assert self._ended is not None
        self.deaths.append(await self._ended)

    async def stop_gateway(self) -> int:
        """End it as an orchestrator does, and return its exit code."""
        self._look_at_memory()
        os.kill(self.pid, signal.SIGTERM)
        assert self._ended is not None
        return os.waitstatus_to_exitcode(await asyncio.wait_for(self._ended, 30))

    async def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait for what the test itself can see, looking at the gateway's memory meanwhile."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while not condition():
            for task in self._working:
                if task.done():
                    task.result()
            if self._ended is not None and self._ended.done():
                raise RuntimeError(f"the gateway has ended\n{self.log[-3000:]}")
            if asyncio.get_running_loop().time() > deadline:
                raise TimeoutError(f"not within {PATIENCE:g} s: {what}\n{self.log[-3000:]}")
            self._look_at_memory()
            await asyncio.sleep(0.005)

    def _look_at_memory(self) -> None:
        with contextlib.suppress(OSError):
            pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
            self.most_memory = max(self.most_memory, pages * 4096)

    # The clients

    def command_it(self, *, local: bool = True) -> None:
        """Let four clients of three protocols command, until `rest`."""
        common = (setpoints(), self.chance, PAUSE)
        ports = {
            name: network.target if self.direct else network.port
            for name, network in self.desks.items()
        }
        self.operators = [
            Master(ports["scada"], REGISTERS, self.direct, *common),
            Master(ports["scada"], REGISTERS, self.direct, *common),
            UaClient(ports["ua"], POINTS, *common),
            *([Local(self.inside, POINTS, *common)] if local else ()),
        ]
        self._stop.clear()
        self._working = [asyncio.create_task(one.run(self._stop)) for one in self.operators]

    async def rest(self) -> None:
        """Let every client hear the answer to its last request, and ask no more."""
        self._stop.set()
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*self._working)
        self._working = []

    @property
    def wishes(self) -> list[Wish]:
        return [wish for one in self.operators for wish in one.wishes]

    def told(self, what: Told) -> int:
        return sum(one.told(what) for one in self.operators)

    async def served(self, sinks: int = 3) -> None:
        """Wait until clients of so many sinks have heard of a success from now on."""
        before = {id(one): one.told(Told.DONE) for one in self.operators}

        def sinks_served() -> bool:
            found = {one.sink for one in self.operators if one.told(Told.DONE) > before[id(one)]}
            return len(found) >= sinks

        await self.until(sinks_served, f"clients of {sinks} sinks succeed")

    async def heard(self, what: Told) -> None:
        """Wait until a client has been told this of a request from now on."""
        asked, told = len(self.wishes), self.told(what)
        await self.until(
            lambda: len(self.wishes) > asked and self.told(what) > told, f"a client is told {what}"
        )

    async def finish(self, *, complete: bool = True) -> None:
        """Let all clients rest, end the gateway, and check everything."""
        await self.rest()
        await self._counts()
        assert await self.stop_gateway() == 0, self.log[-3000:]
        self.check(complete=complete)

    async def _counts(self) -> None:
        """What the meter counts arrives at a master: values flow beside the commands."""
        reads = len(self.meter.reads)
        async with conversation(self.inside) as local:
            while (await local.ask("points", names=["reads"]))["points"][0]["value"] <= reads:
                await asyncio.sleep(0.01)

    # What must be true

    @property
    def audit(self) -> Path:
        return self.inside / "audit"

    def _announced(self, received: Received) -> None:
        """At the moment of each write: the audit log says already that it was to leave."""
        path = max(self.audit.glob("audit-*.jsonl"))
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - TAIL))
            lines = file.read().splitlines()[1:]
        wanted = f'"value":{float(received.value)}'.encode()
        if not any(
            b'"step":"forwarded"' in line and wanted in line and json.loads(line) for line in lines
        ):
            self.unannounced.append(received)

    def proven(self) -> None:
        verdict = verify(self.audit)
        assert verdict, verdict.broken

    def check(self, *, complete: bool = True) -> None:
        """Nothing twice, nothing unasked, nothing unrecorded, and nobody was told a lie."""
        self.proven()
        assert not self.unannounced
        account = Account(self.wishes, self.device.received, list(records(self.audit)))
        account.check_writes()
        account.check_record()
        if complete:
            account.check_ends(len(self.operators))
        assert not self.meter.received
        assert self.most_memory < MEMORY
        assert "Traceback" not in self.log


@contextlib.asynccontextmanager
async def command_scene(
    folder: Path, direct: bool = False, command: tuple[str, ...] = (), data: Path | None = None
) -> AsyncIterator[CommandScene]:
    """Set everything up, the gateway started, and take it down again."""
    stage = CommandScene(folder, direct, command, data)
    try:
        await stage.open()
        yield stage
    finally:
        await stage.close()
