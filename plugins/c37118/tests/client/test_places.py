"""Where items stand in a stream, and what their samples are."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from gateway_c37118.client.columns import Columns
from gateway_c37118.client.places import Place, find_places
from gateway_c37118.client.point import C37Point

from gateway import Definition, LinkPoint, Quality
from gateway.c37118 import Configuration, DataLayout, decode_configuration

sys.path.insert(0, str(Path(__file__).parent))
import c37_octets as c37

T = Quality.DEVICE_TIME
LABELS = ("BRK", "SPARE", "SPARE", *(f"IN{i}" for i in range(3, 16)))
NORTH = c37.Pmu(
    "North", 7, [("VA", False, 100_000), ("VA", False, 100_000), ("2", True, 100_000)],
    [("P", 1), ("Q", 0xFFFFFE)],  # a scale of -2 in 24 bits
    [(LABELS, 0, 0x00FF), ([""] * 16, 0, 0)],
)  # fmt: skip
SOUTH = c37.Pmu("South", 9, [("VA", False, 100_000)], (), (), form=c37.POLAR)
TWIN = c37.Pmu("South", 10)
NUMBER = c37.Pmu("7", 12)


def configuration(*pmus: c37.Pmu) -> Configuration:
    return decode_configuration(c37.config_2(1, pmus))


def points(*addresses: tuple[str | None, str]) -> list[LinkPoint]:
    return [
        LinkPoint(i, Definition(f"p{i}"), C37Point(pmu=pmu, item=item))
        for i, (pmu, item) in enumerate(addresses)
    ]


def place(pmu: str | None, item: str, *pmus: c37.Pmu) -> Place | str:
    """Where it is, or why it is nowhere."""
    found, missing = find_places(points((pmu, item)), configuration(*(pmus or (NORTH, SOUTH))))
    return found[0] if found else missing[0][1]


def test_pmus() -> None:
    """By station name, and by IDCODE where no station has that name."""
    for given, index in (("North", 0), ("7", 0), ("9", 1), ("South", 1)):
        found = place(given, "frequency")
        assert isinstance(found, Place)
        assert found.pmu == index
    assert place(None, "rocof", SOUTH) != place(None, "rocof", NORTH, SOUTH)
    named = place("7", "frequency", NORTH, NUMBER)
    assert isinstance(named, Place)
    assert named.pmu == 1
    assert place(None, "rocof") == ("it names no pmu, and the stream has 7 'North', 9 'South'")
    assert place("West", "rocof") == "no PMU is 'West', the stream has 7 'North', 9 'South'"
    assert place("South", "rocof", SOUTH, TWIN) == (
        "2 PMUs are 'South', the stream has 9 'South', 10 'South'"
    )


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("phasor/1/angle", 0),
        ("phasor/2/angle", 2),  # the one that is called 2
        ("phasor/3/angle", 2),
        ("phasor/VA/angle", "2 phasors of PMU 7 'North' are 'VA', give the number: 1, 2"),
        ("phasor/4/angle", "PMU 7 'North' has no phasor '4', it has 3: 'VA', 'VA', '2'"),
        ("analog/Q", 1),
        ("analog/1", 0),
        ("analog/0", "PMU 7 'North' has no analog '0', it has 2: 'P', 'Q'"),
        ("digital/BRK", (0, 0)),
        ("digital/2/9", (1, 9)),
        ("digital/SPARE", "2 digitals of PMU 7 'North' are 'SPARE', give the place: 1/1, 1/2"),
    ],
)
def test_channels(item: str, expected: object) -> None:
    """By name, and by number where none has that name; what is ambiguous is refused."""
    found = place("7", item)
    if isinstance(found, str):
        assert found == expected
    else:
        assert expected in (found.index, (found.index, found.bit))


def test_the_list_of_what_there_is_is_bounded() -> None:
    """A sentence names a dozen channels, and says how many there are."""
    many = c37.Pmu("Many", 3, [(f"V{i}", False, 1) for i in range(40)])
    found = place(None, "phasor/X/angle", many)
    assert isinstance(found, str)
    assert found.endswith("it has 40: " + ", ".join(f"'V{i}'" for i in range(12)) + ", … (40)")


def samples(
    addresses: Sequence[tuple[str | None, str]], frame: bytes, *pmus: c37.Pmu
) -> list[tuple[float, Quality]]:
    layout = DataLayout(configuration(*pmus))
    rows = layout.rows(4)
    layout.unpack(frame, rows)
    found, missing = find_places(points(*addresses), layout.configuration)
    assert not missing
    batch = Columns(found).batch(rows, np.arange(rows.count))
    return [(v, Quality(int(q))) for v, q in zip(batch.value, batch.quality, strict=True)]


def test_phasors() -> None:
    """Both parts of both kinds of phasors, as a pocket calculator has them."""
    parts = ("magnitude", "angle", "real", "imaginary")
    addresses = [(pmu, f"phasor/1/{part}") for pmu in ("7", "9") for part in parts]
    frame = c37.data(
        1,
        c37.block(phasors=[(-30, 40), (0, 0), (0, 0)], analogs=[0, 0], words=[0, 0]),
        c37.block(c37.POLAR, phasors=[(50, 22143)]),  # 2.2143 rad is 126.87 degrees
    )
    values = [value for value, _ in samples(addresses, frame, NORTH, SOUTH)]
    assert values == pytest.approx([50, 126.8699, -30, 40, 50, 126.8700, -30, 40], abs=1e-3)


@pytest.mark.parametrize(
    ("radians", "degrees"),
    [(math.pi, 180.0), (-math.pi, 180.0), (3.5, 3.5 / math.pi * 180 - 360), (-0.5, -28.6478897)],
)
def test_angles_stay_within_half_a_turn(radians: float, degrees: float) -> None:
    """-180 < angle <= 180, also where the device counts further."""
    floats = c37.Pmu("F", 5, [("VA", False, 1)], form=c37.POLAR | c37.FLOAT_PHASORS)
    frame = c37.data(1, c37.block(floats.form, phasors=[(1.0, radians)]))
    ((value, _),) = samples([(None, "phasor/VA/angle")], frame, floats)
    # Single precision may fall on either side of half a turn, never beyond it.
    assert -180 < value <= 180
    assert math.remainder(value - degrees, 360) == pytest.approx(0, abs=2e-5)


def test_digitals_and_analogs() -> None:
    """Bits of words, inputs that are not wired, an analog with a scale below 0."""
    addresses = [
        ("7", "digital/BRK"), ("7", "digital/1/8"), ("7", "digital/2/9"), ("7", "analog/Q"),
    ]  # fmt: skip
    one = c37.block(phasors=[(0, 0)] * 3, analogs=[1, 21], words=[0b1_0000_0001, 0b10_0000_0000])
    assert samples(addresses, c37.data(1, one), NORTH) == [
        (1.0, T),
        (1.0, T | Quality.INVALID | Quality.BAD_REFERENCE),  # DIGUNIT says: inputs 0 to 7
        (1.0, T),  # DIGUNIT says nothing
        (-42.0, T),
    ]


def test_stat_and_time() -> None:
    """The fields of STAT (table 7) and of the time quality (table 3), bit by bit; they are good
    where what they speak of is not."""
    fields = {
        "stat/word": 0b11_0_1_1_0_1_101_10_0111,
        "stat/data_error": 0b11,  # bits 15-14
        "stat/not_synchronised": 0,  # 13
        "stat/sorted_by_arrival": 1,  # 12
        "stat/trigger": 1,  # 11
        "stat/configuration_change": 0,  # 10
        "stat/modified": 1,  # 9
        "stat/time_quality": 0b101,  # 8-6
        "stat/unlocked": 0b10,  # 5-4
        "stat/trigger_reason": 0b0111,  # 3-0
        "time/quality": 0xB,
        "time/leap_second_pending": 1,  # bit 4
        "time/leap_second_occurred": 0,
        "time/leap_second_deleted": 1,  # bit 6: 0 for add, 1 for delete
    }
    stat = fields["stat/word"]
    frame = c37.data(1, c37.block(c37.POLAR, stat, [(1, 0)]), quality=0b0101_1011)
    found = samples([(None, item) for item in (*fields, "frequency")], frame, SOUTH)
    assert [value for value, _ in found[:-1]] == list(fields.values())
    assert {quality for _, quality in found[:-1]} == {T | Quality.CLOCK_NOT_SYNCHRONISED}
    wrong = Quality.INVALID | Quality.FAILURE | Quality.INACCURATE
    assert found[-1][1] == T | wrong | Quality.CLOCK_NOT_SYNCHRONISED


def test_absent_values() -> None:
    """NaN and infinity in floats, and 0x8000 in integers, are no values."""
    floats = c37.Pmu(
        "F", 5, [("VA", False, 1)], [("P", 1)], form=c37.FLOAT_PHASORS | c37.FLOAT_ANALOGS
    )
    one = c37.block(floats.form, 0x4000, [(math.nan, 1)], -0x8000, 5, [math.inf])
    addresses = [(None, item) for item in ("phasor/1/real", "analog/1", "frequency", "rocof")]
    found = samples(addresses, c37.data(1, one), floats)
    assert [math.isnan(value) for value, _ in found] == [True, True, True, False]
    # Bits 15-14 are 01: questionable, failure; what is absent is invalid.
    wrong = T | Quality.FAILURE
    assert [quality for _, quality in found[:3]] == [wrong | Quality.INVALID] * 3
    assert found[3] == (pytest.approx(0.05), wrong | Quality.QUESTIONABLE)
