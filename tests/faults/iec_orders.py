"""What a station does with setpoints: it remembers each that ever came, and fails on demand."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from iec_asdu import CONFIRMED, NEGATIVE, TERMINATED, mirrored, setpoint_of

SETPOINTS = (51, 52, 53, 54)
"""The object addresses that are commanded."""
LATE = 0.05
"""Seconds until the end of a command is told."""


class Manner(Enum):
    """What the station does with a setpoint."""

    PROMPT = auto()
    LATE = auto()
    """Confirms, and tells the end later."""
    SILENT = auto()
    """Acts, and says nothing."""
    REFUSE = auto()
    """Confirms negatively, and does not act."""
    LEAVE = auto()
    """Hangs up instead of acting."""
    ACT_AND_LEAVE = auto()
    """Acts, and hangs up instead of answering."""


@dataclass(frozen=True, slots=True)
class Received:
    """A setpoint as it came in, when (ns), and whether the station acted."""

    time: int
    object: int
    value: int
    acted: bool


class Orders:
    """Takes setpoints, each in a manner that is drawn from `manners`."""

    def __init__(self, chance: random.Random) -> None:
        self.manners: tuple[Manner, ...] = (Manner.PROMPT,)
        self.received: list[Received] = []
        self._chance = chance

    def take(
        self, asdu: bytes, answer: Callable[[bytes], None], hang_up: Callable[[], None]
    ) -> None:
        manner = self._chance.choice(self.manners)
        where, value = setpoint_of(asdu)
        acts = manner not in (Manner.REFUSE, Manner.LEAVE)
        self.received.append(Received(time.time_ns(), where, int(value), acts))
        if manner in (Manner.LEAVE, Manner.ACT_AND_LEAVE):
            hang_up()
        elif manner is Manner.REFUSE:
            answer(mirrored(asdu, CONFIRMED | NEGATIVE))
        elif manner is not Manner.SILENT:
            answer(mirrored(asdu, CONFIRMED))
            end = mirrored(asdu, TERMINATED)
            delay = LATE if manner is Manner.LATE else 0
            asyncio.get_running_loop().call_later(delay, answer, end)
