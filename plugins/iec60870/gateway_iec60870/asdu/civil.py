"""Binary time: CP56Time2a and CP24Time2a to milliseconds and back (101 clause 7.2.6.18, .19).

The octets say a civil time of an unnamed zone. Here it is counted in milliseconds since
1970-01-01 00:00 as if that zone were UTC; whoever knows the zone shifts it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway_iec60870.asdu.error import AsduError

NO_TIME = -1
"""In a column of times: there is none."""

TIME_INVALID = 0x80
SUMMER_TIME = 0x40
SUBSTITUTED_TIME = 0x20
"""Flags of a time: IV, SU, and GEN (the time was added on the way, 101:2003)."""

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
AHEAD = 5 * MINUTE
"""How far a device's clock may be ahead before its minute is taken for that of an hour ago."""

DAYS = 36525
"""Days that two digits of a year can say: 70 to 99 are 1970 to 1999, 00 to 69 are 2000 to 2069."""

LAST = DAYS * DAY - 1
"""The last millisecond of them."""

CP24_FIELDS = [("ms", "<u2"), ("minute", "u1")]
CP56_FIELDS = [*CP24_FIELDS, ("hour", "u1"), ("day", "u1"), ("month", "u1"), ("year", "u1")]
CP56 = np.dtype(CP56_FIELDS)


def _days() -> tuple[NDArray[np.uint8], NDArray[np.int32], NDArray[np.uint8]]:
    """Return the date octets of each day, the first day of each month, and how many it has."""
    days = np.arange(DAYS).astype("M8[D]")
    months = days.astype("M8[M]")
    year = days.astype("M8[Y]").astype(int) + 1970
    dates = np.empty((len(days), 3), np.uint8)
    weekday = (np.arange(len(days)) + 3) % 7 + 1  # 1970-01-01 was a Thursday
    dates[:, 0] = (days - months).astype(int) + 1 | weekday << 5
    dates[:, 1] = months.astype(int) % 12 + 1
    dates[:, 2] = year % 100
    begins = np.zeros(128 * 16, np.int32)
    lengths = np.zeros(128 * 16, np.uint8)
    first = np.flatnonzero(days == months)
    at = dates[first, 2].astype(int) * 16 + dates[first, 1]
    begins[at] = first
    lengths[at] = np.diff(np.append(first, len(days)))
    return dates, begins, lengths


_DATES, _BEGINS, _LENGTHS = _days()


def read(octets: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Return the times and their flags of rows with the fields of CP24 or CP56.

    What is no time, such as the 30th of February or the minute 60, is NO_TIME and TIME_INVALID,
    and so is an invalid time without any millisecond of any date, which `write` makes of NO_TIME.
    """
    ms: Any = octets["ms"]
    minute: Any = octets["minute"]
    clock: NDArray[np.uint8] = (minute & 0x80) | ((minute & 0x40) >> 1)
    minute = minute & 0x3F
    wrong = (ms > 59_999) | (minute > 59)
    time: NDArray[np.int64] = minute * np.int64(MINUTE)
    time += ms
    if "year" in (octets.dtype.names or ()):
        hour, day = octets["hour"], octets["day"] & 0x1F
        clock |= (hour & 0x80) >> 1
        hour = hour & 0x1F
        month = (octets["year"] & 0x7F).astype(np.intp) << 4
        month |= octets["month"] & 0x0F
        wrong |= (hour > 23) | (day == 0) | (day > _LENGTHS[month])
        time += hour * np.int64(HOUR)
        time += (_BEGINS[month] + day - 1) * np.int64(DAY)
    wrong |= (time == 0) & (clock >= TIME_INVALID)
    if wrong.any():
        time[wrong] = NO_TIME
        clock[wrong] |= TIME_INVALID
    return time, clock


def write(octets: NDArray[Any], time: NDArray[np.int64], clock: NDArray[np.uint8]) -> None:
    """Write times into the fields of CP24 or CP56, which take the time within the hour only.

    What two digits of a year cannot say, and NO_TIME, is the nearest moment that they can, with
    TIME_INVALID.
    """
    dated = "year" in (octets.dtype.names or ())
    beyond = (time < 0) | (time > LAST) if dated else time < 0
    if beyond.any():
        clock = clock | (beyond * np.uint8(TIME_INVALID))
        time = np.clip(time, 0, LAST) if dated else np.maximum(time, 0)
    if dated:
        day, time = np.divmod(time, DAY)
        date = _DATES[day]
        octets["day"], octets["month"], octets["year"] = date[:, 0], date[:, 1], date[:, 2]
    within = time.astype(np.int32) if dated else (time % HOUR).astype(np.int32)
    minutes, octets["ms"] = np.divmod(within, MINUTE)
    if dated:
        hour, minutes = np.divmod(minutes, 60)
        octets["hour"] = hour | ((clock & SUMMER_TIME) << 1)
    octets["minute"] = minutes | (clock & TIME_INVALID) | ((clock & SUBSTITUTED_TIME) << 1)


def read_one(octets: bytes, offset: int = 0) -> tuple[int, int]:
    """Return the time and the flags of the CP56 that stands at `offset`, as `read` does."""
    time, clock = read(np.frombuffer(octets, CP56, 1, offset))
    return int(time[0]), int(clock[0])


def write_one(time: int, clock: int) -> bytes:
    """Return the CP56 of a time; raise AsduError for one that it cannot say."""
    if not 0 <= time <= LAST:
        raise AsduError(0, f"time {time}", f"0 to {LAST} ms, in the years 1970 to 2069")
    octets = np.empty(1, CP56)
    write(octets, np.array([time], np.int64), np.array([clock], np.uint8))
    return octets.tobytes()


def complete(time: NDArray[np.int64], clock: NDArray[np.uint8], now_ms: int) -> NDArray[np.int64]:
    """Return times within the hour (CP24) as the last such moments before `now_ms`.

    `now_ms` counts as `time` does, in the civil time of the device, whose clock may be up to five
    minutes ahead. NO_TIME stays, and an invalid time becomes NO_TIME, as nothing is known of it.
    """
    limit = now_ms + AHEAD
    moments = limit - (limit - time) % HOUR
    return np.where((time < 0) | (clock >= TIME_INVALID), np.int64(NO_TIME), moments)
