"""What a network does to frames: it loses some, and brings others late or twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, NamedTuple

from pydantic import Field

from gateway import Duration, Settings


class Disturbance(Settings):
    """What goes wrong now and then; each begins one `…_every` after the beginning."""

    lose_every: Annotated[
        Duration | None, Field(gt=0, description="frames are left out so often")
    ] = None
    lose: Annotated[int, Field(ge=1, le=10_000, description="so many, one after the other")] = 1
    late_every: Annotated[
        Duration | None, Field(gt=0, description="a frame comes after the next one so often")
    ] = None
    twice_every: Annotated[
        Duration | None, Field(gt=0, description="a frame comes twice so often")
    ] = None


class Sent(NamedTuple):
    """A frame, and when it is sent [ns]."""

    frame: bytes
    time: int


class Disturbed:
    """Frames after the network, counted by what became of them."""

    def __init__(
        self, settings: Disturbance, frames_per_second: int, count: Callable[[str, int], None]
    ) -> None:
        self._lose = _frames(settings.lose_every, frames_per_second)
        self._late = _frames(settings.late_every, frames_per_second)
        self._twice = _frames(settings.twice_every, frames_per_second)
        self._many = settings.lose
        self._count = count
        self._number = 0
        self._held: Sent | None = None

    def take(self, frames: Sequence[Sent]) -> list[Sent]:
        """Return what comes of these, in its order."""
        made: list[Sent] = []
        for one in frames:
            held, self._held = self._held, None
            if self._is_lost():
                self._count("lost_frames", 1)
            elif held is None and _hits(self._number, self._late):
                self._count("late_frames", 1)
                self._held = one
            else:
                made.append(one)
                if _hits(self._number, self._twice):
                    self._count("duplicate_frames", 1)
                    made.append(one)
            if held is not None:
                made.append(Sent(held.frame, one.time))
            self._number += 1
        return made

    def _is_lost(self) -> bool:
        return (
            self._lose > 0 and self._number >= self._lose and self._number % self._lose < self._many
        )


def _frames(every: float | None, frames_per_second: int) -> int:
    return 0 if every is None else max(2, round(every * frames_per_second))


def _hits(number: int, every: int) -> bool:
    return every > 0 and number > 0 and number % every == 0
