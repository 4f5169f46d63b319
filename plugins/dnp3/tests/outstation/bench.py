"""A session with a clock, points whose values a test sets, and a master that a test speaks as."""

from __future__ import annotations

from typing import Any

import numpy as np
from gateway_dnp3.app import Fragment, FunctionCode, Iin, class_objects, contents, parse
from gateway_dnp3.objects import Columns
from gateway_dnp3.outstation import (
    Attributes,
    Controls,
    Database,
    EventBuffer,
    Finished,
    OutstationPoint,
    PointType,
    Session,
    SessionSettings,
    UnsolicitedSettings,
    Values,
)

F, T = FunctionCode, PointType
WALL = 1_700_000_000_000  # ms: 2023-11-14T22:13:20Z
ONLINE = 1
READ_EVENTS = class_objects(1, 2, 3)
INTEGRITY = class_objects(1, 2, 3, 0)


class Bench:
    """A session with a clock, points whose values a test sets, and what was sent."""

    def __init__(
        self,
        points: list[OutstationPoint] | None = None,
        limit: int | None = None,
        unsolicited: UnsolicitedSettings | None = None,
        **settings: Any,
    ) -> None:
        self.points = points or [
            *(OutstationPoint(T.BINARY_INPUT, n, 1) for n in range(4)),
            *(OutstationPoint(T.ANALOG_INPUT, n, 2) for n in range(3)),
            *(OutstationPoint(T.COUNTER, n, 3) for n in range(2)),
        ]
        self.value = np.arange(len(self.points), dtype=np.float64)
        self.flags = np.full(len(self.points), ONLINE, np.uint8)
        self.now = 0.0
        self.fragments: list[bytes] = []
        self.finished: list[Finished] = []
        self.controls: list[Controls] = []
        self.released: list[Controls] = []
        self.refusals: list[tuple[int, str]] = []
        self.times: list[tuple[int, float | None]] = []
        self.restarts: list[bool] = []
        self.own = Iin.NONE
        self.delay: int | None = None
        self.database = Database(self.points, self._read, lambda: WALL)
        self.events = EventBuffer(len(self.points), limit, self.finished.append)
        attributes = Attributes(self.database, {252: "maker"}, fragment=2048, controls=16)
        self.session = Session(
            SessionSettings(unsolicited=unsolicited, **settings),
            self.database,
            self.events,
            attributes,
            self,
            lambda: self.now,
            lambda: WALL,
        )
        self.session.connected()
        self.sequence = 0

    def _read(self, slots: Any) -> Values:
        times = np.full(len(slots), WALL, np.int64)
        return Values(self.value[slots], self.flags[slots], times)

    # The application

    def send(self, fragment: bytes) -> None:
        self.fragments.append(fragment)

    def operate(self, controls: Controls) -> None:
        self.controls.append(controls)

    def release(self, controls: Controls) -> None:
        self.released.append(controls)

    def refused(self, controls: Controls, status: int, why: str) -> None:
        self.refusals.append((status, why))

    def time_written(self, ms: int, delay: float | None) -> None:
        self.times.append((ms, delay))

    def restart(self, *, cold: bool) -> int | None:
        self.restarts.append(cold)
        return self.delay

    def indications(self) -> Iin:
        return self.own

    # The master

    def sent(self) -> list[Fragment]:
        """Return what was sent since the last look."""
        fragments, self.fragments = self.fragments, []
        return [parse(one) for one in fragments]

    def request(self, function: F, objects: bytes = b"", sequence: int | None = None) -> None:
        self.sequence = (self.sequence + 1) % 16 if sequence is None else sequence
        self.session.receive(Fragment.request(function, objects, self.sequence).encode())

    def ask(self, function: F, objects: bytes = b"") -> Fragment:
        """Send a request and return the one answer."""
        self.request(function, objects)
        (answer,) = self.sent()
        assert answer.function is F.RESPONSE
        assert answer.control.sequence == self.sequence
        return answer

    def confirm(self, answer: Fragment) -> None:
        control = answer.control
        confirm = Fragment.confirm(control.sequence, unsolicited=control.uns)
        self.session.receive(confirm.encode())

    def happen(self, *samples: tuple[int, float], key: int = 0) -> None:
        """Take samples of slots, all in one delivery."""
        slots = np.array([slot for slot, _ in samples], np.int32)
        value = np.array([value for _, value in samples], np.float64)
        times = WALL + np.arange(len(slots), dtype=np.int64)
        values = Values(value, np.full(len(slots), ONLINE, np.uint8), times)
        chosen, rows = self.database.records(slots, values, np.ones(len(slots), np.bool_))
        slots = slots[chosen]
        database = self.database
        self.events.add(
            key,
            database.code[slots],
            database.event_class[slots],
            database.variation[slots],
            rows,
            database.latest[slots],
            int(np.count_nonzero(~chosen)),
        )
        self.session.wake()

    def wait(self, seconds: float) -> None:
        """Let time pass, and do at each deadline what is due then."""
        end = self.now + seconds
        while (deadline := self.session.deadline) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            self.session.tick()
        self.now = end


def rows(fragment: Fragment) -> list[tuple[int, int, int, float]]:
    """Return group, variation, index and value of each measurement."""
    found = []
    for _, item in contents(fragment):
        assert isinstance(item, Columns)
        found += [
            (item.group, item.variation, index, value)
            for index, value in zip(item.index.tolist(), item.value.tolist(), strict=True)
        ]
    return found


EVENTS = {2, 4, 11, 22, 32, 42}


def events(fragment: Fragment) -> list[tuple[int, int, float]]:
    return [(group, index, value) for group, _, index, value in rows(fragment) if group in EVENTS]
