"""One command on its way to a device: what is written, in which order, and what came of it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeAlias

from gateway import (
    FROM_MODBUS,
    Command,
    CommandStatus,
    ControlModel,
    LinkError,
    Operation,
    Pulse,
    SourceContext,
)
from gateway_modbus.outcome import TIMEOUT, WRONG_ECHO, sentence_of
from gateway_modbus.output import Output
from gateway_modbus.plan import Item, Read
from gateway_modbus.point import WriteFunction
from gateway_modbus.query import Connection, Query, ReadQuery, WriteQuery
from gateway_modbus.register import RegisterType, Table
from gateway_modbus.write import REGISTER, Write

Line: TypeAlias = Callable[[], AbstractAsyncContextManager[Connection]]
"""Gives the connection before any poll that waits; raises LinkError where there is none."""


class Failed(Exception):  # noqa: N818 - how a command ended
    """A write that did not succeed.

    acted: whether the output may have been driven all the same.
    """

    def __init__(self, status: CommandStatus, detail: str, *, acted: bool = False) -> None:
        super().__init__(detail)
        self.status = status
        self.acted = acted


class Attempt:
    """Tells a device one command; nothing is ever written a second time.

    sent: whether anything has been handed to the connection.
    """

    def __init__(self, ctx: SourceContext, line: Line, command: Command, output: Output) -> None:
        self.sent = False
        self._ctx = ctx
        self._line = line
        self._command = command
        self._output = output

    async def run(self) -> None:
        """Raises Failed, or OutOfRange where nothing was sent because of the value."""
        command, output = self._command, self._output
        if command.operation not in (Operation.EXECUTE, Operation.DIRECT):
            raise Failed(
                CommandStatus.NOT_SUPPORTED, f"a Modbus device knows no {command.operation}"
            )
        number = command.raw
        if output.state:
            number = output.on if command.value else output.off
        at, pulse = output.register, command.pulse
        if command.model is ControlModel.TRIP_CLOSE and output.trip is not None:
            number, other = output.on, output.trip
            if not command.value:
                at, other = other, at
            if pulse is None and output.trip_time is not None:
                pulse = Pulse(output.trip_time)
            if pulse is None:
                # Let go of the other first: both together are no state that a switch knows.
                await self._write(output.write(output.off, other), command.deadline)
        if pulse is None:
            await self._write(output.write(number, at), command.deadline)
        else:
            await self._train(number, at, pulse)

    async def _train(self, number: float, register: int, pulse: Pulse) -> None:
        output = self._output
        rest = output.off if number == output.on else output.on
        drive, let_go = output.write(number, register), output.write(rest, register)
        for n in range(pulse.count):
            try:
                if n:
                    await asyncio.sleep(pulse.off_time)
                await self._pulse(drive, let_go, pulse.on_time, late=n > 0)
            except Failed as error:
                if not n:
                    raise
                raise Failed(
                    CommandStatus.DEVICE_ERROR, f"pulse {n + 1} of {pulse.count}: {error}"
                ) from None

    async def _pulse(self, drive: Write, let_go: Write, on_time: float, *, late: bool) -> None:
        """Drive the output for a time, and let go of it whatever happens."""
        try:
            await self._write(drive, math.inf if late else self._command.deadline)
        except Failed as error:
            if error.acted:
                await self._let_go(let_go)
            raise
        try:
            await asyncio.sleep(on_time)
        finally:
            await self._let_go(let_go)

    async def _let_go(self, let_go: Write) -> None:
        """End a pulse, also where this task is being cancelled."""
        writing = asyncio.create_task(self._write(let_go, math.inf))
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            await asyncio.wait({writing})
            raise
        except Failed as error:
            self._ctx.count("stuck_outputs")
            raise Failed(
                CommandStatus.DEVICE_ERROR,
                f"the output was driven, could not be let go, and may still be on: {error}",
                acted=True,
            ) from None

    async def _write(self, write: Write, deadline: float) -> None:
        """Send one write, once, and check its answer; raises Failed."""
        query: Query = WriteQuery(self._output.unit, write)
        try:
            async with self._line() as connection:
                if asyncio.get_running_loop().time() >= deadline:
                    raise Failed(
                        CommandStatus.TIMEOUT,
                        f"nothing was sent: the line was not free for {query} in time",
                    )
                if self._output.function is WriteFunction.READ_MODIFY_WRITE:
                    query = WriteQuery(self._output.unit, await self._modified(connection, write))
                self.sent = True
                await connection.exchange((query,))
                if query.answer is None and not query.deadline:
                    # Who asked before was cancelled, and its time-out stood in the way.
                    await connection.exchange((query,))
        except LinkError as error:
            if not query.deadline:
                detail = f"{query} was not sent: {error}"
                raise Failed(CommandStatus.UNREACHABLE, detail) from None
            raise Failed(
                CommandStatus.TIMEOUT,
                f"the connection broke before the answer to {query}, which may have acted: {error}",
                acted=True,
            ) from None
        answer = query.answer
        if answer is None:
            raise Failed(CommandStatus.UNREACHABLE, f"{query} was not sent")
        if isinstance(answer, int):
            raise self._judged(query, answer)
        self._ctx.count("writes")

    def _judged(self, query: Query, code: int) -> Failed:
        if code < TIMEOUT:
            self._ctx.count("exceptions")
            status = FROM_MODBUS.get(code, CommandStatus.REFUSED)
        elif code == WRONG_ECHO:
            self._ctx.count("bad_frames")
            status = CommandStatus.DEVICE_ERROR
        else:
            status = CommandStatus.TIMEOUT
        acted = code >= TIMEOUT or status is CommandStatus.TIMEOUT
        may = ", which may have acted" if acted else ""
        return Failed(status, f"{query}{may}: {sentence_of(code)}", acted=acted)

    async def _modified(self, connection: Connection, write: Write) -> Write:
        """Read the register, and return the write of it that changes only the bit."""
        output = self._output
        item = Item(output.point, output.unit, Table.HOLDING, write.start, RegisterType.UINT16)
        query = ReadQuery(Read.of([item]))
        await connection.exchange((query,))
        if not isinstance(query.answer, bytes):
            code = TIMEOUT if query.answer is None else query.answer
            failed = self._judged(query, code)
            if failed.status is CommandStatus.TIMEOUT:
                failed.status = CommandStatus.UNREACHABLE
            detail = f"nothing was written: {query} before it: {sentence_of(code)}"
            raise Failed(failed.status, detail)
        keep, put = write.words
        return Write(REGISTER, write.start, (int.from_bytes(query.answer, "big") & keep | put,))
