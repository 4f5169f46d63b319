"""What the queries have in common: instants."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, Field

Instant = Annotated[
    AwareDatetime,
    Field(description="RFC 3339, with its offset: 2026-03-01T06:00:00Z"),
]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def nanoseconds(instant: datetime) -> int:
    """Return ns since the Unix epoch; exact to the microsecond that a datetime has."""
    since = instant - _EPOCH
    return (since.days * 86400 + since.seconds) * 10**9 + since.microseconds * 1000


def moment(time: int | None) -> str | None:
    """Write ns since the Unix epoch as RFC 3339 with nanoseconds; never (None, 0) is None."""
    if not time:
        return None
    seconds, ns = divmod(time, 10**9)
    return f"{datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat()}.{ns:09d}Z"
