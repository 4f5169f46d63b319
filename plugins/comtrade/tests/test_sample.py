"""The sample, all of it: played, measured, triggered, recorded, read by another implementation."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from comtrade_recordings import partner
from gateway_comtrade.recorder.sink import Recorder
from gateway_comtrade.replay.source import Replay

from gateway.testing import paused, running
from gateway.waveform import WaveformSettings

HERE = Path(__file__).parents[1]
START = datetime(2026, 3, 1, 8, 0, 0, 250_000, UTC)
WHEN = [
    {"name": "trip", "condition": "relay.trip"},
    {"name": "dip", "condition": "bus.dip or bus.frequency < 49.5"},
]


def test_the_recording_is_what_its_page_says() -> None:
    """Phase a at 40 % from 0.6 to 0.7 s, a trip from 0.64 to 0.75 s, a breaker open at 0.7 s."""
    found = partner(HERE / "recording.cfg")
    time = np.arange(2400) / 1600
    fault = (time >= 0.6) & (time < 0.7)
    for k in range(3):
        turn = np.cos(2 * np.pi * (50 * time - k / 3)) * 2**0.5
        low, high = (np.where(fault & (k == 0), part, 1) for part in (0.4, 6))
        np.testing.assert_allclose(found.analog[k], 57.735 * turn * low, atol=0.0025001)
        np.testing.assert_allclose(found.analog[k + 3], 0.5 * turn * high, atol=0.00025001)
    trip, breaker = (np.asarray(column) for column in found.status)
    assert np.array_equal(trip == 1, (time >= 0.64) & (time < 0.75))
    assert np.array_equal(breaker == 1, time < 0.7)


@paused(start=START)
async def test_a_fault_is_measured_and_recorded(tmp_path: Path) -> None:
    """The dip of the recording triggers a recording of it, on the primary side, half a second long
    behind the last trigger; counts are those of the recording (1 V and 0.2 A)."""
    settings = WaveformSettings.model_validate(
        {"phasors": {"rate": 50}, "meter": {"declared": 11547}}
    )
    play = Replay(name="fault", file=HERE / "recording.cfg", repeat="once", waveform=settings)
    recorder = Recorder.model_validate(
        {"name": "recorder", "source": "fault", "after": "500ms", "when": WHEN}
        | {"folder": tmp_path / "recordings"}
    )
    async with running([play], [recorder], HERE / "sample.csv", data=tmp_path) as gateway:
        await gateway.until(lambda: gateway.counters("recorder").get("recordings") == 1)
        assert gateway.counters("recorder")["triggers"] >= 2
        assert gateway.sample("relay.breaker").value == 0.0
        # 57.735 V × 200
        assert abs(gateway.sample("bus.voltage_a").value - 11547) < 20
    (path,) = (tmp_path / "recordings").glob("*.cfg")
    found = partner(path)
    # The first row was played at 08:00:01. A dip begins with the cycle, begun every half cycle,
    # whose rms is the first below (IEC 61000-4-30:2015, 5.4): up to 20 ms before 0.6 s.
    begin = (found.start_timestamp - datetime(2026, 3, 1, 8, 0, 1)).total_seconds()
    assert 0.38 <= begin <= 0.40
    first = round(begin * 1600)
    recorded = partner(HERE / "recording.cfg")
    rows = slice(first, first + found.total_samples)
    assert found.total_samples >= 1600 * 0.7
    for k, ratio in enumerate([200.0] * 3 + [400.0] * 3):
        theirs = np.asarray(recorded.analog[k])[rows] * ratio
        np.testing.assert_allclose(found.analog[k], theirs, atol=1e-6)
    names = found.status_channel_ids
    assert names == ["DIP", "TRIP", "CB"]
    for name, column in (("TRIP", 0), ("CB", 1)):
        np.testing.assert_array_equal(
            found.status[names.index(name)], np.asarray(recorded.status[column])[rows]
        )
    dip = np.flatnonzero(found.status[0]) + first
    # Phase a was low from row 960 to 1120; a cycle is 32 rows, and the first one that is above
    # the hysteresis ends it.
    assert 960 - 32 <= dip[0] <= 960
    assert 1120 <= dip[-1] <= 1120 + 2 * 32
    assert "Missing" not in found.hdr


@paused(start=START)
async def test_a_recording_of_last_year_is_recorded_again(tmp_path: Path) -> None:
    """Played as it was recorded, ten times faster: triggers and samples stand two months back, and
    what is recorded is what was played, from 0.44 s on."""
    play = Replay(
        name="fault", file=HERE / "recording.cfg", repeat="once", start="as_recorded", speed=10
    )
    fields = {"name": "recorder", "source": "fault", "after": "500ms", "when": WHEN[:1]}
    recorder = Recorder.model_validate(fields | {"folder": tmp_path / "recordings"})
    rows = "name,kind,fault.status,recorder.channel\nrelay.trip,status,TRIP,TRIP\n"
    async with running([play], [recorder], rows, data=tmp_path) as gateway:
        await gateway.until(lambda: gateway.counters("recorder").get("recordings") == 1)
    (path,) = (tmp_path / "recordings").glob("*.cfg")
    found, recorded = partner(path), partner(HERE / "recording.cfg")
    assert found.start_timestamp == datetime(2026, 1, 1, 12, 0, 0, 440_000)
    assert found.trigger_timestamp == recorded.trigger_timestamp
    kept = slice(704, 704 + 1120)
    np.testing.assert_allclose(found.analog[0], np.asarray(recorded.analog[0])[kept] * 200)
    np.testing.assert_array_equal(found.status[0], np.asarray(recorded.status[0])[kept])
