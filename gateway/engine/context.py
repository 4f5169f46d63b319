"""The door as each link sees it: the contexts that `run` is given."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gateway.command import Outbox, Outcome
from gateway.engine.authority import Authority
from gateway.engine.clock import Clock
from gateway.engine.feed import Feed
from gateway.engine.intake import Intake, lost, received
from gateway.engine.measuring import LONG, Measuring
from gateway.engine.status import LinkStatus
from gateway.engine.waveforms import Waveforms
from gateway.kernel import KernelError, Plan, Points
from gateway.model.access import Permission
from gateway.model.batch import Batch, Mask, PointColumn
from gateway.model.command import Answer, Client, Command, CommandStatus, Request
from gateway.model.context import STALE, Delivery, Image, SinkContext, SourceContext
from gateway.model.errors import GatewayError
from gateway.model.field import Field
from gateway.model.observation import Observation
from gateway.model.override import Override
from gateway.model.point import LinkPoint
from gateway.model.quality import Quality
from gateway.model.tls import Tls
from gateway.model.waveform import Waveform
from gateway.tls import Certificates
from gateway.trace import FIRST, Ring

LONGEST_TEXT = 256
"""Characters of what clients say that go on record."""
EARLY = 1_000_000
"""Nanoseconds by which a tick may come before its time: the resolution of the loop's timers."""


class _Context:
    """What both contexts share; kept apart from the public classes, which are only a contract."""

    def __init__(
        self,
        gateway: str,
        status: LinkStatus,
        points: Sequence[LinkPoint],
        image: Image,
        data: Path,
        clock: Clock,
        on_up: Callable[[str], None],
        certificates: Certificates,
        ring: Ring | None,
        logged: Callable[[str, bytes], str] | None,
    ) -> None:
        """`ring` keeps frames, and `logged` says what one is that is to be logged, where wanted."""
        self.name = status.name
        self.gateway = gateway
        self.points = points
        self.image = image
        self._data = data
        self.log = logging.getLogger(f"gateway_{status.type.split('.')[0]}.{status.name}")
        self.tracing = ring is not None or logged is not None
        self._ring = ring
        self._logged = logged
        if ring is not None and logged is None:
            # The way that every frame goes, in the busiest of gateways.
            self.trace = ring.add  # type: ignore[method-assign]
        self._status = status
        self._clock = clock
        self._on_up = on_up
        self._certificates = certificates

    @property
    def data(self) -> Path:
        self._data.mkdir(parents=True, exist_ok=True)
        return self._data

    def up(self, detail: str = "") -> None:
        self._on_up(detail)

    async def tls(self, settings: Tls) -> ssl.SSLContext:
        return await self._certificates.context(self.name, settings, self.count, self.log)

    def now(self) -> int:
        return self._clock.now()

    def count(self, what: str, n: int = 1) -> None:
        self._status.counters[what] += n

    def trace(self, direction: str, frame: bytes, note: str = "", peer: str = "") -> None:
        if self._ring is not None:
            self._ring.add(direction, frame, note, peer)
        if self._logged is not None:
            said = "; ".join(filter(None, (self._logged(direction, frame), note)))
            self.log.info("%s %s %s %s", self.name, direction, frame.hex(" "), said)

    async def every(self, period: float, offset: float = 0.0) -> AsyncIterator[int]:
        step = max(1, round(period * 1e9))
        shift = round(offset * 1e9)
        tick = (self._clock.now() - shift) // step + 1
        while True:
            # The wall clock may be stepped while we sleep: look again, and never sleep for long
            # on an old idea of the time. Timers of some loops go off a little early.
            while (wait := tick * step + shift - self._clock.now()) > EARLY:
                if wait > 2 * step:
                    tick = (self._clock.now() - shift) // step + 1
                    continue
                await asyncio.sleep(min(wait / 1e9, 60.0))
            yield tick * step + shift
            behind = (self._clock.now() - shift) // step - tick
            if behind > 0:
                self.count("missed_ticks", behind)
                tick += behind
            tick += 1


