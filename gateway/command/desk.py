"""Where all requests arrive: checks, reservation, audit, hand-over, answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from gateway.command.memory import Keys, Rates
from gateway.command.order import Order, Outbox, Outcome
from gateway.command.preconditions import Preconditions, feedbacks
from gateway.command.slot import Slot
from gateway.command.table import Event, State
from gateway.model.command import (
    Answer,
    Client,
    Command,
    CommandStatus,
    Control,
    Operation,
    Request,
)
from gateway.model.errors import GatewayError
from gateway.model.point import Definition

log = logging.getLogger("gateway.command")

_S = CommandStatus

UNDER_WAY = 1_000
"""Most requests that are carried out at a time."""
WITHDRAWAL = 5.0
"""Seconds that a device has to confirm a cancel that the gateway sends by itself."""


class Log(Protocol):
    """The audit log: `gateway.audit.AuditLog`."""

    def write(self, step: str, **facts: Any) -> int: ...

    async def durable(self) -> None: ...


class Desk:
    """Carries out requests; on the event loop.

    Every request gets one answer, every command leaves once at most, and every step is in the
    audit log: that a command is about to leave is on disk before its source has it.
    """

    def __init__(
        self,
        definitions: Sequence[Definition | None],
        preconditions: Preconditions,
        audit: Log,
        outboxes: Mapping[str, Outbox],
        link_up: Callable[[str], bool],
        *,
        rate: float = 20.0,
        remember: float = 86400.0,
        prefix: str = "",
    ) -> None:
        """`prefix` makes the ids of this run's transactions different from those of all others."""
        self._loop = asyncio.get_running_loop()
        self._definitions = definitions
        self._preconditions = preconditions
        self._audit = audit
        self._outboxes = outboxes
        self._link_up = link_up
        self._feedbacks = feedbacks(definitions)
        self._slots: dict[int, Slot] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._watched: dict[int, set[asyncio.Event]] = {}
        self._prefix = prefix
        self._count = 0
        self.keys = Keys(remember, self._loop.time)
        self._rates = Rates(rate, self._loop.time)
        self._pause = 1.0 / rate

    # What links ask of it

    async def request(self, request: Request) -> Answer:
        """Carry out a request, to its end even where the caller does not wait for it."""
        if len(self._tasks) >= UNDER_WAY:
            id, outcome = self._next_id(), Outcome(_S.RATE_LIMITED, "too many are under way")
            self._finish(request, id, outcome)
            return Answer(*outcome, id, request.value)
        return await asyncio.shield(self._start(self._carry_out(request)))

    def refuse(self, client: Client, outcome: Outcome, **facts: Any) -> Answer:
        """Note what a link refused by itself, because it could not make a request of it."""
        id = self._next_id()
        try:
            self._audit.write("refused", id=id, **_who(client), **facts, **_how(outcome))
        except GatewayError as error:
            log.error("a refused request is not in the audit log: %s", error)
        return Answer(*outcome, id)

    def release(self, leaves: Callable[[Client], bool]) -> None:
        """Free what clients that leave have selected."""
        for point, slot in self._slots.items():
            if slot.held is None or not leaves(slot.held.client):
                continue
            if slot.state is State.SELECTED:
                self._withdraw(point, slot, Event.RELEASED, "the client left")
            elif slot.state is State.SELECTING:
                slot.left = True

    def late(self, command: Command, status: CommandStatus, detail: str) -> None:
        """Note an answer that a device gave when its command had ended already."""
        self._note("late", command.point, command.id, **_how(Outcome(status, detail)))

    @property
    def watching(self) -> bool:
        """Whether any command waits for an indication."""
        return bool(self._watched)

    def changed(self, points: Sequence[int]) -> None:
        """Hear which points have new samples; only needed while `watching`."""
        for point in self._watched.keys() & set(points):
            for event in self._watched[point]:
                event.set()

    async def close(self) -> None:
        """Wait for what is under way; the sources have ended, so that it does not take long."""
        for slot in self._slots.values():
            if slot.expiry is not None:
                slot.expiry.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=WITHDRAWAL)

    # One request

    async def _carry_out(self, request: Request) -> Answer:
        definition = self._definitions[request.point]
        slot = self._slots.get(request.point)
        id = slot.id if slot is not None and slot.holds(request.client) else self._next_id()
        try:
            self._write("received", request, id)
            if self._rates.allows(request.client):
                outcome = self._refusal(request) or await self._proceed(request, id)
            else:
                # Answered slowly, so that nobody floods the log.
                await asyncio.sleep(self._pause)
                outcome = Outcome(_S.RATE_LIMITED, "the client asks too often")
        except GatewayError as error:
            outcome = Outcome(_S.FAILED, str(error))
        except Exception:
            log.exception("a request for %s failed", definition.name if definition else "?")
            outcome = Outcome(_S.FAILED, "a mistake of the gateway, see its log")
        self._finish(request, id, outcome)
        return Answer(outcome.status, outcome.detail, id, request.value)

    def _refusal(self, request: Request) -> Outcome | None:
        outcome = self._preconditions.of_request(request)
        if outcome is not None:
            return outcome
        if self.keys.seen(request):
            return Outcome(_S.DUPLICATE, f"the request {request.key} was taken before")
        return None

    async def _proceed(self, request: Request, id: str) -> Outcome:
        slot = self._slots.get(request.point)
        if slot is None:
            slot = self._slots[request.point] = Slot(self._control(request.point))
        step = slot.asked(request)
        if isinstance(step, CommandStatus):
            # A refused execute ends the selection: one select, one execute.
            self._end_selection(request, slot)
            return Outcome(step, _STATE_SENTENCES.get(step, ""))
        outcome = self._hindrance(request, slot, step)
        if outcome is not None:
            self._end_selection(request, slot)
            return outcome
        slot.claim(step, request, id)
        try:
            return await self._STEPS[step](self, request, slot, id)
        except BaseException:
            slot.free()
            raise

    def _hindrance(self, request: Request, slot: Slot, step: State) -> Outcome | None:
        if step is State.CANCELLING:
            return None
        outcome = self._preconditions.of_moment(request) or self._unreachable(request.point)
        if outcome is not None:
            return outcome
        wait = slot.operated + slot.control.interval - self._loop.time()
        if step is State.OPERATING and wait > 0:
            return Outcome(_S.RATE_LIMITED, f"the next command is allowed in {wait:.1f} s")
        return None

    def _unreachable(self, point: int) -> Outcome | None:
        source = self._source(point)
        if not self._link_up(source):
            return Outcome(_S.UNREACHABLE, f"{source} is down")
        if not self._outboxes[source].open:
            return Outcome(_S.NOT_SUPPORTED, f"{source} takes no commands")
        return None

    async def _select(self, request: Request, slot: Slot, id: str) -> Outcome:
        outcome = Outcome(_S.SUCCESS)
        if self._at_device(request, slot):
            outcome = await self._forward(request, id)
        slot.happened(_event(outcome))
        if slot.state is State.SELECTED:
            if slot.left:
                self._withdraw(request.point, slot, Event.RELEASED, "the client left")
            else:
                slot.expiry = self._loop.call_later(
                    slot.control.select_timeout, self._expire, request.point, slot
                )
        return outcome

    async def _operate(self, request: Request, slot: Slot, id: str) -> Outcome:
        if request.test:
            slot.happened(Event.ACCEPTED)
            slot.happened(Event.INDICATED)
            return Outcome(_S.SUCCESS, "test: nothing was sent")
        slot.operated = self._loop.time()
        outcome = await self._forward(request, id)
        slot.happened(_event(outcome))
        if slot.state is State.INDICATING:
            outcome = await self._indication(request, slot, id)
            slot.happened(Event.INDICATED if outcome.status is _S.SUCCESS else Event.TIMED_OUT)
        return outcome

    async def _cancel(self, request: Request, slot: Slot, id: str) -> Outcome:
        outcome = Outcome(_S.SUCCESS)
        if self._at_device(request, slot):
            outcome = await self._forward(request, id)
        slot.happened(_event(outcome))
        return outcome

    _STEPS: Mapping[State, Callable[[Desk, Request, Slot, str], Coroutine[Any, Any, Outcome]]] = {
        State.SELECTING: _select,
        State.OPERATING: _operate,
        State.CANCELLING: _cancel,
    }

    async def _forward(self, request: Request, id: str) -> Outcome:
        """Hand a command to its source and return what the device says, or that it does not."""
        definition, control = self._definitions[request.point], self._control(request.point)
        assert definition is not None
        wait = control.timeout
        if request.timeout is not None:
            wait = min(wait, request.timeout)
        deadline = self._loop.time() + wait
        self._write("forwarded", request, id, source=definition.source)
        await self._audit.durable()
        command = Command(
            id,
            request.point,
            request.operation,
            request.value,
            (request.value - definition.offset) / definition.scale,
            control.model,
            deadline,
            request.client,
            request.pulse or control.pulse,
        )
        order = Order(command, lambda: self._admit(request, deadline))
        outcome = self._unreachable(request.point)
        if outcome is not None:
            return outcome
        outbox = self._outboxes[self._source(request.point)]
        if not outbox.put(order):
            return Outcome(_S.RATE_LIMITED, "too many commands wait for the device")
        try:
            async with asyncio.timeout_at(deadline):
                outcome = await order.outcome
        except TimeoutError:
            outbox.take_back(order)
            if order.handed:
                outcome = Outcome(_S.TIMEOUT, f"the device did not answer within {wait:g} s")
            else:
                outcome = Outcome(_S.UNREACHABLE, f"the link did not send it within {wait:g} s")
        self._note("answered", request.point, id, **_how(outcome))
        return outcome

    def _admit(self, request: Request, deadline: float) -> Outcome | None:
        if self._loop.time() >= deadline:
            return Outcome(_S.UNREACHABLE, "its time was over before it was sent")
        if request.operation is Operation.CANCEL:
            return None
        return self._preconditions.of_moment(request)

    async def _indication(self, request: Request, slot: Slot, id: str) -> Outcome:
        control = slot.control
        point = self._feedbacks.get(request.point)
        if point is None:
            return Outcome(_S.SUCCESS)
        event = asyncio.Event()
        self._watched.setdefault(point, set()).add(event)
        try:
            async with asyncio.timeout(control.feedback_timeout):
                while not self._preconditions.indicated(control, request.value):
                    event.clear()
                    await event.wait()
        except TimeoutError:
            return Outcome(
                _S.NO_INDICATION,
                f"{control.feedback} did not show {request.value:g} "
                f"within {control.feedback_timeout:g} s",
            )
        finally:
            self._watched[point].discard(event)
            if not self._watched[point]:
                del self._watched[point]
        self._note("indicated", request.point, id, feedback=control.feedback)
        return Outcome(_S.SUCCESS)

    # The end of a selection

    def _expire(self, point: int, slot: Slot) -> None:
        self._withdraw(point, slot, Event.EXPIRED, "it was held for too long")

    def _end_selection(self, request: Request, slot: Slot) -> None:
        if request.operation is Operation.EXECUTE and slot.holds(request.client):
            self._withdraw(request.point, slot, Event.REFUSED, "the execute was refused")

    def _withdraw(self, point: int, slot: Slot, event: Event, why: str) -> None:
        """End a selection that no request ends, and let the device know where it holds one."""
        held, id = slot.held, slot.id
        assert held is not None
        slot.happened(event)
        self._note("expired" if event is Event.EXPIRED else "released", point, id, detail=why)
        if self._at_device(held, slot) and self._unreachable(point) is None:
            request = replace(held, operation=Operation.CANCEL, key="", timeout=WITHDRAWAL)
            self._start(self._tell(request, slot, id))
        else:
            slot.happened(Event.ACCEPTED)

    async def _tell(self, request: Request, slot: Slot, id: str) -> None:
        event = Event.TIMED_OUT
        try:
            event = _event(await self._forward(request, id))
        except GatewayError as error:
            log.error("a selection that ended could not be cancelled at its device: %s", error)
        finally:
            slot.happened(event)

    @staticmethod
    def _at_device(request: Request, slot: Slot) -> bool:
        """Return whether a selection is the device's business, too."""
        return slot.control.select.forwarded and not request.test

    # Bookkeeping

    def _control(self, point: int) -> Control:
        definition = self._definitions[point]
        assert definition is not None
        assert definition.command is not None
        return definition.command

    def _source(self, point: int) -> str:
        definition = self._definitions[point]
        assert definition is not None
        assert definition.source is not None
        return definition.source

    def _start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _next_id(self) -> str:
        self._count += 1
        return f"{self._prefix}{self._count}"

    def _finish(self, request: Request, id: str, outcome: Outcome) -> None:
        step = "ended" if outcome.status in _ENDS else "refused"
        try:
            self._write(step, request, id, **_how(outcome))
        except GatewayError as error:
            log.error("the end of a command is not in the audit log: %s", error)

    def _write(self, step: str, request: Request, id: str, **facts: Any) -> None:
        definition = self._definitions[request.point]
        optional: dict[str, Any] = {"key": request.key} if request.key else {}
        if request.test:
            optional["test"] = True
        self._audit.write(
            step,
            id=id,
            point=definition.name if definition is not None else "",
            operation=request.operation.value,
            value=request.value,
            **_who(request.client),
            **optional,
            **facts,
        )

    def _note(self, step: str, point: int, id: str, **facts: Any) -> None:
        definition = self._definitions[point]
        try:
            self._audit.write(step, id=id, point=definition.name if definition else "", **facts)
        except GatewayError as error:
            log.error("the step '%s' of command %s is not in the audit log: %s", step, id, error)


_ENDS = (_S.SUCCESS, _S.TIMEOUT, _S.NO_INDICATION)

_STATE_SENTENCES = {
    _S.NO_SELECT: "it must be selected before, with the same value",
    _S.SELECT_EXPIRED: "its selection expired",
    _S.SELECTED_BY_OTHER: "somebody else has it selected",
    _S.ALREADY_ACTIVE: "a command to it is under way",
}


def _event(outcome: Outcome) -> Event:
    if outcome.status is _S.SUCCESS:
        return Event.ACCEPTED
    return Event.TIMED_OUT if outcome.status is _S.TIMEOUT else Event.REFUSED


def _who(client: Client) -> dict[str, Any]:
    facts = {"sink": client.sink, "address": client.address, "user": client.user}
    return facts | {"role": client.role}


def _how(outcome: Outcome) -> dict[str, Any]:
    return {"status": outcome.status.value, "detail": outcome.detail}
