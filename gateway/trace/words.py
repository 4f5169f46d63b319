"""A link's description of a frame, whatever the link does."""

from __future__ import annotations

from gateway.model.link import Link

WIDEST = 240
"""Characters of a description."""


def words(link: Link, direction: str, frame: bytes) -> str:
    """Return what the link says of a frame, in one line that is not too long; empty for nothing."""
    try:
        text = link.describe(direction, frame)
    except Exception:
        # It is shown as octets, and the next one may be readable.
        return ""
    return one_line(text)


def one_line(text: str) -> str:
    """Return a text that moves no cursor, within `WIDEST` characters."""
    line = "".join(one if one.isprintable() else " " for one in text[: WIDEST + 1])
    return line if len(line) <= WIDEST else line[: WIDEST - 1] + "…"
