"""Commands that have come, and how they are carried out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from gateway import Client, Operation, Request, SinkContext
from gateway_mqtt.packet import Publish
from gateway_mqtt.sparkplug.command import Commands, Rebirth, Refused, Wanted

QUEUE = 1_000
"""Messages with commands that may wait; those beyond are counted and left."""
AT_ONCE = 64
"""Messages with commands that are carried out side by side."""
MOST_TOPIC = 200
"""Characters of a topic that go on record."""


class Inbox:
    """The commands of one connection, each carried out once at most.

    What became of a command shows in the next data of its metric; a refusal has no message
    in Sparkplug: it is in the audit log, counted, and said in the log.
    """

    def __init__(
        self, ctx: SinkContext, commands: Commands, rebirth: Callable[[], Awaitable[None]]
    ) -> None:
        self._ctx = ctx
        self._commands = commands
        self._rebirth = rebirth
        self._waiting: asyncio.Queue[Publish] = asyncio.Queue(QUEUE)

    def put(self, message: Publish) -> None:
        """Take a message that was received, or count it where too many wait."""
        try:
            self._waiting.put_nowait(message)
        except asyncio.QueueFull:
            self._ctx.count("commands_left")

    async def run(self) -> None:
        """Carry out what comes, messages side by side, for the length of the connection."""
        places = asyncio.Semaphore(AT_ONCE)
        async with asyncio.TaskGroup() as tasks:
            while True:
                message = await self._waiting.get()
                await places.acquire()
                task = tasks.create_task(self._carry_out(message))
                task.add_done_callback(lambda _: places.release())

    async def _carry_out(self, message: Publish) -> None:
        """Carry out the metrics of one message, one after the other."""
        ctx = self._ctx
        client = ctx.client(message.topic)
        for asked in self._commands.read(message, ctx.now()):
            if isinstance(asked, Rebirth):
                ctx.count("rebirths")
                await self._rebirth()
                continue
            if isinstance(asked, Refused):
                name, topic = asked.name, message.topic[:MOST_TOPIC]
                answer = ctx.refused(client, asked.status, asked.detail, point=name, topic=topic)
            else:
                name = asked.metric.point.name
                answer = await ctx.command(_request(asked, client))
            if not answer:
                ctx.log.info(
                    "%s: %s of %s: %s", message.topic, answer.status, name or "?", answer.detail
                )


def _request(wanted: Wanted, client: Client) -> Request:
    return Request(wanted.metric.point.id, Operation.DIRECT, wanted.value, client, key=wanted.key)
