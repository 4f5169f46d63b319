"""What operators do to points themselves: block, substitute, test.

A point that is blocked or substituted is held: the kernel keeps what its device says aside, and
counts what it would have reported. The two may come together, in either order: then the manual
value is shown, the point takes no command, and one release ends both.
Each change is a sample like any other, with the time of the change, and reaches every sink.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Sequence

import numpy as np

from gateway.engine.intake import Intake
from gateway.engine.override_entry import Entry, Said
from gateway.engine.override_file import OverrideFile
from gateway.kernel import Points
from gateway.model.command import Answer, CommandStatus
from gateway.model.context import STALE
from gateway.model.errors import reason
from gateway.model.override import Override
from gateway.model.point import Definition, Kind
from gateway.model.quality import Quality

log = logging.getLogger("gateway")

PATIENCE = 10.0
"""Seconds that an operator waits for the disk."""
MOST_WAITING = 64
"""Most actions that wait for the disk."""

MOST_NAMED = 10
"""Most points that one log line names."""

_S = CommandStatus

_STATES = {Kind.STATUS: (0.0, 1.0), Kind.DOUBLE: (0.0, 1.0, 2.0, 3.0)}
"""The values of points that have but a few."""


class Overrides:
    """The overrides of one gateway; on the event loop."""

    def __init__(
        self,
        table: Points,
        intake: Intake,
        definitions: Sequence[Definition | None],
        file: OverrideFile,
        now: Callable[[], int],
    ) -> None:
        self._table = table
        self._intake = intake
        self._definitions = definitions
        self._file = file
        self._now = now
        self._entries: dict[str, Entry] = {}
        self._lock = asyncio.Lock()
        self._under_way: set[asyncio.Task[Answer]] = set()

    def blocked(self, point: int) -> bool:
        """Say whether an operator blocked the point: it takes no command."""
        return bool(self._table.mark[point] & Quality.OPERATOR_BLOCKED)

    def substituted(self, point: int) -> bool:
        """Say whether the point shows a manual value."""
        return bool(self._table.mark[point] & Quality.SUBSTITUTED)

    def in_test(self, point: int) -> bool:
        """Say whether the point takes commands as tests only."""
        return bool(self._table.mark[point] & Quality.TEST)

    def withheld(self) -> dict[str, int]:
        """Return by source how many samples of held points were not reported since the start."""
        counts: dict[str, int] = {}
        for point in np.flatnonzero(self._table.withheld).tolist():
            definition = self._definitions[point]
            if definition is not None and definition.source is not None:
                count = int(self._table.withheld[point])
                counts[definition.source] = counts.get(definition.source, 0) + count
        return counts

    def restore(self) -> None:
        """Bring back what was in force when the gateway ended; before any link runs.

        The entry of a point that is not configured is kept: the point may come back.
        Raises StoreError where the file cannot be read.
        """
        self._entries = self._file.load()
        gone = dict(self._entries)
        for point, definition in enumerate(self._definitions):
            if definition is not None and definition.name in gone:
                self._restore(point, definition, gone.pop(definition.name))
        known = [name for name in self._entries if name not in gone]
        if known:
            log.warning("blocked, substituted or in test since before the start: %s", _list(known))
        if gone:
            log.warning(
                "%s keeps what operators did to points that are not configured: %s",
                self._file.path,
                _list(list(gone)),
            )

    def _restore(self, point: int, definition: Definition, entry: Entry) -> None:
        table = self._table
        if entry.shown is None:
            table.mark[point] = entry.mark
            table.quality[point] |= entry.mark
            return
        value, quality = entry.shown.value, entry.shown.quality
        fault = _fault(definition, value) if entry.substituted else ""
        if fault:
            log.error("the manual value does not fit its point any more: %s", fault)
            value, quality = math.nan, quality | STALE
        self._intake.put(point, entry.mark, value, quality, entry.shown.time)
        table.said_value[point] = entry.device.value
        table.said_quality[point] = STALE
        table.said_time[point] = entry.device.time

    async def apply(self, point: int, action: Override, value: float | None = None) -> Answer:
        """Do it, and answer when it is on disk and in force.

        value: of a substitute, in the point's unit, within the limits of its row.
        What is so already is a success; its detail says that nothing was to be done.
        Being cancelled does not stop it.
        """
        definition = self._definitions[point] if 0 <= point < len(self._definitions) else None
        if definition is None:
            return Answer(_S.UNKNOWN_POINT, f"there is no point {point}")
        refusal = _refusal(definition, action, value)
        if refusal is not None:
            return refusal
        if len(self._under_way) >= MOST_WAITING:
            return Answer(_S.RATE_LIMITED, f"{MOST_WAITING} overrides wait for the disk already")
        task = asyncio.create_task(
            self._carry_out(point, definition.name, action, math.nan if value is None else value)
        )
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        done, _ = await asyncio.wait((task,), timeout=PATIENCE)
        if not done:
            return Answer(
                _S.TIMEOUT,
                f"{self._file.path} was not written within {PATIENCE:g} s: "
                "it comes into force when it is",
            )
        return task.result()

    async def close(self) -> None:
        """Wait for what is under way, as long as an operator would."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=PATIENCE)

    async def _carry_out(self, point: int, name: str, action: Override, value: float) -> Answer:
        async with self._lock:
            idle = self._entry(point, name).idle(action)
            if idle:
                return Answer(_S.SUCCESS, f"{name} {idle}", value=value)
            planned = self._after(point, name, action, value)
            try:
                await self._save(name, planned)
            except OSError as error:
                why = f"{self._file.path} cannot be written: {reason(error)}"
                return Answer(_S.FAILED, f"{name} is as it was: {why}", value=value)
            # The device may have gone on while the disk was busy: its last word counts.
            entry = self._after(point, name, action, value)
            self._show(point, entry)
            self._entries = _with(self._entries, name, entry)
            if not _alike(entry, planned):
                try:
                    await self._save(name, entry)
                except OSError as error:
                    log.warning(
                        "%s cannot be written: %s: after a restart %s shows an earlier value",
                        self._file.path,
                        reason(error),
                        name,
                    )
            return Answer(_S.SUCCESS, value=value)

    async def _save(self, name: str, entry: Entry) -> None:
        entries = _with(self._entries, name, entry)
        await asyncio.get_running_loop().run_in_executor(None, self._file.save, entries)

    def _entry(self, point: int, name: str) -> Entry:
        return self._entries.get(name) or Entry(device=self._device(point))

    def _after(self, point: int, name: str, action: Override, value: float) -> Entry:
        """Return what an action makes of things as they stand now."""
        return self._entry(point, name).after(
            action, value, self._device(point), self._now(), self._intake.time_quality
        )

    def _show(self, point: int, entry: Entry) -> None:
        # A change of quality has a time of its own (IEC 61850-7-3, t): that of the action.
        shown = entry.shown or entry.device.stamped(self._now(), self._intake.time_quality)
        self._intake.put(point, entry.mark, shown.value, shown.quality, shown.time)

    def _device(self, point: int) -> Said:
        """Return what the device said last."""
        table = self._table
        if table.mark[point]:
            columns = (table.said_value, table.said_quality, table.said_time)
        else:
            columns = (table.value, table.quality, table.time)
        value, quality, time = (column[point].item() for column in columns)
        return Said(value=value, quality=quality, time=time)


