"""Hours of a stream: what 3 s, 10 minutes and 2 hours are made of, and when they end."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from gateway.kernel import Meter, Quantity, Setup, Stream
from gateway.kernel.waveform import Samples
from gateway.testing.wave import Measured, measure

RATE, UDIN = 1000, 230.0
NS = 1_000_000_000
TICK = 7200 * 236_111  # an even hour of 2023
SPANS = ("cycles", "3s", "10min", "2h")
REGISTERS = ("import_a", "reactive_import_a", "export_a", "reactive_export_a")
NAMES = ("rms/ua", "active/a", "factor/a", "frequency/all", "flag/all")


def level_of(second: np.ndarray) -> np.ndarray:
    """The voltage, in parts of Udin, changing with each minute; 8 s of a dip in minute 35."""
    minute = second // 60
    level = 0.95 + 0.01 * (minute * 7 % 11)
    return np.where((second >= 2105) & (second < 2113), 0.5, level)


def hertz_of(second: np.ndarray) -> np.ndarray:
    """The frequency, changing with each 10 minutes."""
    return 49.9 + 0.02 * (second // 600 % 7)


def stream(begin: int, end: int) -> Iterator[tuple[int, Samples]]:
    """Seconds begin .. end of the stream after TICK, one a block."""
    turns = 0.0
    within = np.arange(RATE) / RATE
    for second in range(begin, end):
        hertz, level = float(hertz_of(np.array(second))), level_of(np.array(second))
        angle = 2 * np.pi * (turns + hertz * within)
        turns = (turns + hertz) % 1.0
        volts = np.sqrt(2) * UDIN * level * np.cos(angle)
        amperes = np.sqrt(2) * 5.0 * np.cos(angle - np.pi / 3)
        rows = np.stack([volts / 0.01, amperes / 0.001], axis=1)
        yield (TICK + second) * RATE, np.rint(rows).astype(np.int32)


@pytest.fixture(scope="module")
def hours() -> Measured:
    """Two hours and what leads to them."""
    setup = Setup(Stream(RATE, [0.01, 0.001]), {"ua": 0, "ia": 1}, UDIN)
    wanted = [Quantity.parse(f"{span}/{name}") for span in SPANS for name in NAMES]
    wanted += [Quantity.parse(f"total/energy/{name}") for name in REGISTERS]
    meter = Meter(setup, {q: i for i, q in enumerate(wanted)})
    return measure(meter, stream(-4, 7202))


def test_ten_minutes(hours: Measured) -> None:
    """Root of the mean of squares of the voltage, mean of power and frequency; ends at UTC."""
    quantity = Quantity.parse("10min/rms/ua")
    seconds = np.arange(7200).reshape(12, 600)
    level = level_of(seconds)
    power = UDIN * level * 5.0 * 0.5

    assert hours.times[quantity].tolist() == [(TICK + 600 * i) * NS for i in range(13)]
    assert hours.qualities[quantity].tolist() == [0x0203] + [0] * 12
    assert hours.values[quantity][1:] == pytest.approx(
        UDIN * np.sqrt((level**2).mean(axis=1)), rel=2e-4
    )
    assert hours["10min/active/a"][1:] == pytest.approx(power.mean(axis=1), rel=2e-4)
    assert hours["10min/frequency/all"][1:] == pytest.approx(hertz_of(seconds[:, 0]), abs=2e-4)
    assert hours["10min/flag/all"][1:].tolist() == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]
    mean = power.mean(axis=1) / (5.0 * UDIN * level.mean(axis=1))
    assert hours["10min/factor/a"][1:] == pytest.approx(mean, rel=2e-4)


def test_two_hours(hours: Measured) -> None:
    """Of twelve 10-minute values; what there was before the even hour is a part of 2 hours."""
    quantity = Quantity.parse("2h/rms/ua")
    whole = UDIN * np.sqrt((level_of(np.arange(7200)) ** 2).mean())

    assert hours.times[quantity].tolist() == [TICK * NS, (TICK + 7200) * NS]
    assert hours.qualities[quantity].tolist() == [0x0203, 0]
    assert hours.values[quantity][1] == pytest.approx(whole, rel=2e-4)
    assert hours["2h/flag/all"].tolist() == [0, 1]


def test_windows_begin_anew_with_ten_minutes(hours: Measured) -> None:
    """Each 10 minutes' first window ends 10 cycles after its first zero crossing after the tick."""
    ends = hours.times[Quantity.parse("cycles/rms/ua")]
    length = 10 / hertz_of(np.arange(0, 7200, 600))
    for i in range(12):
        tick = (TICK + 600 * i) * NS
        first = ends[(ends > tick)][:3] - tick
        # One that began before the tick, then the first of the new ones, and the one after it.
        new = first[first > (length[i] - 1e-3) * NS][0]
        assert new < (length[i] + 0.0201) * NS
        inside = ends[(ends > tick + new - 1000) & (ends <= tick + 600 * NS)]
        steps = np.diff(inside) / NS
        # The frequency changes with the tick, and a dip off nominal looks like a change of phase.
        assert np.max(np.abs(steps - length[i])) < 1e-4
        assert np.median(np.abs(steps - length[i])) < 1e-7
        assert len(inside) == int((600 - new / NS) / length[i]) + 1


def test_three_seconds_overlap(hours: Measured) -> None:
    """15 windows each; with each 10 minutes new ones begin and the last old one is completed."""
    ends = hours.times[Quantity.parse("3s/rms/ua")]
    windows = hours.times[Quantity.parse("cycles/rms/ua")]
    for i in range(1, 12):
        tick = (TICK + 600 * i) * NS
        after = windows[windows > tick]
        # The last of the old windows, where it did not end with the tick itself.
        new = after[1:] if after[0] - tick < 0.199 * NS else after
        assert new[14] in ends
        early = ends[(ends > tick) & (ends < new[14])]
        assert len(early) == 1
    assert set(ends.tolist()) <= set(windows.tolist())
    assert (hours.qualities[Quantity.parse("3s/rms/ua")] == 0).all()
    flags = hours["3s/flag/all"]
    assert 3 <= flags.sum() <= 4  # 8 s of a dip


def test_energy_counts_all_time_once(hours: Measured) -> None:
    """Windows overlap at each 10 minutes, and energy has no gaps and no overlaps."""
    seconds = np.arange(-4, 7202)
    volts = UDIN * level_of(seconds)
    for name, part in (("import_a", 0.5), ("reactive_import_a", 0.75**0.5)):
        quantity = Quantity.parse(f"total/energy/{name}")
        values, times = hours.values[quantity], hours.times[quantity]
        expected = np.interp(
            times / NS - TICK, np.arange(-4, 7203), np.cumsum([0.0, *volts * 5.0 * part / 3600])
        )
        # The first cycles wait for the phase; from then on not half a window is lost or doubled.
        lost = expected - values
        assert 0 <= lost[0] < 0.2 * 575 / 3600
        assert np.max(np.abs(lost[1:] - lost[1])) < 0.1 * 575 / 3600
    assert not hours["total/energy/export_a"].any()
    assert not hours["total/energy/reactive_export_a"].any()
