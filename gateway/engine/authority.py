"""Who may command what, on record: access, audit log, overrides and the desk, as links see them."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Mapping
from typing import Any

from gateway.access import Access
from gateway.audit import AuditError
from gateway.command import Desk, Outbox, Outcome, Preconditions, targets
from gateway.command.record import who
from gateway.engine.clock import Clock
from gateway.engine.override import Overrides
from gateway.engine.trail import Past, Trail
from gateway.model.access import Permission
from gateway.model.command import Answer, Client, Command, CommandStatus, Request
from gateway.model.configuration import Configuration
from gateway.model.context import Image
from gateway.model.override import Override
from gateway.model.point import Definition

log = logging.getLogger("gateway.command")

PATIENCE = 10.0
"""Seconds that what operators did has to be on disk when the gateway ends."""
LONGEST_KEY = 256
"""Characters of a request's key."""
LONGEST_REASON = 256
"""Characters of the reason that an operator gives."""
TURNS = 10
"""Turns of the loop that an answer has from the desk to the socket when the gateway ends."""
NAMED = 5
"""Most interrupted commands that the line in the gateway's own log names."""


class Authority:
    """One gateway's; `outboxes` has one for each source that takes commands."""

    def __init__(
        self,
        configuration: Configuration,
        definitions: list[Definition | None],
        image: Image,
        overrides: Overrides,
        audit: Trail,
        past: Past,
        outboxes: Mapping[str, Outbox],
        link_up: Callable[[str], bool],
        clock: Clock,
    ) -> None:
        names = [one.name if one is not None else "" for one in definitions]
        ids = {name: number for number, name in enumerate(names) if name}
        settings = configuration.commands
        self._names = names
        self._audit = audit
        self._acting: set[asyncio.Task[Answer]] = set()
        self._overrides = overrides
        intervals = asyncio.get_running_loop().time
        self.access = Access(configuration.access, names, self._heard, intervals)
        self.desk = Desk(
            names,
            dict(targets(definitions, settings.bays)),
            Preconditions(ids, image, self.access, overrides),
            audit,
            outboxes,
            link_up,
            rate=settings.rate,
            remember=settings.remember,
            run=f"{clock.now() // 1_000_000:x}",
        )
        self._recall(past, clock.now())
        self.note("started", gateway=configuration.gateway.name)

    @property
    def failing(self) -> str:
        """Why the audit log takes nothing, so that nothing is commanded; empty where it does."""
        return self._audit.failing

    async def settle(self) -> None:
        """Let what is under way come to its end, and its sinks say so: the sources have ended."""
        await self.desk.close()
        # From the desk through a sink's tasks to its socket: a few turns of the loop.
        for _ in range(TURNS):
            await asyncio.sleep(0)

    async def close(self) -> None:
        """Let what is under way come to its end."""
        await self.desk.close()
        if self._acting:
            await asyncio.wait(self._acting, timeout=PATIENCE)
        self.access.close()
        self.note("stopped")

    async def command(self, request: Request) -> Answer:
        """Carry out a request for a point that its sink has."""
        refused = _misfit(request)
        if refused is not None:
            return self.desk.refuse(request.client, refused, point=self._names[request.point])
        return await self.desk.request(request)

    async def override(
        self,
        client: Client,
        point: int,
        action: Override,
        value: float | None,
        reason: str = "",
    ) -> Answer:
        """Do to a point what an operator wants, with a record before and one after."""
        tests = action in (Override.TEST, Override.END_TEST)
        permission = Permission.TEST if tests else Permission.OVERRIDE
        said = {"point": self._names[point], "action": action.value}
        if value is not None:
            said["value"] = f"{value:g}"
        if reason:
            said["reason"] = reason[:LONGEST_REASON]
        if not self.access.may(client, permission, point):
            why = f"the permission {permission} is not of {client.role or 'who has no role'}"
            return self.desk.refuse(client, Outcome(CommandStatus.NOT_AUTHORISED, why), **said)
        try:
            self._audit.write("override", **who(client), **said)
            await self._audit.durable()
        except AuditError as error:
            return Answer(CommandStatus.FAILED, str(error))
        done = asyncio.create_task(self._apply(client, point, action, value, said))
        self._acting.add(done)
        done.add_done_callback(self._acting.discard)
        return await asyncio.shield(done)

    async def _apply(
        self,
        client: Client,
        point: int,
        action: Override,
        value: float | None,
        said: dict[str, str],
    ) -> Answer:
        """Act, and put on record what came of it, whether or not anybody waits for it."""
        answer = await self._overrides.apply(point, action, value)
        # After a time-out it comes into force as soon as the disk has it.
        done = answer or answer.status is CommandStatus.TIMEOUT
        self.note(
            "overridden" if done else "refused",
            **who(client),
            **said,
            status=answer.status.value,
            detail=answer.detail,
        )
        return answer

    def late(self, command: Command, status: CommandStatus, detail: str) -> None:
        self.desk.late(command, Outcome(status, detail))

    def note(self, step: str, **facts: Any) -> None:
        """Put something on record that goes on even where the log does not take it."""
        try:
            self._audit.write(step, **facts)
        except AuditError as error:
            log.error("the step '%s' is not in the audit log: %s", step, error)

    def _heard(self, step: str, facts: dict[str, Any]) -> None:
        self.note(step, **facts)

    def _recall(self, past: Past, now: int) -> None:
        """Remember the keys of earlier runs: none of their requests is carried out again.

        And put on record what was under way when the last one ended: who asked was told nothing.
        """
        for sink, user, operation, key, time in past.keys:
            self.desk.keys.recall(sink, user, operation, key, (now - time) / 1e9)
        found = past.unfinished
        for one in found:
            self.note("interrupted", **one.facts, detail=one.detail)
        if found:
            names = "; ".join(map(str, found[:NAMED])) + (" …" if len(found) > NAMED else "")
            log.warning("commands of the last run without an end: %d: %s", len(found), names)


def _misfit(request: Request) -> Outcome | None:
    if request.timeout is not None and not 0 < request.timeout < math.inf:
        why = f"found the time-out {request.timeout:g} s, allowed: above 0"
        return Outcome(CommandStatus.FORMAT_ERROR, why)
    if len(request.key) > LONGEST_KEY:
        why = f"found a key of {len(request.key)} characters, allowed: {LONGEST_KEY}"
        return Outcome(CommandStatus.FORMAT_ERROR, why)
    if len(request.reason) > LONGEST_REASON:
        why = f"found a reason of {len(request.reason)} characters, allowed: {LONGEST_REASON}"
        return Outcome(CommandStatus.FORMAT_ERROR, why)
    return None
