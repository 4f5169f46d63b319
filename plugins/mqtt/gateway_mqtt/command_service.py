"""Commands of one connection: taken, bounded, carried out, answered."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable

import orjson

from gateway import ANSWERS, Answer, Client, CommandStatus, Override, Pulse, Request, SinkContext
from gateway_mqtt.command_reader import Asked, Origin, Reader, Refused
from gateway_mqtt.command_settings import Commands
from gateway_mqtt.connection import Connection
from gateway_mqtt.packet import AS_PUBLISHED, AT_LEAST_ONCE, NONE_RETAINED, Publish

PAUSE = 0.05
"""Seconds for which a refusal keeps its place, so that nobody fills the log with nonsense."""
SUMMARY = 1.0
"""Seconds of commands that came too fast, in one record of the audit log."""
REMEMBERED = 10_000
"""Ids of actions on points that are known; those of commands the gateway remembers itself."""

Send = Callable[[str, bytes, bytes], Awaitable[None]]


class CommandService:
    """`take` each message; `run` for the length of the connection."""

    def __init__(self, settings: Commands, ctx: SinkContext, send: Send) -> None:
        """`send` publishes an answer: topic, payload, correlation data."""
        self._settings = settings
        self._ctx = ctx
        self._send = send
        self._reader = Reader(settings, ctx.gateway, ctx.name, ctx.points)
        self._tasks: asyncio.TaskGroup | None = None
        self._under_way = 0
        self._answering = 0
        self._left = 0
        self._acted: OrderedDict[tuple[str, str], None] = OrderedDict()

    async def run(self, connection: Connection, timeout: float) -> None:
        """Subscribe, and carry out what is taken."""
        options = AT_LEAST_ONCE | AS_PUBLISHED | NONE_RETAINED
        try:
            async with asyncio.TaskGroup() as self._tasks:
                await connection.hear([self._reader.filter], timeout, options)
                await asyncio.get_running_loop().create_future()
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
        finally:
            self._tasks = None

    def take(self, message: Publish) -> None:
        """Begin with a message; where too many are under way it is left, and told so."""
        if self._tasks is None:
            self._ctx.count("commands_left")
            return
        if self._under_way >= self._settings.at_once:
            self._leave(message)
            return
        self._under_way += 1
        task = self._tasks.create_task(self._carry_out(message))
        task.add_done_callback(self._ended)

    def _ended(self, _: asyncio.Task[None]) -> None:
        self._under_way -= 1

    async def _carry_out(self, message: Publish) -> None:
        origin = self._reader.origin(message)
        client = self._ctx.client(origin.address, user=origin.user)
        asked = self._reader.read(message, origin, self._ctx.now())
        if isinstance(asked, Refused):
            answer = self._ctx.refused(
                client, asked.status, asked.detail, point=asked.name, **_said(asked)
            )
            await self._answer(origin, asked, answer)
            await asyncio.sleep(PAUSE)
            return
        if asked.payload.operation.operation is None:
            answer = await self._act(client, asked)
        else:
            answer = await self._ctx.command(_request(client, asked))
        await self._answer(origin, asked, answer)

    async def _act(self, client: Client, asked: Asked) -> Answer:
        """Do something to the point itself, once for each id."""
        payload = asked.payload
        name = (client.user, payload.id)
        if name in self._acted:
            return self._ctx.refused(
                client,
                CommandStatus.DUPLICATE,
                f"the request {payload.id} was taken before",
                point=asked.point.name,
                key=payload.id,
                operation=payload.operation.value,
            )
        self._acted[name] = None
        if len(self._acted) > REMEMBERED:
            self._acted.popitem(last=False)
        action = Override(payload.operation.value)
        value = asked.value if action is Override.SUBSTITUTE else None
        return await self._ctx.override(client, asked.point.id, action, value)

    async def _answer(self, origin: Origin, asked: Asked | Refused, answer: Answer) -> None:
        if not answer:
            self._ctx.log.info(
                "%s of %s at %s: %s: %s",
                asked.operation or "command",
                asked.name or "?",
                origin.address,
                answer.status,
                answer.detail,
            )
        if not origin.topic:
            self._ctx.count("unanswered")
            return
        reply = {
            "id": asked.id,
            "point": asked.name,
            "operation": asked.operation,
            "status": ANSWERS[answer.status].mqtt,
            "detail": answer.detail,
            "transaction": answer.id,
        }
        await self._send(origin.topic, orjson.dumps(reply), origin.correlation)

    # What comes too fast

    def _leave(self, message: Publish) -> None:
        """Answer that it is too fast, with one record for all that came within a while."""
        assert self._tasks is not None  # noqa: S101 - `take` has looked
        self._ctx.count("commands_left")
        self._left += 1
        origin = self._reader.origin(message)
        if self._left == 1:
            client = self._ctx.client(origin.address, user=origin.user)
            self._tasks.create_task(self._record(client))
        if self._answering < self._settings.at_once:
            self._answering += 1
            self._tasks.create_task(self._turn_away(message, origin))

    async def _turn_away(self, message: Publish, origin: Origin) -> None:
        try:
            asked = self._reader.read(message, origin, self._ctx.now())
            why = f"{self._settings.at_once} are under way"
            await self._answer(origin, asked, Answer(CommandStatus.RATE_LIMITED, why))
        finally:
            self._answering -= 1

    async def _record(self, client: Client) -> None:
        try:
            await asyncio.sleep(SUMMARY)
        finally:
            count, self._left = self._left, 0
            self._ctx.refused(
                client,
                CommandStatus.RATE_LIMITED,
                f"commands came while {self._settings.at_once} were under way",
                count=str(count),
            )


def _request(client: Client, asked: Asked) -> Request:
    payload, pulse = asked.payload, asked.payload.pulse
    operation = payload.operation.operation
    assert operation is not None  # noqa: S101 - else it is no command
    return Request(
        asked.point.id,
        operation,
        asked.value,
        client,
        key=payload.id,
        test=payload.test,
        timeout=asked.timeout,
        pulse=None if pulse is None else Pulse(pulse.on, pulse.off, pulse.count),
    )


def _said(refused: Refused) -> dict[str, str]:
    said = {"key": refused.id, "operation": refused.operation}
    return {name: text for name, text in said.items() if text}
