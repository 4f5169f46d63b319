"""Triggers: conditions over points, watched as their samples come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated

import numpy as np
from pydantic import Field, field_validator

from gateway import Batch, Image, LinkPoint, Quality, Settings
from gateway.interlock import Interlock, parse


class Trigger(Settings):
    """A condition that begins a recording when it comes to hold."""

    name: Annotated[
        str,
        Field(pattern=r"^[A-Za-z0-9_-]+$", max_length=32, description="of its recordings"),
    ]
    condition: Annotated[
        str,
        Field(
            description="over points, as an interlock: a point by itself, `= != < <= > >=`, "
            "`and or not`, parentheses",
            examples=["grid.frequency < 49.5 or relay.trip"],
        ),
    ]

    @field_validator("condition")
    @classmethod
    def _read(cls, condition: str) -> str:
        parse(condition)
        return condition


@dataclass(frozen=True, slots=True)
class Fired:
    """A trigger came to hold: at the time [ns UTC] of the sample that made it so.

    unsure: whether that is of a clock that was not synchronised.
    own:    whether it is that of the samples themselves, because their source brings the point.
    """

    time: int
    name: str
    condition: str
    why: str
    unsure: bool = False
    own: bool = False


def unknown(triggers: Iterable[Trigger], names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield point and sentence for each point of a condition that is none of these."""
    known = sorted(names)
    for trigger in triggers:
        for point in parse(trigger.condition).points:
            if point not in known:
                near = get_close_matches(point, known, n=1)
                hint = f"; did you mean '{near[0]}'?" if near else ""
                yield (
                    point,
                    f"trigger '{trigger.name}': found the point '{point}', "
                    f"allowed: points that the recorder takes{hint}",
                )


class Watch:
    """The conditions, and the last sample of each of their points.

    A condition fires where it did not hold and does now; what holds when the watch begins has not
    fired. A point that is invalid says nothing: `a or b` fires by `b` though `a` is invalid, and
    what held before a link broke does not fire again when the link is back. A questionable point
    counts: a fault is when doubts arise.
    """

    def __init__(
        self, triggers: Sequence[Trigger], points: Sequence[LinkPoint], image: Image, source: str
    ) -> None:
        """Every point of the conditions must be among `points`; `source` brings the samples."""
        self._own = frozenset(one.id for one in points if one.definition.source == source)
        ids = {point.name: point.id for point in points}
        self._conditions: list[tuple[Trigger, Interlock]] = [
            (trigger, parse(trigger.condition)) for trigger in triggers
        ]
        self._touches: dict[int, list[int]] = {}
        for number, (_, interlock) in enumerate(self._conditions):
            for name in interlock.points:
                self._touches.setdefault(ids[name], []).append(number)
        self._names = {ids[name]: name for _, one in self._conditions for name in one.points}
        self._last: dict[str, tuple[float, int]] = {
            name: (float(image.value[point]), credited(int(image.quality[point])))
            for point, name in self._names.items()
        }
        self._held = [
            interlock.holds(self._last.__getitem__) is True for _, interlock in self._conditions
        ]

    @property
    def points(self) -> frozenset[int]:
        """Ids of the points that count."""
        return frozenset(self._names)

    def feed(self, batch: Batch) -> list[Fired]:
        """Take samples, in the order of their times, and return what fired."""
        rows = np.flatnonzero(np.isin(batch.point, list(self._names)))
        rows = rows[np.argsort(batch.time[rows], kind="stable")]
        fired: list[Fired] = []
        # One turn for each sample of the few points of the conditions: they look back.
        for point, value, quality, time in zip(
            batch.point[rows].tolist(),
            batch.value[rows].tolist(),
            batch.quality[rows].tolist(),
            batch.time[rows].tolist(),
            strict=True,
        ):
            name = self._names[point]
            sample = (value, credited(quality))
            if self._last[name] == sample:
                continue
            self._last[name] = sample
            for number in self._touches[point]:
                trigger, interlock = self._conditions[number]
                holds = interlock.holds(self._last.__getitem__)
                if holds is None:
                    continue
                if holds and not self._held[number]:
                    why = f"{name} is {value:.12g}"
                    unsure = bool(quality & Quality.CLOCK_NOT_SYNCHRONISED)
                    told = (trigger.name, trigger.condition, why, unsure, point in self._own)
                    fired.append(Fired(time, *told))
                self._held[number] = holds
        return fired


def credited(quality: int) -> int:
    """Return good for a quality that counts: good, or questionable and not old."""
    validity = quality & Quality.VALIDITY
    doubtful = validity == Quality.QUESTIONABLE and not quality & Quality.OLD_DATA
    return int(Quality.GOOD if doubtful or validity == Quality.GOOD else Quality.INVALID)
