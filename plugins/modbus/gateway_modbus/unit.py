"""A unit on the line and the reads it is asked for, with what became of them lately."""

from __future__ import annotations

from typing import Any

from gateway_modbus.plan import Read
from gateway_modbus.query import ReadQuery


class Block(ReadQuery):
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
