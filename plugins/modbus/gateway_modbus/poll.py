"""Who is asked when: commands first, rates on their ticks, units in turn."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

from gateway import LinkError, SourceContext
from gateway_modbus.executor import Executor
from gateway_modbus.line import Line, Manners
from gateway_modbus.output import Output
from gateway_modbus.query import Connection
from gateway_modbus.turn import Turn
from gateway_modbus.unit import Block

BURST = 4  # reads of a single device between two looks at what they brought
SOON = 10.0  # polling at least this often notices a lost connection by itself


async def poll(
    ctx: SourceContext,
    connect: Callable[[], Awaitable[Connection]],
    plan: Callable[[], Line],
    manners: Manners,
    spread: float,
    outputs: Mapping[int, Output],
) -> None:
    """Connect, plan and poll until the connection breaks; raises LinkError.

    Each rate is read at once and then at whole multiples of its period,
    moved by `spread` (0 ≤ spread < 1) of the period.
    Commands to the points of `outputs` go before the reads that are due.
    """
    connection = None if manners.close_after_read else await connect()
    try:
        await _Poller(ctx, connect, connection, plan(), manners, outputs).run(spread)
    finally:
        if connection is not None:
            await connection.close()


class _Poller:
    """Polls the units on a line."""

    def __init__(
        self,
        ctx: SourceContext,
        connect: Callable[[], Awaitable[Connection]],
        connection: Connection | None,
        line: Line,
        manners: Manners,
        outputs: Mapping[int, Output],
    ) -> None:
        self._ctx = ctx
        self._connect = connect
        self._connection = connection
        self._line = line
        self._manners = manners
        self._loop = asyncio.get_running_loop()
        self._outputs = outputs
        # A link that one task polls and nobody commands needs no turns.
        self._alone = len(line.rates) == 1 and not outputs
        single = self._alone and len(line.units) == 1
        self._burst = max(manners.pipeline, BURST if single else 1)
        self._turn = Turn()

    async def run(self, spread: float) -> None:
        rates = self._line.rates
        if not rates:
            self._line.say_up()
        if self._alone and (period := next(iter(rates))) <= SOON:
            await self._poll(period, spread)
            return
        try:
            async with asyncio.TaskGroup() as tasks:
                for period in rates:
                    tasks.create_task(self._poll(period, spread))
                if self._outputs:
                    items = self._line.items()
                    tasks.create_task(Executor(self._ctx, self._first, self._outputs, items).run())
                if self._connection is not None:
                    tasks.create_task(self._connection.lost())
        except* LinkError as group:
            failure = group.exceptions[0]
            while isinstance(failure, BaseExceptionGroup):
                failure = failure.exceptions[0]
            raise LinkError(str(failure)) from None

    @contextlib.asynccontextmanager
    async def _first(self) -> AsyncIterator[Connection]:
        """Give the connection to a command, before the polls that wait for it."""
        async with self._turn.urgent():
            if not self._manners.close_after_read:
                assert self._connection is not None  # noqa: S101 - kept open
                yield self._connection
                return
            connection = await self._connect()
            try:
                yield connection
            finally:
                await connection.close()

    async def _poll(self, period: float, spread: float) -> None:
        await self._visit(period)
        async for _ in self._ctx.every(period, period * spread):
            await self._visit(period)

    async def _visit(self, period: float) -> None:
        if not self._manners.close_after_read:
            await self._sweep(period)
            return
        async with self._turn:
            self._connection = connection = await self._connect()
            try:
                await self._sweep(period)
            finally:
                await connection.close()

    async def _sweep(self, period: float) -> None:
        """Ask each block that is due once, then what failed again, until there is no more."""
        line, burst, emit = self._line, self._burst, self._ctx.emit_raw
        todo: Sequence[Block] = line.rates[period]
        while todo:
            again: list[Block] = []
            for first in range(0, len(todo), burst):
                chunk = todo if len(todo) <= burst else todo[first : first + burst]
                if not line.calm and not (chunk := line.due(chunk)):
                    continue
                await self._ask(chunk)
                for block in chunk:
                    answer = block.answer
                    if type(answer) is bytes:
                        if not line.calm:
                            await line.answered(block, again)
                        line.say_up()
                        await emit(block.plan, answer, block.time)
                    elif type(answer) is int:
                        await line.failed(block, answer, again)
                    else:
                        again.append(block)
            todo = again
            if again and all(block.busy for block in again):
                await asyncio.sleep(self._manners.busy_pause)
        if not line.calm:
            line.settle(period)

    async def _ask(self, chunk: Sequence[Block]) -> None:
        connection = self._connection
        assert connection is not None  # noqa: S101 - a sweep has a connection
        started = self._loop.time()
        if self._manners.close_after_read or self._alone:
            await connection.exchange(chunk)
        else:
            # Turns are fair: a fast rate waits for an exchange of a slow one, not for its sweep.
            async with self._turn:
                started = self._loop.time()
                await connection.exchange(chunk)
        self._line.took = self._loop.time() - started
