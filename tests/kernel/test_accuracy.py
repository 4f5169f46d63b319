"""Results beside waveforms in closed form: a selection of what `benchmarks.class_a` runs in full.

Limits: IEC 61000-4-30 class A and 61000-4-7 class I as widely quoted, and the project's own goals.
"""

from __future__ import annotations

import cmath
import math
from typing import NamedTuple

import numpy as np
import pytest

from gateway.kernel import Meter, Quantity, Setup, Stream
from gateway.testing.wave import Measured, Tone, counts, in_blocks, measure, rms, three, wave

UDIN = 230.0
LANES = ("ua", "ub", "uc", "un", "ia", "ib", "ic", "in")


class Limit(NamedTuple):
    """What a class A instrument may be off by, and what is aimed at here."""

    class_a: float
    goal: float


FREQUENCY = Limit(0.010, 0.001)  # Hz, clause 5.1
HALF_CYCLE = Limit(0.002, 0.0001)  # of Udin, clause 5.4
MAGNITUDE = Limit(0.001, 0.0001)  # of Udin, clause 5.2
UNBALANCE = Limit(0.15, 0.01)  # % points, clause 5.7
HARMONIC = Limit(0.05, 0.001)  # of reading, 61000-4-7 class I

SYSTEMS = [(4800, 50), (4000, 60), (12800, 60), (14400, 50), (15360, 50)]


