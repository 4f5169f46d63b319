"""What one topic's messages say of its points."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from gateway import Quality
from gateway_mqtt.source.path import ABSENT, Steps, find
from gateway_mqtt.source.rows import Rows, Runs
from gateway_mqtt.source.word import Words, number

_DEVICE_TIME = int(Quality.DEVICE_TIME)
_INVALID = int(Quality.INVALID)
_QUESTIONABLE = int(Quality.QUESTIONABLE)
_NUMBERS = frozenset({float, int})


class Unreadable(ValueError):  # noqa: N818 - it says what the message is
    """A message of which nothing can be read."""


@dataclass(frozen=True, slots=True)
class Place:
    """One point in the messages of a topic."""

    point: int
    path: Steps
    words: Words
    truth: bool


@dataclass(frozen=True, slots=True)
class Sight:
    """How a message is looked at.

    time:  when it was received, ns.
    doubt: flags for what has no time of its own: it was kept by the broker, who knows for how long.
    flags: flags for all of it: its device is known to be away.
    """

    time: int
    doubt: int = 0
    flags: int = 0


class Reading(Protocol):
    """Reads the messages of one topic."""

    points: list[int]

    def read(self, payload: bytes, sight: Sight, runs: Runs) -> str:
        """Append what the message says, and return what was wrong with a part of it, or nothing.

        Raises Unreadable where there is nothing to be had; the points are the caller's to void.
        """


class TextReading:
    """A topic whose message is the value: `21.5`, `ON`."""

    def __init__(self, places: Sequence[Place]) -> None:
        self._places = places
        self.points = [place.point for place in places]

    def read(self, payload: bytes, sight: Sight, runs: Runs) -> str:
        """See `Reading.read`."""
        try:
            text = payload.decode()
        except UnicodeDecodeError:
            raise Unreadable("its payload is not UTF-8") from None
        wrong, rows = "", runs.rows()
        for place in self._places:
            try:
                value = number(text, place.words, truth=False)
            except ValueError as error:
                wrong = str(error)
                rows.void([place.point], sight.time)
            else:
                rows.add([place.point], [value], sight.doubt | sight.flags, sight.time)
        return wrong


class JsonReading:
    """A topic whose messages are JSON documents; points that share time and quality are a group."""

    def __init__(
        self,
        groups: Sequence[tuple[Sequence[Place], Steps | None, Steps | None]],
        moment: Callable[[Any], int],
        quality: Callable[[Any], int],
    ) -> None:
        """Of each group: its places, and where its time and its quality stand, if they do."""
        self._groups = [
            _Group(places, time, flags, moment, quality)
            for shared, time, flags in groups
            for places in _siblings(shared)
        ]
        self.points = [point for group in self._groups for point in group.points]

    def read(self, payload: bytes, sight: Sight, runs: Runs) -> str:
        """See `Reading.read`."""
        try:
            document = orjson.loads(payload)
        except orjson.JSONDecodeError as error:
            raise Unreadable(f"it is not JSON: {error}") from None
        wrong, rows = "", runs.rows()
        for group in self._groups:
            wrong = group.read(document, sight, rows) or wrong
        return wrong


class _Group:
    """Values that stand beside each other, with one time and one quality."""

    __slots__ = (
        "_keys", "_last", "_moment", "_parent", "_places", "_quality", "_quality_path",
        "_time_path", "points",
    )  # fmt: skip

    def __init__(
        self,
        places: Sequence[Place],
        time: Steps | None,
        flags: Steps | None,
        moment: Callable[[Any], int],
        quality: Callable[[Any], int],
    ) -> None:
        self._places = places
        self._parent = places[0].path[:-1]
        self._keys = [place.path[-1] for place in places if place.path]
        self._time_path, self._quality_path = time, flags
        self._moment, self._quality = moment, quality
        self.points = [place.point for place in places]

    def read(self, document: Any, sight: Sight, rows: Rows) -> str:
        found = self._values(document)
        points = self.points
        if ABSENT in found:
            # A message may have a part of the values only: those that changed.
            there = [i for i, value in enumerate(found) if value is not ABSENT]
            if not there:
                return ""
            found = [found[i] for i in there]
            points = [points[i] for i in there]
            places = [self._places[i] for i in there]
        else:
            places = list(self._places)
        wrong, time, flags = "", sight.time, sight.doubt
        if self._time_path is not None:
            said = find(document, self._time_path)
            if said is not ABSENT and said is not None:
                try:
                    time, flags = self._moment(said), _DEVICE_TIME
                except ValueError as error:
                    wrong = str(error)
        if self._quality_path is not None:
            said = find(document, self._quality_path)
            if said is not ABSENT:
                try:
                    flags |= self._quality(said)
                except ValueError as error:
                    wrong = str(error)
                    flags |= _QUESTIONABLE
        flags |= sight.flags
        if _NUMBERS.issuperset(map(type, found)):
            rows.add(points, found, flags, time)
            return wrong
        for place, value in zip(places, found, strict=True):
            try:
                rows.add(
                    [place.point], [number(value, place.words, truth=place.truth)], flags, time
                )
            except ValueError as error:
                wrong = str(error)
                rows.void([place.point], time, flags & _DEVICE_TIME | _INVALID)
        return wrong

    def _values(self, document: Any) -> list[Any]:
        if not self._keys:
            return [document] * len(self._places)
        node = find(document, self._parent)
        try:
            if type(node) is dict:
                return list(map(node.__getitem__, self._keys))
        except KeyError:
            pass
        return [find(node, (key,)) for key in self._keys]


def _siblings(places: Sequence[Place]) -> list[list[Place]]:
    groups: dict[Steps | None, list[Place]] = {}
    for place in places:
        groups.setdefault(place.path[:-1] if place.path else None, []).append(place)
    return list(groups.values())
