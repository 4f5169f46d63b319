"""Dates, times and time codes as CFG files write them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from gateway_comtrade.codec.line import Line

_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})", re.ASCII)
_TIME = re.compile(r"(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,9}))?", re.ASCII)
_CODE = re.compile(r"([+-]?)(\d{1,2})(?:h(\d{1,2}))?", re.ASCII)
_EPOCH = datetime(1970, 1, 1)
NANO = 1_000_000_000


def read_moment(line: Line, field: str, revision: int) -> tuple[int, int]:
    """Return ns since 1970 in the file's clock, and the resolution [ns]: 1000, or 1 where the
    fraction of the second has more than six digits.

    dd/mm/yyyy,hh:mm:ss.ssssss; in the revision of 1991 mm/dd/yy.
    Raises ComtradeError.
    """
    line.expect(field, 2)
    date, time = _DATE.fullmatch(line.text(0)), _TIME.fullmatch(line.text(1))
    order = "mm/dd/yy" if revision == 1991 else "dd/mm/yyyy"
    allowed = f"{order},hh:mm:ss.ssssss"
    found = repr(",".join(line.cells[:2])[:60])
    if date is None or time is None:
        raise line.error(field, found, allowed)
    first, second, year = (int(part) for part in date.groups())
    if len(date[3]) == 2:
        year += 1900 if year >= 70 else 2000
    month, day = (first, second) if revision == 1991 else (second, first)
    fraction = time[4] or ""
    try:
        whole = datetime(year, month, day, int(time[1]), int(time[2])) - _EPOCH
    except ValueError:
        raise line.error(field, found, allowed) from None
    # 60 is a leap second; it is told apart from the next one by nothing that counts from 1970.
    if int(time[3]) > 60 or year < 1970:
        raise line.error(field, found, f"{allowed} since 1970")
    seconds = whole // timedelta(seconds=1) + int(time[3])
    nanoseconds = int(fraction.ljust(9, "0")) if fraction else 0
    return seconds * NANO + nanoseconds, 1 if len(fraction) > 6 else 1000


def write_moment(time: int, resolution: int) -> str:
    """Write ns since 1970, in µs or ns as `resolution` says (in µs it is rounded)."""
    if resolution == 1000:
        time = (time + 500) // 1000 * 1000
    second, fraction = divmod(time, NANO)
    moment = _EPOCH + timedelta(seconds=second)
    digits = f"{fraction:09d}" if resolution == 1 else f"{fraction // 1000:06d}"
    return f"{moment:%d/%m/%Y},{moment:%H:%M:%S}.{digits}"


def read_code(line: Line, index: int, field: str) -> int | None:
    """Return the seconds of a time code ahead of UTC: `-5h30`, `2`, `0`; None for `x` or empty."""
    text = line.text(index)
    if text.lower() in ("", "x"):
        return None
    match = _CODE.fullmatch(text)
    if match is None or int(match[2]) > 14 or int(match[3] or 0) > 59:
        raise line.error(field, repr(text[:60]), "hours ahead of UTC from -14 to 14: -5h30, 2, 0")
    seconds = int(match[2]) * 3600 + int(match[3] or 0) * 60
    return -seconds if match[1] == "-" else seconds


def write_code(seconds: int | None) -> str:
    """Write a time code; `x` where there is none."""
    if seconds is None:
        return "x"
    hours, minutes = divmod(abs(seconds) // 60, 60)
    return f"{'-' if seconds < 0 else '+' if seconds else ''}{hours}" + (
        f"h{minutes:02d}" if minutes else ""
    )
