"""Events beside a second opinion that gets the same Urms(1/2), in plain Python."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.kernel import Event, Events, Meter, Quantity, Setup, Stream
from gateway.testing.wave import counts, in_blocks, measure, three, wave

RATE, UDIN = 1000, 230.0
DIP, SWELL, INTERRUPTION, HYSTERESIS, CHANGE, CHANGE_HYSTERESIS = 0.9, 1.1, 0.05, 0.02, 0.03, 0.4
LANES = ("ua", "ub", "uc")


@dataclass
class Reference:
    """The rules of IEC 61000-4-30 clauses 5.4, 5.5 and 5.11, one Urms(1/2) at a time."""

    events: list[Event] = field(default_factory=list)
    running: dict[tuple[str, int | None], tuple[int, float]] = field(default_factory=dict)
    last: list[deque[tuple[int, float]]] = field(
        default_factory=lambda: [deque(maxlen=100) for _ in LANES]
    )
    steady: list[bool] = field(default_factory=lambda: [False] * 3)
    means: list[float] = field(default_factory=lambda: [0.0] * 3)
    change: tuple[int, list[float]] | None = None
    spoiled: bool = False

    def take(self, phase: int, value: float, start: int, end: int) -> None:
        """Judge one Urms(1/2)."""
        part = value / UDIN
        for kind in ("dip", "swell", "interruption"):
            on = (kind, phase) in self.running
            back = HYSTERESIS if on else 0.0
            if kind == "swell":
                beyond = part > SWELL - back
            else:
                beyond = part < (DIP if kind == "dip" else INTERRUPTION) + back
            self.turn(kind, phase, beyond, value, start, end)
            active = [(kind, p) in self.running for p in range(3)]
            circuit = all(active) if kind == "interruption" else any(active)
            self.turn(kind, None, circuit, value, start, end)
        self.judge_change(phase, value, start)

    def turn(
        self, kind: str, phase: int | None, on: bool, value: float, start: int, end: int
    ) -> None:
        """Begin, go on with or end an event."""
        key = (kind, phase)
        if on and key not in self.running:
            self.running[key] = (start, value)
            self.events.append(Event(kind, phase, start, None, value, 0.0, 0))
        elif key in self.running:
            begun, extreme = self.running[key]
            extreme = (max if kind == "swell" else min)(extreme, value)
            self.running[key] = (begun, extreme)
            if not on:
                del self.running[key]
                self.events.append(Event(kind, phase, begun, end, extreme, 0.0, 0))

    def judge_change(self, phase: int, value: float, start: int) -> None:
        """Steady while all of the last second are near their mean."""
        was_steady = all(self.steady)
        self.last[phase].append((start, value))
        values = [v for _, v in self.last[phase]]
        mean = sum(values) / len(values)
        band = CHANGE * UDIN * (1.0 if self.steady[phase] else 1.0 - CHANGE_HYSTERESIS)
        full = len(values) == 100
        self.steady[phase] = full and all(abs(v - mean) <= band for v in values)
        if self.steady[phase] and self.change is None:
            self.means[phase] = mean
        if was_steady and not all(self.steady):
            self.change = (start, [0.0] * 3)
            self.spoiled = False
        if self.change is None:
            return
        begun, largest = self.change
        largest[phase] = max(largest[phase], abs(value - self.means[phase]))
        self.spoiled |= any(p is not None for _, p in self.running)
        if all(self.steady):
            now = [sum(v for _, v in last) / 100 for last in self.last]
            settled = max(abs(a - b) for a, b in zip(now, self.means, strict=True))
            if not self.spoiled:
                end = self.last[phase][0][0]
                self.events.append(Event("change", None, begun, end, max(largest), settled, 0))
            self.means, self.change = now, None


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([0.02, 0.3, 2.0]), st.booleans())
def test_events_are_those_of_the_reference(seed: int, length: float, gentle: bool) -> None:
    """Steps of the three voltages, together and apart, gentle or not."""
    rng = np.random.default_rng(seed)
    seconds, n = 9, 9 * RATE
    levels = np.ones((3, n))
    at = 1.2
    choices = [1.0, 0.98, 0.96, 1.04] if gentle else [1.0, 0.95, 0.91, 0.89, 0.5, 0.02, 1.09, 1.13]
    while at < seconds - 0.2:
        phases = rng.choice(3, rng.integers(1, 4), replace=False)
        end = at + length * rng.random()
        levels[np.ix_(phases, range(int(at * RATE), min(n, int(end * RATE))))] = rng.choice(choices)
        at = end + length * 2 * rng.random()
    tones = three(UDIN, 50.1, RATE, {}, degrees=float(rng.integers(360)))
    waves = [wave(t, RATE, n) * level for t, level in zip(tones, levels, strict=True)]
    setup = Setup(
        Stream(RATE, [0.01] * 3), {lane: i for i, lane in enumerate(LANES)}, UDIN,
        change=CHANGE, change_hysteresis=CHANGE_HYSTERESIS,
    )  # fmt: skip
    wanted = [Quantity("half", "rms", lane) for lane in LANES]
    meter = Meter(setup, {q: i for i, q in enumerate(wanted)})
    measured = measure(meter, in_blocks(0, counts(waves, 0.01), 97))

    reference = Reference()
    found = []
    for phase, quantity in enumerate(wanted):
        values, ends = measured.values[quantity].tolist(), measured.times[quantity].tolist()
        # A cycle begins where the one two half cycles ago ended.
        starts = [None, None, *ends[:-2]]
        found += list(zip(ends, starts, values, [phase] * len(ends), strict=True))
    for end, start, value, phase in sorted(found, key=lambda row: row[0]):
        reference.take(phase, value, start if start is not None else -1, end)

    assert len(measured.events) == len(reference.events)
    for mine, theirs in zip(measured.events, reference.events, strict=True):
        assert mine[:2] == theirs[:2]
        assert mine.end == theirs.end
        assert mine.start == theirs.start or theirs.start == -1
        assert mine[4:6] == pytest.approx(theirs[4:6], rel=1e-9, abs=1e-9)


def test_room_for_events() -> None:
    """At least one; draining empties it."""
    with pytest.raises(ValueError, match="events of capacity 0"):
        Events(0)
    events = Events(3)
    assert (events.count, events.free, events.drain()) == (0, 3, [])
