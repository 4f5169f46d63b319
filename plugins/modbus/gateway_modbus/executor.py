"""The commands of one connection: carried out side by side, and what they move looked at early."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from gateway import Command, CommandStatus, LinkError, SourceContext
from gateway_modbus.attempt import Attempt, Failed, Line
from gateway_modbus.output import OutOfRange, Output
from gateway_modbus.plan import Item, Read
from gateway_modbus.query import ReadQuery

LOOKS = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds from one look at what a command moves to the next; the polls go on beside it."""


class Executor:
    """Carries out commands.

    outputs: where each point is written, by its id.
    items:   where each point is read, by its id.
    """

    def __init__(
        self,
        ctx: SourceContext,
        line: Line,
        outputs: Mapping[int, Output],
        items: Mapping[int, Item],
    ) -> None:
        self._ctx = ctx
        self._line = line
        self._outputs = outputs
        self._items = items
        self._plans: dict[int, Any] = {}
        self._ids = {point.name: point.id for point in ctx.points}
        self._feedback = {
            point.id: point.command.feedback for point in ctx.points if point.command is not None
        }

    async def run(self) -> None:
        """Carry out commands, those to different points side by side, until cancelled.

        The host has no two commands to one point under way, which bounds how many there are.
        """
        async with asyncio.TaskGroup() as tasks:
            async for command in self._ctx.commands():
                tasks.create_task(self._carry_out(command))

    async def _carry_out(self, command: Command) -> None:
        output = self._outputs.get(command.point)
        if output is None:
            detail = "its row says nowhere to write it"
            self._ctx.answer(command, CommandStatus.NOT_SUPPORTED, detail)
            return
        attempt = Attempt(self._ctx, self._line, command, output)
        try:
            await attempt.run()
        except OutOfRange as error:
            self._ctx.answer(command, CommandStatus.OUT_OF_RANGE, str(error))
        except Failed as error:
            self._ctx.answer(command, error.status, str(error))
        except asyncio.CancelledError:
            # What was sent, the host answers for: it may have acted.
            if not attempt.sent:
                detail = "nothing was sent: the link ended first"
                self._ctx.answer(command, CommandStatus.UNREACHABLE, detail)
            raise
        else:
            self._ctx.answer(command, CommandStatus.SUCCESS)
            await self._look(output)

    async def _look(self, output: Output) -> None:
        """Read the point, and the indication that must follow it, before their polls are due."""
        own = self._items.get(output.point)
        feedback = self._ids.get(self._feedback.get(output.point) or "", -1)
        moved = self._items.get(feedback)
        seen = [item for item in (own, moved) if item is not None]
        if own is not None and moved is None and (own.table, own.register) == output.place:
            await self._read(seen)
            return
        for wait in LOOKS:
            # What is polled as often is seen as soon without.
            seen = [item for item in seen if item.poll > wait]
            if not seen:
                return
            await asyncio.sleep(wait)
            await self._read(seen)

    async def _read(self, items: Sequence[Item]) -> None:
        """Read and emit; what goes wrong with a read, the polls will find."""
        for item in items:
            read = Read.of([item])
            if item.point not in self._plans:
                self._plans[item.point] = self._ctx.plan(read.fields())
            query = ReadQuery(read)
            try:
                async with self._line() as connection:
                    await connection.exchange((query,))
            except LinkError:
                return
            if isinstance(query.answer, bytes):
                await self._ctx.emit_raw(self._plans[item.point], query.answer, query.time)
