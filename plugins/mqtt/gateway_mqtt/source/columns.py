"""Messages of another gateway's `mqtt.json`: columns, many points in one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson

from gateway import Quality
from gateway_mqtt.source.moment import iso8601
from gateway_mqtt.source.reading import Sight, Unreadable
from gateway_mqtt.source.rows import Runs
from gateway_mqtt.source.word import quality

_DEVICE_TIME = int(Quality.DEVICE_TIME)
_FLAGS = 0x7FFF
_VALUES = frozenset({float, int, type(None)})


class ColumnsReading:
    """A topic of another gateway; points are known by their names there."""

    def __init__(self, names: Mapping[str, int]) -> None:
        self._ids = dict(names)
        self.points = list(self._ids.values())

    def read(self, payload: bytes, sight: Sight, runs: Runs) -> str:
        """See `Reading.read`. Points that nobody wants here are passed over."""
        try:
            document = orjson.loads(payload)
        except orjson.JSONDecodeError as error:
            raise Unreadable(f"it is not JSON: {error}") from None
        names, values, qualities, times = _columns(document)
        if not _VALUES.issuperset(map(type, values)):
            raise Unreadable("`values` has something else than numbers and null")
        try:
            ids: list[Any] = list(map(self._ids.get, names))
            flags = _flags(qualities)
            moments = _times(times)
        except (TypeError, ValueError) as error:
            raise Unreadable(f"its columns cannot be read: {error}") from None
        # What the other gateway says of the past is on record there as it stands.
        rows = runs.rows(historical=document.get("historical") is True)
        mark = sight.flags | _DEVICE_TIME
        if None in ids:
            wanted = [i for i, point in enumerate(ids) if point is not None]
            ids, values, flags, moments = (
                [column[i] for i in wanted] for column in (ids, values, flags, moments)
            )
        rows.point += ids
        rows.value += values
        rows.quality += [each | mark for each in flags]
        rows.time += moments
        return ""


def _columns(document: Any) -> list[list[Any]]:
    columns = [
        document.get(name) if isinstance(document, dict) else None
        for name in ("points", "values", "quality", "time")
    ]
    if not all(isinstance(column, list) for column in columns):
        raise Unreadable("it is no message of mqtt.json: points, values, quality, time")
    lengths = {len(column) for column in columns if column is not None}
    if len(lengths) > 1:
        raise Unreadable(f"columns of different lengths: {sorted(lengths)}")
    return columns  # type: ignore[return-value]


def _flags(column: list[Any]) -> list[int]:
    kinds = set(map(type, column))
    if kinds <= {str}:
        return list(map(_word, column))
    if kinds <= {int} and min(column) >= 0 and max(column) <= _FLAGS:
        return column
    raise ValueError(f"`quality` has something else than words, or numbers from 0 to {_FLAGS}")


def _times(column: list[Any]) -> list[int]:
    kinds = set(map(type, column))
    if kinds <= {int}:
        if column and not (min(column) > 0 and max(column) < 2**63):
            raise ValueError("`time` has a number outside 1970 to 2262")
        return column
    return list(map(iso8601, column))


_word = lru_cache(4096)(quality)
