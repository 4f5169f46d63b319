"""The time that a device says, in one of the ways in which devices say it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_LAST: Final = 2**63 - 1


class TimeFormat(StrEnum):
    """How a time is written: a number since 1970 UTC, or a text of ISO 8601."""

    NS = "ns"
    US = "us"
    MS = "ms"
    S = "s"
    ISO8601 = "iso8601"


_NANOSECONDS: Mapping[TimeFormat, int] = MappingProxyType(
    {TimeFormat.NS: 1, TimeFormat.US: 10**3, TimeFormat.MS: 10**6, TimeFormat.S: 10**9}
)


def reader(form: TimeFormat) -> Callable[[Any], int]:
    """Return what makes ns since 1970 UTC of a value of that format.

    It raises ValueError for what is no time, or none that a sample can have: 1970 to 2262.
    """
    if form is TimeFormat.ISO8601:
        return iso8601
    factor = _NANOSECONDS[form]

    def number(value: Any) -> int:
        if type(value) is int:
            return _possible(value * factor)
        if type(value) is float and math.isfinite(value * factor):
            return _possible(round(value * factor))
        raise ValueError(f"found the time {value!r:.40}, allowed: a number of {form}")

    return number


def iso8601(value: Any) -> int:
    """Return ns since 1970 of a text of ISO 8601; without an offset it is UTC."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError(
            f"found the time {value!r:.40}, allowed: a text as 2026-01-31T12:00:00.5Z"
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return _possible((moment - _EPOCH) // _MICROSECOND * 1000)


def _possible(time: int) -> int:
    if not 0 < time <= _LAST:
        raise ValueError("found a time outside 1970 to 2262")
    return time
