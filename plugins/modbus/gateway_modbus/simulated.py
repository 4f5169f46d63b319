"""The registers of a simulated device: they move when somebody reads, and hold what was written."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gateway import SourceContext
from gateway_modbus import frame
from gateway_modbus.follower import Follower, Follows
from gateway_modbus.number import number_of, words_of
from gateway_modbus.outcome import (
    GATEWAY_TARGET,
    ILLEGAL_ADDRESS,
    ILLEGAL_FUNCTION,
    ILLEGAL_VALUE,
)
from gateway_modbus.quantity import Fault, Quantity
from gateway_modbus.register import TABLE_OF_FUNCTION, Order, RegisterType, Table
from gateway_modbus.signal import seeded, value_at
from gateway_modbus.write import MASK, WRITES, Write


class Page:
    """The registers or bits of one unit's table, from its first to its last.

    held: bits of each word that somebody has written.
    """

    def __init__(self, quantities: list[Quantity]) -> None:
        self.first = min(one.address for one in quantities)
        self.end = max(one.address + one.type.width for one in quantities)
        self.words = np.zeros(self.end - self.first, np.uint16)
        self.held = np.zeros(self.end - self.first, np.uint16)

    def has(self, start: int, count: int) -> bool:
        return self.first <= start and start + count <= self.end


class Value:
    """One quantity in its page."""

    def __init__(self, one: Quantity, page: Page, order: Order, seed: str) -> None:
        self.one = one
        self.page = page
        self.order = order
        self.at = one.address - page.first
        self.of_a_register = one.type is RegisterType.BIT and not one.table.of_bits
        bit = 1 << (one.bit or 0)
        self.mask = bit if self.of_a_register else 0xFFFF
        self.signal = None if one.signal is None else one.signal.start(seeded(seed))

    @property
    def held(self) -> bool:
        held = self.page.held[self.at : self.at + self.one.type.width]
        return bool((held & self.mask).any())

    @property
    def value(self) -> float:
        words = self.page.words[self.at : self.at + self.one.type.width].tolist()
        if self.one.type is RegisterType.BIT:
            return float(bool(words[0] & self.mask))
        return number_of(words, self.one.type, self.order) * self.one.scale

    @value.setter
    def value(self, value: float) -> None:
        number = value / self.one.scale
        if self.of_a_register:
            word = int(self.page.words[self.at])
            self.page.words[self.at] = word | self.mask if number >= 0.5 else word & ~self.mask
            return
        words = words_of(np.array([number]), self.one.type, self.order)[0]
        self.page.words[self.at : self.at + len(words)] = words


class SimulatedDevice:
    """The registers behind the port."""

    def __init__(
        self,
        ctx: SourceContext,
        registers: Sequence[Quantity],
        *,
        unit: int,
        order: Order,
        seed: int,
        update: float,
        fault: Fault | None,
    ) -> None:
        self._own_unit = unit
        self._update = update
        self._fault = fault
        self._now = ctx.now
        self._count = ctx.count
        self._start = ctx.now()
        self._tick = -1
        self._faults = seeded(f"{seed}/fault")
        homes: dict[tuple[int, Table], list[Quantity]] = {}
        for one in registers:
            homes.setdefault((self._unit(one), one.table), []).append(one)
        self._pages = {home: Page(quantities) for home, quantities in homes.items()}
        self._units = {unit for unit, _ in homes}
        self._values = [
            Value(one, self._pages[self._unit(one), one.table], one.order or order,
                  f"{seed}/{index}")
            for index, one in enumerate(registers)
        ]  # fmt: skip
        self._move(0.0)
        self._homes = {
            (self._unit(value.one), value.one.table, value.one.address): value
            for value in reversed(self._values)
        }
        self._followers = [
            (value, value.one.follows, Follower(value.one.follows))
            for value in self._values
            if value.one.follows is not None
        ]
        for value, follows, follower in self._followers:
            value.value = follower.start(*self._outputs(value, follows))

    def _unit(self, one: Quantity) -> int:
        return self._own_unit if one.unit is None else one.unit

    def answer(self, unit: int, pdu: bytes) -> bytes | None:
        """See `Device.answer`: one snapshot of all values for each update."""
        function = pdu[0]
        fault = self._fault
        if (
            fault is not None
            and (not fault.functions or function in fault.functions)
            and self._faults.random() < fault.share
        ):
            return frame.exception(function, fault.exception)
        if unit not in self._units:
            return frame.exception(function, GATEWAY_TARGET)
        seconds = (self._now() - self._start) / 1e9
        self._move(seconds)
        self._follow(seconds)
        if function in WRITES:
            return self._write(unit, pdu, seconds)
        table = TABLE_OF_FUNCTION.get(function)
        if table is None:
            return frame.exception(function, ILLEGAL_FUNCTION)
        span = frame.read_of(pdu)
        if span is None:
            return frame.exception(function, ILLEGAL_VALUE)
        return self._read(unit, function, table, *span)

    def _read(self, unit: int, function: int, table: Table, start: int, count: int) -> bytes:
        page = self._pages.get((unit, table))
        if page is None or not page.has(start, count):
            return frame.exception(function, ILLEGAL_ADDRESS)
        return frame.read_answer(function, page.words[start - page.first :][:count])

    def _write(self, unit: int, pdu: bytes, seconds: float) -> bytes:
        write = Write.of(pdu)
        if write is None:
            return frame.exception(pdu[0], ILLEGAL_VALUE)
        page = self._pages.get((unit, Table.COIL if write.of_bits else Table.HOLDING))
        count = 1 if write.function == MASK else len(write.words)
        there = page is not None and page.has(write.start, count)
        if page is None or not there or (write.read is not None and not page.has(*write.read)):
            return frame.exception(write.function, ILLEGAL_ADDRESS)
        at = write.start - page.first
        if write.function == MASK:
            keep, put = write.words
            page.words[at] = int(page.words[at]) & keep | put & ~keep
            page.held[at] |= ~keep & 0xFFFF
        else:
            page.words[at : at + count] = write.words
            page.held[at : at + count] = 0xFFFF
        self._count("writes")
        for value, follows, follower in self._followers:
            follower.moved(seconds, *self._outputs(value, follows))
        self._follow(seconds)
        if write.read is None:
            return write.echo
        answer = self._read(unit, Table.HOLDING.function, Table.HOLDING, *write.read)
        return bytes((write.function,)) + answer[1:]

    def _outputs(self, value: Value, follows: Follows) -> tuple[float, float]:
        """Return the numbers at the output that a value follows, and at its second one."""
        unit = self._unit(value.one)

        def number(register: int | None) -> float:
            return 0.0 if register is None else self._homes[unit, follows.table, register].value

        return number(follows.address), number(follows.trip)

    def _follow(self, seconds: float) -> None:
        for value, _, follower in self._followers:
            new = follower.at(seconds)
            if new is not None:
                value.value = new

    def _move(self, seconds: float) -> None:
        tick = int(seconds / self._update)
        if tick == self._tick:
            return
        self._tick = tick
        for value in self._values:
            if value.signal is not None and value.one.signal is not None and not value.held:
                stepped = tick * self._update
                value.value = value_at(value.one.signal, value.signal, stepped)
