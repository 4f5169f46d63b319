"""What an operator sees of a running gateway on a terminal: the live view.

It looks at the engine from outside and never asks it to do anything.
It reads the rows it shows and no others, so it costs the same for 50 points as for 250,000;
only the count of bad points goes over all qualities, as one numpy pass per refresh.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console, ConsoleDimensions
from rich.live import Live
from rich.text import Text

from gateway.cli.summary import EngineState, headline, ids, status_line, time_of_day
from gateway.cli.table import Cell, header, layout
from gateway.model.point import Kind
from gateway.model.quality import Quality, quality_text

__all__ = ["screen", "show", "status_line"]

PAGE_SECONDS = 6.0
"""How long a page of points is shown before the next one, where they do not fit."""
LOG_LINES = 5
"""Most log lines shown at the foot of the view."""
LOG_KEPT = 200
"""Log records that are printed when the view ends, so that nothing was only on its screen."""

VALIDITY_COLOURS = ("green", "red", "red", "yellow")
"""By validity: good, invalid, reserved, questionable."""
STATE_COLOURS = {"up": "green", "down": "bold red", "starting": "yellow", "stopped": "dim"}
STATUS_WORDS = ("off", "on")
DOUBLE_WORDS = ("between", "off", "on", "bad")


async def show(engine: EngineState, console: Console, interval: float = 0.5) -> None:
    """Show the live view on a terminal, redrawn every `interval` seconds, until cancelled.

    While it is on the screen, log lines that would go to the terminal are shown at its foot;
    they are printed below when it ends.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    with (
        _captured_log(console) as log,
        Live(console=console, screen=True, auto_refresh=False, redirect_stderr=False) as live,
    ):
        while True:
            _fit(console)
            page = int((loop.time() - began) / PAGE_SECONDS)
            live.update(screen(engine, console.width, console.height, page, log), refresh=True)
            await asyncio.sleep(interval)


def _fit(console: Console) -> None:
    """Take the size the terminal has now: COLUMNS and LINES may tell that of another one."""
    try:
        console.size = ConsoleDimensions(*os.get_terminal_size(console.file.fileno()))
    except (OSError, ValueError):
        return


