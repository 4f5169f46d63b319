"""The live view and the status line."""

from __future__ import annotations

import asyncio
import io
import logging
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from time import process_time

import numpy as np
import pytest
from rich.console import Console

from gateway import Definition, Image, Kind, Quality
from gateway.cli.view import screen, show, status_line, value_text
from gateway.engine.status import LinkStatus, State
from gateway.journal.ledger import Ledger
from gateway.model.configuration import Configuration, GatewaySettings

NOON = 1_767_268_805 * 10**9
"""2026-01-01 12:00:05 UTC."""


class Noon:
    """A clock that stands still."""

    def now(self) -> int:
        return NOON


@dataclass(eq=False)
class Substation:
    """An engine as the view sees it, with nothing running behind it."""

    configuration: Configuration
    definitions: list[Definition | None]
    image: Image
    links: dict[str, LinkStatus] = field(default_factory=dict)
    ledgers: dict[str, Ledger] = field(default_factory=dict)
    clock: Noon = field(default_factory=Noon)
    numbers: dict[str, int] = field(default_factory=dict)

    def id(self, name: str) -> int:
        return self.numbers[name]


def substation(points: int = 3) -> Substation:
    """A gateway of so many voltages from meter1, all good and two seconds old."""
    own = [Definition(f"feeder{n}.voltage", unit="V", source="meter1") for n in range(points)]
    image = Image(
        np.full(points, 230.25),
        np.zeros(points, np.uint16),
        np.full(points, NOON - 2 * 10**9, np.int64),
    )
    engine = Substation(
        Configuration(Path("x.yaml"), GatewaySettings(name="north"), (), (), tuple(own)),
        list(own),
        image,
    )
    engine.numbers = {definition.name: n for n, definition in enumerate(own)}
    engine.links = {
        "meter1": LinkStatus("meter1", "modbus", "source", State.UP, NOON - 90 * 10**9),
        "ua": LinkStatus("ua", "opcua.server", "sink", State.UP, NOON - 90 * 10**9),
    }
    engine.ledgers = {"ua": Ledger(1200, 1180, 15, Counter({"too old": 2}))}
    return engine


def lines(engine: Substation, width: int = 100, height: int = 40, page: int = 0) -> list[str]:
    """The view as a terminal of that size would show it, line by line."""
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=True)
    rendered = console.render_lines(screen(engine, width, height, page), pad=False)
    return ["".join(segment.text for segment in line).rstrip() for line in rendered]


def row(shown: list[str], first: str) -> list[str]:
    """The words of the line that begins with a word."""
    return next(line.split() for line in shown if line.startswith(first))


def test_a_point_shows_value_unit_quality_age_and_source() -> None:
    """A point's row has its name, value, unit, quality, age and source."""
    assert row(lines(substation()), "feeder1.voltage") == [
        "feeder1.voltage", "230.25", "V", "good", "2.0s", "meter1",
    ]  # fmt: skip


def test_a_link_shows_state_since_error_and_counters() -> None:
    """A link that is down shows since when, why, and what it counted."""
    engine = substation()
    engine.links["meter2"] = LinkStatus(
        "meter2", "modbus", "source", State.DOWN, NOON - 8 * 10**9, "Connection refused",
        counters=Counter({"timeouts": 3, "retries": 0}),
    )  # fmt: skip
    shown = lines(engine)
    assert row(shown, "meter2") == [
        "meter2", "modbus", "down", "8.0s", "Connection", "refused", "timeouts", "3",
    ]  # fmt: skip
    assert "1/2 sources up, 1/1 sinks up" in shown[0]


def test_the_ledger_shows_all_its_columns_and_the_reasons() -> None:
    """1200 taken are 1180 delivered, 15 coalesced, 2 dropped for a reason, and 3 pending."""
    assert row(lines(substation()), "ua  ")[:1] == ["ua"]
    shown = [line for line in lines(substation()) if "1,180" in line]
    assert shown[0].split() == ["ua", "1,200", "1,180", "15", "2", "3", "too", "old", "2"]


@pytest.mark.parametrize("points", [0, 1, 17, 58, 1000])
@pytest.mark.parametrize("size", [(80, 24), (200, 60), (40, 10), (20, 5), (100, 1)])
def test_the_view_fits_the_terminal(points: int, size: tuple[int, int]) -> None:
    """However many points there are, no line is wider and the whole no higher than the terminal."""
    engine = substation(points)
    for n in range(30):
        engine.links[f"relay{n}"] = LinkStatus(f"relay{n}", "modbus", "source", State.UP, NOON)
    width, height = size
    shown = lines(engine, width, height)
    assert len(shown) <= height
    assert max(map(len, shown)) <= width


def test_every_point_is_on_some_page() -> None:
    """Pages turn through all points, each point once, and begin again."""
    engine = substation(100)
    names: list[str] = []
    for page in range(10):
        shown = lines(engine, 100, 30, page)
        fresh = [line.split()[0] for line in shown if line.startswith("feeder")]
        if names and fresh[0] == "feeder0.voltage":
            break
        names += fresh
    assert names == [f"feeder{n}.voltage" for n in range(100)]


