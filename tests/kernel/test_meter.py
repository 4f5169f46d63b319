"""A meter: what it takes, what it refuses, and what it says of itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gateway.kernel import (
    Events,
    KernelError,
    Meter,
    Quantity,
    Rows,
    Setup,
    Spectrum,
    Stream,
    levels,
)
from gateway.testing.wave import counts, in_blocks, measure, three, wave

VOLTS, AMPS = ("ua", "ub", "uc"), ("ia", "ib", "ic")
SCALE = [0.01] * 3
STREAM = Stream(4800, SCALE)
SETUP = Setup(STREAM, {"ua": 0, "ub": 1, "uc": 2}, 230.0)
RMS = Quantity("cycles", "rms", "ua")


def volts(seconds: float, hertz: float = 50.0, rate: int = 4800) -> np.ndarray:
    """Three voltages of 230 V in counts of 10 mV."""
    phases = three(230.0, hertz, rate, {})
    return counts([wave(phase, rate, int(seconds * rate)) for phase in phases], 0.01)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"columns": {"ux": 0}}, r"unknown lanes \['ux'\]; known are ua, ub"),
        ({"columns": {"ua": -1}}, r"columns {'ua': -1}; the stream has 0..2"),
        ({"columns": {"ua": 3}}, r"columns {'ua': 3}; the stream has 0..2"),
    ],
)
def test_setups_name_what_is_wrong(changes: dict[str, Any], sentence: str) -> None:
    """Before the kernel sees them."""
    with pytest.raises(ValueError, match=sentence):
        Setup(**({"stream": STREAM, "columns": {}, "declared": 230.0} | changes))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"stream": Stream(800, SCALE)}, "a stream has no such rate"),
        ({"stream": Stream(4800, SCALE, 16)}, "a stream has no such rate, nominal frequency"),
        ({"orders": 43}, "outside what can be"),
        ({"columns": {"ub": 1}}, "outside what can be"),
        ({"dip": 1.2}, "outside what can be"),
    ],
    ids=str,
)
def test_a_meter_has_its_limits(changes: dict[str, Any], sentence: str) -> None:
    """The kernel's sentence, and the setup."""
    parts = {"stream": STREAM, "columns": SETUP.columns, "declared": 230.0}
    with pytest.raises(KernelError, match=rf"{sentence}.*: Setup\(stream="):
        Meter(Setup(**(parts | changes)))


def test_the_highest_order_is_what_the_rate_allows() -> None:
    """0.44 of the rate, and no more than 50."""
    for rate, nominal, order in [(4800, 50, 42), (4800, 60, 35), (4000, 60, 29), (14400, 60, 50)]:
        setup = Setup(Stream(rate, SCALE, nominal), {"ua": 0}, 230.0)
        assert setup.highest_order() == order
        Meter(Setup(setup.stream, {"ua": 0}, 230.0, orders=order))


def test_rows_carry_the_points_that_were_asked_for() -> None:
    """And nothing else comes."""
    meter = Meter(SETUP, {RMS: 70, Quantity("cycles", "line", "uab"): 9})
    rows, events = Rows(meter.room(4800)[0]), Events(meter.room(4800)[1])
    made = meter.push(4800, volts(1.0), rows, events)
    batch = rows.drain()

    assert batch is not None
    assert made == len(batch.point) == 8
    assert batch.point.tolist() == [70, 9] * 4
    assert batch.value == pytest.approx([230.0, 230.0 * 3**0.5] * 4, abs=0.003)
    assert np.diff(batch.time[::2]).tolist() == pytest.approx([200_000_000] * 3, abs=50)
    assert batch.quality.tolist() == [0] * 8


def test_an_unknown_quantity_is_refused() -> None:
    """With its name."""
    with pytest.raises(KernelError, match="no such quantity: cycles/harmonic/ua/3"):
        Meter(SETUP, {Quantity("cycles", "harmonic", "ua", 3): 0})


def test_meters_share_a_spectrum() -> None:
    """Where it has the points that they need."""
    setup = Setup(STREAM, {"ua": 0}, 230.0, orders=40)
    shared = Spectrum(1024)
    a, b = Meter(setup, None, shared), Meter(setup, None, shared)
    x = volts(0.6)
    for meter in (a, b):
        assert measure(meter, in_blocks(0, x, 480))["cycles/harmonic/ua/1"] == pytest.approx(
            [230.0] * 2, abs=0.01
        )
    with pytest.raises(KernelError, match="needs a spectrum of 1024 points"):
        Meter(setup, None, Spectrum(512))


