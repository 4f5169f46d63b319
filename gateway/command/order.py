"""Commands on their way to a source: each handed over once at most, each with one outcome."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.model.command import Command, CommandStatus

WAITING = 64
"""Most commands that wait for one source."""


class Outcome(NamedTuple):
    """How a check or a device ended it; the detail is a sentence."""

    status: CommandStatus
    detail: str = ""


@dataclass(slots=True, eq=False)
class Order:
    """A command for a source.

    admit:   looked at in the very moment of handing over: an outcome keeps it here.
    outcome: set once.
    handed:  whether the source has it: from then on the device may have acted.
    """

    command: Command
    admit: Callable[[], Outcome | None]
    outcome: asyncio.Future[Outcome] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    handed: bool = False

    def end(self, status: CommandStatus, detail: str = "") -> None:
        if not self.outcome.done():
            self.outcome.set_result(Outcome(status, detail))


class Outbox(AsyncIterator[Command]):
    """What waits for one source, and what it has and has not answered."""

    def __init__(self) -> None:
        self._waiting: deque[Order] = deque()
        self._handed: dict[Command, Order] = {}
        self._arrived = asyncio.Event()
        self.open = False
        """Whether the source takes commands in this connection."""

    def connect(self) -> None:
        """Let commands in; from the source's own `commands()`."""
        self.disconnect("the link began anew")
        self.open = True

    def disconnect(self, why: str = "the link went down") -> None:
        """End everything that this connection cannot answer any more."""
        self.open = False
        for order in self._waiting:
            order.end(CommandStatus.UNREACHABLE, f"{why} before it was sent")
        for order in self._handed.values():
            order.end(CommandStatus.TIMEOUT, f"{why} before the device answered")
        self._waiting.clear()
        self._handed.clear()

    def put(self, order: Order) -> bool:
        """Let an order wait for the source; False where too many do."""
        if len(self._waiting) >= WAITING:
            return False
        self._waiting.append(order)
        self._arrived.set()
        return True

    def take_back(self, order: Order) -> None:
        """Forget an order whose time is over: it is not handed over, or its answer comes late."""
        if order.handed:
            self._handed.pop(order.command, None)
        elif order in self._waiting:
            self._waiting.remove(order)

    def answer(self, command: Command, outcome: Outcome) -> bool:
        """End the order of a command as the device did; False where it had ended before."""
        order = self._handed.pop(command, None)
        if order is None or order.outcome.done():
            return False
        order.end(*outcome)
        return True

    async def __anext__(self) -> Command:
        while True:
            while self._waiting:
                order = self._waiting.popleft()
                refusal = order.admit()
                if refusal is not None:
                    order.end(*refusal)
                    continue
                order.handed = True
                self._handed[order.command] = order
                return order.command
            self._arrived.clear()
            await self._arrived.wait()
