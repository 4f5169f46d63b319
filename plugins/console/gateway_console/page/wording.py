"""Values, ages and qualities as an operator reads them."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from functools import lru_cache

import numpy as np

from gateway import Kind, Quality, quality_text

DAY = 86_400 * 10**9
"""Nanoseconds."""
STATUS_WORDS = ("off", "on")
DOUBLE_WORDS = ("between", "off", "on", "bad")
SIGNS = {"good": "●", "warn": "▲", "bad": "✕", "mark": "◆", "": "○"}
"""A sign beside each colour, for whoever does not see it."""
LINK_STATES = {"up": "good", "down": "bad", "starting": "warn", "stopped": ""}
_STATES = ("good", "bad", "bad", "warn")
_MARKED = int(Quality.SUBSTITUTED | Quality.TEST | Quality.OPERATOR_BLOCKED)
_CLOCK = int(Quality.CLOCK_NOT_SYNCHRONISED)
_DEVICE_TIME = int(Quality.DEVICE_TIME)


def value_text(kind: Kind, value: float) -> str:
    """Return a value: words for statuses, about six digits for analogs."""
    if math.isnan(value):
        return "–"
    if kind is Kind.STATUS:
        return STATUS_WORDS[value != 0.0]
    if kind is Kind.DOUBLE:
        return DOUBLE_WORDS[int(value)] if value in (0.0, 1.0, 2.0, 3.0) else f"{value:g}"
    if kind is Kind.COUNTER:
        return f"{value:,.0f}"
    size = abs(value)
    if size >= 1e7 or 0.0 < size < 1e-3:
        return f"{value:.4g}"
    return f"{value:,.{1 if size >= 1e4 else 2 if size >= 100 else 3}f}"


def quality_state(quality: int) -> str:
    """Return good, warn, bad or mark: the colour of a quality."""
    state = _STATES[quality & int(Quality.VALIDITY)]
    return "mark" if state == "good" and quality & _MARKED else state


@lru_cache(maxsize=4096)
def quality_words(quality: int) -> str:
    """Return a quality with its sign; the gateway's own clock is not said of each point."""
    if not quality & _DEVICE_TIME:
        quality &= ~_CLOCK
    state = quality_state(quality)
    return f"{SIGNS[state]} {quality_text(quality & ~_DEVICE_TIME)}"


def age_text(ns: float) -> str:
    """Return a span of time, to two digits or so: `3.2 s`, `14 min`, `5 d`."""
    seconds = ns / 1e9
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    for length, unit in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * length:
            return f"{sign}{seconds / length:.0f} {unit}"
    return f"{sign}{seconds:.1f} s" if seconds < 10 else f"{sign}{seconds:.0f} s"


def lag_text(seconds: float) -> str:
    """Return a short span of time: `0.4 ms`, `12 ms`, and from a second on as an age."""
    if abs(seconds) >= 1.0:
        return age_text(seconds * 1e9)
    ms = seconds * 1e3
    return f"{ms:.1f} ms" if abs(ms) < 10 else f"{ms:.0f} ms"


def time_text(ns: int, *, day: bool = False) -> str:
    """Return a time of day in UTC to the millisecond; with its day where asked."""
    if not ns:
        return "never"
    seconds, rest = divmod(int(ns), 1_000_000_000)
    moment = datetime.fromtimestamp(seconds, UTC)
    text = moment.strftime("%Y-%m-%d %H:%M:%S" if day else "%H:%M:%S")
    return f"{text}.{rest // 1_000_000:03d}"


def stamp_text(ns: int, now: int) -> str:
    """Return a time of day in UTC; with its day where that is not today."""
    return time_text(ns, day=ns // DAY != now // DAY)


def clock_text(ns: int) -> str:
    """Return day and time in UTC to the second."""
    return datetime.fromtimestamp(int(ns) // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def count_text(number: float) -> str:
    return f"{number:,.0f}"


def rate_text(rate: float) -> str:
    return "–" if np.isnan(rate) else f"{rate:,.1f}/s" if rate < 100 else f"{rate:,.0f}/s"
