"""A line of a CFG file, field by field, with errors that say where."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from gateway_comtrade.codec.error import ComtradeError, excerpt


@dataclass(frozen=True, slots=True)
class Line:
    """A line that was split at its commas."""

    file: str
    number: int
    cells: tuple[str, ...]

    def error(self, field: str, found: str, allowed: str) -> ComtradeError:
        return ComtradeError(self.file, self.number, field, found, allowed)

    def expect(self, what: str, *counts: int) -> int:
        """Return how many fields there are, of these counts; empty ones at the end are spared."""
        for count in sorted(counts, reverse=True):
            if len(self.cells) >= count and not any(self.cells[count:]):
                return count
        allowed = " or ".join(map(str, counts))
        raise self.error(what, f"{len(self.cells)} fields", f"{allowed} fields")

    def text(self, index: int) -> str:
        return self.cells[index] if index < len(self.cells) else ""

    def integer(self, index: int, field: str, low: int, high: int) -> int:
        text = self.text(index)
        if text.isascii() and len(text) < 20 and text.lstrip("+-").isdecimal():
            value = int(text) if text.count("-") + text.count("+") <= 1 else low - 1
            if low <= value <= high:
                return value
        raise self.error(field, excerpt(text), f"a whole number from {low} to {high}")

    def real(self, index: int, field: str, default: float | None = None) -> float:
        """Return a finite number; an empty field is `default`, where there is one."""
        text = self.text(index)
        if not text and default is not None:
            return default
        try:
            value = float(text) if len(text) <= 64 and "_" not in text else math.nan
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise self.error(field, excerpt(text), "a number")
        return value


class Lines:
    """The lines of a CFG file, taken one after the other; `file` is for errors."""

    def __init__(self, file: str, text: str) -> None:
        self._file = file
        # SUB ends a text in some systems; it may stand there several times.
        self._lines = re.split(r"\r\n|\r|\n", text.replace("\x1a", "").rstrip("\r\n"))
        self._next = 0

    def take(self, what: str) -> Line:
        """Return the next line; raises ComtradeError where the file ends before it."""
        if self._next >= len(self._lines):
            raise ComtradeError(self._file, self._next + 1, what, "the end of the file", "a line")
        return self.maybe()

    def maybe(self) -> Line:
        """Return the next line, an empty one behind the end."""
        text = self._lines[self._next] if self._next < len(self._lines) else ""
        self._next += 1
        return Line(self._file, self._next, tuple(cell.strip() for cell in text.split(",")))
