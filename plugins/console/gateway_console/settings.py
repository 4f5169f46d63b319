"""The words of the sink's fields."""

from __future__ import annotations

from enum import StrEnum


class Anonymous(StrEnum):
    """Whether a client may come without a user."""

    ALLOWED = "allowed"
    REFUSED = "refused"
