"""Whether a device is there: what it says at a topic of its own, and its will when it is gone."""

from __future__ import annotations

from typing import Annotated, Self

import orjson
from pydantic import Field, model_validator

from gateway import STALE, Settings
from gateway_mqtt.source.path import find, steps
from gateway_mqtt.source.point import Path, Word
from gateway_mqtt.source.rows import Runs

_STALE = int(STALE)


class AvailabilityWords(Settings):
    """How devices say whether they are there, at the topics in the column `availability`."""

    online: Annotated[Word, Field(description="the device is there")] = "online"
    offline: Annotated[Word, Field(description="it is away: its points are stale at once")] = (
        "offline"
    )
    path: Annotated[
        Path | None, Field(description="of the word in a JSON document; else it is the message")
    ] = None

    @model_validator(mode="after")
    def _two(self) -> Self:
        if self.online == self.offline:
            raise ValueError(f"online and offline are the same word, {self.online!r}")
        return self

    def read(self, payload: bytes) -> bool:
        """Return whether the device is there; ValueError where the message says neither."""
        try:
            said = payload.decode()
            if self.path is not None:
                said = find(orjson.loads(payload), steps(self.path))
        except (UnicodeDecodeError, orjson.JSONDecodeError) as error:
            raise ValueError(f"it cannot be read: {error}") from None
        if said not in (self.online, self.offline):
            raise ValueError(f"found {said!r:.60}, allowed: {self.online}, {self.offline}")
        return bool(said == self.online)


class Device:
    """Points that share an availability topic; there until it says otherwise."""

    def __init__(self, words: AvailabilityWords) -> None:
        self._words = words
        self.points: list[int] = []
        self.away = False

    def hear(self, payload: bytes, time: int, runs: Runs) -> None:
        """Take note, and let the points of a device that is away be stale.

        Raises ValueError where the message cannot be read.
        """
        self.away = not self._words.read(payload)
        if self.away:
            runs.rows().void(self.points, time, _STALE)