def run(
    rate: int,
    nominal: int,
    lanes: dict[str, list[Tone]],
    seconds: float = 1.0,
    orders: int = 0,
    spans: tuple[str, ...] = ("half", "cycles", "10s"),
    second: int = 1_700_000_000,
) -> Measured:
    """Measure tones by lane, 10 mV and 1 mA a count."""
    scale = {lane: 0.01 if lane[0] == "u" else 0.001 for lane in lanes}
    stream = Stream(rate, list(scale.values()), nominal)
    setup = Setup(stream, {lane: i for i, lane in enumerate(lanes)}, UDIN, orders=orders)
    wanted = [q for q in setup.quantities() if q.span in spans]
    n = int(seconds * rate)
    samples = counts([wave(t, rate, n) / scale[lane] for lane, t in lanes.items()], 1.0)
    meter = Meter(setup, {q: i for i, q in enumerate(wanted)})
    return measure(meter, in_blocks(second * rate, samples, rate // 100))


@pytest.mark.parametrize("part", [0.85, 1.0, 1.07, 1.15])
@pytest.mark.parametrize(("rate", "nominal"), SYSTEMS)
def test_voltage(rate: int, nominal: int, part: float) -> None:
    """Urms(1/2) and 10/12 cycles of a distorted voltage, from 42.5 to 57.5 Hz or 51 to 69."""
    tones = three(UDIN, part * nominal, rate)
    measured = run(rate, nominal, dict(zip(LANES, tones, strict=False)))
    cycles = nominal // 5

    for lane in ("ua", "ub", "uc"):
        for span, limit in (("half", HALF_CYCLE), ("cycles", MAGNITUDE)):
            values = measured[f"{span}/rms/{lane}"]
            assert len(values) >= (2 * part * nominal * 0.85 if span == "half" else 3)
            assert np.max(np.abs(values - rms(tones[0]))) < limit.goal * UDIN
    assert np.max(np.abs(measured["cycles/frequency/all"] - part * nominal)) < FREQUENCY.goal
    steps = np.diff(measured.times[Quantity("cycles", "rms", "ua")])
    assert np.max(np.abs(steps - cycles / (part * nominal) * 1e9)) < 1000  # gapless, to 1 µs


@pytest.mark.parametrize("hertz", [42.5, 49.987, 57.5])
def test_frequency(hertz: float) -> None:
    """10 s of one distorted phase."""
    measured = run(4800, 50, {"ua": three(UDIN, hertz, 4800)[0]}, 21.0)
    found, times = (
        measured["10s/frequency/all"],
        measured.times[Quantity.parse("10s/frequency/all")],
    )

    assert times.tolist() == [1_700_000_010_000_000_000, 1_700_000_020_000_000_000]
    assert np.max(np.abs(found - hertz)) < FREQUENCY.goal / 10


@pytest.mark.parametrize(("rate", "nominal"), SYSTEMS)
def test_harmonics(rate: int, nominal: int) -> None:
    """All orders that the rate allows, 1 % each, and one interharmonic."""
    orders = min(50, math.floor(0.44 * rate / nominal))
    hertz = 0.997 * nominal
    parts = dict.fromkeys(range(2, orders + 1), 0.01)
    tones = [*three(UDIN, hertz, rate, parts)[0], Tone(2.3, 7.5 * hertz)]
    measured = run(rate, nominal, {"ua": tones}, orders=orders)

    for order in range(2, orders + 1):
        found = measured[f"cycles/harmonic/ua/{order}"]
        assert np.max(np.abs(found / 2.3 - 1)) < HARMONIC.goal, order
    assert measured["cycles/interharmonic/ua/7"] == pytest.approx([2.3] * 4, rel=1e-3)
    assert measured["cycles/interharmonic/ua/8"] == pytest.approx([0.0] * 4, abs=0.01)
    assert measured["cycles/thd/ua"] == pytest.approx([math.sqrt(orders - 1)] * 4, rel=1e-3)


def test_orders_beyond_the_rate_are_invalid() -> None:
    """Order 42 of 57 Hz is at 2394 Hz of 4800: no interpolator has it any more."""
    measured = run(4800, 50, {"ua": three(UDIN, 57.0, 4800)[0]}, orders=42)

    for order, bad in ((39, False), (40, True), (42, True)):
        quantity = Quantity("cycles", "harmonic", "ua", order)
        assert bool(np.isnan(measured.values[quantity]).all()) is bad
        assert (measured.qualities[quantity] == (1 if bad else 0)).all()


def circuit() -> tuple[dict[str, list[Tone]], dict[str, complex], dict[str, complex]]:
    """An unbalanced circuit with a fifth harmonic: tones, and phasors of both."""
    hertz = 50.4
    first = {
        "ua": cmath.rect(231, 0.1), "ub": cmath.rect(222, -2.0), "uc": cmath.rect(240, 2.3),
        "un": cmath.rect(3, 1.0), "ia": cmath.rect(5, -0.4), "ib": cmath.rect(7, -2.9),
        "ic": cmath.rect(2, 2.2), "in": cmath.rect(4, -2.0),
    }  # fmt: skip
    fifth = {lane: cmath.rect(abs(x) * 0.05, 2.0 * i) for i, (lane, x) in enumerate(first.items())}
    tones = {
        lane: [
            Tone(abs(x[lane]), hertz * order, math.degrees(cmath.phase(x[lane])))
            for order, x in ((1, first), (5, fifth))
        ]
        for lane in LANES
    }
    return tones, first, fifth


def test_powers_are_those_of_ieee_1459() -> None:
    """Each by its definition, from phasors: an unbalanced, distorted circuit with a neutral."""
    tones, first, fifth = circuit()
    measured = run(4800, 50, tones, orders=10)

    def check(name: str, expected: float, rel: float = 2e-5) -> None:
        values = measured[f"cycles/{name}"]
        assert values == pytest.approx([expected] * len(values), rel=rel, abs=0.01), name

    def square(*lanes: str, x: dict[str, complex] = first) -> float:
        return sum(abs(x[lane]) ** 2 for lane in lanes)

    def line(x: dict[str, complex]) -> list[float]:
        return [abs(x[f"u{p}"] - x[f"u{q}"]) ** 2 for p, q in ("ab", "bc", "ca")]

    together = 0.0
    for phase in "abc":
        u, i = first[f"u{phase}"], first[f"i{phase}"]
        p1, s1 = (u * i.conjugate()).real, abs(u) * abs(i)
        p = p1 + (fifth[f"u{phase}"] * fifth[f"i{phase}"].conjugate()).real
        s = s1 * (1 + 0.05**2)
        together += p
        check(f"active/{phase}", p)
        check(f"reactive/{phase}", (u * i.conjugate()).imag)
        check(f"apparent/{phase}", s)
        check(f"factor/{phase}", p / s)
        check(f"active_1/{phase}", p1)
        check(f"apparent_1/{phase}", s1)
        check(f"factor_1/{phase}", p1 / s1)
        check(f"distortion/{phase}", math.sqrt(s**2 - s1**2), rel=1e-4)
        check(f"rms/u{phase}", abs(u) * math.sqrt(1 + 0.05**2))
        check(f"fundamental/i{phase}", abs(i))
        check(f"thd/i{phase}", 5.0)
    # Effective voltage and current of a four-wire system, clause 3.2.2.2.
    s1e = 3 * math.sqrt(
        (3 * square("ua", "ub", "uc") + sum(line(first))) / 18
        * square("ia", "ib", "ic", "in") / 3
    )  # fmt: skip
    volts = (3 * square("ua", "ub", "uc") + sum(line(first))) / 18
    volts += (3 * square("ua", "ub", "uc", x=fifth) + sum(line(fifth))) / 18
    se = 3 * math.sqrt(volts * square("ia", "ib", "ic", "in") * (1 + 0.05**2) / 3)
    a = cmath.rect(1, 2 * math.pi / 3)
    sequences = {}
    for kind in "ui":
        x, y, z = (first[f"{kind}{phase}"] for phase in "abc")
        sequences[f"{kind}1"] = (x + a * y + a**2 * z) / 3
        sequences[f"{kind}2"] = (x + a**2 * y + a * z) / 3
        sequences[f"{kind}0"] = (x + y + z) / 3
        check(f"unbalance/{kind}2", 100 * abs(sequences[f"{kind}2"]) / abs(sequences[f"{kind}1"]))
        check(f"unbalance/{kind}0", 100 * abs(sequences[f"{kind}0"]) / abs(sequences[f"{kind}1"]))
    for name, phasor in sequences.items():
        check(f"sequence/{name}", abs(phasor))
    positive = 3 * sequences["u1"] * sequences["i1"].conjugate()
    check("active/all", together)
    check("apparent/all", se)
    check("factor/all", together / se)
    check("apparent_1/all", s1e)
    check("distortion/all", math.sqrt(se**2 - s1e**2), rel=1e-4)
    check("positive/p", positive.real)
    check("positive/q", positive.imag)
    check("positive/s", abs(positive))
    check("factor_1/all", positive.real / abs(positive))
    check("unbalanced/all", math.sqrt(s1e**2 - abs(positive) ** 2))
    both = zip(line(first), line(fifth), strict=True)
    for name, (x, y) in zip(("uab", "ubc", "uca"), both, strict=True):
        check(f"line/{name}", math.sqrt(x + y))


def test_a_moving_frequency_and_amplitude() -> None:
    """Ramp of 0.5 Hz/s and a modulation of 5 % at 2 Hz: windows from true crossing to crossing."""
    rate, n = 4800, 6 * 4800
    fine = 20
    t = np.arange(n * fine) / (rate * fine)
    turns = 49.0 * t + 0.25 * t**2
    level = 1 + 0.05 * np.sin(2 * np.pi * 2 * t)
    x = math.sqrt(2) * UDIN * level * np.cos(2 * np.pi * turns)
    setup = Setup(Stream(rate, [0.01]), {"ua": 0}, UDIN)
    measured = measure(Meter(setup), in_blocks(0, counts([x[::fine]], 0.01), 48))

    energy = np.concatenate([[0.0], np.cumsum((x[1:] ** 2 + x[:-1] ** 2) / 2)])
    ends = measured.times[Quantity("cycles", "rms", "ua")] / 1e9
    cycle = np.interp(ends, t, turns) + 0.25
    assert np.max(np.abs(cycle - np.rint(cycle))) < 1e-3
    starts = np.interp(np.rint(cycle) - 10.25, turns, t)
    true_ends = np.interp(np.rint(cycle) - 0.25, turns, t)
    area = np.interp(true_ends, t, energy) - np.interp(starts, t, energy)
    expected = np.sqrt(area / ((true_ends - starts) * rate * fine))
    assert np.max(np.abs(measured["cycles/rms/ua"] - expected)) < MAGNITUDE.class_a * UDIN / 5


def test_noise_is_averaged() -> None:
    """White noise at 60 dB: its power belongs to the voltage, and little of it comes through."""
    rate = 4800
    tones = three(UDIN, 50.2, rate, {})
    noise = np.random.default_rng(2).standard_normal((3, 5 * rate)) * UDIN * 1e-3
    samples = counts([wave(t, rate, 5 * rate) + w for t, w in zip(tones, noise, strict=True)], 0.01)
    setup = Setup(Stream(rate, [0.01] * 3), {"ua": 0, "ub": 1, "uc": 2}, UDIN)
    measured = measure(Meter(setup), in_blocks(0, samples, 48))

    assert np.max(np.abs(measured["half/rms/ub"] / UDIN - 1)) < HALF_CYCLE.class_a / 3
    assert np.max(np.abs(measured["cycles/rms/ub"] / UDIN - 1)) < MAGNITUDE.class_a / 5
    assert np.max(measured["cycles/unbalance/u2"]) < UNBALANCE.class_a / 10
    assert np.max(np.abs(measured["cycles/frequency/all"] - 50.2)) < FREQUENCY.class_a / 2
