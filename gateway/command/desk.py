"""Where all requests arrive: checks, reservation, hand-over, answer."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any

from gateway.command.memory import Keys, Rates
from gateway.command.order import Outbox, Outcome
from gateway.command.preconditions import Preconditions
from gateway.command.record import Log, Recorder
from gateway.command.slot import Slot, Transaction
from gateway.command.table import Event, State
from gateway.command.target import Target
from gateway.command.way import Way
from gateway.model.command import Answer, Client, Command, CommandStatus, Operation, Request
from gateway.model.errors import GatewayError

log = logging.getLogger("gateway.command")

_S = CommandStatus

UNDER_WAY = 1_000
"""Most requests that are carried out at a time."""
FLOOD = 1.0
"""Seconds of refusals that share a record where a client asks too often."""
WITHDRAWAL = 5.0
"""Seconds that a device has to confirm a cancel that the gateway sends by itself."""


class Desk:
    """Carries out requests; on the event loop.

    Every request gets one answer, every command leaves once at most, and every step is in the
    audit log: that a command is about to leave is on disk before its source has it.
    """

    def __init__(
        self,
        names: Sequence[str],
        targets: Mapping[int, Target],
        preconditions: Preconditions,
        audit: Log,
        outboxes: Mapping[str, Outbox],
        link_up: Callable[[str], bool],
        *,
        rate: float,
        remember: float,
        run: str,
    ) -> None:
        """`names` are those of all points by id; `outboxes` has the sources that take commands;
        `run` begins the number of each transaction,
        so that no two of any two runs of the gateway have the same.
        """
        self._loop = asyncio.get_running_loop()
        self._names = names
        self._targets = targets
        self._preconditions = preconditions
        self._record = Recorder(audit)
        self._way = Way(self._record, preconditions, outboxes, link_up)
        self._slots: dict[int, Slot] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._run = run
        self._count = 0
        self._pause = 1.0 / rate
        self._unwritten: Counter[Client] = Counter()
        self._rates = Rates(rate, self._loop.time)
        self.keys = Keys(remember, self._loop.time)
        self.watch = self._way.watch

    async def request(self, request: Request) -> Answer:
        """Carry out a request, to its end even where the caller does not wait for it."""
        if len(self._tasks) >= UNDER_WAY:
            return self._end(request, self._number(), _S.RATE_LIMITED, "too many are under way")
        return await asyncio.shield(self._start(self._carry_out(request)))

    def refuse(self, client: Client, outcome: Outcome, **said: str) -> Answer:
        """Put on record what a link refused, because it could not make a request of it."""
        number = self._number()
        if self._rates.allows(client):
            self._record.refused(number, client, outcome, **said)
        else:
            self._flood(client)
        return Answer(*outcome, number)

    def late(self, command: Command, outcome: Outcome) -> None:
        """Put on record what a device answered when its command had ended already."""
        self._record.late(command.id, self._names[command.point], outcome)

    def release(self, leaves: Callable[[Client], bool]) -> None:
        """Free what clients that leave have selected."""
        for slot in self._slots.values():
            if slot.held is None or not leaves(slot.held.request.client):
                continue
            if slot.state is State.SELECTED:
                self._withdraw(slot, Event.RELEASED, "the client left")
            elif slot.state is State.SELECTING:
                slot.left = True

    async def close(self) -> None:
        """Wait for what is under way: where the sources have ended it does not take long."""
        self._write_flood()
        for slot in self._slots.values():
            if slot.expiry is not None:
                slot.expiry.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=WITHDRAWAL)

    # One request

    async def _carry_out(self, request: Request) -> Answer:
        number = self._selected(request) or self._number()
        try:
            self._record.begin("received", number, self._names[request.point], request)
            outcome = await self._outcome(request, number)
        except GatewayError as error:
            outcome = Outcome(_S.FAILED, str(error))
        except Exception:
            log.exception("a command to %s failed", self._names[request.point])
            outcome = Outcome(_S.FAILED, "a mistake of the gateway, which its log has")
        return self._end(request, number, *outcome)

    async def _outcome(self, request: Request, number: str) -> Outcome:
        if not self._rates.allows(request.client):
            # Answered slowly, so that nobody fills the log.
            await asyncio.sleep(self._pause)
            return Outcome(_S.RATE_LIMITED, "the client asks too often")
        refused = self._preconditions.of_client(request)
        if refused is not None:
            return refused
        target = self._targets.get(request.point)
        if target is None:
            return Outcome(_S.NOT_SUPPORTED, "it is a measurement and takes no commands")
        if self.keys.seen(request):
            return Outcome(_S.DUPLICATE, f"the request {request.key} was taken before")
        refused = self._preconditions.of_value(request, target)
        if refused is not None:
            return refused
        return await self._proceed(Transaction(number, request, target))

    async def _proceed(self, transaction: Transaction) -> Outcome:
        slot = self._slots.setdefault(transaction.target.point, Slot())
        transaction = _of_selection(transaction, slot)
        step = slot.asked(transaction)
        if isinstance(step, CommandStatus):
            self._end_selection(transaction.request, slot)
            return Outcome(step, _STANDING[step])
        refused = self._hindrance(transaction, slot, step)
        if refused is not None:
            self._end_selection(transaction.request, slot)
            return refused
        slot.claim(step, transaction)
        try:
            return await _STEPS[step](self, transaction, slot)
        except BaseException:
            slot.free()
            raise

    def _hindrance(self, transaction: Transaction, slot: Slot, step: State) -> Outcome | None:
        if step is State.CANCELLING:
            return None
        refused = self._preconditions.of_moment(transaction.request, transaction.target)
        refused = refused or self._way.closed(transaction.target.source)
        if refused is not None:
            return refused
        wait = slot.operated + transaction.target.control.interval - self._loop.time()
        if step is State.OPERATING and wait > 0:
            return Outcome(_S.RATE_LIMITED, f"the next command is allowed in {wait:.1f} s")
        return None

    async def _select(self, transaction: Transaction, slot: Slot) -> Outcome:
        outcome = await self._selecting(transaction)
        slot.happened(_event(outcome))
        if slot.state is State.SELECTED:
            if slot.left:
                self._withdraw(slot, Event.RELEASED, "the client left")
            else:
                held = transaction.target.control.select_timeout
                slot.expiry = self._loop.call_later(held, self._expire, slot)
        return outcome

    async def _cancel(self, transaction: Transaction, slot: Slot) -> Outcome:
        outcome = await self._selecting(transaction)
        slot.happened(_event(outcome))
        return outcome

    async def _selecting(self, transaction: Transaction) -> Outcome:
        return (
            await self._way.forward(transaction) if transaction.at_device else Outcome(_S.SUCCESS)
        )

    async def _operate(self, transaction: Transaction, slot: Slot) -> Outcome:
        slot.operated = self._loop.time()
        if transaction.request.test:
            slot.happened(Event.ACCEPTED)
            slot.happened(Event.INDICATED)
            return Outcome(_S.SUCCESS, "a test: nothing was sent")
        outcome = await self._way.forward(transaction)
        slot.happened(_event(outcome))
        if slot.state is State.INDICATING:
            shown = await self._way.indication(transaction)
            slot.happened(Event.INDICATED if shown.status is _S.SUCCESS else Event.TIMED_OUT)
            return outcome if shown.status is _S.SUCCESS else shown
        return outcome

    # The end of a selection that no client asked for

    def _expire(self, slot: Slot) -> None:
        self._withdraw(slot, Event.EXPIRED, "it was held for too long")

    def _end_selection(self, request: Request, slot: Slot) -> None:
        """Let a refused execute end the selection: one select, one execute."""
        if request.operation is Operation.EXECUTE and slot.selection(request.client):
            self._withdraw(slot, Event.REFUSED, "the execute was refused")

    def _withdraw(self, slot: Slot, event: Event, why: str) -> None:
        held = slot.held
        if held is None:
            return
        slot.happened(event)
        self._record.note("expired" if event is Event.EXPIRED else "released", held, detail=why)
        if held.at_device and self._way.closed(held.target.source) is None:
            cancel = replace(
                held.request, operation=Operation.CANCEL, key="", timeout=WITHDRAWAL, pulse=None
            )
            self._start(self._tell(replace(held, request=cancel), slot))
        else:
            slot.happened(Event.ACCEPTED)

    async def _tell(self, cancel: Transaction, slot: Slot) -> None:
        event = Event.TIMED_OUT
        try:
            event = _event(await self._way.forward(cancel))
        except GatewayError as error:
            log.error("the device was not told that a selection ended: %s", error)
        finally:
            slot.happened(event)

    # Bookkeeping

    def _start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _selected(self, request: Request) -> str:
        """Return the number of the select that a request belongs to; empty where it has none."""
        slot = self._slots.get(request.point)
        if slot is None or request.operation not in (Operation.EXECUTE, Operation.CANCEL):
            return ""
        held = slot.selection(request.client)
        return held.number if held is not None else ""

    def _flood(self, client: Client) -> None:
        """Count refusals of a client that asks too often: one record a second tells how many."""
        if not self._unwritten:
            self._loop.call_later(FLOOD, self._write_flood)
        self._unwritten[client] += 1

    def _write_flood(self) -> None:
        outcome = Outcome(_S.RATE_LIMITED, "the client asks too often")
        for client, count in self._unwritten.items():
            self._record.refused(self._number(), client, outcome, count=count)
        self._unwritten.clear()

    def _number(self) -> str:
        self._count += 1
        return f"{self._run}-{self._count}"

    def _end(self, request: Request, number: str, status: CommandStatus, detail: str) -> Answer:
        step = "ended" if status in _ENDS else "refused"
        point = self._names[request.point]
        self._record.end(step, number, point, request, Outcome(status, detail))
        return Answer(status, detail, number, request.value)


_STEPS: Mapping[State, Callable[[Desk, Transaction, Slot], Coroutine[Any, Any, Outcome]]] = {
    State.SELECTING: Desk._select,
    State.OPERATING: Desk._operate,
    State.CANCELLING: Desk._cancel,
}

_ENDS = (_S.SUCCESS, _S.TIMEOUT, _S.NO_INDICATION)
"""After which the device has acted, or may have; all others refuse."""

_STANDING = {
    _S.NO_SELECT: "it must be selected first, with the same value",
    _S.SELECT_EXPIRED: "its selection expired",
    _S.SELECTED_BY_OTHER: "somebody else has it selected",
    _S.ALREADY_ACTIVE: "a command to it is under way",
}


def _of_selection(transaction: Transaction, slot: Slot) -> Transaction:
    """Let a cancel be the test that its select was: a client need not say so again."""
    request = transaction.request
    held = slot.selection(request.client)
    if request.operation is not Operation.CANCEL or held is None:
        return transaction
    return replace(transaction, request=replace(request, test=held.request.test))


def _event(outcome: Outcome) -> Event:
    if outcome.status is _S.SUCCESS:
        return Event.ACCEPTED
    return Event.TIMED_OUT if outcome.status is _S.TIMEOUT else Event.REFUSED
