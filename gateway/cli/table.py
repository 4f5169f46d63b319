"""Rows of styled cells laid out in columns, one line of the terminal each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

Cell = tuple[str, str]
"""A text and its style."""
GAP = "  "


def header(*names: str) -> list[Cell]:
    """Return the first row of a table; a name that begins with > stands over numbers."""
    return [(name, "bold") for name in names]


def layout(rows: Sequence[Sequence[Cell]], width: int) -> Iterator[Text]:
    """Yield a line for each row, as wide as `width` at most.

    The first row is the header; a row with fewer cells than it is a remark across the columns.
    """
    right = [name.startswith(">") for name, _ in rows[0]]
    first = [(name.removeprefix(">"), style) for name, style in rows[0]]
    full = [first, *(row for row in rows[1:] if len(row) == len(first))]
    widths = [max(len(row[i][0]) for row in full) for i in range(len(first))]
    for row in (first, *rows[1:]):
        text = Text(no_wrap=True, end="")
        for i, (word, style) in enumerate(row):
            if i:
                text.append(GAP)
            last = i == len(row) - 1
            text.append(
                word.rjust(widths[i]) if right[i] else word if last else word.ljust(widths[i]),
                style,
            )
        if len(text) > width:
            text.truncate(width, overflow="ellipsis")
        yield text
