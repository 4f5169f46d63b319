"""The files of a replay, and the zone of their clocks."""

from __future__ import annotations

from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway import LinkError, reason
from gateway_comtrade.codec import Header

NANO = 1_000_000_000


def recordings_of(file: Path | None, folder: Path | None, pattern: str) -> list[Path]:
    """Return the files to be played, in the order of their names; raises LinkError for none."""
    if file is not None:
        return [file]
    folder = folder or Path()
    try:
        names = sorted(
            path.name
            for path in folder.iterdir()
            if fnmatchcase(path.name.lower(), pattern.lower())
        )
    except OSError as error:
        raise LinkError(f"the folder {folder} cannot be read: {reason(error)}") from None
    if not names:
        raise LinkError(f"found no file {pattern} in {folder}, allowed: one or more")
    return [folder / name for name in names]


def zone_of(name: str) -> ZoneInfo:
    """Return a time zone; raises ValueError for a name that is none."""
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        raise ValueError(
            f"found '{name}', allowed: time zones as UTC, Europe/Berlin, Asia/Kolkata"
        ) from None


def utc(header: Header, zone: str) -> int:
    """Return when the first row was taken [ns UTC]; `zone` is that of a file that says none."""
    if header.time_code is not None:
        return header.start_utc
    civil = datetime.fromtimestamp(header.start // NANO, UTC).replace(tzinfo=zone_of(zone))
    offset = civil.utcoffset()
    return header.start - (int(offset.total_seconds()) * NANO if offset is not None else 0)
