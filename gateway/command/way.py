"""A command on its way: on record, to the source, to the device, to the indication."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from gateway.command.indication import Watch
from gateway.command.order import Order, Outbox, Outcome
from gateway.command.preconditions import Preconditions
from gateway.command.record import Recorder
from gateway.command.slot import Transaction
from gateway.model.command import Command, CommandStatus, Operation

_S = CommandStatus


class Way:
    """From the desk to the devices."""

    def __init__(
        self,
        record: Recorder,
        preconditions: Preconditions,
        outboxes: Mapping[str, Outbox],
        link_up: Callable[[str], bool],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._record = record
        self._preconditions = preconditions
        self._outboxes = outboxes
        self._link_up = link_up
        self.watch = Watch()

    def closed(self, source: str) -> Outcome | None:
        """Return why nothing can be sent to a source now."""
        if not self._link_up(source):
            return Outcome(_S.UNREACHABLE, f"{source} is down")
        outbox = self._outboxes.get(source)
        if outbox is None:
            return Outcome(_S.NOT_SUPPORTED, f"{source} takes no commands")
        if not outbox.open:
            return Outcome(_S.UNREACHABLE, f"{source} is not ready for commands")
        return None

    async def forward(self, transaction: Transaction) -> Outcome:
        """Hand a command to its source and return what the device says, or that it does not."""
        request, target = transaction.request, transaction.target
        pulse = request.pulse or target.control.pulse
        wait = target.control.timeout + (pulse.length if pulse is not None else 0.0)
        if request.timeout is not None:
            wait = min(wait, request.timeout)
        deadline = self._loop.time() + wait
        self._record.begin(
            "forwarded", transaction.number, target.name, request, source=target.source
        )
        await self._record.durable()
        order = Order(
            Command(
                transaction.number,
                target.point,
                request.operation,
                request.value,
                target.raw(request.value),
                target.control.model,
                deadline,
                request.client,
                pulse,
            ),
            lambda: self._admit(transaction, deadline),
        )
        outcome = self.closed(target.source)
        if outcome is None:
            outcome = await self._await_device(order, self._outboxes[target.source], wait)
        if request.operation is Operation.CANCEL and outcome.status is _S.CANCELLED:
            outcome = Outcome(_S.SUCCESS, outcome.detail)
        self._record.note(
            "answered", transaction, status=outcome.status.value, detail=outcome.detail
        )
        return outcome

    async def _await_device(self, order: Order, outbox: Outbox, wait: float) -> Outcome:
        if not outbox.put(order):
            return Outcome(_S.RATE_LIMITED, "too many commands wait for the link")
        try:
            async with asyncio.timeout_at(order.command.deadline):
                return await order.outcome
        except TimeoutError:
            outbox.take_back(order)
            if order.handed:
                return Outcome(_S.TIMEOUT, f"the device did not answer within {wait:g} s")
            return Outcome(_S.UNREACHABLE, f"the link did not send it within {wait:g} s")

    def _admit(self, transaction: Transaction, deadline: float) -> Outcome | None:
        """Look once more in the moment of handing over."""
        if self._loop.time() >= deadline:
            return Outcome(_S.UNREACHABLE, "its time was over before it was sent")
        if transaction.request.operation is Operation.CANCEL:
            return None
        return self._preconditions.of_moment(transaction.request, transaction.target)

    async def indication(self, transaction: Transaction) -> Outcome:
        """Wait for the feedback of a command, where its point has one."""
        target, value = transaction.target, transaction.request.value
        feedback, wait = target.feedback, target.control.feedback_timeout
        if feedback is None:
            return Outcome(_S.SUCCESS)
        if not await self.watch.until(
            feedback.point, lambda: self._preconditions.indicated(target, value), wait
        ):
            why = f"{feedback.name} did not show {value:g} within {wait:g} s"
            return Outcome(_S.NO_INDICATION, why)
        self._record.note("indicated", transaction, feedback=feedback.name)
        return Outcome(_S.SUCCESS)
