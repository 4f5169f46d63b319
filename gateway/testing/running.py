"""A whole gateway inside a test: real engine, real journal, any links."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

from gateway.config.points import PointList
from gateway.engine import Clock, Engine, LinkStatus
from gateway.journal.ledger import Ledger
from gateway.model.access import AccessSettings
from gateway.model.configuration import (
    CommandSettings,
    Configuration,
    GatewaySettings,
    JournalSettings,
    TelemetrySettings,
)
from gateway.model.link import Sink, Source
from gateway.model.quality import Quality
from gateway.testing.clock import PausedClock, PausedLoop
from gateway.testing.links import Row

PATIENCE = 10.0


class TrustedClock(Clock):
    """The wall clock, taken for synchronised on whatever machine the test runs."""

    def synchronised(self) -> bool:
        return True


class Running:
    """A gateway at work, as a test looks at it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def sample(self, name: str) -> Row:
        """Return the last sample of a point, from the image."""
        image, number = self.engine.image, self.engine.id(name)
        return Row(
            name,
            float(image.value[number]),
            Quality(int(image.quality[number])),
            int(image.time[number]),
        )

    def status(self, link: str) -> LinkStatus:
        return self.engine.links[link]

    def state(self, link: str) -> str:
        """Return starting, up, down or stopped."""
        return self.engine.links[link].state.value

    def counters(self, link: str) -> dict[str, int]:
        return dict(self.engine.links[link].counters)

    def ledger(self, sink: str) -> Ledger:
        return self.engine.ledgers[sink]

    def held(self, sink: str) -> int:
        """Return what the sink still has to have, counted where it is and not by the ledger."""
        return self.engine.held[sink]

    async def until(
        self, condition: Callable[[], object], timeout: float = PATIENCE, what: str = ""
    ) -> None:
        """Wait until the condition holds; TimeoutError says what was waited for."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while not condition():
            self._check()
            if loop.time() > deadline:
                raise TimeoutError(f"not within {timeout:g} s: {what or condition}")
            await asyncio.sleep(0.005)

    def _check(self) -> None:
        if self._task is not None and self._task.done():
            self._task.result()
            raise RuntimeError("the gateway has ended")

    def start(self) -> None:
        self._task = asyncio.create_task(self.engine.run(self._stop), name="gateway")

    async def stop(self) -> None:
        """End the gateway as SIGTERM would."""
        self._stop.set()
        if self._task is not None:
            await self._task

    async def crash(self) -> None:
        """End the gateway without letting anybody deliver; the journal is closed as it stands."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


def configured(
    sources: Sequence[Source],
    sinks: Sequence[Sink],
    points: str | Path,
    data: Path,
    journal: JournalSettings | None = None,
    name: str = "test",
    commands: CommandSettings | None = None,
    access: AccessSettings | None = None,
    telemetry: TelemetrySettings | None = None,
) -> Configuration:
    """Make a configuration of links that exist already and a point list: CSV text or a file.

    Raises ValueError with every problem of the point list.
    """
    path = points if isinstance(points, Path) else data / "points.csv"
    reader = PointList([*sources, *sinks])
    reader.add(path, points.read_text() if isinstance(points, Path) else points)
    definitions = reader.check()
    if reader.problems:
        raise ValueError("\n".join(str(problem) for problem in reader.problems))
    return Configuration(
        path,
        GatewaySettings(
            name=name, data=data, journal=journal or JournalSettings(), telemetry=telemetry
        ),
        tuple(sources),
        tuple(sinks),
        definitions,
        commands or CommandSettings(),
        access or AccessSettings(),
    )


@contextlib.asynccontextmanager
async def running(
    sources: Sequence[Source] = (),
    sinks: Sequence[Sink] = (),
    points: str | Path = "name\n",
    *,
    data: Path,
    journal: JournalSettings | None = None,
    clock: Clock | None = None,
    name: str = "test",
    commands: CommandSettings | None = None,
    access: AccessSettings | None = None,
    trace: Sequence[str] = (),
    telemetry: TelemetrySettings | None = None,
) -> AsyncIterator[Running]:
    """Run a gateway for the length of the block, and stop it gracefully.

    `points` is CSV text or a file; `data` is the folder of its journal; the frames of the links
    that `trace` names are logged.
    """
    paused = isinstance(asyncio.get_running_loop(), PausedLoop)
    clock = clock or (PausedClock() if paused else TrustedClock())
    engine = Engine(
        configured(sources, sinks, points, data, journal, name, commands, access, telemetry),
        clock=clock,
        trace=trace,
    )
    gateway = Running(engine)
    gateway.start()
    try:
        await gateway.until(lambda: engine.links, what="the gateway has started")
        yield gateway
    finally:
        await gateway.stop()
