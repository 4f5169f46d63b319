"""A desk with everything around it in a test's hands: points, operators, link, device, log."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gateway import (
    Answer,
    Client,
    Command,
    CommandStatus,
    Control,
    Definition,
    Image,
    Kind,
    Operation,
    Permission,
    Quality,
    Request,
)
from gateway.command import Desk, Outbox, Outcome, Preconditions, targets
from gateway.model.configuration import Bay
from gateway.model.errors import GatewayError

ANNA = Client("ua", "10.0.0.1:4840", "anna", "operator")
BORIS = Client("ua", "10.0.0.2:4840", "boris", "operator")
GUEST = Client("ua", "10.0.0.3:4840")
TESTER = Client("ua", "10.0.0.4:4840", "eva", "engineer")


@dataclass
class MemoryLog:
    """An audit log in memory, which fails when it is told to."""

    records: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    fails: bool = False
    syncs: int = 0

    def write(self, step: str, **facts: Any) -> int:
        if self.fails:
            raise GatewayError("the disk is full")
        self.records.append((step, facts))
        return len(self.records)

    async def durable(self) -> None:
        await asyncio.sleep(0)
        self.syncs += 1

    def steps(self, number: str | None = None) -> list[str]:
        return [step for step, facts in self.records if number in (None, facts.get("id"))]


@dataclass
class Roles:
    """Operators may command, engineers may test, too."""

    gone: set[str] = field(default_factory=set)

    def may(self, client: Client, permission: Permission, point: int | None = None) -> bool:
        if client.user in self.gone:
            return False
        if permission is Permission.COMMAND:
            return client.role in ("operator", "engineer")
        return client.role == "engineer"


@dataclass
class Marks:
    blocks: set[int] = field(default_factory=set)
    tests: set[int] = field(default_factory=set)

    def blocked(self, point: int) -> bool:
        return point in self.blocks

    def in_test(self, point: int) -> bool:
        return point in self.tests


class Scene:
    """Points of one source, `field`; made inside a running loop.

    `device` is what takes the commands: by default a test reads them from `await scene.command()`
    and answers with `scene.answer`.
    """

    def __init__(
        self, points: Sequence[Definition], bays: Sequence[Bay] = (), rate: float = 1000.0
    ) -> None:
        self.definitions = list(points)
        n = len(points)
        self.image = Image(np.zeros(n), np.zeros(n, np.uint16), np.zeros(n, np.int64))
        self.log = MemoryLog()
        self.roles = Roles()
        self.marks = Marks()
        self.outbox = Outbox()
        self.outbox.connect()
        self.outboxes = {"field": self.outbox}
        self.up = True
        names = [point.name for point in points]
        self.ids = {name: number for number, name in enumerate(names)}
        self.desk = Desk(
            names,
            dict(targets(self.definitions, bays)),
            Preconditions(self.ids, self.image, self.roles, self.marks),
            self.log,
            self.outboxes,
            lambda source: self.up,
            rate=rate,
            remember=3600.0,
            run="r",
        )

    def show(self, name: str, value: float, quality: Quality = Quality.GOOD) -> None:
        """Let a point have a new sample."""
        number = self.ids[name]
        self.image.value[number] = value
        self.image.quality[number] = quality
        self.desk.watch.changed([number])

    def ask(
        self,
        name: str,
        value: float = 1.0,
        operation: Operation = Operation.DIRECT,
        client: Client = ANNA,
        **more: Any,
    ) -> asyncio.Task[Answer]:
        request = Request(self.ids[name], operation, value, client, **more)
        return asyncio.create_task(self.desk.request(request))

    async def command(self) -> Command:
        """Wait for the next command that the source is given."""
        async with asyncio.timeout(60):
            return await anext(self.outbox)

    def answer(
        self, command: Command, status: CommandStatus = CommandStatus.SUCCESS, detail: str = ""
    ) -> None:
        if not self.outbox.answer(command, Outcome(status, detail)):
            self.desk.late(command, Outcome(status, detail))

    @property
    def nothing_sent(self) -> bool:
        return "forwarded" not in self.log.steps()


def breaker(**control: Any) -> Definition:
    return switch("breaker", **control)


def switch(name: str, kind: Kind = Kind.STATUS, **control: Any) -> Definition:
    settings = {"model": "latch"} | control
    return Definition(name, kind, source="field", command=Control.model_validate(settings))


def setpoint(name: str, scale: float = 1.0, offset: float = 0.0, **control: Any) -> Definition:
    settings = {"model": "setpoint"} | control
    return Definition(
        name,
        Kind.ANALOG,
        "kW",
        scale=scale,
        offset=offset,
        source="field",
        command=Control.model_validate(settings),
    )


def measurement(name: str, kind: Kind = Kind.STATUS) -> Definition:
    return Definition(name, kind, source="field")