class RunningSource(_Context, SourceContext):
    """A source's door, for all its connections."""

    def __init__(
        self,
        intake: Intake,
        table: Points,
        owner: PointColumn,
        outbox: Outbox,
        authority: Authority,
        waveforms: Waveforms,
        measuring: Measuring | None,
        *common: Any,
    ) -> None:
        """`owner` says of every point which source it belongs to; all sources share it."""
        super().__init__(*common)
        self._waveforms = waveforms
        self._measuring = measuring
        self._outbox = outbox
        self._authority = authority
        self._intake = intake
        self._table = table
        self._owner = owner
        self._number = int(owner[self.points[0].id]) if self.points else -2
        self._turn = asyncio.Lock()

    def plan(self, fields: Iterable[Field]) -> Plan:
        return Plan(self._table, fields)

    async def emit_raw(self, plan: Plan, data: bytes, time: int | None = None) -> int:
        if self._intake.crowded:
            await self._intake.room()
        try:
            taken = self._intake.decode(plan, data, self._clock.now() if time is None else time)
        except KernelError as error:
            raise ValueError(str(error)) from error
        if self._ring is not None:
            self._ring.did(plan.size, taken, plan.first, time or 0)
        return taken

    async def emit(self, batch: Batch, *, every: bool = False) -> None:
        self._check(batch.point)
        last = 0 if self._ring is None else self._ring.last
        # Emits that wait for room, or for those that do, are judged in the order of their calls.
        async with self._turn:
            await self._intake.room()
            custody = self._intake.judge(
                received(batch, self._clock.now(), self._intake.time_quality), every=every
            )
            self._note(last, batch)
        if custody is not None:
            await asyncio.shield(custody)

    async def emit_waveform(self, waveform: Waveform) -> int:
        if self._measuring is None:
            raise GatewayError(f"{self.name} is no WaveformSource: it may not hand over waveforms")
        self._waveforms.put(self.name, waveform)
        measured = self._measured(self._measuring, waveform)
        # What a thread measures goes on to its end, whoever is cancelled.
        return await (asyncio.shield(measured) if waveform.samples.size > LONG else measured)

    async def _measured(self, measuring: Measuring, waveform: Waveform) -> int:
        taken = 0
        last = 0 if self._ring is None else self._ring.last
        # One block after the other: an estimator belongs to one of them at a time.
        async with measuring.turn:
            if self._intake.crowded:
                await self._intake.room()
            for batch, every in await measuring.take(waveform):
                taken += len(batch)
                self._intake.judge(batch, every=every)
                self._note(last, batch)
        return taken

    async def stale(self, points: Sequence[int], quality: Quality = STALE) -> None:
        self._check(np.asarray(points, np.int32))
        last = 0 if self._ring is None else self._ring.last
        async with self._turn:
            await self._intake.room()
            batch = lost(points, quality, self._clock.now())
            self._intake.judge(batch, every=False)
            self._note(last, batch, lost=True)

    def commands(self) -> AsyncIterator[Command]:
        self._outbox.connect()
        return self._outbox

    def answer(self, command: Command, status: CommandStatus, detail: str = "") -> None:
        if self._outbox.answer(command, Outcome(status, detail)):
            self.count("commands")
        else:
            self.count("late_answers")
            self._authority.late(command, status, detail)

    def _note(self, frame: int, batch: Batch, *, lost: bool = False) -> None:
        """Note what a frame did, which the intake has just judged."""
        if self._ring is not None and frame:
            first = batch.point[:FIRST].tobytes()
            self._ring.did(len(batch), self._intake.taken, first, frame=frame, lost=lost)

    def _check(self, points: Any) -> None:
        if len(points) and not (
            points.min() >= 0
            and points.max() < len(self._owner)
            and (self._owner[points] == self._number).all()
        ):
            raise GatewayError(f"{self.name} may emit only its own points")


