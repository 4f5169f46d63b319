"""What has happened at a station: numbered events, which it keeps until they are acknowledged."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from itertools import takewhile

from iec_asdu import Event, event


class History:
    """Events have the numbers 1, 2, 3 …; whatever carries them says what became of them.

    generated: number of the latest event.
    released:  all up to this one were acknowledged.
    offers:    how often each event was sent.
    state:     by object address, its latest event.
    """

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.generated = self.released = 0
        self.offers: Counter[int] = Counter()
        self.state: dict[int, Event] = {}
        self._heard: list[Callable[[], None]] = []

    def __str__(self) -> str:
        return f"{self.generated} events, sent {self.offers.total()} times"

    def tell(self, hear: Callable[[], None]) -> None:
        """Call this whenever something has happened."""
        self._heard.append(hear)

    async def generate(self, rate: float, count: int) -> None:
        """Have so many more events, at a rate, in small bursts."""
        first, last = self.generated, self.generated + count
        loop = asyncio.get_running_loop()
        began = loop.time()
        while self.generated < last:
            await asyncio.sleep(self.chance.random() * 0.02)
            until = min(last, first + round((loop.time() - began) * rate))
            for number in range(self.generated + 1, until + 1):
                found = event(number)
                self.state[found.object] = found
            self.generated = until
            for hear in self._heard:
                hear()

    def offer(self, after: int, most: int) -> list[int]:
        """Return some numbers after this one whose events are of one kind; they are sent now."""
        kind = event(after + 1).kind
        numbers = range(after + 1, min(self.generated, after + most) + 1)
        same = list(takewhile(lambda number: event(number).kind == kind, numbers))
        self.offers.update(same)
        return same

    def release(self, number: int) -> None:
        """Forget all events up to this one."""
        assert number <= self.generated
        self.released = max(self.released, number)
