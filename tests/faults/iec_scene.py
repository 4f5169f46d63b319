"""A station, a gateway of many lives, two control centres; what must be true at the end.

Nothing in here knows what carries the ASDUs: that is for each protocol's own scene.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import random
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from cable import Cable
from iec_asdu import objects
from iec_history import History
from iec_log import Log
from iec_operator import Operator, Told, check_commands
from iec_orders import SETPOINTS, Orders
from lives import PATIENCE, Lives

from gateway.engine.local import ask
from gateway.testing import free_port

HERE = Path(__file__).parent
MEMORY = 250_000_000
"""Bytes that the gateway may take at the most."""
SEED = 20261122
SINKS = ("scada", "second")
"""One for each control centre."""
NEAR = ("127.0.0.1", "127.0.0.2")
"""Where each comes from: they are told apart by it, as the cables of the field are."""
COMMAND_TIMEOUT = "600ms"


class Station(Protocol):
    """A controlled station, to which the events of a history happen."""

    port: int
    wrong: list[Exception]

    async def start(self) -> None:
        """Listen."""

    async def stop(self) -> None:
        """Hang up."""


class Centre(Protocol):
    """A control centre, which has a log."""

    log: Log

    async def run(self) -> None:
        """Connect, again and again; raises AssertionError for what no gateway may do."""

    async def command(self, asdu: bytes) -> asyncio.Queue[bytes | None]:
        """Send a command as soon as that is possible, and return where its answers come.

        None comes when there will be no answers any more: the connection is gone.
        """


S = TypeVar("S", bound=Station)
C = TypeVar("C", bound=Centre)


class Scene(ABC, Generic[S, C]):
    """Everything that runs in one fault test.

    fields: the cables between the gateway and the station.
    desks:  those between the control centres and the gateway.
    """

    def __init__(self, folder: Path, cables: int = 1) -> None:
        self.folder = folder
        self.chance = random.Random(SEED)
        self.history = History(self.chance)
        self.orders = Orders(self.chance)
        self.station = self.make_station()
        port = free_port()
        self.fields = [Cable(0, near) for near in NEAR[:cables]]
        self.desks = [Cable(port, near) for near in NEAR]
        self.logs = [Log(self.history) for _ in SINKS]
        self.centres: list[C] = []
        self.operators: list[Operator] = []
        self._stop = asyncio.Event()
        self._working: list[asyncio.Task[None]] = []
        self._tasks: list[asyncio.Task[None]] = []

    @abstractmethod
    def make_station(self) -> S:
        """Return the station, with `history` and `orders`."""

    @abstractmethod
    def make_centre(self, place: int) -> C:
        """Return the control centre at one of the `desks`, with one of the `logs`."""

    @abstractmethod
    def links(self) -> dict[str, list[dict[str, Any]]]:
        """Return the gateway's `sources`, one with the name `field`, and its `sinks`."""

    async def open(self) -> None:
        await self.station.start()
        for cable in self.fields:
            cable.target = self.station.port
        for cable in (*self.fields, *self.desks):
            await cable.start()
        setup = self.folder / "setup.json"
        setup.write_text(json.dumps(self.links() | {"points": _points()}))
        data = self.folder / "data"
        self.gateway = Lives(self.folder / "gateway.log", HERE / "iec_process.py", data, setup)
        await self.gateway.open()
        await self.gateway.start()
        await self.until(self._listens, "the gateway listens")
        self.centres = [self.make_centre(place) for place in range(len(SINKS))]

    def _listens(self) -> bool:
        log = self.gateway.log
        return all(f"sink {name} is up" in log for name in SINKS)

    def connect(self, *places: int) -> None:
        """Let control centres come."""
        self._tasks += [asyncio.create_task(self.centres[place].run()) for place in places]

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.gateway.close()
        for cable in (*self.desks, *self.fields):
            await cable.stop()
        await self.station.stop()

    def happen(self, rate: float, count: int) -> asyncio.Task[None]:
        """Let events happen."""
        return asyncio.create_task(self.history.generate(rate, count))

    async def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait for what the test can see, unless anybody does what it may not do."""

        def holds() -> object:
            for task in self._tasks:
                if task.done():
                    task.result()
            for wrong in self.station.wrong:
                raise wrong
            return condition()

        await self.gateway.until(holds, what)

    async def moves(self, count: int = 1) -> None:
        """Wait until the station gets rid of so many events from now on."""
        enough = self.history.released + count
        await self.until(lambda: self.history.released >= enough, f"{count} events are released")

    def command_it(self) -> None:
        """Let both control centres command without end, until `rest`."""
        values = itertools.count(1)
        self.operators = [
            Operator(name, centre.command, values, self.chance)
            for name, centre in zip(SINKS, self.centres, strict=True)
        ]
        self._working = [asyncio.create_task(one.run(self._stop)) for one in self.operators]
        self._tasks += self._working

    async def rest(self) -> None:
        """Let every control centre hear what becomes of its last command, and ask no more."""
        self._stop.set()
        await self.until(lambda: all(task.done() for task in self._working), "the last ones end")

    def told(self, what: Told) -> int:
        """Return how many commands were told this."""
        return sum(wish.told is what for one in self.operators for wish in one.wishes)

    async def served(self) -> None:
        """Wait until both control centres have heard of a success from now on."""
        known = [one.done for one in self.operators]
        await self.until(
            lambda: all(one.done > n for one, n in zip(self.operators, known, strict=True)),
            "commands succeed",
        )

    async def settle(self) -> None:
        """Wait until all events are with both control centres, then end the gateway."""
        history = self.history
        await self.until(lambda: history.released == history.generated, "all are acknowledged")
        for log in self.logs:
            await self.until(partial(_has, log, history.generated), "all arrive")
        async with asyncio.timeout(PATIENCE):
            while any(one["pending"] for one in (await self._ledgers()).values()):
                await asyncio.sleep(0.05)
        assert await self.gateway.stop() == 0, self.gateway.log[-3000:]

    async def _ledgers(self) -> dict[str, Any]:
        with contextlib.suppress(OSError, TimeoutError, ValueError):
            return dict((await ask(self.folder / "data"))["ledgers"])
        return {"": {"pending": 1}}

    # What must be true

    def check(self) -> None:
        """Nothing lost (the logs have seen to the rest), ledgers balanced, memory bounded."""
        memory = f"{self.gateway.most_memory // 10**6} MB"
        print(self.history, *self.logs, *self.operators, memory, sep="\n")
        assert not self.station.wrong
        assert all(log.highest == self.history.generated for log in self.logs)
        for name in SINKS:
            ledger = self.ledger(name)
            assert ledger["taken"] == ledger["delivered"] >= self.history.generated, ledger
            assert ledger["dropped"] == {}, ledger
        assert self.gateway.most_memory < MEMORY
        assert "Traceback" not in self.gateway.log
        assert "the ledger says" not in self.gateway.log
        wishes = [wish for one in self.operators for wish in one.wishes]
        check_commands(wishes, self.orders.received, self.folder / "data" / "audit")

    def again(self, but: Sequence[str] = ()) -> int:
        """Return how many events were heard again, other than for these reasons."""
        return sum(log.repetitions.total() - sum(log.repetitions[why] for why in but)
                   for log in self.logs)  # fmt: skip

    def ledger(self, name: str) -> dict[str, Any]:
        """Read the ledger from the file that an ended gateway leaves."""
        with contextlib.closing(sqlite3.connect(self.folder / "data" / "journal.db")) as db:
            (state,) = db.execute("SELECT state FROM sinks WHERE name = ?", (name,)).fetchone()
            assert db.execute("SELECT count(*) FROM batches").fetchone() == (0,)
        found: dict[str, Any] = json.loads(state)["ledger"]
        return found


def _has(log: Log, events: int) -> bool:
    return log.highest >= events


def _points() -> str:
    rows = ["name,kind,command.model,command.timeout,field.control_type,"
            "field.ioa,scada.ioa,second.ioa"]  # fmt: skip
    rows += [f"{name},{kind},,,,{at},{at},{at}" for name, kind, at in objects()]
    rows += [f"setpoint{at},analog,setpoint,{COMMAND_TIMEOUT},float,{at},{at},{at}"
             for at in SETPOINTS]  # fmt: skip
    return "\n".join(rows) + "\n"
