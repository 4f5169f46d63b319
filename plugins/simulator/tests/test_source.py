"""The sources in a whole gateway, on a paused clock."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from gateway_simulator.replay import Repeat, Replay
from gateway_simulator.source import Simulator

from gateway import Quality
from gateway.testing import Collector, paused, running

START = datetime(2026, 1, 1, tzinfo=UTC)
NS = 1_767_225_600 * 10**9
"""2026-01-01 00:00 UTC, a whole multiple of a minute since the epoch."""

POINTS = """\
name,kind,unit,field.signal,field.low,field.high,field.period
feeder1.voltage,analog,V,sine,220,240,60s
feeder1.breaker,status,,square,,,60s
"""
RECORDING = "offset,point,value,quality\n0,UA,11.5,good\n4,UA,0,invalid failure\n10,UA,11.5,good\n"


@paused(start=START)
async def test_points_follow_their_signals(tmp_path: Path) -> None:
    """A sine between 220 and 240 V stands at 240 V a quarter of its period after a whole minute."""
    field, out = Simulator(name="field"), Collector(name="out")
    async with running([field], [out], POINTS, data=tmp_path) as gateway:
        await gateway.until(lambda: gateway.engine.clock.now() > NS + 45 * 10**9, timeout=60)
    rows = {(row.name, (row.time - NS) // 10**9): row for row in out.rows()}
    for second, volt in ((15, 240.0), (30, 230.0), (45, 220.0)):
        assert rows["feeder1.voltage", second].value == pytest.approx(volt)
    # Only changes are reported: once as it begins, and once as it turns half a period later.
    statuses = [(row.time - NS, row.value) for row in out.rows("feeder1.breaker")]
    assert statuses == [(1 * 10**9, 1.0), (30 * 10**9, 0.0)]
    assert all(row.quality & Quality.VALIDITY == Quality.GOOD for row in out.rows())
    assert not any(row.quality & Quality.DEVICE_TIME for row in out.rows())


@paused(start=START)
async def test_two_runs_with_one_seed_agree(tmp_path: Path) -> None:
    """Random signals are the same in two runs with the same seed and the same times."""
    points = "name,field.signal\na,walk\nb,walk\n"

    async def values(data: Path) -> list[tuple[str, float]]:
        data.mkdir()
        field, out = Simulator(name="field", seed=9), Collector(name="out")
        async with running([field], [out], points, data=data) as gateway:
            await gateway.until(lambda: len(out.rows()) >= 20, timeout=60)
        return [(row.name, row.value) for row in out.rows()[:20]]

    assert await values(tmp_path / "first") == await values(tmp_path / "second")


@paused(start=START)
async def test_a_recording_comes_with_its_own_time_and_quality(tmp_path: Path) -> None:
    """Samples keep the distances of the recording, its quality, and say that the time is theirs."""
    (tmp_path / "fault.csv").write_text(RECORDING)
    fault = Replay(name="fault", file=tmp_path / "fault.csv", poll=1.0)
    out = Collector(name="out")
    async with running(
        [fault], [out], "name,fault.recorded\nbus.voltage,UA\n", data=tmp_path
    ) as gateway:
        await gateway.until(lambda: len(out.rows()) >= 6, timeout=60)
    start = out.rows()[0].time
    good, bad = Quality.DEVICE_TIME, Quality.DEVICE_TIME | Quality.INVALID | Quality.FAILURE
    # It ends after 10 s and begins again one poll, 1 s, later.
    assert [(row.time - start, row.value, row.quality) for row in out.rows()[:6]] == [
        (0, 11.5, good),
        (4 * 10**9, 0.0, bad),
        (10 * 10**9, 11.5, good),
        (11 * 10**9, 11.5, good),
        (15 * 10**9, 0.0, bad),
        (21 * 10**9, 11.5, good),
    ]


@paused(start=START)
async def test_a_recording_played_once_at_double_speed(tmp_path: Path) -> None:
    """Played once and twice as fast, three samples come within 5 s and no more in a minute."""
    (tmp_path / "fault.csv").write_text(RECORDING)
    fault = Replay(name="fault", file=tmp_path / "fault.csv", repeat=Repeat.ONCE, speed=2.0)
    out = Collector(name="out")
    async with running(
        [fault], [out], "name,fault.recorded\nbus.voltage,UA\n", data=tmp_path
    ) as gateway:
        await gateway.until(lambda: gateway.engine.clock.now() > NS + 60 * 10**9, timeout=90)
    times = [row.time for row in out.rows()]
    assert [time - times[0] for time in times] == [0, 2 * 10**9, 5 * 10**9]


@paused(start=START)
async def test_a_missing_recording_is_tried_again(tmp_path: Path) -> None:
    """Without its file the link is down with a sentence, and comes up once the file is there."""
    fault = Replay(name="fault", file=tmp_path / "fault.csv")
    async with running(
        [fault], [], "name,fault.recorded\nbus.voltage,UA\n", data=tmp_path
    ) as gateway:
        await gateway.until(lambda: gateway.state("fault") == "down")
        assert gateway.status("fault").error.endswith("fault.csv: No such file or directory")
        (tmp_path / "fault.csv").write_text(RECORDING + "10,UB,1,good\n")
        await gateway.until(lambda: gateway.state("fault") == "up", timeout=120)
        await gateway.until(lambda: gateway.sample("bus.voltage").value == 11.5)
        assert gateway.counters("fault")["unlisted"] == 1


async def test_a_recorded_name_is_replayed_as_one_point(tmp_path: Path) -> None:
    """Two points of one recorded name are refused at the second one's cell."""
    fault = Replay(name="fault", file=tmp_path / "fault.csv")
    points = "name,fault.recorded\nbus.voltage,UA\nbus.other,UA\n"
    with pytest.raises(ValueError, match=r"points\.csv:3:11: .*which already is bus\.voltage"):
        async with running([fault], [], points, data=tmp_path):
            pass
