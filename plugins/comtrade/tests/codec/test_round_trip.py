"""What is written is read back, here and by another implementation."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from comtrade_recordings import partner, recordings
from gateway_comtrade.codec import Format, Recording, read, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

MICRO = timedelta(microseconds=1)


def same(one: Recording, two: Recording) -> bool:
    return one.header == two.header and all(
        np.array_equal(getattr(one, name), getattr(two, name), equal_nan=name == "samples")
        for name in ("numbers", "stamps", "samples", "states")
    )


@given(recordings())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_files_hold_the_recording(recording: Recording) -> None:
    """A recording that was written, as two files or as one, is read as it was."""
    with TemporaryDirectory() as folder:
        for suffix in (".cfg", ".cff")[: 2 if recording.header.revision == 2013 else 1]:
            path = Path(folder, f"one{suffix}")
            write(recording, path)
            again = read(path)
            assert same(recording, again)
            assert again.hdr.strip() == recording.hdr.strip()


@given(recordings(), st.booleans())
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_partner_reads_the_same(recording: Recording, single: bool) -> None:
    """python-comtrade finds the values, states, times and names that were written.

    It takes no empty field in ASCII, and another number for missing data in FLOAT32.
    """
    header = recording.header
    if header.revision == 2013 and np.any(recording.missing()):
        if header.format is Format.ASCII:
            return
        if header.format is Format.FLOAT32:
            recording.samples[recording.missing()] = 0.0
    with TemporaryDirectory() as folder:
        path = Path(folder, "one.cff" if single and header.revision == 2013 else "one.cfg")
        write(recording, path)
        found = partner(path)
    # It keeps µs, and no zone.
    for stamp, time in (
        (found.start_timestamp, header.start),
        (found.trigger_timestamp, header.trigger),
    ):
        assert abs(stamp - datetime(1970, 1, 1) - timedelta(microseconds=time // 1000)) <= MICRO
    names = [channel.name for channel in header.analog]
    assert found.analog_channel_ids == names
    assert found.status_channel_ids == [channel.name for channel in header.status]
    assert (found.station_name, found.rec_dev_id) == (header.station, header.device)
    assert found.frequency == header.frequency
    for column, values in zip(found.analog, recording.values().T, strict=True):
        np.testing.assert_allclose(column, values, rtol=1e-12)
    for column, states in zip(found.status, recording.states.T, strict=True):
        np.testing.assert_array_equal(column, states)
    if header.rates:
        np.testing.assert_allclose(found.time, recording.offsets() / 1e9, atol=1e-9)
    assert found.cfg.timemult == pytest.approx(header.timemult, rel=1e-15)
