"""Which reads cover which points: coalesced up to a gap and a size, and nothing across them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from gateway import Field
from gateway_modbus.register import Order, RegisterType, Table

HOME = attrgetter("poll", "unit", "table")
ORDER = attrgetter("poll", "unit", "table", "register", "bit", "point")
GAP_BITS = 16  # coils and discrete inputs to a register, as regards the gap


class Item(NamedTuple):
    """What one point needs: `width` registers (or one bit) of a unit's table, every `poll` s."""

    point: int
    unit: int
    table: Table
    register: int
    type: RegisterType
    order: Order = Order.ABCD
    bit: int = 0
    poll: float = 1.0

    @property
    def end(self) -> int:
        return self.register + self.type.width

    def field(self, start: int) -> Field:
        """Where the point stands in the data bytes of a read that begins at `start`.

        Bits of a table come eight to a byte, the first the least significant (V1.1b3 6.1);
        registers come high byte first (V1.1b3 4.2), unless the device swaps them.
        """
        at = self.register - start
        if self.table.of_bits:
            return Field(self.point, at >> 3, "bit", bit=at & 7)
        if self.type is RegisterType.BIT:
            high = self.bit >= 8
            return Field(
                self.point, 2 * at + (high == self.order.swaps_bytes), "bit", bit=self.bit & 7
            )
        return Field(self.point, 2 * at, self.type.value, self.order.value)


@dataclass(frozen=True, slots=True)
class Read:
    """One request: `count` registers or bits of a unit's table from `start`, and what is in it."""

    unit: int
    table: Table
    poll: float
    start: int
    count: int
    items: tuple[Item, ...]

    @classmethod
    def of(cls, items: Iterable[Item]) -> Read:
        """Make the shortest read that covers the items, which share unit, table and rate
        and come in the order of their registers."""
        inside = tuple(items)
        first = inside[0]
        end = max(item.end for item in inside)
        return cls(
            first.unit, first.table, first.poll, first.register, end - first.register, inside
        )

    def __str__(self) -> str:
        return f"unit {self.unit} {self.table} {self.start}..{self.start + self.count - 1}"

    @property
    def bytes(self) -> int:
        """How many data bytes the answer has."""
        return (self.count + 7) // 8 if self.table.of_bits else 2 * self.count

    def fields(self) -> list[Field]:
        """The fields of `ctx.plan` for the answer's data bytes."""
        return [item.field(self.start) for item in self.items]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a device takes in one request."""

    max_registers: int = 125
    max_bits: int = 2000
    max_gap: int = 10


def plan_reads(items: Iterable[Item], limits: Limits) -> tuple[Read, ...]:
    """Cover every item exactly once with reads of one unit, table and rate each.

    No read is longer than the limit of its table, unless one item alone is;
    no read bridges more than `max_gap` registers that nobody asked for (bits: 16 × as many).
    The order is by rate, unit, table and register.
    """
    reads: list[Read] = []
    for (_, _, table), group in groupby(sorted(items, key=ORDER), key=HOME):
        most = limits.max_bits if table.of_bits else limits.max_registers
        gap = limits.max_gap * GAP_BITS if table.of_bits else limits.max_gap
        inside: list[Item] = []
        end = 0
        for item in group:
            longer = max(end, item.end)
            if inside and (item.register - end > gap or longer - inside[0].register > most):
                reads.append(Read.of(inside))
                inside, longer = [], item.end
            inside.append(item)
            end = longer
        reads.append(Read.of(inside))
    return tuple(reads)


def split(read: Read) -> tuple[Read, Read] | None:
    """Cut a read in two to find the register that the device refuses.

    At the widest gap if there is one, since that is what nobody asked for; else in the middle.
    No item is cut, nor items that share registers; None where that leaves no place to cut.
    """
    cuts: list[tuple[int, int]] = []
    end = 0
    for index, item in enumerate(read.items):
        if index and item.register >= end:
            cuts.append((item.register - end, index))
        end = max(end, item.end)
    if not cuts:
        return None
    middle = len(read.items) / 2
    _, at = max(cuts, key=lambda cut: (cut[0], -abs(cut[1] - middle)))
    return Read.of(read.items[:at]), Read.of(read.items[at:])
