"""Recordings are played again: rows, times, states."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from comtrade_links import Listener
from gateway_comtrade.replay.source import Replay
from pydantic import ValidationError

from gateway import Quality
from gateway.testing import Collector, advance, configured, paused, running

START = datetime(2026, 1, 1, 12, 0, 0, 300_000, UTC)
"""1767268800.3 s since 1970 (date -u -d '2026-01-01 12:00' +%s)."""
SECOND = 1_767_268_800
ROWS = 30
CFG = f"""S,D,2013
4,2A,2D
1,UA,A,,V,0.5,0,0,-9999,9999,110,0.1,S
2,IA,A,,A,2,0,0,-9999,9999,1,1,P
1,TRIP,,,0
2,CB,,,1
50
1
1000,{ROWS}
02/01/2026,14:00:00.250000
02/01/2026,14:00:00.260000
ASCII
1
+2,+2
0,0
"""
POINTS = "name,kind,play.status\nrelay.trip,status,TRIP\nrelay.breaker,status,2\n"


def recorded(folder: Path, name: str = "one", cfg: str = CFG) -> Path:
    """UA counts 0, 1, 2 …; IA the same below 0; TRIP comes with row 10, CB goes with row 20."""
    rows = [f"{n + 1},{n * 1000},{n},{-n},{n >= 10:d},{n < 20:d}" for n in range(ROWS)]
    (folder / f"{name}.dat").write_text("\r\n".join(rows))
    path = folder / f"{name}.cfg"
    path.write_text(cfg)
    return path


@paused(start=START)
async def test_rows_stand_at_the_next_second(tmp_path: Path) -> None:
    """At 12:00:00.3 a recording begins at 12:00:01.0, in blocks of 10 ms, on the primary side."""
    play = Replay(name="play", file=recorded(tmp_path), repeat="once")
    ear, events = Listener(name="ear", source="play"), Collector(name="events")
    async with running([play], [ear, events], POINTS, data=tmp_path) as gateway:
        await gateway.until(lambda: sum(map(len, ear.heard)) == ROWS)
        await gateway.until(lambda: gateway.sample("relay.breaker").value == 0.0)
        await gateway.until(lambda: len(events.rows("relay")) >= 4)
    first = ear.heard[0]
    assert first.index == (SECOND + 1) * 1000
    assert [one.index - first.index for one in ear.heard] == list(
        np.cumsum([0, *map(len, ear.heard)])[:-1]
    )
    assert max(map(len, ear.heard)) <= 10
    # 0.5 V × 110 / 0.1; the current is primary already.
    assert [(one.name, one.scale, one.unit) for one in first.channels] == [
        ("UA", pytest.approx(550.0), "V"),
        ("IA", 2.0, "A"),
    ]
    samples = np.concatenate([one.samples for one in ear.heard])
    assert samples.dtype == np.int32
    assert samples.tolist() == [[n, -n] for n in range(ROWS)]
    assert all(one.quality is not None and not one.quality.any() for one in ear.heard)
    begin = (SECOND + 1) * 10**9
    good = Quality.DEVICE_TIME
    assert [row for row in events.rows("relay") if row.quality == good] == [
        ("relay.trip", 0.0, good, begin),
        ("relay.breaker", 1.0, good, begin),
        ("relay.trip", 1.0, good, begin + 10_000_000),
        ("relay.breaker", 0.0, good, begin + 20_000_000),
    ]


@paused(start=START)
async def test_a_loop_goes_on_without_a_gap(tmp_path: Path) -> None:
    """The second turn follows the first one row by row, and tells only states that differ."""
    play = Replay(name="play", file=recorded(tmp_path))
    ear, events = Listener(name="ear", source="play"), Collector(name="events")
    async with running([play], [ear, events], POINTS, data=tmp_path) as gateway:
        await gateway.until(lambda: sum(map(len, ear.heard)) >= 3 * ROWS)
        await gateway.until(lambda: len(events.rows("relay.trip")) >= 5)
        assert gateway.counters("play")["recordings"] >= 3
    indices = np.concatenate([one.index + np.arange(len(one)) for one in ear.heard])
    assert np.all(np.diff(indices) == 1)
    samples = np.concatenate([one.samples for one in ear.heard])[:, 0]
    assert samples[: 2 * ROWS].tolist() == [*range(ROWS), *range(ROWS)]
    times = [
        (row.value, row.time - (SECOND + 1) * 10**9)
        for row in events.rows("relay.trip")
        if row.quality == Quality.DEVICE_TIME
    ]
    ms = 10**6
    assert times[:4] == [(0.0, 0), (1.0, 10 * ms), (0.0, 30 * ms), (1.0, 40 * ms)]


@paused(start=START)
async def test_rows_stand_where_they_were_recorded(tmp_path: Path) -> None:
    """14:00:00.25 at +2 is 12:00:00.25 UTC of 2 January, 86400 s behind the day of the test."""
    play = Replay(
        name="play", file=recorded(tmp_path), repeat="once", start="as_recorded", speed=10
    )
    ear = Listener(name="ear", source="play")
    async with running([play], [ear], data=tmp_path) as gateway:
        await gateway.until(lambda: sum(map(len, ear.heard)) == ROWS)
    assert ear.heard[0].index == (SECOND + 86_400) * 1000 + 250
    assert ear.heard[0].time() == (SECOND + 86_400) * 10**9 + 250_000_000


@paused(start=START)
async def test_a_zone_is_given_to_files_without_one(tmp_path: Path) -> None:
    """In January 14:00 in Berlin is 13:00 UTC."""
    old = CFG.replace("2013", "1999").replace("+2,+2\n0,0\n", "")
    play = Replay(
        name="play",
        file=recorded(tmp_path, cfg=old),
        repeat="once",
        start="as_recorded",
        zone="Europe/Berlin",
    )
    ear = Listener(name="ear", source="play")
    async with running([play], [ear], data=tmp_path) as gateway:
        await gateway.until(lambda: ear.heard)
    assert ear.heard[0].index == (SECOND + 86_400 + 3600) * 1000 + 250


@paused(start=START)
async def test_a_folder_is_played_in_order(tmp_path: Path) -> None:
    """By name; a file that cannot be read is left out, counted and named."""
    folder = tmp_path / "recordings"
    folder.mkdir()
    recorded(folder, "b")
    recorded(folder, "a", CFG.replace("UA", "UX"))
    (folder / "c.CFG").write_text("S,D,1999\n")
    play = Replay(name="play", folder=folder, repeat="once")
    ear = Listener(name="ear", source="play")
    async with running([play], [ear], data=tmp_path) as gateway:
        await gateway.until(lambda: gateway.counters("play").get("recordings_failed") == 1)
        assert gateway.state("play") == "up"
    names = [one.channels[0].name for one in ear.heard]
    assert names == sorted(names, reverse=True)
    assert set(names) == {"UX", "UA"}


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("1000,30", "999,30", "found a rate of 999 Hz, allowed: whole numbers from 1000 to 32768"),
        ("1000,30", "1000.5,30", "found a rate of 1000.5 Hz, allowed: whole numbers"),
        ("110,0.1,S", "0,0,S", "channel 1 UA: found a ratio of 0 to 0, allowed: numbers above 0"),
        ("1000,30", "1000,31", "one.dat: rows: found 30, allowed: 31"),
    ],
)
@paused(start=START)
async def test_what_cannot_be_played_is_said(
    tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    """The link is down with a sentence."""
    play = Replay(name="play", file=recorded(tmp_path, cfg=CFG.replace(old, new)))
    async with running([play], [], data=tmp_path) as gateway:
        await gateway.until(lambda: gateway.status("play").error)
        assert sentence in gateway.status("play").error


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "found neither of file and folder, allowed: one of them"),
        ({"file": "a", "folder": "b"}, "found both of file and folder"),
        ({"file": "a", "speed": 2.0}, "found speed 2 with start: now, allowed: 1"),
        ({"file": "a", "start": "as_recorded"}, "found repeat: loop with start: as_recorded"),
        ({"file": "a", "zone": "Mars"}, "found 'Mars', allowed: time zones as UTC"),
    ],
)
def test_fields_that_do_not_fit(fields: dict[str, object], sentence: str) -> None:
    """Are found before anything is read."""
    with pytest.raises(ValidationError, match=sentence):
        Replay.model_validate({"name": "play"} | fields)


def test_points_that_do_not_fit(tmp_path: Path) -> None:
    """A row is a result or a status, and a status channel is one point."""
    play = Replay(name="play", file=tmp_path / "one.cfg")
    table = "name,play.status,play.result\na,X,\nb,X,\nc,X2,phasor/frequency\n"
    with pytest.raises(ValueError, match="which already is a") as raised:
        configured([play], [], table, tmp_path)
    assert "found both of result and status" in str(raised.value)


def test_what_the_file_cannot_give_is_found_by_check(tmp_path: Path) -> None:
    """The recording has UA and IA: there is no phase b of it to be measured."""
    settings = {"channels": {"ua": "UA", "ia": "IA"}, "phasors": {"rate": 50}}
    fields = {"name": "play", "file": recorded(tmp_path), "waveform": settings}
    play = Replay.model_validate(fields)
    good = "name,play.result\na,phasor/magnitude/ua\n"
    assert configured([play], [], good, tmp_path).points
    with pytest.raises(ValueError, match=r"points.csv:3:3: play: found 'phasor/magnitude/ub'"):
        configured([play], [], f"{good}b,phasor/magnitude/ub\n", tmp_path)


@paused(start=START)
async def test_what_was_missed_is_left_out(tmp_path: Path) -> None:
    """A stall of 5 s in a recording of 8 s: the rows of it are counted and never handed over."""
    cfg = CFG.replace(f"1000,{ROWS}", "1000,8000")
    path = recorded(tmp_path, cfg=cfg)
    lines = "".join(f"{n + 1},{n * 1000},{n},0,0,0\n" for n in range(8000))
    path.with_suffix(".dat").write_text(lines)
    play = Replay(name="play", file=path, repeat="once")
    ear = Listener(name="ear", source="play")
    async with running([play], [ear], data=tmp_path) as gateway:
        await gateway.until(lambda: sum(map(len, ear.heard)) > 100)
        advance(5.0)
        await gateway.until(lambda: ear.heard[-1].samples[-1, 0] == 7999)
        missed = gateway.counters("play")["rows_missed"]
    assert 4900 <= missed <= 5100
    assert sum(map(len, ear.heard)) == 8000 - missed
    # Each row that came stands where it would have stood.
    for one in ear.heard:
        assert one.samples[0, 0] == one.index - ear.heard[0].index


@paused(start=START)
async def test_a_status_channel_that_is_not_there(tmp_path: Path) -> None:
    """Its point is stale; those that are there are played."""
    table = "name,kind,play.status\nrelay.trip,status,TRIP\nrelay.other,status,OTHER\n"
    play = Replay(name="play", file=recorded(tmp_path), repeat="once")
    async with running([play], [], table, data=tmp_path) as gateway:
        await gateway.until(lambda: gateway.sample("relay.trip").value == 1.0)
        assert gateway.counters("play")["status_missing"] == 1
        assert gateway.sample("relay.trip").quality == Quality.DEVICE_TIME
        assert gateway.sample("relay.other").quality & Quality.VALIDITY == Quality.INVALID
