"""Charts of the errors over each test, as SVG: 50 Hz on the left, 60 Hz on the right."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from xml.sax.saxutils import escape

from benchmarks.pmu.case import Point
from benchmarks.pmu.limits import FE, RFE, TVE, UNITS

WIDTH, HEIGHT = 380, 130  # of one panel
LEFT, TOP, ACROSS, DOWN = 62, 50, 62, 24  # margins, and between the panels
FAR = 4  # steps between two points that are not joined
DECADES = 6  # below the greatest limit or value
# Okabe and Ito's colours, which those tell apart who see fewer of them.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
FONT = 'font-family="sans-serif" font-size="11"'


@dataclass(frozen=True, slots=True)
class Curve:
    """The points of one stream, and its limits of TVE, FE and RFE, infinite where there is none."""

    label: str
    points: Sequence[Point]
    limits: tuple[float, float, float]


def chart(title: str, axis: str, columns: Sequence[tuple[str, Sequence[Curve]]]) -> str:
    """Return a chart of a column per title and curves, and a row for each error."""
    width = LEFT + len(columns) * (WIDTH + ACROSS)
    height = TOP + 3 * (HEIGHT + DOWN) + 24
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" {FONT}>',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="18" font-size="14" font-weight="bold">{escape(title)}</text>',
    ]
    for number, (name, curves) in enumerate(columns):
        x = LEFT + number * (WIDTH + ACROSS)
        parts += _legend(x, name, curves)
        for row, quantity in enumerate((TVE, FE, RFE)):
            parts += _panel(x, TOP + row * (HEIGHT + DOWN), quantity, row, curves)
        parts.append(_text(x + WIDTH / 2, height - 8, axis, "middle"))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _legend(x: float, name: str, curves: Sequence[Curve]) -> Iterator[str]:
    yield _text(x, TOP - 12, name, weight="bold")
    for i, curve in enumerate(curves):
        at = x + 50 + 46 * i
        yield f'<path d="M{at} {TOP - 16}h14" stroke="{COLOURS[i]}" stroke-width="2"/>'
        yield _text(at + 17, TOP - 12, curve.label)


def _panel(x: float, y: float, quantity: str, row: int, curves: Sequence[Curve]) -> Iterator[str]:
    values = [(p.tve, p.fe, p.rfe)[row] for curve in curves for p in curve.points]
    limits = sorted({c.limits[row] for c in curves if math.isfinite(c.limits[row])})
    top = math.ceil(math.log10(max([*values, *limits, 1e-12]) * 1.2))
    span = [p.at for curve in curves for p in curve.points]
    low, high = min(span), max(span)

    def across(at: float) -> float:
        return x + (at - low) / (high - low or 1.0) * WIDTH

    def up(value: float) -> float:
        lowest = 10.0 ** (top - DECADES)
        return y + (top - math.log10(max(value, lowest))) / DECADES * HEIGHT

    yield f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#888"/>'
    for decade in range(top - DECADES, top + 1):
        level = up(10.0**decade)
        yield f'<path d="M{x} {level:.1f}h{WIDTH}" stroke="#ddd"/>'
        if (top - decade) % 2 == 0:
            yield _text(x - 4, level + 4, f"{10.0**decade:g}", "end")
    yield _text(x + 5, y + 13, f"{quantity}, {UNITS[quantity]}", weight="bold")
    for tick in _ticks(low, high):
        yield f'<path d="M{across(tick):.1f} {y + HEIGHT}v3" stroke="#888"/>'
        yield _text(across(tick), y + HEIGHT + 14, f"{tick:g}", "middle")
    for limit in limits:
        line = f'<path d="M{x} {up(limit):.1f}h{WIDTH}" stroke="#c00" stroke-dasharray="5 3"/>'
        yield line + _text(x + WIDTH + 3, up(limit) + 4, f"{limit:.3g}", colour="#c00")
    for i, curve in enumerate(curves):
        path = "".join(
            _path([(across(p.at), up((p.tve, p.fe, p.rfe)[row])) for p in stretch])
            for stretch in _stretches(curve.points)
        )
        yield f'<path d="{path}" fill="none" stroke="{COLOURS[i]}" stroke-width="1.3"/>'


def _stretches(points: Sequence[Point]) -> Iterator[list[Point]]:
    """Cut a curve where nothing was tested, as between the sides of a band."""
    gaps = sorted(b.at - a.at for a, b in pairwise(points))
    stretch: list[Point] = []
    for point in points:
        if stretch and point.at - stretch[-1].at > FAR * gaps[len(gaps) // 2]:
            yield stretch
            stretch = []
        stretch.append(point)
    yield stretch


def _path(places: Sequence[tuple[float, float]]) -> str:
    """Return a line; of the points that fall into two pixels across, the highest."""
    highest: dict[int, tuple[float, float]] = {}
    for px, py in places:
        column = round(px / 2)
        if column not in highest or py < highest[column][1]:
            highest[column] = (px, py)
    if len(highest) == 1:  # a line so short that only its width is seen
        highest[-1] = (places[0][0] + 1.5, places[0][1])
    return "M" + "L".join(f"{px:.1f} {py:.1f}" for px, py in highest.values())


def _ticks(low: float, high: float) -> list[float]:
    """Return four to nine round numbers in the span."""
    step = 10.0 ** math.floor(math.log10((high - low or 1.0) / 4))
    step *= next(times for times in (1, 2, 5, 10) if (high - low) / (step * times) <= 9)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [step * n for n in range(first, last + 1)]


def _text(
    x: float, y: float, text: str, anchor: str = "start", weight: str = "", colour: str = ""
) -> str:
    more = f' font-weight="{weight}"' * bool(weight) + f' fill="{colour}"' * bool(colour)
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{escape(text)}</text>'
