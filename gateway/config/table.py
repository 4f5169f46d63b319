"""A CSV file as columns of stripped cells, each cell with its line and column."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.config.problem import Problem, excerpt

MAX_BYTES = 512 * 2**20

csv.field_size_limit(1_000_000)


@dataclass(slots=True)
class Table:
    """A header and columns of equal length.

    path:    the file, for problems.
    header:  the cells of the header.
    columns: cells by column, stripped; the same order as the header.
    lines:   the line in which each row begins, counted from 1.
    """

    path: Path
    header: list[str]
    columns: list[list[str]]
    lines: list[int]
    header_line: int
    delimiter: str
    text: list[str]

    def __len__(self) -> int:
        return len(self.lines)

    def problem(self, row: int, column: int, sentence: str) -> Problem:
        """Return a problem at a cell; row -1 is the header."""
        start = self.header_line if row < 0 else self.lines[row]
        line, character = _place(self.text, start, column, self.delimiter)
        return Problem(self.path, line, character, sentence)


def read(path: Path, text: str, report: Callable[[Problem], None]) -> Table | None:
    """Return the table in the text of a CSV file, or None where there is none to use.

    The delimiter is the one of the header line, `,` or `;`.
    Lines that begin with # and rows without any text are left out;
    a row may end early, and its last cells are empty then.
    """
    # csv hands out physical lines only where they end in \n; spreadsheets write \r\n and \r.
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    nul = text.find("\0")
    if nul >= 0:
        line = text.count("\n", 0, nul) + 1
        column = nul - text.rfind("\n", 0, nul)
        report(Problem(path, line, column, "found a NUL character, allowed: text"))
        return None
    first = next((i for i, one in enumerate(lines) if not _skipped(one)), None)
    if first is None:
        report(Problem(path, 1, 1, "the point list is empty, allowed: a header and a row a point"))
        return None
    delimiter = _delimiter(lines[first])
    rows: list[list[str]] = []
    starts: list[int] = []
    feed = _Feed(lines, first)
    try:
        if '"' not in text:
            # Without quotes each line is a row, and csv needs no watching.
            starts = [i for i, one in enumerate(lines, 1) if not _skipped(one)]
            for row in csv.reader((lines[i - 1] for i in starts), delimiter=delimiter):
                rows.append(row)  # noqa: PERF402 - the rows before an error are of use
        else:
            for row in csv.reader(feed, delimiter=delimiter, strict=True):
                rows.append(row)
                starts.append(feed.start)
                feed.fresh = True
    except csv.Error as error:
        start = feed.start if '"' in text else starts[len(rows)]
        report(_broken(path, lines, start, delimiter, error))
        if not rows:
            return None
        del starts[len(rows) :]
    header = [cell.strip() for cell in rows[0]]
    table = Table(path, header, [], starts[1:], starts[0], delimiter, lines)
    body = rows[1:]
    del rows
    width = len(header)
    if not all(len(row) == width and any(row) for row in body):
        body = list(_even(table, body, report))
    columns = zip(*body, strict=True) if body else iter([()] * width)
    table.columns = [list(map(str.strip, column)) for column in columns]
    return table


def _even(
    table: Table, rows: list[list[str]], report: Callable[[Problem], None]
) -> Iterator[list[str]]:
    """Yield rows as wide as the header, and leave out those without text."""
    width = len(table.header)
    all_lines, table.lines = table.lines, []
    for line, row in zip(all_lines, rows, strict=True):
        if not any(cell.strip() for cell in row):
            continue
        table.lines.append(line)
        for column in range(width, len(row)):
            if row[column].strip():
                sentence = (
                    f"found the cell {excerpt(row[column])} beyond the last column; "
                    f"the header has {width}"
                )
                report(table.problem(len(table.lines) - 1, column, sentence))
                break
        yield row[:width] + [""] * (width - len(row))


def _skipped(line: str) -> bool:
    return line.startswith("#") or not line.strip()


def _delimiter(line: str) -> str:
    commas, semicolons = line.count(","), line.count(";")
    return ";" if semicolons > commas else ","


class _Feed:
    """Hands lines to csv, leaves out comments between rows, and notes where each row begins.

    `fresh` is set by the consumer after each row: the next line begins a new one.
    """

    def __init__(self, lines: list[str], first: int) -> None:
        self.fresh = True
        self.start = first + 1
        self._lines = lines
        self._next = first

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        lines, i = self._lines, self._next
        if self.fresh:
            while i < len(lines) and (not lines[i] or lines[i][0] in "# \t") and _skipped(lines[i]):
                i += 1
            self.start = i + 1
            self.fresh = False
        if i >= len(lines):
            raise StopIteration
        self._next = i + 1
        return lines[i] + "\n"


def _broken(path: Path, lines: list[str], start: int, delimiter: str, error: csv.Error) -> Problem:
    message = str(error)
    if "unexpected end of data" in message:
        column, sentence = _last_quote(lines, start, delimiter)
        return Problem(path, start, column, sentence)
    if "expected after" in message:
        return Problem(
            path,
            start,
            1,
            "found text behind a closing quote in this row, allowed: the whole cell in quotes, "
            'a quote inside it doubled ("")',
        )
    if "field limit" in message:
        return Problem(path, start, 1, "a cell of this row is longer than 1000000 characters")
    return Problem(path, start, 1, f"this row is not CSV: {message}")


def _last_quote(lines: list[str], start: int, delimiter: str) -> tuple[int, str]:
    cell = 0
    while True:
        line, column = _place(lines, start, cell, delimiter)
        following = _place(lines, start, cell + 1, delimiter)
        if following == (line, column) or following[0] > start:
            return column, "found a quote that is never closed"
        cell += 1


def _place(lines: list[str], start: int, cell: int, delimiter: str) -> tuple[int, int]:
    """Return line and column, from 1, of a cell of the row that begins in line `start`.

    A cell that the row does not have is at the row's end.
    """
    line, column, quoted = start, 1, False
    place = (line, column)
    while line <= len(lines):
        text = lines[line - 1]
        at = 0
        while at < len(text):
            character = text[at]
            if quoted:
                if character == '"':
                    if text[at + 1 : at + 2] == '"':
                        at += 1
                    else:
                        quoted = False
            elif character == '"' and (line, at + 1) == place:
                quoted = True
            elif character == delimiter:
                if cell == 0:
                    return place
                cell -= 1
                place = (line, at + 2)
            at += 1
        if not quoted:
            return place if cell == 0 else (line, max(1, len(text)))
        line += 1
    return place
