"""What a point did lately: a line, and a table of the changes of its quality."""

from __future__ import annotations

import math
from collections import deque
from datetime import UTC, datetime

from nicegui import ui

from gateway import Definition, GatewayError, Kind
from gateway_console.page.frame import View, say, tag, ticking
from gateway_console.page.live import Table, column
from gateway_console.page.wording import quality_state, quality_words, time_text, value_text

KEPT = 1_200
"""Samples that are drawn."""
PAST = 3600 * 10**9
"""Nanoseconds before now of which the journal is asked."""
LEAST = 30 * 10**9
"""Nanoseconds that the line shows at least."""
REDRAWN = 4
"""Ticks between two drawings of the line."""
QUALITIES = 50
"""Changes of quality that are listed."""
GREY = "#7d8a96"


class Trend:
    """The samples of one point, from the journal at first and then as they come."""

    def __init__(self, view: View, point: int, definition: Definition) -> None:
        self._view = view
        self._point = point
        self._definition = definition
        self._samples: deque[tuple[int, float, int]] = deque(maxlen=KEPT)
        self._ticks = 0
        with tag("section", classes="gw-panel", aria_label="trend"):
            tag("h2", f"Trend{f' [{definition.unit}]' if definition.unit else ''}, UTC")
            self._said = tag("p", "", "gw-note")
            self._chart = ui.echart(_options(definition)).style("height: 18rem; width: 100%")
            self._chart.props(f'role="img" aria-label="trend of {definition.name}"')
        with tag("section", aria_label="quality history"):
            tag("h2", "Quality, newest first")
            columns = [
                column("time", "Time (UTC)", mono=True),
                column("quality", "Quality", stated=True),
                column("value", "Value", num=True),
            ]
            self._table = Table("Changes of quality", columns, size="half")
        ticking(view, self.tick)
        ui.timer(0.0, self._remember, once=True)

    async def _remember(self) -> None:
        """Put what the journal still has before what was seen since."""
        now = self._view.desk.ctx.now()
        try:
            found = await self._view.desk.observe.history(self._point, now - PAST, now, KEPT // 2)
        except GatewayError as error:
            say(self._said, f"▲ the journal cannot be read: {error}", "warn")
            return
        batch = found.batch
        columns = (batch.time.tolist(), batch.value.tolist(), batch.quality.tolist())
        begun = self._samples[0][0] if self._samples else now
        old = [one for one in zip(*columns, strict=True) if one[0] < begun]
        self._samples.extendleft(reversed(old[-(KEPT - len(self._samples)) :]))
        say(
            self._said,
            f"{len(old):,} samples of the last hour from the journal, "
            "which keeps what some sink must still have; the rest since this page was opened.",
        )
        self._draw()

    def tick(self) -> None:
        image, n = self._view.desk.observe.image, self._point
        sample = int(image.time[n]), float(image.value[n]), int(image.quality[n])
        if sample[0] and (not self._samples or self._samples[-1] != sample):
            self._samples.append(sample)
        self._ticks += 1
        if self._ticks % REDRAWN == 1:
            self._draw()

    def _draw(self) -> None:
        now = self._view.desk.ctx.now()
        first = self._samples[0][0] if self._samples else now
        axis = self._chart.options["xAxis"]
        axis["min"], axis["max"] = _moment(min(first, now - LEAST)), _moment(now)
        invalid = [quality & 3 in (1, 2) for _, _, quality in self._samples]
        self._chart.options["series"][0]["data"] = [
            [_moment(time), None if bad or math.isnan(value) else value]
            for (time, value, _), bad in zip(self._samples, invalid, strict=True)
        ]
        if self._samples and not invalid[-1] and not math.isnan(self._samples[-1][1]):
            # It is still what it was.
            self._chart.options["series"][0]["data"].append([_moment(now), self._samples[-1][1]])
        self._chart.update()
        rows, before = [], None
        for number, (time, value, quality) in enumerate(self._samples):
            words = quality_words(quality)
            if words != before:
                shown = value_text(self._definition.kind, value)
                cells = [time_text(time, day=True), words, shown]
                rows.append({"id": number, "cells": cells, "state": quality_state(quality)})
            before = words
        self._table.rows(rows[: -QUALITIES - 1 : -1])


def _moment(ns: int) -> str:
    """Return a time as the chart takes it for what it says: without a zone."""
    return datetime.fromtimestamp(ns / 1e9, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]


def _options(definition: Definition) -> dict[str, object]:
    stepped = definition.kind in (Kind.STATUS, Kind.DOUBLE)
    axis = {"axisLabel": {"color": GREY}, "axisLine": {"lineStyle": {"color": GREY}}}
    return {
        "animation": False,
        "grid": {"left": 60, "right": 20, "top": 15, "bottom": 30},
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "time", **axis},
        "yAxis": {
            "type": "value",
            "scale": not stepped,
            "minInterval": 1 if stepped else 0,
            "splitLine": {"lineStyle": {"color": GREY, "opacity": 0.25}},
            **axis,
        },
        "series": [
            {
                "type": "line",
                "showSymbol": True,
                "symbolSize": 3,
                "step": "end" if stepped else False,
                "connectNulls": False,
                "lineStyle": {"width": 1.5, "color": "#3b82c4"},
                "itemStyle": {"color": "#3b82c4"},
                "data": [],
            }
        ],
    }
