"""Profiles, channels, and what a configuration may not say."""

from __future__ import annotations

import pytest
from gateway_sv.profile import Profile, channels_of, parse_profile
from gateway_sv.publisher import SampledValuesPublisher
from gateway_sv.source import SampledValuesSource
from pydantic import ValidationError


@pytest.mark.parametrize(
    ("word", "nominal", "profile"),
    [
        # UCA guideline 9-2LE clause 7.1.2: 80 and 256 samples per nominal cycle, one ASDU, 4 I 4 U
        ("9-2LE-80", 50, Profile(4000, 1, 4, 4)),
        ("9-2LE-80", 60, Profile(4800, 1, 4, 4)),
        ("9-2LE-256", 50, Profile(12800, 1, 4, 4)),
        # IEC 61869-9 clause 6.903.2
        ("F4800S2I4U4", 60, Profile(4800, 2, 4, 4)),
        ("F14400S6I4U4", 50, Profile(14400, 6, 4, 4)),
        ("F4800S1I0U3", 50, Profile(4800, 1, 0, 3)),
    ],
)
def test_profiles(word: str, nominal: int, profile: Profile) -> None:
    """A word of 9-2LE or a variant code is a rate, ASDUs and a data set."""
    assert parse_profile(word, nominal) == profile


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("9-2LE", "found '9-2LE', allowed: 9-2LE-80, 9-2LE-256, or a variant code"),
        ("F999S1I4U4", "found 999 samples per second in 'F999S1I4U4', allowed: 1000 to 32768"),
        ("F4800S17I4U4", "found 17 ASDUs in 'F4800S17I4U4', allowed: 1 to 16"),
        ("F4800S0I4U4", "found 0 ASDUs"),
        ("F4800S1I0U0", "found 0 currents and voltages"),
        ("F4800S1I20U13", "found 33 currents and voltages in 'F4800S1I20U13', allowed: 1 to 32"),
    ],
)
def test_what_is_no_profile(word: str, sentence: str) -> None:
    """What was found and what is allowed."""
    with pytest.raises(ValueError, match=sentence):
        parse_profile(word)


def test_channels_have_the_scales_of_the_standard() -> None:
    """1 mA and 10 mV a count: IEC 61869-9 clauses 6.903.7 and 6.903.8."""
    made = channels_of(parse_profile("F4800S1I3U4"), None)
    assert [one.name for one in made] == ["ia", "ib", "ic", "ua", "ub", "uc", "un"]
    assert [one.scale for one in made] == [0.001] * 3 + [0.01] * 4
    assert [one.unit for one in made] == ["A"] * 3 + ["V"] * 4


SV = {"name": "mu", "interface": "eth1"}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"name": "mu"}, "found neither of `interface` and `file`, allowed: one"),
        (SV | {"file": "x.pcap"}, "found both of `interface` and `file`, allowed: one"),
        (SV | {"speed": 2}, "found `speed`, which nothing that has `interface` has"),
        ({"name": "mu", "file": "x", "vlan": 3}, "found `vlan`, which nothing that has `file`"),
        ({"name": "mu", "file": "x", "time": "recorded"}, "allowed with `repeat: once` only"),
        ({"name": "mu", "file": "x", "speed": 2}, "allowed with `time: recorded` only"),
        (SV | {"profile": "F4800S1I2U4"}, "found no `channels`, which F4800S1I2U4 needs"),
        (SV | {"channels": ["ia", "ib"]}, "found 2 channels, allowed for F4000S1I4U4: 8"),
        (SV | {"profile": "F4800S1I1U1", "channels": ["u", "u"]}, "found channel 'u' twice"),
        (SV | {"destination": "1:2:3:4:5:6"}, "should match pattern"),
    ],
)
def test_what_a_subscriber_may_not_be(given: dict[str, object], sentence: str) -> None:
    """It is refused before anything is opened."""
    with pytest.raises(ValidationError, match=sentence):
        SampledValuesSource.model_validate(given)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"name": "u"}, "found neither of `interface` and `to_file`, allowed: one"),
        ({"name": "u", "to_file": "x"}, "found `to_file` without `seconds`"),
        (
            {"name": "u", "interface": "e", "profile": "F4800S16I16U16",
             "channels": [f"c{n}" for n in range(32)]},
            "no such frame can be made",
        ),
    ],
)  # fmt: skip
def test_what_a_publisher_may_not_be(given: dict[str, object], sentence: str) -> None:
    """So is a merging unit, whose frames must fit Ethernet."""
    with pytest.raises(ValidationError, match=sentence):
        SampledValuesPublisher.model_validate(given)


def test_a_subscriber_gives_its_channels_to_the_check() -> None:
    """Rate and channels are known before a frame is seen."""
    made = SampledValuesSource.model_validate(SV | {"waveform": {"nominal": 60}})
    rate, channels = made.stream()
    assert rate == 4800
    assert [(one.name, one.scale, one.unit) for one in channels[3:5]] == [
        ("in", 0.001, "A"),
        ("ua", 0.01, "V"),
    ]
