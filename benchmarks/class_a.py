"""The error budget of the meter beside the limits of IEC 61000-4-30 class A and 61000-4-7 class I.

Waveforms in closed form, float64, quantised to counts of 10 mV and 1 mA (IEC 61850-9-2LE), for
all sampling rates at 50 and 60 Hz; the error of each result against the closed form, the worst of
all results of a run.  It is the error of the algorithm: sensors, anti-alias filters and clocks of
a merging unit come on top.  Designed to the limits; nothing here is a certificate.

`python -m benchmarks.class_a` prints the tables; `--quick` takes two rates;
`--write docs/power-quality.md` puts them between the markers of that document.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gateway.kernel import Event, Meter, Quantity, Setup, Stream
from gateway.testing.wave import (
    Measured,
    Tone,
    counts,
    in_blocks,
    measure,
    rms,
    three,
    wave,
)

UDIN, AMPERES = 230.0, 5.0
VOLT, AMPERE = 0.01, 0.001  # per count
VOLTS, AMPS = ("ua", "ub", "uc"), ("ia", "ib", "ic")
SECOND = 1_700_000_000  # of the first row: 10 s, but not 10 minutes begin here
NS = 1_000_000_000
Floats = npt.NDArray[np.float64]


class System(NamedTuple):
    """A sampling rate and a nominal frequency."""

    rate: int
    nominal: int

    @property
    def low(self) -> float:
        return 0.85 * self.nominal

    @property
    def high(self) -> float:
        return 1.15 * self.nominal

    @property
    def orders(self) -> int:
        return min(50, math.floor(0.44 * self.rate / self.nominal))


SYSTEMS = tuple(System(rate, f) for f in (50, 60) for rate in (4000, 4800, 12800, 14400, 15360))
QUICK = (System(4800, 50), System(14400, 60))


def setup(system: System, lanes: Sequence[str], orders: int = 0, **more: float) -> Setup:
    """Return a meter's setup for these lanes, a column each."""
    scale = [VOLT if lane[0] == "u" else AMPERE for lane in lanes]
    columns = {lane: i for i, lane in enumerate(lanes)}
    stream = Stream(system.rate, scale, system.nominal)
    options = {"interruption": 0.05, **more}
    return Setup(stream, columns, UDIN, orders=orders, **options)  # type: ignore[arg-type]


