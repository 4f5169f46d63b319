"""Who is behind a connection, and what their answers say: which registers, reads, units to rest."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gateway import LinkError, SourceContext, quality_text
from gateway_modbus.outcome import (
    ABSENT,
    NOT_NOW,
    REFUSED,
    SILENT,
    TIMEOUT,
    quality_of,
    sentence_of,
)
from gateway_modbus.plan import Item, Limits, Read, split
from gateway_modbus.unit import Block, Unit

MISSES = 3  # probes of the last silent units before the connection is given up
REST = 60.0  # the longest that a silent unit or read is left alone, in seconds
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


class Line:
    """The units behind one connection and their reads, by rate.

    A failure concerns as little as it can: a register, a read, a unit.
    calm:  nothing is wrong with anybody; only then may answers be taken without `answered`.
    took:  how long the last exchange took, in seconds; kept by whoever asks.
    """

    def __init__(
        self, ctx: SourceContext, reads: Iterable[Read], limits: Limits, manners: Manners
    ) -> None:
        self.units: dict[int, Unit] = {}
        self.rates: dict[float, list[Block]] = {}
        self.calm = True
        self.took = 0.0
        self._ctx = ctx
        self._limits = limits
        self._manners = manners
        self._loop = asyncio.get_running_loop()
        self._up = False
        self._probe = 0.0  # in the loop's time: no silent unit is asked before
        self._cut: set[float] = set()  # rates where a register was found that is not there
        for read in reads:
            self.rates.setdefault(read.poll, []).append(self._block(read))

    def _block(self, read: Read) -> Block:
        unit = self.units.get(read.unit)
        if unit is None:
            unit = self.units[read.unit] = Unit(read.unit)
        block = Block(read, self._ctx.plan(read.fields()), unit)
        unit.blocks.append(block)
        return block

    def items(self) -> dict[int, Item]:
        """Return where each point is read, by its id."""
        return {
            item.point: item
            for blocks in self.rates.values()
            for block in blocks
            for item in block.read.items
        }

    def say_up(self) -> None:
        if not self._up:
            self._up = True
            self._ctx.up()

    def due(self, chunk: Sequence[Block]) -> list[Block]:
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
        return all(unit.down for unit in self.units.values())

    def settle(self, period: float) -> None:
        """End a sweep of the blocks of one rate."""
        if period in self._cut:
            self._cut.remove(period)
            self._join(period)
        self.calm = all(
            unit.calm and not any(block.code or block.busy for block in unit.blocks)
            for unit in self.units.values()
        )

    async def answered(self, block: Block, again: list[Block]) -> None:
        """Take note of good data."""
        await self._heard(block, again)
        if block.code:
            self._ctx.log.info("%s answers again", block.read)
        block.code = block.busy = block.misses = 0
        block.resume = 0.0

    async def _heard(self, block: Block, again: list[Block]) -> None:
        """Take note that the unit lives, with whatever it answered."""
        self.say_up()
        unit = block.of
        if unit.calm:
            return
        if unit.down and len(self.units) > 1:
            self._ctx.log.info("unit %d answers again", unit.number)
        if unit.suspect is not None:
            suspect = unit.suspect
            suspect.misses += 1
            suspect.resume = self._loop.time() + _rest(suspect.misses)
            await self._mark(suspect, TIMEOUT)
        unit.down, unit.misses = False, 0
        again.extend(other for other in unit.release() if other is not block)

    async def failed(self, block: Block, code: int, again: list[Block]) -> None:
        """Decide what an exception or a time-out says, and of which points."""
        self.calm = False
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
            self._cut.add(block.read.poll)
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
        if len(self.units) > 1:
            self._ctx.log.warning("unit %d: %s", unit.number, sentence_of(code))
        self._put_off(unit, code)

    def _put_off(self, unit: Unit, code: int) -> None:
        """Say when a silent unit is asked next; raises LinkError where nobody is left."""
        now = self._loop.time()
        unit.resume = now + _rest(unit.misses)
        self._probe = now + self.took * (1 / self._manners.probe_share - 1)
        if all(unit.down and unit.misses >= MISSES for unit in self.units.values()):
            numbers = ", ".join(str(number) for number in sorted(self.units))
            raise LinkError(f"unit {numbers}: {sentence_of(code)}")

    def _replace(self, block: Block, parts: Iterable[Read]) -> list[Block]:
        """Put the parts in the place of a read that the device refuses as a whole."""
        if block not in block.of.blocks:
            return []
        self._ctx.count("split_reads")
        block.of.blocks.remove(block)
        blocks = [self._block(part) for part in parts]
        period = block.read.poll
        at = self.rates[period].index(block)
        self.rates[period] = [*self.rates[period][:at], *blocks, *self.rates[period][at + 1 :]]
        return blocks

    def _join(self, period: float) -> None:
        """Put together what was cut on the way to a register that is not there."""
        groups: list[list[Block]] = []
        for block in self.rates[period]:
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
        self.rates[period] = joined

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
        await self._ctx.stale(block.points, quality)


def _rest(misses: int) -> float:
    return float(min(REST, 2 ** min(misses - 1, 16)))
