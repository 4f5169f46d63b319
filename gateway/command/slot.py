"""One commanded point: its state, and the transaction that holds it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from gateway.command.table import ASKED, ASKED_BY_OTHERS, HAPPENED, Event, State
from gateway.command.target import Target
from gateway.model.command import Client, CommandStatus, Operation, Request


@dataclass(frozen=True, slots=True)
class Transaction:
    """A request under way; a select and its execute have one number."""

    number: str
    request: Request
    target: Target

    @property
    def at_device(self) -> bool:
        """Whether a selection is the device's business, too."""
        return self.target.control.select.forwarded and not self.request.test


@dataclass(slots=True)
class Slot:
    """The state of one point.

    held:     the transaction by which a client holds it; None where it is free.
    left:     that client went away while the device was being asked.
    lapsed:   whose selection expired last: an execute by that client is told so.
    operated: when the last command was handed on, on the loop's clock.
    """

    state: State = State.FREE
    held: Transaction | None = None
    left: bool = False
    lapsed: Client | None = None
    operated: float = float("-inf")
    expiry: asyncio.TimerHandle | None = None

    def selection(self, client: Client) -> Transaction | None:
        """Return the transaction by which this client has the point selected."""
        if self.state is State.SELECTED and self.held and self.held.request.client == client:
            return self.held
        return None

    def asked(self, transaction: Transaction) -> State | CommandStatus:
        """Return the state that a request leads to, or the status that refuses it."""
        request = transaction.request
        if self.held is not None and request.client != self.held.request.client:
            return ASKED_BY_OTHERS[self.state]
        step = ASKED[self.state, request.operation]
        if step is CommandStatus.NO_SELECT and request.client == self.lapsed:
            return CommandStatus.SELECT_EXPIRED
        if step is State.OPERATING:
            if request.operation is Operation.EXECUTE:
                return step if self._same(request) else CommandStatus.NO_SELECT
            if transaction.target.control.select.needed:
                return CommandStatus.NO_SELECT
        return step

    def _same(self, request: Request) -> bool:
        if self.held is None:
            return False
        held = self.held.request
        return (held.value, held.pulse, held.test) == (request.value, request.pulse, request.test)

    def claim(self, state: State, transaction: Transaction) -> None:
        """Enter the state that a request leads to."""
        self._stop_expiry()
        self.state = state
        self.held = transaction
        self.left = False
        self.lapsed = None

    def happened(self, event: Event) -> None:
        """Move on; KeyError where the table does not know of it, which is a mistake of ours."""
        self._stop_expiry()
        self.state = HAPPENED[self.state, event]
        if event is Event.EXPIRED and self.held is not None:
            self.lapsed = self.held.request.client
        if self.state is State.FREE:
            self.held = None

    def free(self) -> None:
        """Give the point up where the gateway itself failed at it."""
        self._stop_expiry()
        self.state, self.held = State.FREE, None

    def _stop_expiry(self) -> None:
        if self.expiry is not None:
            self.expiry.cancel()
            self.expiry = None