def run(
    system: System,
    waves: dict[str, Floats],
    wanted: Sequence[str],
    orders: int = 0,
    **more: float,
) -> Measured:
    """Measure waves, by lane, from SECOND on, in blocks of 10 ms."""
    chosen = [Quantity.parse(name) for name in wanted]
    meter = Meter(setup(system, list(waves), orders, **more), {q: i for i, q in enumerate(chosen)})
    columns = [w / (VOLT if lane[0] == "u" else AMPERE) for lane, w in waves.items()]
    samples = counts(columns, 1.0)
    return measure(meter, in_blocks(SECOND * system.rate, samples, system.rate // 100))


def phases(system: System, tones: Sequence[Sequence[Tone]], seconds: float) -> list[Floats]:
    return [wave(phase, system.rate, int(seconds * system.rate)) for phase in tones]


def worst(values: Floats, true: float) -> float:
    """Return the largest error; a run without results has failed."""
    if len(values) == 0:
        raise RuntimeError("no results")
    return float(np.max(np.abs(values - true)))


def frequencies(system: System) -> Floats:
    return np.linspace(system.low, system.high, 7)


def frequency(system: System, noise: float = 0.0) -> float:
    """One distorted phase, from 42.5 to 57.5 Hz (51 to 69)."""
    found = 0.0
    for hertz in frequencies(system):
        x = wave(three(UDIN, hertz, system.rate)[0], system.rate, 31 * system.rate)
        x += noise * UDIN * np.random.default_rng(1).standard_normal(len(x))
        measured = run(system, {"ua": x}, ["10s/frequency/all"])
        found = max(found, worst(measured["10s/frequency/all"][1:], hertz))
    return found


def noisy_frequency(system: System) -> float:
    """The same signals with white noise, 60 dB below the fundamental."""
    return frequency(system, 1e-3)


def _magnitude(system: System, names: Sequence[str], single: bool) -> float:
    found = 0.0
    for hertz in frequencies(system):
        for part in (0.1, 0.5, 1.0, 1.5):
            tones = three(part * UDIN, hertz, system.rate)[: 1 if single else 3]
            waves = dict(zip(VOLTS, phases(system, tones, 1.2), strict=False))
            measured = run(system, waves, names[: len(waves)])
            for name in measured.values:
                error = worst(measured.values[name], rms(tones[0]))
                found = max(found, error / UDIN * 100)
    return found


def half_cycles(system: System) -> float:
    """Urms(1/2) of three distorted phases, 10 to 150 % of Udin, all frequencies."""
    return _magnitude(system, [f"half/rms/{lane}" for lane in VOLTS], single=False)


def single_half_cycles(system: System) -> float:
    """Urms(1/2) of one distorted phase alone, the same signals."""
    return _magnitude(system, ["half/rms/ua"], single=True)


def windows(system: System) -> float:
    """10/12-cycle rms of three distorted phases, 10 to 150 % of Udin, all frequencies."""
    return _magnitude(system, [f"cycles/rms/{lane}" for lane in VOLTS], single=False)


def unbalance(system: System) -> float:
    """1 to 5 % each, distorted, at the lowest, nominal + 0.3 Hz and the highest frequency."""
    found = 0.0
    for hertz in (system.low, system.nominal + 0.3, system.high):
        for u2, u0 in ((0.01, 0.0), (0.0, 0.01), (0.05, 0.03), (0.02, 0.05)):
            tones = three(UDIN, hertz, system.rate)
            for p, phase in enumerate(tones):
                phase.append(Tone(u2 * UDIN, hertz, 40.0 + 120.0 * p))
                phase.append(Tone(u0 * UDIN, hertz, -75.0))
            waves = dict(zip(VOLTS, phases(system, tones, 1.0), strict=True))
            names = ["cycles/unbalance/u2", "cycles/unbalance/u0"]
            measured = run(system, waves, names)
            found = max(found, worst(measured[names[0]], 100 * u2))
            found = max(found, worst(measured[names[1]], 100 * u0))
    return found


def _harmonics(system: System, part: float, of_reading: bool, highest: int) -> float:
    found = 0.0
    top = min(system.orders, highest)
    names = [f"cycles/harmonic/ua/{order}" for order in range(2, top + 1)]
    for hertz in (0.95 * system.nominal, system.nominal + 0.013, 1.04 * system.nominal):
        each = dict.fromkeys(range(2, top + 1), part)
        waves = {"ua": phases(system, three(UDIN, hertz, system.rate, each), 1.0)[0]}
        measured = run(system, waves, names, system.orders)
        for name in names:
            error = worst(measured[name], part * UDIN)
            found = max(found, error / (part * UDIN if of_reading else UDIN) * 100)
    return found


def harmonics(system: System) -> float:
    """Sub-groups of orders 2 to 40, 1 % of Udin each, at once, at 95 to 104 % of nominal."""
    return _harmonics(system, 0.01, of_reading=True, highest=40)


def high_harmonics(system: System) -> float:
    """All orders that the rate allows, up to 50, 1 % of Udin each, the same."""
    return _harmonics(system, 0.01, of_reading=True, highest=50)


def small_harmonics(system: System) -> float:
    """All orders that the rate allows, up to 50, 0.1 % of Udin each, the same."""
    return _harmonics(system, 0.001, of_reading=False, highest=50)


def interharmonics(system: System) -> float:
    """Centred sub-groups: 1 % of Udin half-way above orders 1, 7, 20, at 101 % of nominal."""
    found = 0.0
    for order in (1, 7, 20):
        hertz = 1.01 * system.nominal
        tones = [Tone(UDIN, hertz), Tone(0.01 * UDIN, (order + 0.5) * hertz, 20.0)]
        waves = {"ua": wave(tones, system.rate, system.rate)}
        name = f"cycles/interharmonic/ua/{order}"
        measured = run(system, waves, [name], system.orders)
        found = max(found, worst(measured[name], 0.01 * UDIN) / (0.01 * UDIN) * 100)
    return found


def thd(system: System) -> float:
    """Of the voltage that EN 50160 allows, 0.1 Hz above nominal."""
    tones = three(UDIN, system.nominal + 0.1, system.rate)[0]
    orders = [round(t.hertz / (system.nominal + 0.1)) for t in tones]
    rest = [t for t, h in zip(tones, orders, strict=True) if 1 < h <= system.orders]
    waves = {"ua": wave(tones, system.rate, system.rate)}
    measured = run(system, waves, ["cycles/thd/ua"], system.orders)
    return worst(measured["cycles/thd/ua"], 100 * rms(rest) / UDIN)


def powers(system: System) -> float:
    """Distorted, current 0, 60 degrees behind and 150 degrees ahead, three frequencies."""
    found = 0.0
    names = ["cycles/active/all", "cycles/reactive/all", "cycles/positive/p"]
    for hertz in (system.low, system.nominal + 0.2, system.high):
        for lag in (0.0, 60.0, -150.0):
            volts = three(UDIN, hertz, system.rate)
            amperes = three(AMPERES, hertz, system.rate, degrees=-lag)
            waves = dict(zip(VOLTS, phases(system, volts, 1.0), strict=True))
            waves |= dict(zip(AMPS, phases(system, amperes, 1.0), strict=True))
            measured = run(system, waves, names)
            s = UDIN * AMPERES
            p = sum(
                u.rms * i.rms * math.cos(math.radians(u.degrees - i.degrees))
                for u, i in zip(volts[0], amperes[0], strict=True)
            )
            true = (p, s * math.sin(math.radians(lag)), s * math.cos(math.radians(lag)))
            for name, value in zip(names, true, strict=True):
                found = max(found, worst(measured[name], 3 * value) / (3 * s) * 100)
    return found


@dataclass(frozen=True, slots=True)
class Dip:
    """A rectangular change of the voltage of phase a, in cycles from its own zero crossings."""

    begin: float
    cycles: float
    part: float

    def true_half_cycles(self, count: int) -> Floats:
        """Urms(1/2) over Udin of `count` cycles that begin at half cycles, in closed form."""
        starts = np.arange(count) / 2

        def area(at: Floats) -> Floats:
            """Twice the integral of sin^2 from 0."""
            return at - np.sin(4 * np.pi * at) / (4 * np.pi)

        inside = area(np.clip(starts + 1, self.begin, self.begin + self.cycles))
        inside -= area(np.clip(starts, self.begin, self.begin + self.cycles))
        return np.sqrt(area(starts + 1) - area(starts) + (self.part**2 - 1) * inside)


DIPS = [
    Dip(begin, cycles, part)
    for begin in (70.0, 70.5, 70.2)
    for cycles in (1.0, 1.5, 5.0, 30.0)
    for part in (0.02, 0.3, 0.7, 0.85)
] + [Dip(70.0, 5.0, 1.2)]


def _dip(system: System, dip: Dip) -> tuple[float, float]:
    """Return the errors of the residual voltage [% Udin] and of the duration [cycles]."""
    cycle = system.rate / system.nominal
    n = int(120 * cycle)
    tones = [[Tone(UDIN, system.nominal, -90.0 - 120.0 * p)] for p in range(3)]
    waves = dict(zip(VOLTS, [wave(t, system.rate, n) for t in tones], strict=True))
    # Edges lie half-way between samples: nobody can tell where between them a step was.
    first, end = (math.ceil(at * cycle - 1e-6) for at in (dip.begin, dip.begin + dip.cycles))
    rows = np.arange(n)
    waves["ua"] *= np.where((rows >= first) & (rows < end), dip.part, 1.0)
    dip = Dip((first - 0.5) / cycle, (end - first) / cycle, dip.part)
    events = run(system, waves, ["half/rms/ua"]).events
    true = dip.true_half_cycles(220)
    swell = dip.part > 1
    beyond = np.flatnonzero(true > 1.1) if swell else np.flatnonzero(true < 0.9)
    back = true <= 1.08 if swell else true >= 0.92
    last = beyond[0] + int(np.argmax(back[beyond[0] :]))
    residual = true[beyond[0] : last + 1].max() if swell else true[beyond[0] : last + 1].min()
    (found,) = [
        e for e in events if e.phase == 0 and e.end and e.kind == ("swell" if swell else "dip")
    ]
    assert found.end is not None
    duration = (found.end - found.start) * system.nominal / NS
    true_duration = (last - beyond[0]) / 2 + 1
    return abs(found.value / UDIN - residual) * 100, abs(duration - true_duration)


def dips(system: System) -> float:
    """Rectangular dips of 1 to 30 cycles to 2, 30, 70 and 85 %, and a swell, of one phase."""
    return max(_dip(system, dip)[0] for dip in DIPS)


def durations(system: System) -> float:
    """Of the same, beside what the rule gives for exact Urms(1/2)."""
    return max(_dip(system, dip)[1] for dip in DIPS)


def changes(system: System) -> float:
    """dUmax and dUss of a change of 5 % that settles at 4 %."""
    cycle = system.rate / system.nominal
    rows = np.arange(int(4 * system.rate)) / cycle
    begin = 2 * system.nominal
    level = np.where(rows < begin, 1.0, np.where(rows < begin + 20, 0.95, 0.96))
    tones = [[Tone(UDIN, system.nominal, -90.0 - 120.0 * p)] for p in range(3)]
    waves = {
        lane: wave(t, system.rate, len(rows)) * level for lane, t in zip(VOLTS, tones, strict=True)
    }
    events: list[Event] = run(
        system, waves, ["half/rms/ua"], change=0.03, change_hysteresis=0.99
    ).events
    (change,) = [event for event in events if event.kind == "change"]
    return max(abs(change.value / UDIN - 0.05), abs(change.more / UDIN - 0.04)) * 100


def stamps(system: System) -> float:
    """Ends of 10/12-cycle windows beside true zero crossings, distorted, three frequencies."""
    found = 0.0
    for hertz in (system.low, system.nominal + 0.1, system.high):
        waves = dict(zip(VOLTS, phases(system, three(UDIN, hertz, system.rate), 1.5), strict=True))
        measured = run(system, waves, ["cycles/rms/ua"])
        seconds = (next(iter(measured.times.values())) - SECOND * NS) / NS
        cycles = seconds * hertz + 0.25  # the fundamental crosses zero upwards at -1/4
        found = max(found, float(np.max(np.abs(cycles - np.rint(cycles)))) / hertz * 1000)
    return found


@dataclass(frozen=True, slots=True)
class Check:
    """One row: what is measured, its limit and goal where there are any, and by which clause."""

    name: str
    clause: str
    unit: str
    limit: float | None
    goal: float | None
    error: Callable[[System], float]


# Limits: measurement methods of class A of IEC 61000-4-30:2015 and class I of 61000-4-7, as
# widely quoted; harmonics and frequency also in public manuals of class A instruments (Chauvin
# Arnoux C.A 8333, Hioki PW3198), definitions of dips in that of Metrel PowerQ4.  The standards
# themselves were not at hand.  Rapid voltage changes have the limit of the Urms(1/2) that they
# are differences of.
CHECKS = (
    Check("frequency, 10 s", "4-30 5.1", "Hz", 0.010, 0.001, frequency),
    Check("frequency, 10 s, noise at 60 dB", "4-30 5.1", "Hz", 0.010, None, noisy_frequency),
    Check("voltage, 10/12 cycles", "4-30 5.2", "% Udin", 0.1, 0.01, windows),
    Check("Urms(1/2), three phases", "4-30 5.4", "% Udin", 0.2, 0.01, half_cycles),
    Check("Urms(1/2), one phase", "4-30 5.4", "% Udin", 0.2, 0.01, single_half_cycles),
    Check("dip, swell: residual voltage", "4-30 5.4", "% Udin", 0.2, None, dips),
    Check("dip, swell: duration", "4-30 5.4", "cycles", 1.0, None, durations),
    Check("rapid voltage change", "4-30 5.11", "% Udin", 0.2, None, changes),
    Check("unbalance u2, u0", "4-30 5.7", "% points", 0.15, None, unbalance),
    Check("harmonics to 40", "4-7 class I", "% of reading", 5.0, 0.1, harmonics),
    Check("harmonics to 50", "4-7 class I", "% of reading", 5.0, None, high_harmonics),
    Check("harmonics of 0.1 %", "4-7 class I", "% Udin", 0.05, None, small_harmonics),
    Check("interharmonics", "4-7 class I", "% of reading", 5.0, None, interharmonics),
    Check("THD", "4-7 3.3.2", "% points", None, None, thd),
    Check("power P, Q1, P1+", "4-7 class I", "% of S", 1.0, None, powers),
    Check("time of windows", "4-30 4.6", "ms", 16.7, None, stamps),
)


HEAD = ("quantity", "clause", "unit", "limit", "goal", "reached", "% of limit", "worst at", "what")


def tables(systems: Sequence[System]) -> str:
    """Return the two tables: the worst of all systems beside limits, and each system."""
    found = {check.name: [check.error(system) for system in systems] for check in CHECKS}
    lines = [
        f"| {' | '.join(HEAD)} |",
        "| --- " * len(HEAD) + "|",
    ]
    for check in CHECKS:
        errors = found[check.name]
        most = max(errors)
        at = systems[errors.index(most)]
        limit = "" if check.limit is None else f"{check.limit:g}"
        share = "" if check.limit is None else f"{100 * most / check.limit:.2g}"
        goal = "" if check.goal is None else f"{check.goal:g}"
        verdict = "" if check.goal is None or most <= check.goal else " (goal missed)"
        conditions = (check.error.__doc__ or "").rstrip(".").replace("\n    ", " ")
        lines.append(
            f"| {check.name} | {check.clause} | {check.unit} | {limit} | {goal} "
            f"| {most:.2g}{verdict} | {share} "
            f"| {at.rate} Hz at {at.nominal} Hz | {conditions} |"
        )
    lines += ["", "| quantity | " + " | ".join(f"{s.rate}/{s.nominal}" for s in systems) + " |"]
    lines.append("| --- " * (len(systems) + 1) + "|")
    for check in CHECKS:
        cells = " | ".join(f"{error:.2g}" for error in found[check.name])
        lines.append(f"| {check.name} [{check.unit}] | {cells} |")
    return "\n".join(lines)


BEGIN, END = "<!-- class A begin -->", "<!-- class A end -->"


def main() -> None:
    """Print the tables, and write them where that is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.class_a", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two sampling rates only")
    parser.add_argument("--write", type=Path, help="the document to put the tables into")
    chosen = parser.parse_args()
    made = tables(QUICK if chosen.quick else SYSTEMS)
    print(made)
    if chosen.write:
        text = chosen.write.read_text(encoding="utf-8")
        before, rest = text.split(BEGIN)
        after = rest.split(END)[1]
        chosen.write.write_text(f"{before}{BEGIN}\n{made}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