def test_what_does_not_fit_is_counted() -> None:
    """Where there are more links and points than lines, the view says how many more."""
    engine = substation(100)
    for n in range(30):
        engine.links[f"relay{n:02}"] = LinkStatus(f"relay{n:02}", "modbus", "source", State.UP)
    engine.links["relay29"].state = State.DOWN
    shown = lines(engine, 100, 40)
    assert any(line.startswith("relay29") for line in shown), "a link that is down comes first"
    more = next(line for line in shown if line.startswith("… "))
    links = sum(" modbus" in line or " opcua.server" in line for line in shown)
    assert more == f"… {32 - links} more, {32 - links} of them up"
    assert any(line.startswith("points 1 to ") and " of 100," in line for line in shown)


def test_the_status_line_has_everything_in_one_line() -> None:
    """Time, links, points, bad ones, links that are down with the reason, and each ledger."""
    engine = substation(58)
    engine.image.quality[3] = Quality.INVALID | Quality.OLD_DATA
    engine.image.quality[4] = Quality.QUESTIONABLE
    engine.image.quality[5] = Quality.INVALID
    engine.links["meter2"] = LinkStatus(
        "meter2", "modbus", "source", State.DOWN, NOON, "Connection refused"
    )
    assert status_line(engine) == (
        "12:00:05 1/2 sources up, 1/1 sinks up, 58 points (2 invalid, 1 questionable), "
        "meter2 down (Connection refused), "
        "ua taken 1200 delivered 1180 coalesced 15 dropped 2 pending 3"
    )


def test_what_ails_the_gateway_itself_is_in_the_headline() -> None:
    """A clock that is not synchronised and a disk that takes nothing are said, once known."""
    engine = substation(1)
    for name in ("_health.gateway.clock_synchronised", "_health.gateway.journal_works"):
        engine.numbers[name] = len(engine.definitions)
        engine.definitions.append(Definition(name, Kind.STATUS))
    engine.image = Image(np.zeros(3), np.zeros(3, np.uint16), np.zeros(3, np.int64))
    assert "clock" not in status_line(engine), "nothing is known yet"
    engine.image.time[:] = NOON
    assert ", journal: the disk takes nothing, clock not synchronised" in status_line(engine)
    engine.image.value[:] = 1.0
    assert "clock" not in status_line(engine)


def test_before_the_engine_has_started_there_is_a_line_too() -> None:
    """Before links and image are made, the line says that nothing is up."""
    engine = substation(2)
    engine.links, engine.ledgers = {}, {}
    engine.image = Image(np.empty(0), np.empty(0, np.uint16), np.empty(0, np.int64))
    assert status_line(engine) == "12:00:05 0/0 sources up, 0/0 sinks up, 2 points"
    assert lines(engine)


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (Kind.ANALOG, 230.25, "230.25"),
        (Kind.ANALOG, 49.9871, "49.987"),
        (Kind.ANALOG, -0.95, "-0.950"),
        (Kind.ANALOG, 12345.678, "12,345.7"),
        (Kind.ANALOG, 1.5e9, "1.5e+09"),
        (Kind.ANALOG, 2e-6, "2e-06"),
        (Kind.ANALOG, 0.0, "0.000"),
        (Kind.ANALOG, float("nan"), "–"),
        (Kind.ANALOG, float("inf"), "inf"),
        (Kind.COUNTER, 9007199254740992.0, "9,007,199,254,740,992"),
        (Kind.STATUS, 1.0, "on"),
        (Kind.STATUS, 0.0, "off"),
        (Kind.DOUBLE, 0.0, "between"),
        (Kind.DOUBLE, 2.0, "on"),
        (Kind.DOUBLE, 7.0, "7"),
    ],
)
def test_values_read_as_an_operator_reads_them(kind: Kind, value: float, text: str) -> None:
    """Statuses are words, counters whole numbers, analogs have about six digits."""
    assert value_text(kind, value) == text


async def test_log_lines_do_not_tear_the_view() -> None:
    """While the view is shown a log line goes to its foot, and below it when it ends."""
    terminal = io.StringIO()
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    handler = logging.StreamHandler(terminal)
    root = logging.getLogger()
    root.addHandler(handler)
    console = Console(file=terminal, width=100, height=40, force_terminal=True)
    try:
        viewer = asyncio.create_task(show(substation(), console, 0.001))
        while "feeder0" not in terminal.getvalue():
            await asyncio.sleep(0)
        root.warning("source meter1 is down: Connection refused")
        seen = len(terminal.getvalue())
        while "refused" not in terminal.getvalue()[seen:]:
            await asyncio.sleep(0.001)
        viewer.cancel()
        await asyncio.gather(viewer, return_exceptions=True)
    finally:
        root.removeHandler(handler)
    left = terminal.getvalue().rpartition("\x1b[?1049l")[2]
    assert "source meter1 is down: Connection refused" in left, "printed once the view is gone"


def test_the_view_is_cheap_with_a_quarter_million_points() -> None:
    """A refresh of a 60-line terminal over 250,000 points takes less than 100 ms of CPU."""
    engine = substation(250_000)
    console = Console(file=io.StringIO(), width=160, height=60, force_terminal=True)
    console.print(screen(engine, 160, 60))
    began = process_time()
    for page in range(10):
        console.print(screen(engine, 160, 60, page))
    assert (process_time() - began) / 10 < 0.1
