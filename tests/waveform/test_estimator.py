"""Results of waveforms in closed form: which column, which unit, which sign, which quality."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from gateway.model.batch import Batch
from gateway.model.quality import Quality
from gateway.model.waveform import Channel, Waveform
from gateway.testing.wave import Tone
from gateway.testing.waves import CIRCUIT, circuit, in_parts, sampled
from gateway.waveform import Estimator, WaveformSettings, parse_result

SECOND = 1_700_000_000
VOLTS = {"phasors": {"class": "P", "rate": 50}, "meter": {"declared": 230, "orders": 7}}


def estimator(names: list[str], settings: Mapping[str, Any] = VOLTS, **more: Any) -> Estimator:
    points = {parse_result(name): i for i, name in enumerate(names)}
    channels = more.pop("channels", CIRCUIT)
    return Estimator(WaveformSettings.model_validate(settings), 4800, channels, points, **more)


def last(batch: Batch | None) -> dict[int, float]:
    """The last value of each point."""
    assert batch is not None
    return dict(zip(batch.point.tolist(), batch.value.tolist(), strict=True))


def of(batch: Batch | None, point: int) -> Batch:
    assert batch is not None
    return batch.take(batch.point == point)


# 230 V, 5 A, the current 30 degrees behind: P = 3 * 230 * 5 * cos 30, Q1 its sine.
# Phasors are of cosines whose peak is at the second: at 50 Hz the angle stands still.
KNOWN = {
    "phasor/frequency": 50.0,
    "phasor/rocof": 0.0,
    "phasor/magnitude/ua": 230.0,
    "phasor/magnitude/ic": 5.0,
    "phasor/magnitude/un": 0.0,
    "phasor/angle/ua": 0.0,
    "phasor/angle/ub": -120.0,
    "phasor/angle/uc": 120.0,
    "phasor/angle/ia": -30.0,
    "phasor/angle/ib": -150.0,
    "phasor/angle/ic": 90.0,
    "phasor/magnitude/u1": 230.0,
    "phasor/magnitude/u2": 0.0,
    "phasor/magnitude/i0": 0.0,
    "phasor/magnitude/i1": 5.0,
    "phasor/angle/u1": 0.0,
    "phasor/angle/i1": -30.0,
    "half/rms/ub": 230.0,
    "cycles/rms/ic": 5.0,
    "cycles/line/uab": 230.0 * math.sqrt(3.0),
    "cycles/active/all": 3450.0 * math.cos(math.pi / 6),
    "cycles/reactive/all": 3450.0 * math.sin(math.pi / 6),
    "cycles/active/b": 1150.0 * math.cos(math.pi / 6),
    "cycles/factor/all": math.cos(math.pi / 6),
    "cycles/harmonic/ua/1": 230.0,
    "cycles/frequency/all": 50.0,
    "dip/active/all": 0.0,
}


@pytest.mark.parametrize("block", [7, 24, 480, 4800])
def test_each_result_is_what_its_name_says(block: int) -> None:
    """Values by hand; the blocks that samples come in make no difference."""
    names = list(KNOWN)
    measuring = estimator(names)
    parts = [measuring.take(one) for one in in_parts(circuit(SECOND, 1.0, behind=30.0), block)]
    found = last(Batch.concat(part for part in parts if part is not None))

    for point, name in enumerate(names):
        # 10 mV and 1 mA of quantisation.
        assert found[point] == pytest.approx(KNOWN[name], abs=2e-2, rel=1e-4), name


def test_a_report_has_the_time_of_its_instant() -> None:
    """Instants are whole multiples of 1/50 s, and their time is the device's."""
    frequency = of(estimator(["phasor/frequency"]).take(circuit(SECOND, 0.5)), 0)

    assert (frequency.time % 20_000_000 == 0).all()
    assert np.diff(frequency.time).tolist() == [20_000_000] * (len(frequency) - 1)
    assert frequency.time[0] == SECOND * 10**9
    assert (frequency.quality & Quality.DEVICE_TIME != 0).all()


def test_what_has_no_value_is_invalid() -> None:
    """A window that is not full yet, and a frequency of nothing, are invalid and have no value."""
    settings = {"phasors": {"class": "P", "rate": 50, "least": 10.0}}
    dead = circuit(SECOND, 0.5, volts=0.0)
    frequency = of(estimator(["phasor/frequency"], settings).take(dead), 0)

    assert np.isnan(frequency.value).all()
    assert (frequency.quality & Quality.VALIDITY == Quality.INVALID).all()


def test_channels_by_other_names() -> None:
    """Lanes are channels that the configuration names, in any order, and others are left alone."""
    channels = (Channel("SPARE", 1.0), Channel("VC", 0.01), Channel("VB", 0.01), Channel("VA", 0.1))
    settings = {
        "phasors": {"class": "P", "rate": 50},
        "channels": {"ua": "VA", "ub": "VB", "uc": "VC"},
        "correct": {"ub": {"scale": 1.1, "angle": 2.5}},
    }
    tones = [[Tone(9.0, 50.0)], *([Tone(100.0, 50.0, d)] for d in (120.0, -120.0, 0.0))]
    samples = sampled(tones, channels, 4800, 0.5)
    names = ["phasor/magnitude/ua", "phasor/magnitude/ub", "phasor/angle/ub", "phasor/angle/uc"]
    found = last(
        estimator(names, settings, channels=channels).take(
            Waveform(4800, channels, SECOND * 4800, samples)
        )
    )

    assert list(found.values()) == pytest.approx([100.0, 110.0, -117.5, 120.0], abs=1e-2)


