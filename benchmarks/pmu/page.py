"""What the run found, as tables: all rows as CSV, and the worst of the sampling rates as a page."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.pmu import limits
from benchmarks.pmu.case import CASES
from benchmarks.pmu.chart import Curve, chart
from benchmarks.pmu.judge import Row, Verdict
from benchmarks.pmu.limits import Limit
from benchmarks.pmu.stream import PERFORMANCES, RATES, REPORTING

GOAL = 80.0  # % of every limit
PLOTTED = 4800  # samples/s
CSV_HEAD = (
    *("class", "nominal", "reports/s", "samples/s", "test", "quantity", "unit"),
    *("limit", "reached", "percent"),
)
STEPS = ("step, magnitude up", "step, angle up")


def number(value: float) -> str:
    return f"{value:.3g}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def as_csv(rows: Iterable[Row]) -> str:
    """Return every row, of every stream."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_HEAD)
    for row in rows:
        rate, nominal, reporting, performance = row.stream
        limit, percent = number(row.limit), number(row.percent)
        if math.isinf(row.limit):
            limit = percent = ""
        where = (performance, nominal, reporting, rate, row.test, row.quantity, row.unit)
        writer.writerow((*where, limit, number(row.reached), percent))
    return out.getvalue()


def worst(rows: Iterable[Row]) -> Row:
    """Return the row that takes the most of its limit; where there is none, the greatest."""
    return max(rows, key=lambda row: (row.percent, row.reached))


def summary(rows: Sequence[Row]) -> str:
    """Return a line for each class and reporting rate: what takes the most of its limit."""
    lines = []
    for performance, nominal, reporting in _groups():
        of = [r for r in rows if r.stream[1:] == (nominal, reporting, performance)]
        judged = [r for r in of if math.isfinite(r.limit)]
        if judged:
            most = worst(judged)
            rates = len({r.stream for r in of})
            where = (performance, f"{nominal} Hz", str(reporting), str(rates), str(len(judged)))
            lines.append((*where, f"{most.percent:.0f} %", f"{most.test}: {most.quantity}"))
    head = ("class", "nominal", "reports/s", "sampling rates", "limits", "most", "of")
    return table(head, lines)


def details(rows: Sequence[Row], performance: str, nominal: int) -> str:
    """Return reached, limit and percent of each quantity, a column per reporting rate."""
    of = [r for r in rows if (r.stream.performance, r.stream.nominal) == (performance, nominal)]
    rates = sorted({r.stream.reporting for r in of})
    lines = []
    for test, quantity, unit in dict.fromkeys((r.test, r.quantity, r.unit) for r in of):
        same = [r for r in of if (r.test, r.quantity) == (test, quantity)]
        cells = [worst(r for r in same if r.stream.reporting == rate) for rate in rates]
        lines.append([test, f"{quantity}, {unit}", *map(_cell, cells)])
    return table(["test", "", *(f"{rate}/s" for rate in rates)], lines)


def _cell(row: Row) -> str:
    if math.isinf(row.limit):
        return number(row.reached)
    return f"{number(row.reached)} of {number(row.limit)}: {row.percent:.1f} %"


def _groups() -> Iterable[tuple[str, int, int]]:
    for performance in PERFORMANCES:
        for nominal, rates in REPORTING.items():
            for reporting in rates:
                yield performance, nominal, reporting


def charts(verdicts: Sequence[Verdict]) -> dict[str, str]:
    """Return the charts by file name."""
    out = {}
    axes = {case.name: case.axis for case in CASES} | dict.fromkeys(STEPS, "ms from the step")
    laws = {case.name: case.limit for case in CASES} | dict.fromkeys(STEPS, limits.step_threshold)
    for performance in PERFORMANCES:
        for test, axis in axes.items():
            columns = []
            for nominal in REPORTING:
                curves = [
                    Curve(f"{v.stream.reporting}/s", v.curves[test], _three(laws[test](v.stream)))
                    for v in verdicts
                    if v.stream[:2] == (PLOTTED, nominal)
                    and v.stream.performance == performance
                    and test in v.curves
                ]
                if curves:
                    columns.append((f"{nominal} Hz", curves))
            if columns:
                title = f"Class {performance}, {test}, {PLOTTED} samples/s"
                out[file_name(performance, test)] = chart(title, axis, columns)
    return out


def file_name(performance: str, test: str) -> str:
    return f"{performance}-{test}.svg".lower().replace(", ", "-").replace(" ", "-")


def _three(limit: Limit | None) -> tuple[float, float, float]:
    return (limit.tve, limit.fe, limit.rfe) if limit else (math.inf,) * 3


def page(rows: Sequence[Row], pictures: Iterable[str], about: str) -> str:
    """Return the whole page, of what is said about it and what was found."""
    judged = [row for row in rows if math.isfinite(row.limit)]
    streams = {row.stream for row in rows}
    over = sum(row.percent > GOAL for row in judged)
    parts = [
        about.rstrip(),
        "## What was found",
        f"{len(streams)} streams ({len(RATES)} sampling rates, "
        f"{len(streams) // len(RATES)} pairs of class and reporting rate), "
        f"{len(judged):,} limits: {sum(row.percent > 100 for row in judged)} exceeded, "
        f"{over} by more than {GOAL:.0f} % used, the most {worst(judged).percent:.1f} %.\n"
        "The worst of the sampling rates counts; all rows are in "
        "[compliance.csv](pmu/compliance.csv).",
        summary(rows),
    ]
    for performance in PERFORMANCES:
        for nominal in REPORTING:
            parts += [
                f"### Class {performance}, {nominal} Hz",
                details(rows, performance, nominal),
            ]
    parts.append("## Over each test")
    parts += [f"![{Path(name).stem.replace('-', ' ')}](pmu/{name})" for name in pictures]
    return "\n\n".join(parts) + "\n"
