"""Measurements of waveforms: phasors as a diagram, harmonics as bars, each with its numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from fastapi import Request
from nicegui import Client as Page
from nicegui import ui
from starlette.responses import Response

from gateway import Definition
from gateway_console.page.frame import View, done, framed, tag, ticking, view_of
from gateway_console.page.live import Live, Table, column
from gateway_console.page.wording import quality_state, quality_words, value_text

REDRAWN = 4
"""Ticks between two drawings of the bars."""
GREY = "#7d8a96"
COLOURS = ("#3b82c4", "#c07a1e", "#4d9a5b", "#8a6bbf")


@ui.page("/measurements")
def measurements(request: Request, client: Page) -> Response:
    view = view_of(request, client)
    with framed(view, "Measurements", "/measurements"):
        found = results(view)
        if not found:
            tag("p", "No point of this gateway is a result of a waveform (column `result`).")
        for source, named in found.items():
            tag("h2", source)
            with tag("div", classes="gw-row stretch"):
                phasors = {
                    lane: (named[f"phasor/magnitude/{lane}"], named[f"phasor/angle/{lane}"])
                    for lane in lanes(named, "phasor/magnitude/")
                    if f"phasor/angle/{lane}" in named
                }
                if phasors:
                    PhasorPanel(view, source, phasors)
                for start in sorted({key.rsplit("/", 2)[0] for key in harmonics(named)}):
                    HarmonicPanel(view, source, start, named)
                rest = {k: n for k, n in named.items() if k not in set(harmonics(named))}
                NumberPanel(view, source, rest)
    return done(view)


def results(view: View) -> dict[str, dict[str, int]]:
    """Return the ids of points that are results of waveforms, by source and result."""
    readable = view.desk.readable(view.client)
    found: dict[str, dict[str, int]] = {}
    for number in view.desk.columns.ids.tolist():
        definition = view.desk.observe.definitions[number]
        if definition is None or not definition.source or not readable[number]:
            continue
        result = getattr(definition.addresses.get(definition.source), "result", None)
        if result is not None:
            found.setdefault(definition.source, {})[str(result)] = number
    return found


def lanes(named: dict[str, int], start: str) -> list[str]:
    """Return the channels that have such a result, voltages first."""
    found = [key.removeprefix(start) for key in named if key.startswith(start)]
    return sorted(found, key=lambda lane: (not lane.startswith("u"), lane))


def harmonics(named: dict[str, int]) -> list[str]:
    """Return the results that are of one order: `cycles/harmonic/ua/5`."""
    return [key for key in named if "/harmonic/" in key and key.rsplit("/", 1)[-1].isdigit()]


class Phasors(Live, component="phasors.js"):
    """The diagram."""

    def __init__(self, label: str) -> None:
        super().__init__()
        self._props.update(label=label, phasors=[])


class PhasorPanel:
    """Diagram and numbers of the phasors of one source."""

    def __init__(self, view: View, source: str, phasors: dict[str, tuple[int, int]]) -> None:
        self._view = view
        self._phasors = phasors
        with tag("section", classes="gw-panel", aria_label=f"phasors of {source}"):
            tag("h2", "Phasors")
            self._diagram = Phasors(f"phasor diagram of {source}; its numbers are in the table")
            columns = [
                column("name", "Channel"),
                column("magnitude", "Magnitude", num=True),
                column("angle", "Angle °", num=True),
                column("quality", "Quality", stated=True),
            ]
            self._table = Table(f"Phasors of {source}", columns)
        ticking(view, self.draw)

    def draw(self) -> None:
        image = self._view.desk.observe.image
        sizes = {
            name: float(image.value[magnitude]) for name, (magnitude, _) in self._phasors.items()
        }
        longest: dict[str, float] = {}
        for name, size in sizes.items():
            if math.isfinite(size):
                longest[name[0]] = max(longest.get(name[0], 0.0), abs(size))
        drawn, rows = [], []
        for name, (magnitude, angle) in self._phasors.items():
            turn = float(image.value[angle])
            quality = int(image.quality[magnitude])
            definition = self._view.desk.observe.definitions[magnitude]
            unit = definition.unit if definition is not None else ""
            shown = f"{sizes[name]:,.2f} {unit}".strip() if math.isfinite(sizes[name]) else "–"
            degrees = f"{turn:.2f}" if math.isfinite(turn) else "–"
            state = quality_state(quality)
            rows.append(
                {
                    "id": name,
                    "cells": [name, shown, degrees, quality_words(quality)],
                    "state": state,
                }
            )
            if math.isfinite(sizes[name]) and math.isfinite(turn) and longest.get(name[0]):
                length = 100 * abs(sizes[name]) / longest[name[0]] * (0.8 if name[0] == "i" else 1)
                radians = math.radians(turn)
                drawn.append(
                    {
                        "name": name,
                        "kind": name[0],
                        "good": state == "good",
                        "x": round(length * math.cos(radians), 1),
                        "y": round(-length * math.sin(radians), 1),
                    }
                )
        self._diagram.show(phasors=drawn)
        self._table.rows(rows)


class HarmonicPanel:
    """Bars of the harmonics of one source, a colour for each channel."""

    def __init__(self, view: View, source: str, start: str, named: dict[str, int]) -> None:
        self._view = view
        self._ticks = 0
        keys = [key for key in harmonics(named) if key.startswith(start + "/")]
        channels = sorted({key.rsplit("/", 2)[1] for key in keys})
        self._orders = sorted({int(key.rsplit("/", 1)[1]) for key in keys})
        self._points = {
            lane: [named.get(f"{start}/{lane}/{order}", -1) for order in self._orders]
            for lane in channels
        }
        first = view.desk.observe.definitions[named[keys[0]]]
        unit = first.unit if first is not None else ""
        with tag("section", classes="gw-panel", aria_label=f"harmonics of {source}"):
            tag("h2", f"Harmonics{f' [{unit}]' if unit else ''}")
            self._chart = ui.echart(self._options()).style("height: 18rem; width: 100%")
            self._chart.props(
                f'role="img" aria-label="harmonics of {source}; its numbers are in the table"'
            )
            columns = [column("order", "Order", num=True)]
            columns += [column(lane, lane, num=True) for lane in channels]
            self._table = Table(f"Harmonics of {source}", columns, size="half")
        ticking(view, self.draw)

    def draw(self) -> None:
        self._ticks += 1
        if self._ticks % REDRAWN != 1:
            return
        image = self._view.desk.observe.image
        values = {
            lane: [float(image.value[n]) if n >= 0 else math.nan for n in points]
            for lane, points in self._points.items()
        }
        for series, (_, column_) in zip(self._chart.options["series"], values.items(), strict=True):
            series["data"] = [None if math.isnan(one) else round(one, 4) for one in column_]
        self._chart.update()
        self._table.rows(
            [
                {"id": order, "cells": [str(order), *(f"{values[v][i]:.3f}" for v in values)]}
                for i, order in enumerate(self._orders)
            ]
        )

    def _options(self) -> dict[str, Any]:
        label = {"axisLabel": {"color": GREY}, "axisLine": {"lineStyle": {"color": GREY}}}
        return {
            "animation": False,
            "grid": {"left": 50, "right": 10, "top": 30, "bottom": 30},
            "legend": {"top": 0, "textStyle": {"color": GREY}},
            "tooltip": {"trigger": "axis"},
            "xAxis": {"type": "category", "data": [str(one) for one in self._orders], **label},
            "yAxis": {
                "type": "value",
                "splitLine": {"lineStyle": {"color": GREY, "opacity": 0.25}},
                **label,
            },
            "series": [
                {"type": "bar", "name": lane, "data": [], "itemStyle": {"color": colour}}
                for lane, colour in zip(self._points, _cycle(len(self._points)), strict=True)
            ],
        }


def _cycle(count: int) -> Sequence[str]:
    return [COLOURS[n % len(COLOURS)] for n in range(count)]


class NumberPanel:
    """All other results of one source, as numbers."""

    def __init__(self, view: View, source: str, named: dict[str, int]) -> None:
        self._view = view
        self._named = named
        with tag("section", classes="gw-panel", aria_label=f"results of {source}"):
            tag("h2", "Results")
            columns = [
                column("result", "Result", link=True),
                column("value", "Value", num=True),
                column("unit", "Unit"),
                column("quality", "Quality", stated=True),
            ]
            self._table = Table(f"Results of {source}", columns, size="half")
        ticking(view, self.draw)

    def draw(self) -> None:
        desk, rows = self._view.desk, []
        for result, number in self._named.items():
            definition: Definition | None = desk.observe.definitions[number]
            if definition is None:
                continue
            quality = int(desk.observe.image.quality[number])
            value = value_text(definition.kind, float(desk.observe.image.value[number]))
            rows.append(
                {
                    "id": number,
                    "cells": [result, value, definition.unit, quality_words(quality)],
                    "state": quality_state(quality),
                    "href": f"/point/{definition.name}",
                }
            )
        self._table.rows(rows)
