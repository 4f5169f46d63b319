"""Who is asked when: units in turn, the silent ones ever more rarely, refused reads cut in two."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np

from gateway import Batch, LinkError, Quality, SourceContext, quality_text
from gateway_modbus.outcome import (
    ABSENT,
    NOT_NOW,
    REFUSED,
    SILENT,
    TIMEOUT,
    quality_of,
    sentence_of,
)
from gateway_modbus.plan import Limits, Read, split
from gateway_modbus.query import Connection, Query

BURST = 4  # reads of a single device between two looks at what they brought
MISSES = 3  # probes of the last silent units before the connection is given up
REST = 60.0  # the longest that a silent unit or read is left alone, in seconds
SOON = 10.0  # polling at least this often notices a lost connection by itself
REFUSED_REST = 300.0  # how long a register that the device refuses is left alone, in seconds


@dataclass(frozen=True, slots=True)
class Manners:
    """How a device is treated.

    retries:      times that a read without an answer is asked again.
    busy_retries: the same for *acknowledge* and *busy*, each after `busy_pause` seconds.
    probe_share:  the largest part of the time that is spent waiting for units that are silent.
    pipeline:     most requests on the way at once.
    """

    retries: int = 1
    busy_retries: int = 3
    busy_pause: float = 0.1
    probe_share: float = 0.1
    pipeline: int = 1
    close_after_read: bool = False


class Block(Query):
    """A read with its compiled plan and its recent history."""

    __slots__ = ("busy", "code", "misses", "of", "plan", "points", "read", "resume")

    def __init__(self, read: Read, plan: Any, of: Unit) -> None:
        super().__init__(read)
        self.read = read
        self.plan = plan
        self.of = of
        self.points = [item.point for item in read.items]
        self.code = 0  # of the last failure that its points were marked with, 0 for none
        self.busy = 0
        self.misses = 0
        self.resume = 0.0  # in the loop's time: not before


class Unit:
    """One device on the line, and whether it answers.

    After a time-out only one block is asked of it, `only`, and the others are `held`,
    until it is clear whether the unit is silent or just that read.
    """

    __slots__ = ("blocks", "down", "held", "misses", "number", "only", "resume", "suspect", "tries")

    def __init__(self, number: int) -> None:
        self.number = number
        self.blocks: list[Block] = []
        self.down = False
        self.misses = 0  # probes without an answer, one after the other
        self.resume = 0.0  # in the loop's time: the next probe is not before
        self.tries = 0  # of `only`, without an answer
        self.only: Block | None = None
        self.suspect: Block | None = None  # had no answer, and another read now tells why
        self.held: list[Block] = []

    @property
    def calm(self) -> bool:
        return not self.down and self.only is None

    def release(self) -> list[Block]:
        """Forget the doubt, and return what was held because of it."""
        held, self.held = self.held, []
        self.tries, self.only, self.suspect = 0, None, None
        return held


class Poller:
    """Polls the units behind one connection.

    `connect` opens the connection. A failure concerns as little as it can: a register, a read,
    a unit; only when nothing answers any more does `run` raise LinkError.
    """

    def __init__(
        self,
        ctx: SourceContext,
        connect: Callable[[], Awaitable[Connection]],
        reads: Iterable[Read],
        limits: Limits,
        manners: Manners,
    ) -> None:
        self._ctx = ctx
        self._connect = connect
        self._limits = limits
        self._manners = manners
        self._loop = asyncio.get_running_loop()
        self._units: dict[int, Unit] = {}
        self._rates: dict[float, list[Block]] = {}
        for read in reads:
            self._rates.setdefault(read.poll, []).append(self._block(read))
        alone = len(self._rates) == 1 and len(self._units) == 1
        self._burst = max(manners.pipeline, BURST if alone else 1)
        self._calm = True
        self._up = False
        self._probe = 0.0
        self._took = 0.0
        self._found_absent = False
        self._turn = asyncio.Lock()
        self._connection: Connection | None = None

    def _block(self, read: Read) -> Block:
        unit = self._units.get(read.unit)
        if unit is None:
            unit = self._units[read.unit] = Unit(read.unit)
        block = Block(read, self._ctx.plan(read.fields()), unit)
        unit.blocks.append(block)
        return block

    async def run(self, spread: float) -> None:
        """Poll until the connection breaks; raises LinkError.

        Each rate is read at once and then at whole multiples of its period,
        moved by `spread` (0 ≤ spread < 1) of the period.
        """
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._disconnect)
            if not self._manners.close_after_read:
                self._connection = await self._connect()
            if len(self._rates) == 1 and (period := next(iter(self._rates))) <= SOON:
                await self._poll(period, spread)
                return
            try:
                async with asyncio.TaskGroup() as tasks:
                    for period in self._rates:
                        tasks.create_task(self._poll(period, spread))
                    if self._connection is not None:
                        tasks.create_task(self._connection.lost())
            except* LinkError as group:
                failure = group.exceptions[0]
                while isinstance(failure, BaseExceptionGroup):
                    failure = failure.exceptions[0]
                raise LinkError(str(failure)) from None

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _poll(self, period: float, spread: float) -> None:
        await self._visit(period)
        async for _ in self._ctx.every(period, period * spread):
            await self._visit(period)

    async def _visit(self, period: float) -> None:
        if not self._manners.close_after_read:
            await self._sweep(self._rates[period])
            return
        async with self._turn:
            self._connection = await self._connect()
            try:
                await self._sweep(self._rates[period])
            finally:
                await self._disconnect()

    # --- one sweep -----------------------------------------------------------------------------

    async def _sweep(self, blocks: Sequence[Block]) -> None:
        """Ask each block that is due once, then what failed again, until there is no more."""
        burst = self._burst
        emit = self._ctx.emit_raw
        todo = blocks
        while todo:
            again: list[Block] = []
            for first in range(0, len(todo), burst):
                chunk = todo if len(todo) <= burst else todo[first : first + burst]
                if not self._calm and not (chunk := self._due(chunk)):
                    continue
                await self._ask(chunk)
                for block in chunk:
                    answer = block.answer
                    if type(answer) is bytes:
                        if not self._calm:
                            await self._answered(block, again)
                        elif not self._up:
                            self._say_up()
                        await emit(block.plan, answer, block.time)
                    elif answer is None:
                        again.append(block)
                    else:
                        await self._failed(block, answer, again)  # type: ignore[arg-type]
            todo = again
            if again and all(block.busy for block in again):
                await asyncio.sleep(self._manners.busy_pause)
        if not self._calm:
            if self._found_absent:
                self._found_absent = False
                for period in self._rates:
                    self._join(period)
            self._calm = all(
                unit.calm and not any(block.code or block.busy for block in unit.blocks)
                for unit in self._units.values()
            )

    async def _ask(self, chunk: Sequence[Block]) -> None:
        connection = self._connection
        assert connection is not None  # noqa: S101 - a sweep has a connection
        started = self._loop.time()
        if self._manners.close_after_read or len(self._rates) == 1:
            await connection.exchange(chunk)
        else:
            # The lock is fair: a fast rate waits for an exchange of a slow one, not for its sweep.
            async with self._turn:
                started = self._loop.time()
                await connection.exchange(chunk)
        self._took = self._loop.time() - started

    def _say_up(self) -> None:
        if not self._up:
            self._up = True
            self._ctx.up()

    def _due(self, chunk: Sequence[Block]) -> list[Block]:
        """Leave out what rests, and what is held until its unit has answered."""
        now = self._loop.time()
        due: list[Block] = []
        for block in chunk:
            unit = block.of
            if unit.only is block:
                due.append(block)
            elif unit.only is not None:
                if block not in unit.held:
                    unit.held.append(block)
            elif unit.down:
                if now >= unit.resume and (now >= self._probe or self._all_down()):
                    unit.only = block
                    due.append(block)
            elif now >= block.resume:
                due.append(block)
        return due

    def _all_down(self) -> bool:
        return all(unit.down for unit in self._units.values())

    # --- what an answer says of its unit -------------------------------------------------------

    async def _answered(self, block: Block, again: list[Block]) -> None:
        """Take note of good data."""
        await self._heard(block, again)
        if block.code:
            self._ctx.log.info("%s answers again", block.read)
        block.code = block.busy = block.misses = 0
        block.resume = 0.0

    async def _heard(self, block: Block, again: list[Block]) -> None:
        """Take note that the unit lives, with whatever it answered."""
        self._say_up()
        unit = block.of
        if unit.calm:
            return
        if unit.down and len(self._units) > 1:
            self._ctx.log.info("unit %d answers again", unit.number)
        if unit.suspect is not None:
            suspect = unit.suspect
            suspect.misses += 1
            suspect.resume = self._loop.time() + _rest(suspect.misses)
            await self._mark(suspect, TIMEOUT)
        unit.down, unit.misses = False, 0
        again.extend(other for other in unit.release() if other is not block)

    async def _failed(self, block: Block, code: int, again: list[Block]) -> None:
        """Decide what an exception or a time-out says, and of which points."""
        self._calm = False
        if code != TIMEOUT:
            self._ctx.count("exceptions")
        if code in SILENT:
            await self._silent(block, code, again)
            return
        await self._heard(block, again)
        block.misses = 0
        if code in NOT_NOW:
            block.busy += 1
            if block.busy <= self._manners.busy_retries:
                again.append(block)
                return
            block.busy = 0
        elif code in REFUSED and (parts := split(block.read)) is not None:
            again.extend(self._replace(block, parts))
            return
        elif code in ABSENT:
            self._found_absent = True
            block.resume = self._loop.time() + REFUSED_REST
        await self._mark(block, code)

    async def _silent(self, block: Block, code: int, again: list[Block]) -> None:
        """Ask again, then ask for something else, and only then call the unit silent."""
        unit = block.of
        if unit.only is not None and unit.only is not block:
            unit.held.append(block)
            return
        if unit.down:
            unit.release()
            unit.misses += 1
            self._put_off(unit, code)
            return
        unit.only = block
        unit.tries += 1
        if unit.suspect is None:
            if unit.tries <= self._manners.retries and not block.misses:
                again.append(block)
                return
            now = self._loop.time()
            others = (*unit.held, *unit.blocks)
            witness = next((o for o in others if o is not block and o.resume <= now), None)
            if witness is not None:
                unit.suspect, unit.only = block, witness
                again.append(witness)
                return
        await self._lose(unit, code)

    async def _lose(self, unit: Unit, code: int) -> None:
        unit.release()
        unit.down, unit.misses = True, 1
        points: list[int] = []
        for block in unit.blocks:
            if block.code not in ABSENT:
                block.code = block.busy = 0
                points += block.points
        self._ctx.count("silent_units")
        await self._ctx.stale(points, quality_of(code))
        if len(self._units) > 1:
            self._ctx.log.warning("unit %d: %s", unit.number, sentence_of(code))
        self._put_off(unit, code)

    def _put_off(self, unit: Unit, code: int) -> None:
        """Say when a silent unit is asked next; raises LinkError where nobody is left."""
        now = self._loop.time()
        unit.resume = now + _rest(unit.misses)
        self._probe = now + self._took * (1 / self._manners.probe_share - 1)
        if all(unit.down and unit.misses >= MISSES for unit in self._units.values()):
            numbers = ", ".join(str(number) for number in sorted(self._units))
            raise LinkError(f"unit {numbers}: {sentence_of(code)}")

    def _replace(self, block: Block, parts: Iterable[Read]) -> list[Block]:
        """Put the parts in the place of a read that the device refuses as a whole."""
        self._ctx.count("split_reads")
        block.of.blocks.remove(block)
        blocks = [self._block(part) for part in parts]
        period = block.read.poll
        at = self._rates[period].index(block)
        self._rates[period] = [*self._rates[period][:at], *blocks, *self._rates[period][at + 1 :]]
        return blocks

    def _join(self, period: float) -> None:
        """Put together what was cut on the way to a register that is not there."""
        groups: list[list[Block]] = []
        for block in self._rates[period]:
            if groups and self._fit([*groups[-1], block]):
                groups[-1].append(block)
            else:
                groups.append([block])
        joined: list[Block] = []
        for group in groups:
            if len(group) == 1:
                joined += group
                continue
            for part in group:
                part.of.blocks.remove(part)
            joined.append(self._block(Read.of(item for part in group for item in part.read.items)))
        self._rates[period] = joined

    def _fit(self, group: Sequence[Block]) -> bool:
        first, before, last = group[0].read, group[-2].read, group[-1].read
        most = self._limits.max_bits if first.table.of_bits else self._limits.max_registers
        return (
            (first.unit, first.table) == (last.unit, last.table)
            and all(type(block.answer) is bytes and not block.code for block in group)
            and before.start + before.count == last.start
            and last.start + last.count - first.start <= most
        )

    async def _mark(self, block: Block, code: int) -> None:
        if block.code == code:
            return
        block.code = code
        quality = quality_of(code)
        self._ctx.log.warning(
            "%s: %s; %d points are %s",
            block.read,
            sentence_of(code),
            len(block.points),
            quality_text(quality),
        )
        if quality & Quality.VALIDITY == Quality.INVALID:
            await self._ctx.stale(block.points, quality)
        else:
            await self._doubt(block.points, quality)

    async def _doubt(self, points: Sequence[int], quality: Quality) -> None:
        """Emit the last values again with a quality that does not forbid to use them.

        `stale` is for invalid ones: its samples have no value, which alone makes them invalid.
        """
        definitions = {point.id: point.definition for point in self._ctx.points}
        last = self._ctx.image.value[points]
        scale = np.array([definitions[point].scale for point in points])
        offset = np.array([definitions[point].offset for point in points])
        await self._ctx.emit(Batch.of(points, (last - offset) / scale, quality))


def _rest(misses: int) -> float:
    return float(min(REST, 2 ** min(misses - 1, 16)))
