"""Tables of a document that people read and tests take apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Row = Sequence[object]
Rows = Sequence[Row]

USED = "X"
"""In the standard direction, as the sheets of the standard have it; blank for what is not used."""


def mark(used: object) -> str:
    """Return the cell of something that is used, or not."""
    return USED if used else ""


def table(head: Sequence[str], rows: Iterable[Row]) -> str:
    """Return a table in Markdown."""
    return "\n".join([_line(head), _line(["---"] * len(head)), *map(_line, rows)])


def _line(cells: Row) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"
