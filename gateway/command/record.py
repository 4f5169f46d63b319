"""What the audit log is told of each step."""

from __future__ import annotations

import logging
from typing import Any, Protocol

from gateway.command.order import Outcome
from gateway.command.slot import Transaction
from gateway.model.command import Client, Request
from gateway.model.errors import GatewayError

log = logging.getLogger("gateway.command")


class Log(Protocol):
    """The audit log: `gateway.audit.AuditLog`."""

    def write(self, step: str, **facts: Any) -> int: ...

    async def durable(self) -> None: ...


class Recorder:
    """Puts steps into words."""

    def __init__(self, audit: Log) -> None:
        self._audit = audit

    async def durable(self) -> None:
        """Return when all that was told is on disk; raises GatewayError where it cannot be."""
        await self._audit.durable()

    def begin(self, step: str, number: str, point: str, request: Request, **facts: Any) -> None:
        """Record a step before which nothing may leave; raises GatewayError."""
        self._audit.write(step, id=number, **who(request.client), **what(point, request), **facts)

    def end(self, step: str, number: str, point: str, request: Request, outcome: Outcome) -> None:
        """Record how a request ended."""
        self._note(step, id=number, **who(request.client), **what(point, request), **how(outcome))

    def note(self, step: str, transaction: Transaction, **facts: Any) -> None:
        """Record what happened on the way."""
        self._note(step, id=transaction.number, point=transaction.target.name, **facts)

    def refused(self, number: str, client: Client, outcome: Outcome, **said: Any) -> None:
        """Record what was refused before it was a request."""
        self._note("refused", id=number, **who(client), **said, **how(outcome))

    def late(self, number: str, point: str, outcome: Outcome) -> None:
        """Record an answer that came when its command had ended already."""
        self._note("late", id=number, point=point, **how(outcome))

    def _note(self, step: str, **facts: Any) -> None:
        try:
            self._audit.write(step, **facts)
        except GatewayError as error:
            log.error("the step '%s' is not in the audit log: %s", step, error)


def who(client: Client) -> dict[str, Any]:
    return {
        "sink": client.sink,
        "address": client.address,
        "user": client.user,
        "role": client.role,
    }


def what(point: str, request: Request) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "point": point,
        "operation": request.operation.value,
        "value": request.value,
    }
    if request.key:
        facts["key"] = request.key
    if request.test:
        facts["test"] = True
    if request.reason:
        facts["reason"] = request.reason
    return facts


def how(outcome: Outcome) -> dict[str, Any]:
    return {"status": outcome.status.value, "detail": outcome.detail}
