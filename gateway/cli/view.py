"""What an operator sees of a running gateway on a terminal: the live view.

It looks at the engine from outside and never asks it to do anything.
It reads the rows it shows and no others, so it costs the same for 50 points as for 250,000;
only the count of bad points goes over all qualities, as one numpy pass per refresh.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence

from rich.console import Console, ConsoleDimensions
from rich.live import Live
from rich.text import Text

from gateway.cli.blocks import (
    POINTS,
    age_text,
    ledger_rows,
    link_rows,
    picture,
    point_row,
    value_text,
)
from gateway.cli.captured import captured_log
from gateway.cli.summary import EngineState, headline, ids, status_line, time_of_day
from gateway.cli.table import Cell, header
from gateway.model.quality import Quality, quality_text

__all__ = ["fit", "screen", "show", "status_line", "value_text"]

PAGE_SECONDS = 6.0
"""How long a page of points is shown before the next one, where they do not fit."""


async def show(engine: EngineState, console: Console, interval: float = 0.5) -> None:
    """Show the live view on a terminal, redrawn every `interval` seconds, until cancelled.

    While it is on the screen, log lines that would go to the terminal are shown at its foot;
    they are printed below when it ends.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    with (
        captured_log(console) as log,
        Live(console=console, screen=True, auto_refresh=False, redirect_stderr=False) as live,
    ):
        while True:
            fit(console)
            page = int((loop.time() - began) / PAGE_SECONDS)
            live.update(screen(engine, console.width, console.height, page, log), refresh=True)
            await asyncio.sleep(interval)


def fit(console: Console) -> None:
    """Take the size the terminal has now: COLUMNS and LINES may tell that of another one."""
    try:
        console.size = ConsoleDimensions(*os.get_terminal_size(console.file.fileno()))
    except (OSError, ValueError):
        return


def screen(
    engine: EngineState, width: int, height: int, page: int = 0, log: Sequence[str] = ()
) -> Text:
    """Return the view for a terminal of `width` × `height` characters; `page` turns the points."""
    now = engine.clock.now()

    def blocks(room: int) -> list[list[list[Cell]]]:
        return [
            link_rows(engine.links.values(), now, max(3, room // 3)),
            ledger_rows(engine.ledgers, max(3, room // 4)),
        ]

    def points(rows: int) -> tuple[list[list[Cell]], str]:
        return _points(engine, now, rows, page), _paging(engine, rows, page)

    title = f" {engine.configuration.gateway.name}  {time_of_day(now)} UTC  {headline(engine)}"
    return picture(title, blocks, points, width, height, log)


def _points(engine: EngineState, now: int, most: int, page: int) -> list[list[Cell]]:
    rows = [header(*POINTS)]
    column = ids(engine)
    first = _first(len(column), most, page)
    image = engine.image
    for number in column[first : first + most].tolist():
        definition = engine.definitions[number]
        if definition is None:
            continue
        quality, time = int(image.quality[number]), int(image.time[number])
        if not quality & Quality.DEVICE_TIME:
            # The headline says it once for the gateway's own clock.
            quality &= ~Quality.CLOCK_NOT_SYNCHRONISED
        rows.append(
            point_row(
                definition.name,
                definition.kind,
                float(image.value[number]),
                definition.unit,
                quality_text(quality),
                quality,
                age_text(now - time) if time else "never",
                definition.source,
            )
        )
    return rows


def _first(total: int, most: int, page: int) -> int:
    pages = max(1, -(-total // most))
    return (page % pages) * most


def _paging(engine: EngineState, most: int, page: int) -> str:
    total = len(ids(engine))
    if total <= most:
        return f"{total:,} points"
    first = _first(total, most, page)
    return (
        f"points {first + 1:,} to {min(first + most, total):,} of {total:,}, "
        f"the next page comes every {PAGE_SECONDS:g} s"
    )