def test_a_refused_push_says_why() -> None:
    """And changes nothing."""
    meter = Meter(SETUP)
    rows, events = Rows(meter.room(480)[0]), Events(meter.room(480)[1])
    x = volts(0.1)
    meter.push(96_000, x, rows, events)
    before = meter.state()

    with pytest.raises(KernelError, match=r"index 96479, 96480 expected, 480 rows"):
        meter.push(96_479, x, rows, events)
    with pytest.raises(KernelError, match=r"fewer free rows than samples: .* got 1 and"):
        meter.push(96_480, x, Rows(1), events)
    with pytest.raises(KernelError, match=r"fewer free events than may happen: .* and 1$"):
        meter.push(96_480, x, rows, Events(1))
    assert meter.push(96_480, x[:0], rows, events) == 0
    with pytest.raises(ValueError, match="samples of 2 columns; the stream has 3"):
        meter.push(96_480, x[:, :2].copy(), rows, events)
    for quality in (
        np.zeros(480, np.int16),
        np.zeros(479, np.uint16),
        np.zeros(960, np.uint16)[::2],
    ):
        with pytest.raises(ValueError, match=r"it must be uint16, \(480,\), C-contiguous"):
            meter.push(96_480, x, rows, events, quality)
    assert meter.state() == before


def test_state() -> None:
    """Before the first row, after a second, and after gaps."""
    meter = Meter(Setup(Stream(4800, SCALE, hold=2), SETUP.columns, 230.0))
    assert meter.state()[:4] == (0, 0, 0, 0)
    assert not meter.state().locked
    rows, events = Rows(meter.room(4800)[0]), Events(meter.room(4800)[1])
    meter.push(10 * 4800, volts(1.0, 49.0), rows, events)
    assert meter.state().locked
    assert meter.state().frequency == pytest.approx(49.0, abs=1e-4)
    rows.clear()
    meter.push(11 * 4800 + 2, volts(1.0, 49.0), rows, events)
    rows.clear()
    meter.push(12 * 4800 + 5, volts(1.0, 49.0), rows, events)
    assert meter.state()[:4] == (13 * 4800 + 5, 2, 1, 3)


def test_quality_of_rows_is_merged() -> None:
    """Into the results that they have a part in, the worse validity winning."""
    quality = np.zeros(4800, np.uint16)
    quality[2000:2002] = [0x0803, 0x0041]
    meter = Meter(SETUP)
    rows, events = Rows(meter.room(4800)[0]), Events(meter.room(4800)[1])
    meter.push(0, volts(1.0), rows, events, quality)
    batch = rows.drain()
    assert batch is not None
    mine = batch.point == meter.quantities.index(RMS)

    assert batch.quality[mine].tolist() == [0, 0x0841, 0, 0]


def test_energy_is_counted_and_restored() -> None:
    """1 s of 3 * 230 V * 5 A at 60 degrees, less the time until the first cycles."""
    phases = three(230.0, 50.0, 4800, {}), three(5.0, 50.0, 4800, {}, degrees=-60.0)
    waves = [wave(p, 4800, 5 * 4800) / 0.01 for p in phases[0]]
    waves += [wave(p, 4800, 5 * 4800) / 0.001 for p in phases[1]]
    stream = Stream(4800, [0.01] * 3 + [0.001] * 3)
    setup = Setup(stream, {lane: i for i, lane in enumerate(VOLTS + AMPS)}, 230.0)
    meter = Meter(setup)
    meter.energy = np.arange(16.0)
    measured = measure(meter, in_blocks(0, counts(waves, 1.0), 480))
    energy = meter.energy - np.arange(16.0)

    counted = energy[3] / (3 * 230 * 5 * 0.5 / 3600)
    assert 4.9 < counted < 4.96
    assert counted * 50 == pytest.approx(round(counted * 50), abs=1e-3)
    assert energy[:3] == pytest.approx([energy[3] / 3] * 3, rel=1e-4)
    assert energy[11] == pytest.approx(3 * 230 * 5 * 0.75**0.5 / 3600 * 4.8, rel=1e-4)
    assert not energy[4:8].any()
    assert not energy[12:].any()
    assert measured["total/energy/import_all"][-1] <= meter.energy[3]


@pytest.mark.parametrize("length", [1, 47, 48, 500, 4801])
def test_blocks_and_levels_give_the_same_bits(length: int, running_on: Any) -> None:
    """However the stream is cut, and on whatever it runs."""
    rng = np.random.default_rng(5)
    x = volts(2.0, 50.3) + rng.integers(-300, 300, (9600, 3)).astype(np.int32)
    setup = Setup(STREAM, SETUP.columns, 230.0, orders=40, change=0.02)
    made = []
    for name in levels():
        with running_on(name):
            made.append(measure(Meter(setup), in_blocks(599 * 4800, x, length)))
            made.append(measure(Meter(setup), in_blocks(599 * 4800, x, 96)))

    for other in made[1:]:
        for quantity, values in made[0].values.items():
            assert np.array_equal(values, other.values[quantity], equal_nan=True), str(quantity)
            assert np.array_equal(made[0].times[quantity], other.times[quantity])
            assert np.array_equal(made[0].qualities[quantity], other.qualities[quantity])