class RunningSink(_Context, SinkContext):
    """A sink's door, for all its connections."""

    def __init__(
        self,
        feed: Feed,
        intake: Intake,
        taken: Mask,
        role: str | None,
        authority: Authority,
        waveforms: Waveforms,
        observation: Observation,
        *common: Any,
    ) -> None:
        """`taken` says of every point whether this sink has it; `role` is the link's own."""
        super().__init__(*common)
        self._waveforms = waveforms
        self._feed = feed
        self._intake = intake
        self._taken = taken
        self._role = role
        self._authority = authority
        self._observation = observation

    @property
    def observe(self) -> Observation:
        return self._observation

    def batches(self) -> AsyncIterator[Delivery]:
        self._feed.connect()
        return _Deliveries(self._feed)

    def waveforms(self, source: str) -> AsyncIterator[Waveform]:
        return self._waveforms.listen(source, self)

    def waiting(self) -> int:
        self._intake.flush()
        return self._feed.waiting

    def delivered(self, seq: int, *, coalesced: int = 0, shed: int = 0) -> None:
        self._feed.delivered(seq, coalesced, shed)

    @property
    def lost(self) -> int:
        return self._feed.ledger.lost

    def watch(self, points: Iterable[int] | None) -> None:
        self._feed.watch(None if points is None else np.fromiter(points, np.int32))

    async def command(self, request: Request) -> Answer:
        if not self._has(request.point):
            why = f"{self.name} has no point {request.point}"
            return self.refused(request.client, CommandStatus.UNKNOWN_POINT, why)
        answering = asyncio.ensure_future(self._authority.command(request))
        answering.add_done_callback(lambda done: self._counted(done.result()))
        return await asyncio.shield(answering)

    def refused(
        self, client: Client, status: CommandStatus, detail: str, *, point: str = "", **said: str
    ) -> Answer:
        outcome = Outcome(status, detail[:LONGEST_TEXT])
        texts = {name: text[:LONGEST_TEXT] for name, text in said.items()}
        if point:
            texts["point"] = point[:LONGEST_TEXT]
        return self._counted(self._authority.desk.refuse(client, outcome, **texts))

    async def override(
        self,
        client: Client,
        point: int,
        action: Override,
        value: float | None = None,
        *,
        reason: str = "",
    ) -> Answer:
        if not self._has(point):
            why = f"{self.name} has no point {point}"
            return self.refused(client, CommandStatus.UNKNOWN_POINT, why)
        return self._counted(await self._authority.override(client, point, action, value, reason))

    def release(self, client: Client) -> None:
        self._authority.desk.release(lambda other: other == client)

    def release_all(self) -> None:
        """Free what clients of this sink have selected: its connection ended."""
        self._waveforms.leave(self)
        self._authority.desk.release(lambda other: other.sink == self.name)

    async def login(self, user: str, password: str, address: str, session: str = "") -> Client:
        return await self._authority.access.login(self.name, user, password, address, session)

    def client(
        self,
        address: str,
        *,
        user: str = "",
        certificate: bytes | None = None,
        session: str = "",
    ) -> Client:
        return self._authority.access.client(
            self.name,
            address,
            user=user,
            certificate=certificate,
            session=session,
            role=self._role,
        )

    def may(self, client: Client, permission: Permission, point: int | None = None) -> bool:
        return self._authority.access.may(client, permission, point)

    def allowed(self, client: Client, permission: Permission) -> Mask:
        return np.frombuffer(self._authority.access.points(client, permission), np.bool_)

    @property
    def authenticates(self) -> bool:
        return self._authority.access.authenticates

    def _has(self, point: int) -> bool:
        return 0 <= point < len(self._taken) and bool(self._taken[point])

    def _counted(self, answer: Answer) -> Answer:
        self.count("commands" if answer else "commands_refused")
        return answer


class _Deliveries(AsyncIterator[Delivery]):
    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    async def __anext__(self) -> Delivery:
        return await self._feed.next()
