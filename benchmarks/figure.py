"""What was measured, as a row of the table: a figure, its reference, and what it should be."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Figure:
    """One row.

    values:     one per run; the figure is their median.
    better:     whether more or less is better.
    reference:  what stands beside it in the same runs, and its figure, or None.
    bar, goal:  what is asked for first, and in the end; of the value, or of the ratio
                to the reference where `of_ratio`.
    """

    section: str
    name: str
    unit: str
    values: tuple[float, ...]
    better: Literal["more", "less"] = "more"
    reference: str = ""
    references: tuple[float, ...] = ()
    bar: float | None = None
    goal: float | None = None
    of_ratio: bool = False

    @property
    def value(self) -> float:
        return statistics.median(self.values)

    @property
    def ratio(self) -> float | None:
        """How many times better than the reference, as the median of the runs' ratios."""
        if not self.references:
            return None
        pairs = zip(self.values, self.references, strict=True)
        return statistics.median(
            (v / r if self.better == "more" else r / v) if v and r else float("nan")
            for v, r in pairs
        )

    @property
    def judged(self) -> float:
        return self.ratio or float("nan") if self.of_ratio else self.value

    def reaches(self, wanted: float) -> bool:
        if self.of_ratio or self.better == "more":
            return self.judged >= wanted
        return self.judged <= wanted

    @property
    def verdict(self) -> str:
        if self.goal is not None and self.reaches(self.goal):
            return "goal"
        if self.bar is not None:
            return "bar" if self.reaches(self.bar) else "MISSED"
        return "" if self.goal is None else "not yet"

    def to_dict(self) -> dict[str, Any]:
        derived = {"value": self.value, "ratio": self.ratio, "verdict": self.verdict}
        return asdict(self) | derived


HEAD = ("figure", "value", "unit", "reference", "times better", "first bar", "goal", "reached")


def table(figures: Sequence[Figure]) -> str:
    """Return all figures as a Markdown table, which a terminal can show too."""
    rows = [HEAD, *map(_cells, figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = [_line(row, widths) for row in rows]
    lines.insert(1, _line(["-" * width for width in widths], widths))
    return "\n".join(lines)


def _cells(figure: Figure) -> tuple[str, ...]:
    reference = ""
    if figure.references:
        reference = f"{figure.reference}: {number(statistics.median(figure.references))}"
    times = "×" if figure.of_ratio else ""
    return (
        f"{figure.section}: {figure.name}",
        number(figure.value),
        figure.unit,
        reference,
        "" if figure.ratio is None else number(figure.ratio),
        "" if figure.bar is None else f"{number(figure.bar)}{times}",
        "" if figure.goal is None else f"{number(figure.goal)}{times}",
        figure.verdict,
    )


def _line(cells: Iterable[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(c.ljust(w) for c, w in zip(cells, widths, strict=True)) + " |"


def number(value: float) -> str:
    """Write a figure with three digits that mean something."""
    if value != value:
        return "none"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"
