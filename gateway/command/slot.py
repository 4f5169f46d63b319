"""One commanded point: its state, and who holds it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from gateway.command.table import ASKED, ASKED_BY_OTHERS, HAPPENED, Event, State
from gateway.model.command import Client, CommandStatus, Control, Operation, Request


@dataclass(slots=True)
class Slot:
    """The state of one point.

    held:     the request by which a client holds it, and the id of its transaction.
    left:     that client went away while the device was being asked.
    lapsed:   whose selection expired last: an execute by that client is told so.
    operated: when the last command was handed on, on the loop's clock.
    """

    control: Control
    state: State = State.FREE
    held: Request | None = None
    id: str = ""
    left: bool = False
    lapsed: Client | None = None
    operated: float = float("-inf")
    expiry: asyncio.TimerHandle | None = None

    def holds(self, client: Client) -> bool:
        """Return whether this client has it selected."""
        return self.state is State.SELECTED and self.held is not None and self.held.client == client

    def asked(self, request: Request) -> State | CommandStatus:
        """Return the state that a request leads to, or the status that refuses it."""
        if self.held is not None and request.client != self.held.client:
            return ASKED_BY_OTHERS[self.state]
        step = ASKED[self.state, request.operation]
        if step is CommandStatus.NO_SELECT and request.client == self.lapsed:
            return CommandStatus.SELECT_EXPIRED
        if step is State.OPERATING:
            if request.operation is Operation.EXECUTE:
                return step if self._same(request) else CommandStatus.NO_SELECT
            if self.control.select.needed:
                return CommandStatus.NO_SELECT
        return step

    def _same(self, request: Request) -> bool:
        held = self.held
        assert held is not None
        return (held.value, held.pulse, held.test) == (request.value, request.pulse, request.test)

    def claim(self, state: State, request: Request, id: str) -> None:
        """Enter the state that a request leads to."""
        self._stop_expiry()
        self.state = state
        self.held = request
        self.id = id
        self.left = False
        self.lapsed = None

    def happened(self, event: Event) -> None:
        """Move on; KeyError where the table does not know of it, which is a mistake of ours."""
        self._stop_expiry()
        self.state = HAPPENED[self.state, event]
        if event is Event.EXPIRED and self.held is not None:
            self.lapsed = self.held.client
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
