"""Counts of a waveform from what a recording has, by hand calculation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gateway_comtrade.codec import (
    MISSING,
    AnalogChannel,
    Format,
    Header,
    Rate,
    Recording,
    StatusChannel,
)
from gateway_comtrade.replay.played import Side, played, stream_of

from gateway import LinkError, Quality

MADE = int(Quality.QUESTIONABLE | Quality.INACCURATE)


def recording(
    channels: list[AnalogChannel],
    samples: np.ndarray,
    rates: tuple[Rate, ...] | None = None,
    stamps: list[int] | None = None,
    states: list[list[int]] | None = None,
) -> Recording:
    rows = len(samples)
    rates = (Rate(1000.0, rows),) if rates is None else rates
    status = tuple(StatusChannel(n, f"S{n}") for n in range(1, len((states or [[]])[0]) + 1))
    header = Header(
        *("S", "D", 1999, tuple(channels), status, 50.0, rates, rows, 0, 0, Format.BINARY)
    )
    return Recording(
        header,
        np.arange(1, rows + 1),
        np.array(stamps if stamps is not None else [0] * rows),
        samples,
        np.array(states if states is not None else [[]] * rows, np.uint8).reshape(rows, -1),
    )


def whole(*rows: list[int]) -> np.ndarray:
    return np.array(rows, np.int32)


PLAIN = AnalogChannel(1, "ua", unit="V", a=0.5)


def test_counts_stay_as_they_are() -> None:
    """And a negative multiplier turns them, because scales are above 0."""
    found = played(
        recording([PLAIN, AnalogChannel(2, "ia", a=-2.0)], whole([7, 8], [-9, 10])), Side.PRIMARY
    )
    assert found.samples.tolist() == [[7, -8], [-9, -10]]
    assert [channel.scale for channel in found.channels] == [0.5, 2.0]


def test_an_offset_makes_counts_anew() -> None:
    """Values 10.5 and -4.5: 10.5 is above 2**3, so a count is 2**4 / 2**30."""
    found = played(recording([replace(PLAIN, a=1.5, b=3.0)], whole([5], [-5])), Side.PRIMARY)
    assert found.channels[0].scale == 2.0**-26
    assert found.samples.ravel().tolist() == [int(10.5 * 2**26), int(-4.5 * 2**26)]


def test_missing_data_is_invalid() -> None:
    """The row is there, as 0, and invalid; in floating point as in integers."""
    for samples in (whole([7], [MISSING]), np.array([[7.0], [np.nan]])):
        found = played(recording([PLAIN], samples), Side.PRIMARY)
        values = found.samples[:, 0] * found.channels[0].scale
        assert values.tolist() == [3.5, 0.0]
        assert found.quality.tolist() == [0, Quality.INVALID]


@pytest.mark.parametrize(
    ("stored", "side", "scale"),
    [
        ("S", Side.PRIMARY, 0.5 * 110 / 0.1),
        ("S", Side.SECONDARY, 0.5),
        ("P", Side.SECONDARY, 0.5 * 0.1 / 110),
        ("P", Side.PRIMARY, 0.5),
        ("S", Side.AS_STORED, 0.5),
    ],
)
def test_sides_of_the_transformer(stored: str, side: Side, scale: float) -> None:
    """110 kV to 0.1 kV."""
    channel = replace(PLAIN, primary=110.0, secondary=0.1, side=stored)
    one = recording([channel], whole([1], [2]))
    assert played(one, side).channels[0].scale == pytest.approx(scale, rel=1e-12)
    stream = stream_of(one.header, side)
    assert stream is not None
    assert stream[1] == played(one, side).channels
    assert stream[0] == 1000


def test_a_rate_that_changes() -> None:
    """Rows at 0, 1, 2 ms, then at 4 and 6 ms: those at 3 and 5 ms are made, half-way between."""
    rates = (Rate(1000.0, 3), Rate(500.0, 5))
    states = [[0], [0], [1], [1], [0]]
    one = recording([PLAIN], whole([0], [10], [20], [40], [-40]), rates, states=states)
    found = played(one, Side.PRIMARY)
    values = found.samples[:, 0] * found.channels[0].scale
    assert found.rate == 1000
    assert values.tolist() == pytest.approx([0, 5, 10, 15, 20, 0, -20], abs=1e-6)
    assert found.quality.tolist() == [0, 0, 0, MADE, 0, MADE, 0]
    # The second change is that of the last row, at 6 ms.
    assert found.edges.tolist() == [[0, 0, 0], [2, 0, 1], [6, 0, 0]]
    assert stream_of(one.header, Side.PRIMARY) is None


def test_missing_data_beside_made_rows() -> None:
    """What is made of a missing row is missing."""
    rates = (Rate(1000.0, 1), Rate(500.0, 3))
    found = played(recording([PLAIN], whole([0], [MISSING], [4]), rates), Side.PRIMARY)
    bad = int(Quality.INVALID)
    assert found.quality.tolist() == [0, bad, bad, bad, 0]


def test_even_stamps_are_a_rate() -> None:
    """4800 Hz in µs: 208, 417, 625 …"""
    stamps = [round(n * 1e6 / 4800) for n in range(480)]
    one = recording([PLAIN], whole(*([n] for n in range(480))), (), stamps)
    assert played(one, Side.PRIMARY).rate == 4800
    with pytest.raises(LinkError, match="found stamps that are not evenly spaced"):
        played(recording([PLAIN], one.samples, (), [*stamps[:-1], stamps[-1] + 50]), Side.PRIMARY)


def test_names_that_come_again() -> None:
    """Get the number of their channel; a channel without a name is its number."""
    channels = [PLAIN, replace(PLAIN, number=2), replace(PLAIN, number=3, name="")]
    one = recording(channels, whole([1, 2, 3], [4, 5, 6]))
    names = [channel.name for channel in played(one, Side.PRIMARY).channels]
    assert names == ["ua", "ua#2", "3"]
    chosen = played(one, Side.PRIMARY, ["3", "ua"])
    assert [channel.name for channel in chosen.channels] == ["3", "ua"]
    assert played(one, Side.PRIMARY, ["ua#2"]).channels[0].name == "ua#2"
    assert chosen.samples.tolist() == [[3, 1], [6, 4]]
    with pytest.raises(LinkError, match="channels: found 'ux', allowed: ua, ua#2, 3"):
        played(one, Side.PRIMARY, ["ux"])


def test_too_many_channels() -> None:
    """33 are too many unless some are named."""
    channels = [replace(PLAIN, number=n, name=f"c{n}") for n in range(33)]
    one = recording(channels, whole(list(range(33)), list(range(33))))
    with pytest.raises(LinkError, match="found 33 analog channels, allowed: 1 to 32"):
        played(one, Side.PRIMARY)
    assert len(played(one, Side.PRIMARY, ["c5"]).channels) == 1
