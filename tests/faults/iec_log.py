"""What a control centre has heard: every event in its order, and why any came again."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from iec_asdu import EPOCH, RECENT, Event, event
from iec_history import History


@dataclass(slots=True, eq=False)
class Leg:
    """One connection, in a life of the gateway."""

    life: int
    number: int
    ended: bool = False

    def __str__(self) -> str:
        return f"connection {self.number} of life {self.life}"


class Log:
    """Checks each event as it comes; raises AssertionError.

    The first time that each is heard is in the order of their numbers, without a gap.

    highest:     all events of the station up to this one were heard.
    repetitions: events that were heard again, and after what.
    others:      events that the gateway made, of what was interrogated, or stale.
    stale:       those of them that say that a value is not good.
    """

    def __init__(self, history: History) -> None:
        self.highest = 0
        self.repetitions: Counter[str] = Counter()
        self.others = self.stale = 0
        self._history = history
        self._seen: dict[int, list[Leg]] = defaultdict(list)

    def __str__(self) -> str:
        again = ", ".join(f"{count} {why}" for why, count in self.repetitions.items())
        return f"heard {self.highest} events, again: {again or 'none'}; {self.others} others"

    def note(self, leg: Leg, found: Sequence[tuple[Event, int]]) -> None:
        """Write down the events of an ASDU."""
        for one, flags in found:
            if one.time >= RECENT:
                self.others += 1
                self.stale += bool(flags & 0xFF)
                continue
            number = one.time - EPOCH
            assert 0 < number <= self._history.generated, f"{one} has never happened"
            assert (one, flags) == (event(number), 0), f"{one}, flags {flags:#x} on {leg}"
            assert number <= self.highest + 1, f"{number} after {self.highest} on {leg}"
            seen = self._seen[number]
            if seen:
                self.repetitions[self._why(number, seen, leg)] += 1
            seen.append(leg)
            self.highest = max(self.highest, number)

    def _why(self, number: int, seen: list[Leg], leg: Leg) -> str:
        """Return what the event has come again after; what came once does not for nothing."""
        before = seen[-1]
        offers = self._history.offers[number]
        assert seen.count(leg) < offers, f"event {number}, sent {offers} times, again on {leg}"
        if before is leg:
            return "of the station"
        if before.life != leg.life:
            return "after a kill"
        return "after a cut" if before.ended else "after a take-over"
