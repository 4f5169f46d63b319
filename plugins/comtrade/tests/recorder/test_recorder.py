"""A fault is recorded: what the partner reads in the file is what was handed over."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from comtrade_bench import CHANNELS, RATE, START, bench, block, values
from comtrade_recordings import partner
from gateway_comtrade.codec import read

from gateway import Quality
from gateway.testing import paused
from gateway.waveform import Waveform

# Half a step of the current's 15 A × √2 (12 A and 3 A), divided into the counts that there are.
COARSE = {"binary": 21.2132 / 32_767 / 2, "ascii 1999": 21.2132 / 99_998 / 2}


@pytest.mark.parametrize(
    ("stored", "revision"),
    [
        *(("binary", 2013), ("binary", 1999), ("binary32", 2013)),
        *(("ascii", 1999), ("ascii", 2013), ("float32", 2013)),
    ],
)
@paused(start=START)
async def test_a_trip_is_recorded(tmp_path: Path, stored: str, revision: int) -> None:
    """From 200 ms before the trip to 300 ms behind it, with the edges of the status channels.

    The trip is told 0.4 s late. Counts of the voltage (up to 32527) fit in 16 bits as they are;
    those of the current (up to 212132) are made coarser there, and in ASCII of 1999.
    """
    more = {"format": stored, "revision": revision, "after": "300ms"}
    async with bench(tmp_path, **more, station="North", device="Bay 1", company="Grid") as one:
        await one.feed(1.0)
        await one.tell("relay.trip", 1, 0.6)
        await one.tell("relay.breaker", 1, 0.65)
        await one.feed(1.5)
        await one.gateway.until(lambda: one.counted("recordings") == 1)
        (path,) = one.files()
        assert one.counted("triggers") == 2
    assert path.name == "260101,120000400,0,North,Bay_1,Grid,trip.cfg"
    found = partner(path)
    assert (found.station_name, found.rec_dev_id) == ("North", "Bay 1")
    assert (found.rev_year, found.ft.lower()) == (str(revision), stored)
    # 0.4 s × 4800 = row 1920; the breaker's trigger makes it longer: 0.65 + 0.3 = 0.95 s, row 4560.
    rows = range(1920, 4560)
    assert found.total_samples == len(rows)
    assert found.cfg.sample_rates == [[4800.0, len(rows)]]
    assert found.start_timestamp == datetime(2026, 1, 1, 12, 0, 0, 400_000)
    assert found.trigger_timestamp == datetime(2026, 1, 1, 12, 0, 0, 600_000)
    assert found.trigger_time == pytest.approx(0.2, abs=1e-9)
    coarse = COARSE.get(stored, COARSE.get(f"{stored} {revision}", 0.0))
    voltage, current = (
        np.abs(column - real).max() for column, real in zip(found.analog, values(rows), strict=True)
    )
    # Half of a count that was handed over; 2**-24 of 325 V more where it is a float32.
    assert voltage <= 0.005 + 2e-5
    assert current <= 0.00005 + coarse + 2e-6
    assert (found.cfg.analog_channels[1].a > 0.0001) is (coarse > 0 or stored == "float32")
    assert found.analog_channel_ids == ["ua", "ia"]
    assert [one.uu for one in found.cfg.analog_channels] == ["V", "A"]
    assert found.status_channel_ids == ["TRIP", "CB"]
    trip, breaker = (np.asarray(column) for column in found.status)
    # 0.6 s is row 2880, 0.65 s row 3120.
    assert np.flatnonzero(np.diff(trip)).tolist() == [2880 - 1920 - 1]
    assert (trip[0], trip[-1]) == (0, 1)
    assert np.flatnonzero(np.diff(breaker)).tolist() == [3120 - 1920 - 1]
    assert (breaker[0], breaker[-1]) == (1, 0)
    assert "trip: relay.trip (relay.trip is 1)" in found.hdr
    assert not list(path.parent.glob(".*"))


@paused(start=START)
async def test_missing_and_doubtful_rows_are_told(tmp_path: Path) -> None:
    """Rows that never came are missing data; of questionable ones the HDR file has the rows."""
    async with bench(tmp_path, after="500ms") as one:
        await one.feed(0.5)
        await one.tell("relay.trip", 1, 0.5)
        await one.feed(0.1)
        await one.feed(0.05, leave_out=range(2880, 2880 + 96))
        one.quality = int(Quality.QUESTIONABLE | Quality.CLOCK_NOT_SYNCHRONISED)
        await one.feed(0.05)
        one.quality = None
        await one.feed(2.0)
        await one.gateway.until(lambda: one.counted("recordings") == 1)
        (path,) = one.files()
    found = partner(path)
    # It begins at 0.3 s, row 1440: rows 2880 to 2975 are those from 1440 to 1535.
    nothing = np.isnan(found.analog[0])
    assert np.flatnonzero(nothing).tolist() == list(range(1440, 1536))
    assert np.array_equal(nothing, np.isnan(found.analog[1]))
    lines = found.hdr.splitlines()
    assert "Missing: rows 1441 to 1536, from 2026-01-01T12:00:00.600000000Z" in lines
    assert "Questionable: rows 1681 to 1920, from 2026-01-01T12:00:00.650000000Z" in lines
    assert any(line.startswith("Clock not synchronised: rows 1681 to 1920") for line in lines)
    assert read(path).header.quality == 15


@paused(start=START)
async def test_another_waveform_begins_anew(tmp_path: Path) -> None:
    """What was under way ends where the channels change, and is written."""
    async with bench(tmp_path) as one:
        await one.feed(0.5)
        await one.tell("relay.trip", 1, 0.5)
        await one.feed(0.5)
        other = block(range(4800, 4848))
        await one.sampler.emit(
            Waveform(RATE, CHANNELS[:1], other.index, np.ascontiguousarray(other.samples[:, :1]))
        )
        await one.gateway.until(lambda: one.counted("recordings") == 1)
        assert one.counted("waveforms_anew") == 1
        assert len(read(one.files()[0])) == round(0.7 * RATE)
        assert "there were no samples any more" in read(one.files()[0]).hdr


@paused(start=START)
async def test_what_is_under_way_is_written_at_the_end(tmp_path: Path) -> None:
    """The gateway stops half a second behind the trigger."""
    async with bench(tmp_path) as one:
        await one.feed(0.5)
        await one.tell("relay.trip", 1, 0.5)
        await one.feed(0.5)
        folder = one.folder
    (path,) = folder.glob("*.cfg")
    assert len(read(path)) == round(0.7 * RATE)


@paused(start=START)
async def test_samples_that_end_are_not_waited_for(tmp_path: Path) -> None:
    """A merging unit that falls silent at the fault leaves a recording all the same."""
    async with bench(tmp_path) as one:
        await one.feed(0.5)
        await one.tell("relay.trip", 1, 0.5)
        await one.feed(0.1)
        await one.gateway.until(lambda: one.counted("recordings") == 1)
        assert len(read(one.files()[0])) == round(0.3 * RATE)


@paused(start=START)
async def test_the_folder_is_bounded(tmp_path: Path) -> None:
    """Two recordings may stay: the oldest goes; files of others stay."""
    folder = tmp_path / "recordings"
    folder.mkdir()
    (folder / "250101,120000000,0,Other,Device,,x.cfg").write_text("theirs")
    part = folder / ".260101,110000000,0,test,mu,,trip.dat.part"
    part.write_text("cut off by a power failure")
    async with bench(tmp_path, most=2, after="100ms") as one:
        assert not part.exists()
        for at in (0.5, 1.5, 2.5):
            await one.feed(0.5)
            await one.tell("relay.trip", 1, at)
            await one.feed(0.5)
            await one.tell("relay.trip", 0, at + 0.5)
        await one.feed(2.0)
        await one.gateway.until(lambda: one.counted("recordings_removed") == 1)
        names = [path.name for path in one.files()]
    assert names == [
        "250101,120000000,0,Other,Device,,x.cfg",
        "260101,120001300,0,test,mu,,trip.cfg",
        "260101,120002300,0,test,mu,,trip.cfg",
    ]
    assert len(list(folder.glob("260101*"))) == 6


@paused(start=START)
async def test_a_full_disk_does_not_end_the_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is counted and logged, nothing of the recording stays, and the next one is written."""
    real, full = os.fsync, True

    def fsync(handle: int) -> None:
        if full and str(Path(f"/proc/self/fd/{handle}").readlink()).endswith(".part"):
            raise OSError(28, "No space left on device")
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    async with bench(tmp_path, after="100ms") as one:
        await one.feed(0.5)
        await one.tell("relay.trip", 1, 0.5)
        await one.feed(1.5)
        await one.gateway.until(lambda: one.counted("recordings_failed") == 1)
        assert list(one.folder.iterdir()) == []
        full = False
        await one.tell("relay.trip", 0, 2.0)
        await one.tell("relay.trip", 1, 2.1)
        await one.feed(1.5)
        await one.gateway.until(lambda: one.counted("recordings") == 1)
        assert one.gateway.state("rec") == "up"
