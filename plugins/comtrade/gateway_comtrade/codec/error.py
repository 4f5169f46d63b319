"""What is wrong in a file, and where."""

from __future__ import annotations

from gateway import LinkError

SHOWN = 60
"""Characters of what was found that a sentence shows."""


class ComtradeError(LinkError):
    """A recording cannot be read or written.

    file:    its name; of a section of a single-file recording `name [CFG]`.
    place:   `7` for a line, `byte 24` in binary data, empty for the whole file.
    field:   the standard's name of the field.
    found, allowed: of it.
    """

    def __init__(self, file: str, place: int | str, field: str, found: str, allowed: str) -> None:
        where = f"{file}:{place}" if place != "" else file
        super().__init__(f"{where}: {field}: found {found}, allowed: {allowed}")
        self.file = file
        self.place = place
        self.field = field


def excerpt(text: str) -> str:
    """Return what was found, in quotes, cut where it is long."""
    return repr(text if len(text) <= SHOWN else text[: SHOWN - 1] + "…")
