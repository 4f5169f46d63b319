"""The audit log as the engine has it: opened, and read for what earlier runs left behind."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from gateway.audit import AuditError, AuditLog, Record
from gateway.command import Log
from gateway.engine.unfinished import DAY, Unfinished, unfinished
from gateway.model.configuration import CommandSettings, TelemetrySettings
from gateway.model.errors import GatewayError

log = logging.getLogger("gateway.command")


class Key(NamedTuple):
    """A request of an earlier run, by its client's own name for it; `time` in ns."""

    sink: str
    user: str
    operation: str
    key: str
    time: int


@dataclass(frozen=True, slots=True)
class Past:
    """What earlier runs left behind: keys that are not taken again, commands without an end."""

    keys: tuple[Key, ...] = ()
    unfinished: tuple[Unfinished, ...] = ()


class Trail(Log, Protocol):
    """The audit log as it is needed here."""

    @property
    def failing(self) -> str: ...

    async def close(self) -> None: ...


class NoTrail:
    """In the place of an audit log that cannot be used: nothing is commanded without one."""

    def __init__(self, why: str) -> None:
        self.failing = why

    def write(self, step: str, **facts: Any) -> int:
        raise AuditError(self.failing)

    async def durable(self) -> None:
        raise AuditError(self.failing)

    async def close(self) -> None:
        return None


class Observer(Protocol):
    """Who hears of the steps that the audit log gets, and takes no time: `gateway.telemetry`."""

    def __call__(self, step: str, facts: Mapping[str, Any]) -> None: ...

    async def close(self) -> None: ...


class Overheard:
    """An audit log with an observer.

    A step that the log did not take did not happen, but the end of a command does all the same.
    """

    def __init__(self, trail: Trail, observer: Observer) -> None:
        self._trail = trail
        self._observer = observer
        self.durable = trail.durable

    @property
    def failing(self) -> str:
        return self._trail.failing

    def write(self, step: str, **facts: Any) -> int:
        try:
            number = self._trail.write(step, **facts)
        except GatewayError:
            if step in ("ended", "refused"):
                self._observer(step, facts)
            raise
        self._observer(step, facts)
        return number

    async def close(self) -> None:
        try:
            await self._trail.close()
        finally:
            await self._observer.close()


def overheard(
    trail: Trail, settings: TelemetrySettings | None, gateway: str, now: Callable[[], int]
) -> Trail:
    """Let telemetry hear of each step, where it is wanted; imports its libraries only then.

    Where it cannot be had the gateway works all the same.
    """
    if settings is None:
        return trail
    try:
        from gateway.telemetry.export import Export
        from gateway.telemetry.spans import Spans

        return Overheard(trail, Spans(Export(settings, gateway), now))
    except Exception as error:
        log.error("there are no traces of commands: %s", error)
        return trail


def open_trail(
    folder: Path, settings: CommandSettings, now: Callable[[], int]
) -> tuple[Trail, Past]:
    """Open the audit log and look back; blocks on the disk, for seconds where the log is large.

    Where the log cannot be used the field is read all the same, and nothing is commanded.
    """
    try:
        trail = AuditLog.open(folder, settings.audit, now)
    except AuditError as error:
        log.error("no command is carried out, because there is no audit log: %s", error)
        return NoTrail(str(error)), Past()
    remembered = int(settings.remember * 1e9)
    since = now() - remembered
    keys = tuple(_keys(trail.recall(since, "received")))
    return trail, Past(keys, tuple(unfinished(trail.recall, min(since, now() - DAY))))


_NAMES = ("sink", "user", "operation", "key")


def _keys(records: Iterator[Record]) -> Iterator[Key]:
    for record in records:
        if "key" in record.facts:
            # A log that was set aside may have been changed: what is missing stops no start.
            sink, user, operation, key = (str(record.facts.get(name, "")) for name in _NAMES)
            yield Key(sink, user, operation, key, record.time)
