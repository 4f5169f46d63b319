"""The gateway at work: builds links, feeds and journal from a configuration and runs them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from gateway.command import Outbox
from gateway.engine import health
from gateway.engine.authority import Authority
from gateway.engine.clock import Clock
from gateway.engine.context import RunningSink, RunningSource
from gateway.engine.feed import Feed
from gateway.engine.intake import Intake, lost
from gateway.engine.local import serve_local
from gateway.engine.measuring import Measuring
from gateway.engine.observing import Observed
from gateway.engine.override import Overrides
from gateway.engine.override_file import NAME, OverrideFile
from gateway.engine.selection import Selection
from gateway.engine.status import LinkStatus, State
from gateway.engine.supervisor import Supervisor
from gateway.engine.trail import Past, Trail, open_trail, overheard
from gateway.engine.waveforms import Waveforms
from gateway.journal.journal import Journal
from gateway.journal.ledger import Ledger
from gateway.journal.store import Store
from gateway.kernel import INTEGRATED, Points
from gateway.model.batch import Batch
from gateway.model.configuration import Configuration
from gateway.model.context import STALE, Image
from gateway.model.link import Link, Sink, Source
from gateway.model.point import DeadbandKind, Definition, LinkPoint
from gateway.model.quality import Quality
from gateway.tls import Certificates
from gateway.trace import Ring, words
from gateway.waveform import WaveformSource

log = logging.getLogger("gateway")

DRAIN = 5.0
"""Seconds that sinks have, when the gateway stops, to deliver what they hold."""
HEALTH_INTERVAL = 5.0
"""Seconds between looks at clock, disk and backlogs."""
UNLINK_TIMEOUT = 5.0
"""Seconds that a link has to end when it is told to."""


class Engine:
    """One gateway. `run` may be called once; what it shows of itself may be read all the while."""

    journal: Journal
    intake: Intake
    overrides: Overrides
    authority: Authority
    certificates: Certificates
    _table: Points

    def __init__(
        self,
        configuration: Configuration,
        *,
        clock: Clock | None = None,
        trace: Iterable[str] = (),
    ) -> None:
        self.configuration = configuration
        self.clock = clock or Clock()
        self.data = configuration.gateway.data
        self.links: dict[str, LinkStatus] = {}
        self.names: list[str] = []
        """Point names by id; empty where an id is of a point that is no more."""
        self.definitions: list[Definition | None] = []
        self.image = Image(np.empty(0), np.empty(0, np.uint16), np.empty(0, np.int64))
        self.started = 0
        self.left_behind: list[str] = []
        """Links that did not end when the gateway did."""
        self._ids: dict[str, int] = {}
        self._feeds: dict[str, Feed] = {}
        self._selections: dict[str, Selection] = {}
        self._of_source: dict[str, list[LinkPoint]] = {}
        self._measuring: list[Measuring] = []
        self.rings: dict[str, Ring] = {}
        """The last frames of each link; empty where none are kept."""
        self._logged = frozenset(trace)

    @property
    def ledgers(self) -> dict[str, Ledger]:
        return {name: feed.ledger for name, feed in self._feeds.items()}

    @property
    def acknowledgements(self) -> dict[str, float | None]:
        """Seconds from handing a delivery to each sink to its acknowledgement, smoothed."""
        return {name: feed.acknowledgement for name, feed in self._feeds.items()}

    async def oldest(self) -> dict[str, int | None]:
        """Return since when the oldest sample waits that each sink still has to have, in ns."""
        return {name: await feed.oldest() for name, feed in self._feeds.items()}

    @property
    def held(self) -> dict[str, int]:
        """Samples that each sink still has to have, counted where they are, not by the ledger."""
        return {name: feed.held for name, feed in self._feeds.items()}

    def id(self, name: str) -> int:
        """Return a point's id; KeyError where there is no such point."""
        return self._ids[name]

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set, then let sinks deliver what they hold, and end.

        Raises StoreError where the data folder cannot be used.
        """
        self.started = self.clock.now()
        loop = asyncio.get_running_loop()
        store = await loop.run_in_executor(None, Store, self.data / "journal.db")
        self.journal = Journal(store, self.configuration.gateway.journal, self.clock.now)
        trail: Trail | None = None
        try:
            commands = self.configuration.commands
            opening = partial(open_trail, self.data / "audit", commands, self.clock.now)
            opened, past = await loop.run_in_executor(None, opening)
            trail = opened
            wanted = self.configuration.gateway
            observing = partial(overheard, opened, wanted.telemetry, wanted.name, self.clock.now)
            trail = observed = await loop.run_in_executor(None, observing)
            await self._assemble(store, self.journal, observed, past)
            await self._operate(stop)
        finally:
            if trail is not None:
                await trail.close()
            for feed in self._feeds.values():
                feed.close()
            await self.journal.close()

    # Assembling

    async def _assemble(self, store: Store, journal: Journal, trail: Trail, past: Past) -> None:
        links: list[Link] = [*self.configuration.sources, *self.configuration.sinks]
        definitions = [*self.configuration.points, *health.definitions(links)]
        ids = store.ids([definition.name for definition in definitions])
        size = max(ids, default=-1) + 1
        self.names = [""] * size
        self.definitions = [None] * size
        for number, definition in zip(ids, definitions, strict=True):
            self.names[number] = definition.name
            self.definitions[number] = definition
        self._ids = {d.name: number for number, d in zip(ids, definitions, strict=True)}
        self._table = _table(self.definitions)
        self.image = Image(self._table.value, self._table.quality, self._table.time)
        self.intake = Intake(self._table, journal)
        self.overrides = Overrides(
            self._table,
            self.intake,
            self.definitions,
            OverrideFile(self.data / NAME),
            self.clock.now,
        )
        await self._make_feeds(store, journal)
        self.overrides.restore()
        self._outboxes = {source.name: Outbox() for source in self.configuration.sources}
        self.authority = Authority(
            self.configuration,
            self.definitions,
            self.image,
            self.overrides,
            trail,
            past,
            {
                s.name: self._outboxes[s.name]
                for s in self.configuration.sources
                if s.takes_commands
            },
            lambda source: self.links[source].state is State.UP,
            self.clock,
        )
        self.intake.listen(self.authority.desk.watch)
        self._make_links(links)

    async def _make_feeds(self, store: Store, journal: Journal) -> None:
        states = store.sinks()
        for sink in self.configuration.sinks:
            selection = Selection.of(sink, self.definitions)
            feed = Feed(sink, selection, self.image, journal)
            await feed.restore(states.pop(sink.name, None))
            self._feeds[sink.name] = feed
            self._selections[sink.name] = selection
            journal.register(feed)
            self.intake.attach(feed, selection.every)
        for name, state in states.items():
            ledger = Ledger.from_dict(state["ledger"])
            if ledger.pending:
                log.warning(
                    "sink %s is no longer configured: %d samples it had not delivered are given up",
                    name,
                    ledger.pending,
                )
            store.forget(name)

    def _make_links(self, links: list[Link]) -> None:
        self.certificates = Certificates(links, self.clock.now)
        self._supervisors: dict[str, Supervisor] = {}
        self._runs: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {}
        of_source = self._of_source
        of_source.update((source.name, []) for source in self.configuration.sources)
        number_of = {source.name: i for i, source in enumerate(self.configuration.sources)}
        owner = np.full(len(self.definitions), -1, np.int32)
        for number, definition in enumerate(self.definitions):
            if definition is not None and definition.source is not None:
                address = definition.addresses.get(definition.source)
                of_source[definition.source].append(LinkPoint(number, definition, address))
                owner[number] = number_of[definition.source]
        kept = self.configuration.gateway.trace
        if kept.size and links:
            size = min(kept.size, kept.total // len(links))
            self.rings = {link.name: Ring(size, self.clock.now) for link in links}
        waveforms = Waveforms(link.name for link in links if isinstance(link, WaveformSource))
        observation = Observed(self)
        for link in links:
            is_source = isinstance(link, Source)
            status = LinkStatus(link.name, link.type, "source" if is_source else "sink")
            self.links[link.name] = status
            supervisor = Supervisor(status, link.reconnect, self.clock, self._link_changed)
            self._supervisors[link.name] = supervisor
            common = (
                self.configuration.gateway.name,
                status,
                of_source[link.name] if is_source else self._of_sink(link.name),
                self.image,
                self.data / link.name,
                self.clock,
                supervisor.up,
                self.certificates,
                self.rings.get(link.name),
                partial(words, link) if link.name in self._logged else None,
            )
            if isinstance(link, Source):
                outbox = self._outboxes[link.name]
                measuring = None
                if isinstance(link, WaveformSource):
                    file = self.data / link.name / "energy.json"
                    measuring = Measuring(
                        link.waveform,
                        of_source[link.name],
                        file,
                        status.counters,
                        asyncio.get_running_loop().time,
                    )
                    self._measuring.append(measuring)
                source = RunningSource(
                    self.intake,
                    self._table,
                    owner,
                    outbox,
                    self.authority,
                    waveforms,
                    measuring,
                    *common,
                )
                self._runs[link.name] = partial(_at_source, link, source, outbox)
            elif isinstance(link, Sink):
                feed, selection = self._feeds[link.name], self._selections[link.name]
                taken = selection.every | selection.latest
                sink = RunningSink(
                    feed,
                    self.intake,
                    taken,
                    link.role,
                    self.authority,
                    waveforms,
                    observation,
                    *common,
                )
                self._runs[link.name] = partial(_at_sink, link, sink, feed)

    def _of_sink(self, name: str) -> list[LinkPoint]:
        selection = self._selections[name]
        return [
            LinkPoint(int(number), definition, definition.addresses.get(name))
            for number in np.flatnonzero(selection.every | selection.latest)
            if (definition := self.definitions[number]) is not None
        ]

    # Operating

    async def _operate(self, stop: asyncio.Event) -> None:
        # Not of the task group: it would wait for ever for a link that does not end.
        links = {
            name: asyncio.create_task(self._supervisors[name].run(run), name=name)
            for name, run in self._runs.items()
        }
        try:
            async with asyncio.TaskGroup() as host:
                host.create_task(self.journal.run(), name="journal")
                host.create_task(serve_local(self, stop), name="local")
                watch = host.create_task(self._watch_health(), name="health")
                sound = host.create_task(_first_failure(links.values()), name="links")
                await stop.wait()
                await self._end(links, self.configuration.sources)
                for measuring in self._measuring:
                    await measuring.close()
                watch.cancel()
                await self.authority.settle()
                await self._drain()
                await self._end(links, self.configuration.sinks)
                await self.authority.close()
                await self.overrides.close()
                sound.cancel()
                self.journal.stop()
        finally:
            for task in links.values():
                task.cancel()

    async def _end(self, tasks: Mapping[str, asyncio.Task[None]], links: Sequence[Link]) -> None:
        """Cancel links and wait for their end; one that does not end is left behind, and said."""
        for link in links:
            self._supervisors[link.name].end()
            tasks[link.name].cancel()
        if links:
            await asyncio.wait([tasks[link.name] for link in links], timeout=UNLINK_TIMEOUT)
        for link in links:
            self._supervisors[link.name].stopped()
            if not tasks[link.name].done():
                self.left_behind.append(link.name)
                log.error("%s did not end within %g s", link.name, UNLINK_TIMEOUT)

    async def _drain(self) -> None:
        """Give sinks that work the time to deliver what they hold."""
        self.intake.flush()
        deadline = asyncio.get_running_loop().time() + DRAIN
        waiting = [feed for feed in self._feeds.values() if self.links[feed.name].state is State.UP]
        for feed in waiting:
            left = deadline - asyncio.get_running_loop().time()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(feed.drained(), left)

    def _link_changed(self, status: LinkStatus) -> None:
        """Let the health point follow, and a source that broke take its points' quality along."""
        if status.state is State.STOPPED:
            return
        up = status.state is State.UP
        self._show(health.link_up(status.name), up)
        if status.direction == "source" and status.state is State.DOWN:
            points = [point.id for point in self._of_source[status.name]]
            self.intake.judge(lost(points, STALE, self.clock.now()), every=False)

    def _show(self, name: str, value: float) -> None:
        batch = Batch.of(self._ids[name], float(value), self.intake.time_quality, self.clock.now())
        self.intake.judge(batch, every=False)

    async def _watch_health(self) -> None:
        while True:
            synchronised = self.clock.synchronised()
            self.intake.time_quality = 0 if synchronised else int(Quality.CLOCK_NOT_SYNCHRONISED)
            self._show(health.CLOCK, synchronised)
            self._show(health.JOURNAL, not self.journal.failing)
            self._show(health.JOURNAL_BYTES, self.journal.bytes)
            self._show(health.AUDIT, not self.authority.failing)
            for name, held in self.held.items():
                self._show(health.sink_pending(name), held)
            await self.certificates.look()
            for link in self.certificates.health():
                self._show(health.certificate_expires(link.link), link.expires)
                if link.days is not None:
                    self._show(health.certificate_days(link.link), link.days)
            for name, withheld in self.overrides.withheld().items():
                self.links[name].counters["withheld"] = withheld
            await asyncio.sleep(HEALTH_INTERVAL)


async def _first_failure(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Raise what a supervisor fails with: a mistake of ours, for a link's failures stay there."""
    waiting = set(tasks)
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            if not task.cancelled():
                task.result()


async def _at_source(source: Source, ctx: RunningSource, outbox: Outbox) -> None:
    """Run a source for the length of one connection."""
    try:
        await source.run(ctx)
    finally:
        outbox.disconnect()


async def _at_sink(sink: Sink, ctx: RunningSink, feed: Feed) -> None:
    """Run a sink for the length of one connection."""
    try:
        await sink.run(ctx)
    finally:
        feed.disconnect()
        ctx.release_all()


def _table(definitions: Sequence[Definition | None]) -> Points:
    """Write limits and deadbands of the points into the kernel's columns."""
    table = Points(len(definitions))
    for number, definition in enumerate(definitions):
        if definition is None:
            continue
        table.scale[number] = definition.scale
        table.offset[number] = definition.offset
        table.low[number] = definition.low
        table.high[number] = definition.high
        table.rate[number] = definition.rate
        table.deadband[number] = definition.deadband.width
        if definition.deadband.kind is DeadbandKind.INTEGRATED:
            table.deadband_kind[number] = INTEGRATED
    return table