def screen(
    engine: EngineState, width: int, height: int, page: int = 0, log: Sequence[str] = ()
) -> Text:
    """Return the view for a terminal of `width` × `height` characters; `page` turns the points.

    It is never higher than the terminal: what does not fit is counted in a line.
    """
    now = engine.clock.now()
    title = f" {engine.configuration.gateway.name}  {time_of_day(now)} UTC  {headline(engine)}"
    lines = [Text(title[:width].ljust(width), "bold reverse", no_wrap=True)]
    room = height - 1
    foot = list(log)[-min(LOG_LINES, room // 8) :] if room >= 16 else []
    room -= len(foot) + bool(foot)
    for block in (_links(engine, now, max(3, room // 3)), _ledgers(engine, max(3, room // 4))):
        if len(block) > 1 and room > len(block) + 5:
            lines += [Text(), *layout(block, width)]
            room -= len(block) + 1
    if room > 3:
        rows = room - 3
        lines += [Text(), *layout(_points(engine, now, rows, page), width)]
        lines.append(Text(_paging(engine, rows, page)[:width], "dim", no_wrap=True))
    if foot:
        # Of a traceback its first line; the whole of it is printed when the view ends.
        first = (text.partition("\n")[0][:width] for text in foot)
        lines += [Text(), *(Text(text, "dim", no_wrap=True) for text in first)]
    return Text("\n", no_wrap=True, overflow="crop", end="").join(lines[:height])


def _links(engine: EngineState, now: int, most: int) -> list[list[Cell]]:
    rows = [header("link", "type", "state", ">since", "")]
    # Down before up: what fits the screen must be what an operator looks for.
    order = sorted(engine.links.values(), key=lambda link: link.state == "up")
    cut = len(order) if len(order) < most else most - 2
    for link in order[:cut]:
        state = str(link.state)
        counters = " ".join(f"{what} {n:,}" for what, n in link.counters.items() if n)
        remark = "  ".join(filter(None, (link.error or link.detail, counters)))
        rows.append(
            [
                (link.name, ""),
                (link.type, "dim"),
                (state, STATE_COLOURS.get(state, "")),
                (_age(now - link.since) if link.since else "", "dim"),
                (remark, "red" if link.error else "dim"),
            ]
        )
    if cut < len(order):
        up = sum(link.state == "up" for link in order[cut:])
        rows.append([(f"… {len(order) - cut:,} more, {up:,} of them up", "dim")])
    return rows


def _ledgers(engine: EngineState, most: int) -> list[list[Cell]]:
    rows = [header("ledger", ">taken", ">delivered", ">coalesced", ">dropped", ">pending", "")]
    ledgers = list(engine.ledgers.items())
    cut = len(ledgers) if len(ledgers) < most else most - 2
    for sink, ledger in ledgers[:cut]:
        dropped = sum(ledger.dropped.values())
        reasons = ", ".join(f"{reason} {n:,}" for reason, n in ledger.dropped.items() if n)
        rows.append(
            [
                (sink, ""),
                (f"{ledger.taken:,}", ""),
                (f"{ledger.delivered:,}", ""),
                (f"{ledger.coalesced:,}", ""),
                (f"{dropped:,}", "red" if dropped else ""),
                (f"{ledger.pending:,}", ""),
                (reasons, "red"),
            ]
        )
    if cut < len(ledgers):
        rows.append([(f"… {len(ledgers) - cut:,} more", "dim")])
    return rows


def _points(engine: EngineState, now: int, most: int, page: int) -> list[list[Cell]]:
    rows = [header("point", ">value", "unit", "quality", ">age", "source")]
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
        colour = VALIDITY_COLOURS[quality & Quality.VALIDITY]
        rows.append(
            [
                (definition.name, ""),
                (value_text(definition.kind, float(image.value[number])), colour),
                (definition.unit, "dim"),
                (quality_text(quality), colour),
                (_age(now - time) if time else "never", ""),
                (definition.source or "none", "dim"),
            ]
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


def value_text(kind: Kind, value: float) -> str:
    """Return a value as an operator reads it: words for statuses, about six digits for analogs."""
    if math.isnan(value):
        return "–"
    if kind is Kind.STATUS:
        return STATUS_WORDS[value != 0.0]
    if kind is Kind.DOUBLE:
        return DOUBLE_WORDS[int(value)] if value in (0.0, 1.0, 2.0, 3.0) else f"{value:g}"
    if kind is Kind.COUNTER:
        return f"{value:,.0f}"
    size = abs(value)
    if size >= 1e7 or 0.0 < size < 1e-3:
        return f"{value:.4g}"
    return f"{value:,.{1 if size >= 1e4 else 2 if size >= 100 else 3}f}"


def _age(ns: int) -> str:
    seconds = ns / 1e9
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    for length, unit in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * length:
            return f"{sign}{seconds / length:.0f}{unit}"
    return f"{sign}{seconds:.1f}s" if seconds < 10 else f"{sign}{seconds:.0f}s"


class _Capture(logging.Handler):
    """Keeps the last log lines, as the handler it stands in for would have written them."""

    def __init__(self, lines: deque[str], format_: Callable[[logging.LogRecord], str]) -> None:
        super().__init__()
        self._lines = lines
        self._format = format_

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self._format(record))


@contextmanager
def _captured_log(console: Console) -> Iterator[deque[str]]:
    """Take the place of each log handler that writes to a terminal; print what came at the end."""
    lines: deque[str] = deque(maxlen=LOG_KEPT)
    swapped: list[tuple[logging.Logger, logging.Handler, logging.Handler]] = []
    for logger in (logging.getLogger(), logging.getLogger("gateway")):
        for handler in list(logger.handlers):
            stream = getattr(handler, "stream", None)
            if stream is None or not stream.isatty():
                continue
            capture: logging.Handler = _Capture(lines, handler.format)
            capture.setLevel(handler.level)
            logger.removeHandler(handler)
            logger.addHandler(capture)
            swapped.append((logger, handler, capture))
    try:
        yield lines
    finally:
        for logger, handler, capture in swapped:
            logger.removeHandler(capture)
            logger.addHandler(handler)
        for line in lines:
            console.print(line, markup=False, highlight=False, soft_wrap=True)
