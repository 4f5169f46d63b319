"""The gateway as links may look at it: `Observation`, answered by the engine."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from gateway import __version__
from gateway.audit import Record, newest, records, verify
from gateway.config import explain
from gateway.config.explanation import settings_of
from gateway.engine.checking import check
from gateway.model.batch import Batch
from gateway.model.explanation import Explanation
from gateway.model.observation import (
    AuditPage,
    AuditProof,
    AuditQuery,
    AuditRecord,
    ConfigurationView,
    HealthView,
    History,
    LedgerView,
    LinkView,
    Observation,
    Verdict,
)
from gateway.model.point import Definition
from gateway.model.selector import selector

if TYPE_CHECKING:
    from gateway.engine.engine import Engine


PATIENCE = 2.0
"""Seconds that the journal may take to tell the age of what waits."""


class Observed(Observation):
    """One engine's; made when its points and links are known."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.image = engine.image
        self._proving = asyncio.Lock()
        self._searching = asyncio.Semaphore(2)
        self._checking = asyncio.Lock()

    @property
    def definitions(self) -> Sequence[Definition | None]:
        return self._engine.definitions

    @cached_property
    def _settings(self) -> Mapping[str, Mapping[str, object]]:
        configuration = self._engine.configuration
        links = (*configuration.sources, *configuration.sinks)
        return {link.name: settings_of(link) for link in links}

    def health(self) -> HealthView:
        engine = self._engine
        return HealthView(
            gateway=engine.configuration.gateway.name,
            version=__version__,
            started=engine.started,
            now=engine.clock.now(),
            clock_synchronised=not engine.intake.time_quality,
            journal_bytes=engine.journal.bytes,
            journal_failing=engine.journal.failing,
            audit_failing=engine.authority.failing,
            locked_out=tuple(engine.authority.access.locks),
        )

    def links(self) -> Sequence[LinkView]:
        return [
            LinkView(
                link.name,
                link.type,
                link.direction,
                link.state.value,
                link.since,
                link.error,
                link.detail,
                dict(link.counters),
                self._settings[link.name],
            )
            for link in self._engine.links.values()
        ]

    async def ledgers(self) -> Sequence[LedgerView]:
        engine = self._engine
        oldest: Mapping[str, int | None] = {}
        # The disk may be busy with history: then nobody knows.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                oldest = await engine.oldest()
        # What is counted is read in one go, so that every ledger balances.
        acknowledgements = engine.acknowledgements
        return [
            LedgerView(
                name,
                ledger.taken,
                ledger.delivered,
                ledger.coalesced,
                dict(ledger.dropped),
                ledger.pending,
                oldest.get(name) if ledger.pending else None,
                acknowledgements[name],
            )
            for name, ledger in engine.ledgers.items()
        ]

    def explain(self, point: int) -> Explanation:
        return explain(self._engine.configuration, self._definition(point))

    def _definition(self, point: int) -> Definition:
        definitions = self._engine.definitions
        found = definitions[point] if 0 <= point < len(definitions) else None
        if found is None:
            raise KeyError(point)
        return found

    async def history(self, point: int, since: int, until: int, most: int) -> History:
        parts, complete = await self._engine.journal.history(point, since, until, most)
        return History(Batch.concat(parts), complete)

    async def audit(self, query: AuditQuery) -> AuditPage:
        async with self._searching:
            return await asyncio.to_thread(self._page, query)

    def _page(self, query: AuditQuery) -> AuditPage:
        folder, fits = self._engine.data / "audit", _filter(query)
        if query.newest:
            found = list(islice(filter(fits, newest(folder, query.since or 0)), query.most + 1))
            kept = found[: query.most][::-1]
        else:
            ordered = records(folder, query.since or 0)
            found = list(islice(filter(fits, ordered), query.most + 1))
            kept = found[: query.most]
        shown = [AuditRecord(one.n, one.time, one.step, one.facts, one.hash) for one in kept]
        return AuditPage(shown, len(found) > query.most)

    async def prove_audit(self) -> AuditProof:
        secret = self._engine.configuration.commands.audit.key
        key = None if secret is None else secret.get_secret_value().encode()
        async with self._proving:
            verdict = await asyncio.to_thread(verify, self._engine.data / "audit", key)
        return AuditProof(
            bool(verdict),
            verdict.first,
            verdict.last,
            verdict.began,
            verdict.ended,
            verdict.hash,
            verdict.keyed,
            "" if verdict.broken is None else str(verdict.broken),
        )

    def configuration(self) -> ConfigurationView:
        configuration = self._engine.configuration
        return ConfigurationView(
            configuration.files or {configuration.path: ""},
            self._engine.started,
            len(configuration.sources),
            len(configuration.sinks),
            len(configuration.points),
        )

    async def check(self, files: Mapping[str, bytes]) -> Verdict:
        async with self._checking:
            return await check(files)


def _filter(query: AuditQuery) -> Callable[[Record], bool]:
    takes = {name: selector(some) for name, some in query.texts.items() if some}

    def fits(record: Record) -> bool:
        if record.n <= query.after:
            return False
        if query.until is not None and record.time > query.until:
            return False
        for name, take in takes.items():
            said = record.step if name == "step" else record.facts.get(name)
            if said is None or not take(str(said)):
                return False
        return True

    return fits
