"""What the queries have in common: instants."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator, Field

Instant = Annotated[
    AwareDatetime,
    BeforeValidator(lambda value: _written(value)),
    Field(description="RFC 3339, with its offset: 2026-03-01T06:00:00Z"),
]

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _written(value: object) -> object:
    """Refuse numbers, which would be taken for seconds or milliseconds by their size."""
    if isinstance(value, str) and not _RFC3339.fullmatch(value):
        raise ValueError("an instant is written 2026-03-01T06:00:00Z")
    return value


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