def test_one_phase_has_no_sequences() -> None:
    """What cannot be had of the lanes is refused by name; what can be is measured."""
    channels = (Channel("ua", 0.01),)
    settings = {"phasors": {"class": "P", "rate": 50}}
    samples = sampled([[Tone(230.0, 49.5)]], channels, 4800, 1.0)
    alone = estimator(["phasor/frequency"], settings, channels=channels)

    # Table of the standard, class P: 5 mHz.
    assert last(alone.take(Waveform(4800, channels, 0, samples)))[0] == pytest.approx(
        49.5, abs=5e-3
    )
    with pytest.raises(ValueError, match="found 'phasor/angle/u1' of a stream of ua, allowed: pha"):
        estimator(["phasor/angle/u1"], settings, channels=channels)


def test_rows_that_were_there_are_left_out() -> None:
    """A block again, and one that overlaps, change nothing but a counter."""
    whole, names = circuit(SECOND, 1.0, hertz=50.2), ["phasor/frequency", "cycles/rms/ua"]
    once, again = estimator(names), estimator(names)
    parts = in_parts(whole, 480)
    expected = [once.take(part) for part in parts]
    found = []
    for i, part in enumerate(parts):
        found.append(again.take(part))
        assert again.take(part) is None
        if i:
            overlap = Waveform(
                4800, CIRCUIT, part.index - 20, whole.samples[part.index - 20 - whole.index :][:120]
            )
            assert again.take(overlap) is None

    assert again.missing.late == 10 * 480 + 9 * 120
    assert once.missing == (0, 0, 0, 0)
    for one, other in zip(expected, found, strict=True):
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            assert one.value.tobytes() == other.value.tobytes()


def test_gaps_are_held_or_lost() -> None:
    """Up to `hold` rows are filled, as questionable; after more all begins anew; both counted."""
    whole = circuit(SECOND, 1.0)
    measuring = estimator(["phasor/magnitude/ua"], {**VOLTS, "hold": 3})
    first, second, third = (
        Waveform(4800, CIRCUIT, whole.index + a, whole.samples[a:b])
        for a, b in ((0, 1440), (1443, 2880), (2884, 4800))
    )
    batches = [of(measuring.take(part), 0) for part in (first, second, third)]
    validity = [set((b.quality & Quality.VALIDITY).tolist()) for b in batches]

    assert measuring.missing == (3, 1, 4, 0)
    assert Quality.QUESTIONABLE in validity[1]
    assert Quality.INVALID not in validity[1]
    assert Quality.INVALID in validity[2]


def test_a_dip_is_told_with_its_times() -> None:
    """A rectangular dip to 50 % of 200 ms: active from its beginning, then voltage and length."""
    whole = circuit(SECOND, 2.0)
    samples = whole.samples.copy()
    samples[4800:5760, 4] //= 2
    names = ["dip/active/all", "dip/active/a", "dip/active/b", "dip/voltage/all", "dip/duration/a"]
    measuring = estimator(names)
    batch = measuring.take(Waveform(4800, CIRCUIT, whole.index, samples))
    active = of(batch, 0)

    assert active.value.tolist() == [0.0, 1.0, 0.0]
    assert of(batch, 1).value.tolist() == [0.0, 1.0, 0.0]
    assert of(batch, 2).value.tolist() == [0.0]
    # By the rule of IEC 61000-4-30 clause 5.4.2 it is up to a cycle and a half longer.
    since = (active.time - SECOND * 10**9) / 1e9
    assert 0.98 <= since[1] <= 1.0
    assert 1.2 <= since[2] <= 1.23
    assert last(batch)[3] == pytest.approx(115.0, abs=0.2)
    assert last(batch)[4] == pytest.approx(since[2] - since[1], abs=1e-9)


def test_energy_goes_on_from_what_it_is_given() -> None:
    """Registers are Wh: 3450 W for 2 s are 1.92 Wh more."""
    names = ["total/energy/import_all"]
    registers = np.zeros(16)
    registers[3] = 1000.0  # import of all phases
    measuring = estimator(names, energy=registers)
    found = of(measuring.take(circuit(SECOND, 3.0)), 0)
    first, end = found.value[0], found.value[-1]
    seconds = (found.time[-1] - found.time[0]) / 1e9

    assert first > 1000.0
    assert end - first == pytest.approx(3450.0 * seconds / 3600.0, rel=1e-4)
    assert measuring.energy is not None
    assert measuring.energy[3] >= end


@pytest.mark.parametrize(
    ("settings", "name", "sentence"),
    [
        ({"channels": {"ua": "VA"}}, "phasor/frequency", "found channels.ua 'VA', allowed: ia, ib"),
        ({"meter": {"declared": 230}}, "cycles/thd/ua", "orders: 0"),
        ({"meter": {"declared": 230, "orders": 50}}, "cycles/rms/ua", "order"),
    ],
)
def test_what_cannot_be_measured(settings: Mapping[str, Any], name: str, sentence: str) -> None:
    """The sentence names what stands in the way."""
    with pytest.raises(ValueError, match=sentence):
        estimator([name], {"phasors": {}, **settings})


def test_no_lane_at_all() -> None:
    """A stream whose channels are named otherwise says how to name them."""
    with pytest.raises(ValueError, match=r"found channels X, Y, allowed: at least one of ua, ub"):
        estimator(["phasor/frequency"], channels=(Channel("X", 1.0), Channel("Y", 1.0)))
