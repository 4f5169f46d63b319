"""Interrogations: of the station, of groups, of counters, and the reading of one object."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from gateway import SinkContext
from gateway_iec60870.asdu import (
    GENERAL,
    STATION,
    Asdu,
    Cause,
    CounterInterrogation,
    Interrogation,
    ReadRequest,
)
from gateway_iec60870.controlled.database import Database
from gateway_iec60870.controlled.feeder import Feeder
from gateway_iec60870.controlled.layout import Slots
from gateway_iec60870.controlled.manners import Manners
from gateway_iec60870.controlled.outgoing import Outgoing

GROUPS, COUNTER_GROUPS = 16, 4
MOST_WAITING = 256
"""Interrogations and reads that wait to be served."""

Encode = Callable[[], list[bytes]]


@dataclass(eq=False, slots=True)
class _Job:
    """What is served when the events before it are on their way.

    key:   what only one of is under way: common address, type and qualifier.
    since: when it was asked for, on the loop's clock.
    left:  ends it.
    """

    key: tuple[int, ...]
    encode: Encode
    since: float
    left: Callable[[], None] = lambda: None
    withdrawn: bool = False


class Interrogations:
    """Serves from the image, each in the moment in which all events before it have been fed.

    `say` answers at once; what is asked for goes with the events, in their order.
    """

    def __init__(
        self,
        ctx: SinkContext,
        manners: Manners,
        database: Database,
        feeder: Feeder,
        outgoing: Outgoing,
        say: Callable[[Asdu], None],
    ) -> None:
        self._ctx = ctx
        self._manners = manners
        self._database = database
        self._feeder = feeder
        self._outgoing = outgoing
        self._say = say
        self._loop = asyncio.get_running_loop()
        self._jobs: dict[tuple[int, ...], _Job] = {}
        self._waiting: deque[_Job] = deque()
        self._come = asyncio.Event()
        feeder.fed = self._try

    async def run(self) -> None:
        """Serve those that have waited for too long, until cancelled."""
        wait = self._manners.interrogation_wait
        while True:
            while not self._waiting:
                self._come.clear()
                await self._come.wait()
            due = self._waiting[0].since + wait
            await asyncio.sleep(due - self._loop.time())
            while self._waiting and self._waiting[0].since + wait <= self._loop.time():
                self._serve(self._waiting.popleft(), early=True)

    def _try(self) -> None:
        """Serve all that wait, if the events before them have been fed."""
        while self._waiting and self._feeder.caught_up:
            self._serve(self._waiting.popleft())

    def _serve(self, job: _Job, *, early: bool = False) -> None:
        if job.withdrawn:
            return
        if early:
            self._ctx.count("interrogations_early")
        self._outgoing.interrogated(job.encode(), job.left)

    def lost(self) -> None:
        """Forget what was asked for: who asked is gone."""
        self._waiting.clear()
        self._jobs.clear()

    # What is asked for

    def station(self, asdu: Asdu, said: Interrogation) -> None:
        """Begin a station or group interrogation (C_IC_NA_1), or end it (cause 8)."""
        key = (asdu.address, asdu.type, said.qualifier)
        if asdu.cause == Cause.DEACTIVATION:
            self._withdraw(asdu, key)
            return
        number = said.qualifier - STATION
        if not 0 <= number <= GROUPS:
            self._say(asdu.answer(Cause.ACTIVATION_CON, True))
            return
        slots = self._mine(self._database.group(number), asdu)
        cause = Cause.INTERROGATED + number
        self._begin(asdu, key, lambda: self._database.encode(slots, cause, asdu.originator))

    def counters(self, asdu: Asdu, said: CounterInterrogation) -> None:
        """Freeze counters, or begin to report them (C_CI_NA_1)."""
        key = (asdu.address, asdu.type, said.request)
        if asdu.cause == Cause.DEACTIVATION:
            self._withdraw(asdu, key)
            return
        number = 0 if said.request == GENERAL else said.request
        if not said.request or number > COUNTER_GROUPS:
            self._say(asdu.answer(Cause.ACTIVATION_CON, True))
            return
        slots = self._mine(self._database.counter_group(number), asdu)
        if said.freeze:
            self._database.freeze(slots, copy=said.freeze in (1, 2), reset=said.freeze in (2, 3))
            self._say(asdu.answer(Cause.ACTIVATION_CON))
            self._say(asdu.answer(Cause.ACTIVATION_TERM))
            return
        cause = Cause.COUNTERS + number
        database = self._database

        def encode() -> list[bytes]:
            return database.encode(slots, cause, asdu.originator, database.read_counters(slots))

        self._begin(asdu, key, encode)

    def read(self, asdu: Asdu, said: ReadRequest) -> None:
        """Report one object (C_RD_NA_1)."""
        slots = self._database.one(asdu.address, said.object)
        if slots is None:
            self._say(asdu.answer(Cause.UNKNOWN_OBJECT, True))
            return
        key = (asdu.address, asdu.type, said.object)
        if key in self._jobs or len(self._jobs) >= MOST_WAITING:
            # The one that waits is the answer to this one, too.
            self._ctx.count("interrogations_refused")
            return
        self._put(key, lambda: self._database.encode(slots, Cause.REQUEST, asdu.originator))

    def _mine(self, slots: Slots, asdu: Asdu) -> Slots:
        return self._database.of_station(slots, asdu.address)

    def _begin(self, asdu: Asdu, key: tuple[int, ...], encode: Encode) -> None:
        if key in self._jobs or len(self._jobs) >= MOST_WAITING:
            self._ctx.count("interrogations_refused")
            self._say(asdu.answer(Cause.ACTIVATION_CON, True))
            return
        self._ctx.count("interrogations")
        self._say(asdu.answer(Cause.ACTIVATION_CON))
        end = asdu.answer(Cause.ACTIVATION_TERM).encode(self._manners.sizes)
        self._put(key, lambda: [*encode(), end])

    def _put(self, key: tuple[int, ...], encode: Encode) -> None:
        job = _Job(key, encode, self._loop.time())

        def left() -> None:
            if self._jobs.get(key) is job:
                del self._jobs[key]

        job.left = left
        self._jobs[key] = job
        self._waiting.append(job)
        self._come.set()
        self._try()

    def _withdraw(self, asdu: Asdu, key: tuple[int, ...]) -> None:
        job = self._jobs.get(key)
        if job is not None:
            job.withdrawn = True
            job.left()
            self._outgoing.withdraw(job.left)
        self._say(asdu.answer(Cause.DEACTIVATION_CON, job is None))
