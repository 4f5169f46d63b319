"""How ASDUs leave, whatever carries them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

Send = Callable[[int, Callable[[], bytes]], Awaitable[None]]
"""Sends an ASDU to a common address. It is made in the moment in which it leaves, for there may
be a time in it; being cancelled before means that it is not sent.
Raises Undelivered where the station cannot be reached and others can."""


class Undelivered(Exception):  # noqa: N818 - it says what happened
    """The ASDU was not sent, or the station is known not to have got it."""