def _with(entries: dict[str, Entry], name: str, entry: Entry) -> dict[str, Entry]:
    """Return the entries with one more, or without it where nothing of it is in force."""
    others = {other: known for other, known in entries.items() if other != name}
    return others | {name: entry} if entry.mark else others


def _alike(one: Entry, other: Entry) -> bool:
    """Say whether two entries show the same after a restart, their times aside."""
    a, b = one.shown, other.shown
    return a is b or (
        a is not None and b is not None and a.value == b.value and a.quality == b.quality
    )


def _refusal(definition: Definition, action: Override, value: float | None) -> Answer | None:
    name = definition.name
    if definition.source is None:
        return Answer(_S.NOT_SUPPORTED, f"{name} is the gateway's own: nobody overrides it")
    if action is not Override.SUBSTITUTE:
        if value is None:
            return None
        return Answer(_S.FORMAT_ERROR, f"{name}: {action} takes no value, got {value:g}")
    if value is None or math.isnan(value):
        return Answer(_S.FORMAT_ERROR, f"{name}: {action} needs a number, got {value}")
    fault = _fault(definition, value)
    return Answer(_S.OUT_OF_RANGE, fault, value=value) if fault else None


def _fault(definition: Definition, value: float) -> str:
    """Say why a point cannot have this value; empty where it can."""
    name, unit = definition.name, f" {definition.unit}" if definition.unit else ""
    states = _STATES.get(definition.kind)
    if states is not None:
        if value in states:
            return ""
        words = ", ".join(f"{state:g}" for state in states)
        return f"{name}: a {definition.kind} point has no value {value:g}; it has {words}"
    if not math.isfinite(value):
        return f"{name}: {value} is not finite"
    if not definition.low <= value <= definition.high:
        return f"{name}: {value:g}{unit} lies outside of {definition.low:g} to {definition.high:g}"
    return ""


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(names[:MOST_NAMED])
    more = len(names) - MOST_NAMED
    return f"{shown} and {more} more" if more > 0 else shown
