"""A batch as JSON messages of columns, one or more per topic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import orjson

from gateway import Batch, LinkPoint, quality_text
from gateway_mqtt.topic import device_of, named, topic_of

_NUMPY = orjson.OPT_SERIALIZE_NUMPY
_UTC = _NUMPY | orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z

VALUE_BYTES = 25
"""The longest float64 in shortest decimal form, `-1.2345678901234567e-300`, and a comma."""
TIME_BYTES = 30
"""The longest time, `"2026-01-01T00:00:00.000000Z"`, and a comma, with room for years > 9999."""
COLUMNS_BYTES = 4_000_000
"""Most memory for name columns that may be written again."""
FRAME_BYTES = 80
"""The keys and brackets around the columns, and the fixed header of the packet."""


class TimeFormat(StrEnum):
    """How a time is written."""

    NS = "ns"
    ISO8601 = "iso8601"


class QualityFormat(StrEnum):
    """How a quality is written."""

    WORDS = "words"
    NUMBER = "number"


class Message(NamedTuple):
    """One MQTT message, and how many samples it carries."""

    topic: str
    payload: bytes
    rows: int


@lru_cache(maxsize=65536)
def _quality_fragment(quality: int) -> bytes:
    return orjson.dumps(quality_text(quality))


def _uniform(quality: npt.NDArray[np.uint16]) -> bool:
    # Almost every batch has one quality throughout; comparing bytes is seven times
    # quicker than a numpy reduction at the length of a device's batch.
    return quality.tobytes() == quality[:1].tobytes() * len(quality)


class _Group:
    """The points that share a topic."""

    __slots__ = ("frame", "head", "history_head", "topic")

    def __init__(self, topic: str, header: dict[str, Any]) -> None:
        self.topic = topic
        self.head = orjson.dumps(header)[:-1] + b',"points":['
        self.history_head = orjson.dumps({**header, "historical": True})[:-1] + b',"points":['
        self.frame = FRAME_BYTES + len(topic.encode()) + len(self.history_head)


class Encoder:
    """Writes batches for one sink; rows keep their order within a topic.

    template: the topic, which also says what shares a message: points of one topic do.
    most:     bytes that a packet, topic included, may have.

    Raises ValueError where one sample of some point can need more than `most`,
    or where a topic is too long.
    """

    def __init__(
        self,
        gateway: str,
        points: Sequence[LinkPoint],
        template: str,
        time: TimeFormat,
        quality: QualityFormat,
        most: int,
    ) -> None:
        self._time = time
        self._words = quality is QualityFormat.WORDS
        self._most = most
        self._groups: list[_Group] = []
        self._columns: dict[bytes, bytes] = {}
        self._column_bytes = 0
        size = max((point.id for point in points), default=-1) + 1
        self._group_of = np.zeros(size, np.int32)
        self._name = np.full(size, b"", object)
        self._width = np.zeros(size, np.int64)
        number: dict[str, int] = {}
        fields = named(template)
        for point in points:
            topic = topic_of(template, gateway, point)
            header: dict[str, Any] = {"gateway": gateway}
            if fields & {"source", "name"}:
                header["source"] = point.definition.source
            if fields & {"device", "name"}:
                header["device"] = device_of(point.name)
            index = number.setdefault(topic, len(number))
            if index == len(self._groups):
                self._groups.append(_Group(topic, header))
            # A copy: what orjson returns holds kilobytes of room that it did not need.
            name = bytes(memoryview(orjson.dumps(point.name)))
            self._group_of[point.id] = index
            self._name[point.id] = name
            self._width[point.id] = len(name) + 1 + VALUE_BYTES + TIME_BYTES
        quality_most = 1 + (len(_quality_fragment(0xFFFF)) + 8 if self._words else 5)
        self._widest_row = int(self._width.max(initial=0)) + quality_most
        needed = self._widest_row + max((group.frame for group in self._groups), default=0)
        if needed > most:
            raise ValueError(
                f"one sample can need {needed} bytes and a packet may have {most}: "
                "raise max_message, or the broker's own limit"
            )

    def messages(self, batch: Batch, *, historical: bool) -> Iterator[Message]:
        """Yield the messages of a batch, topic by topic; encoded one at a time, as taken."""
        if not len(batch):
            return
        group = self._group_of[batch.point]
        steps = np.flatnonzero(group[1:] != group[:-1])
        if len(steps) and bool((group[1:] < group[:-1]).any()):
            order = np.argsort(group, kind="stable")
            group = group[order]
            batch = batch.take(order)
            steps = np.flatnonzero(group[1:] != group[:-1])
        edges = [0, *(steps + 1).tolist(), len(batch)]
        numbers = group[edges[:-1]].tolist()
        for index, start, end in zip(numbers, edges[:-1], edges[1:], strict=True):
            yield from self._split(self._groups[index], batch, start, end, historical)

    def _split(
        self, group: _Group, batch: Batch, start: int, end: int, historical: bool
    ) -> Iterator[Message]:
        room = self._most - group.frame
        if (end - start) * self._widest_row <= room:
            yield self._message(group, batch, start, end, historical)
            return
        used = np.cumsum(self._widths(batch, start, end))
        first, spent = 0, 0
        while first < len(used):
            last = int(np.searchsorted(used, spent + room, side="right"))
            yield self._message(group, batch, start + first, start + last, historical)
            first, spent = last, int(used[last - 1])

    def _widths(self, batch: Batch, start: int, end: int) -> npt.NDArray[np.int64]:
        """Return the most bytes that each row can take."""
        width = self._width[batch.point[start:end]]
        if not self._words:
            return width + 6
        quality = batch.quality[start:end]
        if _uniform(quality):
            return width + (len(_quality_fragment(int(quality[0]))) + 1)
        kinds, kind = np.unique(quality, return_inverse=True)
        lengths = [len(_quality_fragment(quality)) + 1 for quality in kinds.tolist()]
        return width + np.array(lengths, np.int64)[kind]

    def _message(
        self, group: _Group, batch: Batch, start: int, end: int, historical: bool
    ) -> Message:
        points = batch.point[start:end]
        time = batch.time[start:end]
        payload = b"".join(
            (
                group.history_head if historical else group.head,
                self._name_column(points),
                b'],"values":',
                orjson.dumps(np.ascontiguousarray(batch.value[start:end]), option=_NUMPY),
                b',"quality":',
                self._quality(batch.quality[start:end]),
                b',"time":',
                orjson.dumps(np.ascontiguousarray(time), option=_NUMPY)
                if self._time is TimeFormat.NS
                else orjson.dumps(np.ascontiguousarray(time).view("datetime64[ns]"), option=_UTC),
                b"}",
            )
        )
        return Message(group.topic, payload, end - start)

    def _name_column(self, points: npt.NDArray[np.int32]) -> bytes:
        # What is polled together comes in the same order again and again.
        key = points.tobytes()
        column = self._columns.get(key)
        if column is None:
            column = b",".join(self._name[points].tolist())
            self._column_bytes += len(key) + len(column)
            if self._column_bytes > COLUMNS_BYTES:
                self._columns.clear()
                self._column_bytes = len(key) + len(column)
            self._columns[key] = column
        return column

    def _quality(self, quality: npt.NDArray[np.uint16]) -> bytes:
        if not self._words:
            return orjson.dumps(np.ascontiguousarray(quality), option=_NUMPY)
        n = len(quality)
        if _uniform(quality):
            word = _quality_fragment(int(quality[0]))
            return b"[" + (word + b",") * (n - 1) + word + b"]"
        kinds, kind = np.unique(quality, return_inverse=True)
        fragments = np.array([_quality_fragment(each) for each in kinds.tolist()], object)
        return b"[" + b",".join(fragments[kind].tolist()) + b"]"
