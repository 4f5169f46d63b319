"""Somebody at a control centre who commands without end; and whether it all fits afterwards."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from iec_asdu import CONFIRMED, NEGATIVE, TERMINATED, setpoint
from iec_orders import SETPOINTS, Received

from gateway.audit import Record, records, verify

PAUSE = 0.02
"""Most seconds between two commands."""
PATIENCE = 10.0
"""Seconds for an answer; far longer than any command takes."""
ENDS = ("ended", "refused", "interrupted")
NOBODY_KNOWS = ("timeout", "device_error", "no_indication")
"""How a command ends that is answered negatively, and may have been carried out."""

Command = Callable[[bytes], Awaitable["asyncio.Queue[bytes | None]"]]


class Told(Enum):
    """What a control centre knows of its command afterwards."""

    DONE = auto()
    """Confirmed and terminated."""
    NEGATIVE = auto()
    UNKNOWN = auto()
    """The connection ended before."""


@dataclass(slots=True)
class Wish:
    """One setpoint; no two have the same value."""

    sink: str
    object: int
    value: int
    told: Told = Told.UNKNOWN


class Operator:
    """Commands through `command`, one setpoint after the other; done: how many succeeded."""

    def __init__(
        self, sink: str, command: Command, values: Iterator[int], chance: random.Random
    ) -> None:
        self.wishes: list[Wish] = []
        self.done = 0
        self._sink = sink
        self._command = command
        self._values = values
        self._chance = chance

    def __str__(self) -> str:
        told = Counter(wish.told.name.lower() for wish in self.wishes)
        return f"{len(self.wishes)} commands: {dict(told)}"

    async def run(self, stop: asyncio.Event) -> None:
        """Command until told to stop; raises AssertionError where one is not answered."""
        while not stop.is_set():
            wish = Wish(self._sink, self._chance.choice(SETPOINTS), next(self._values))
            answers = await self._command(setpoint(wish.object, wish.value))
            self.wishes.append(wish)
            wish.told = await self._told(wish, answers)
            self.done += wish.told is Told.DONE
            await asyncio.sleep(self._chance.random() * PAUSE)

    async def _told(self, wish: Wish, answers: asyncio.Queue[bytes | None]) -> Told:
        for cause in (CONFIRMED, TERMINATED):
            try:
                async with asyncio.timeout(PATIENCE):
                    answer = await answers.get()
            except TimeoutError:
                raise AssertionError(f"{wish} is not answered") from None
            if answer is None:
                return Told.UNKNOWN
            if answer[2] & NEGATIVE:
                return Told.NEGATIVE
            assert answer[2] == cause, f"{wish} is answered with {answer.hex(' ')}"
        return Told.DONE


def check_commands(wishes: Sequence[Wish], received: Sequence[Received], audit: Path) -> None:
    """Nothing was carried out twice or unasked, all is on record, and nobody was told a lie."""
    verdict = verify(audit)
    assert verdict, verdict.broken
    asked = {wish.value: wish for wish in wishes}
    came = Counter(one.value for one in received)
    assert set(came.values()) <= {1}, "a setpoint came twice"
    assert all(asked[one.value].object == one.object for one in received)
    acted = {one.value for one in received if one.acted}
    log = [one for one in records(audit) if "operation" in one.facts]
    last = {_value(one): one for one in log if one.step in ENDS}
    for value, wish in asked.items():
        if wish.told is Told.DONE:
            assert value in acted, wish
            assert last[value].facts["status"] == "success", wish
        elif wish.told is Told.NEGATIVE and value in acted:
            assert last[value].facts["status"] in NOBODY_KNOWS, wish
    taken = Counter(_value(one) for one in log if one.step == "received")
    assert taken == Counter(_value(one) for one in log if one.step in ENDS)
    assert set(taken.values()) <= {1}
    left = {_value(one): one.time for one in log if one.step == "forwarded"}
    assert all(left[one.value] <= one.time for one in received)


def _value(record: Record) -> int:
    return int(record.facts["value"])
