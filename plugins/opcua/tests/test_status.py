"""Quality to StatusCode and back."""

# mypy: disable-error-code="attr-defined"

from __future__ import annotations

import numpy as np
import pytest
from asyncua import ua
from gateway_opcua.status import STATUS_TO_QUALITY, judge, quality_of, status_of

from gateway import STALE, Quality

# Names of OPC 10000-8 6.3.2 and OPC 10000-4 7.39.2; asyncua, another's work, has the numbers.
TABLE = [
    (Quality.GOOD, "Good"),
    (Quality.GOOD | Quality.SUBSTITUTED, "GoodLocalOverride"),
    (Quality.QUESTIONABLE, "Uncertain"),
    (STALE, "UncertainNoCommunicationLastUsableValue"),
    (Quality.QUESTIONABLE | Quality.OLD_DATA, "UncertainLastUsableValue"),
    (Quality.QUESTIONABLE | Quality.SUBSTITUTED, "UncertainSubstituteValue"),
    (Quality.QUESTIONABLE | Quality.INACCURATE, "UncertainSensorNotAccurate"),
    (Quality.QUESTIONABLE | Quality.OUT_OF_RANGE, "UncertainEngineeringUnitsExceeded"),
    (Quality.QUESTIONABLE | Quality.INCONSISTENT, "UncertainSubNormal"),
    (Quality.QUESTIONABLE | Quality.TEST, "UncertainSimulatedValue"),
    (Quality.INVALID, "Bad"),
    (Quality.INVALID | Quality.OUT_OF_RANGE, "BadOutOfRange"),
    (Quality.INVALID | Quality.FAILURE, "BadDeviceFailure"),
    (Quality.INVALID | Quality.BAD_REFERENCE, "BadSensorFailure"),
    (Quality.INVALID | Quality.OPERATOR_BLOCKED, "BadOutOfService"),
]
ONE_WAY = [
    (Quality.RESERVED, "Bad"),
    (Quality.GOOD | Quality.TEST, "UncertainSimulatedValue"),
    (Quality.GOOD | Quality.OPERATOR_BLOCKED, "UncertainLastUsableValue"),
    (Quality.QUESTIONABLE | Quality.OVERFLOW, "UncertainEngineeringUnitsExceeded"),
    (Quality.QUESTIONABLE | Quality.OSCILLATORY, "Uncertain"),
    (Quality.INVALID | Quality.OVERFLOW, "BadOutOfRange"),
    (Quality.INVALID | Quality.OLD_DATA | Quality.FAILURE, "BadDeviceFailure"),
]


@pytest.mark.parametrize(("quality", "name"), TABLE + ONE_WAY)
def test_a_quality_has_a_status(quality: Quality, name: str) -> None:
    """A quality becomes the code that the standard names for it."""
    assert status_of(quality) == getattr(ua.StatusCodes, name)


@pytest.mark.parametrize(("quality", "name"), TABLE)
def test_a_status_has_a_quality(quality: Quality, name: str) -> None:
    """A code becomes the quality that it came from."""
    assert quality_of(getattr(ua.StatusCodes, name)) == quality


def test_every_code_comes_back_from_its_quality() -> None:
    """No code of the table changes its severity on the way to quality and back."""
    there_and_back = {code: status_of(quality_of(code)) for code in STATUS_TO_QUALITY}
    lost = {code for code, back in there_and_back.items() if code != back}
    # They say that there is no value, which quality cannot: then the value is old.
    assert lost == {ua.StatusCodes.BadNoCommunication, ua.StatusCodes.BadWaitingForInitialData}


@pytest.mark.parametrize(
    ("name", "quality"),
    [
        ("GoodClamped", Quality.GOOD),
        ("UncertainInitialValue", Quality.QUESTIONABLE),
        ("BadTimeout", Quality.INVALID),
    ],
)
def test_an_unknown_status_counts_by_its_severity(name: str, quality: Quality) -> None:
    """A code that the table does not have is good, questionable or invalid by its two top bits."""
    assert quality_of(getattr(ua.StatusCodes, name)) == quality


def test_the_overflow_bit_changes_no_quality() -> None:
    """The info bits say something of the queue, not of the value."""
    expected = Quality.QUESTIONABLE | Quality.INCONSISTENT
    assert quality_of(ua.StatusCodes.UncertainSubNormal | 0x480) == expected


def test_flags_of_time_change_no_status() -> None:
    """A device's time, synchronised or not, is no matter of the value."""
    flags = Quality.DEVICE_TIME | Quality.CLOCK_NOT_SYNCHRONISED
    quality = np.array([Quality.GOOD | flags, STALE | flags], np.uint16)
    found = judge(np.ones(2), quality, np.ones(2, np.int64), np.ones(2, np.bool_))
    assert found.tolist() == [
        ua.StatusCodes.Good,
        ua.StatusCodes.UncertainNoCommunicationLastUsableValue,
    ]


def test_a_missing_value_is_bad() -> None:
    """Where there is no value the status says why, and no client takes a made-up number."""
    nan = float("nan")
    rows = [
        # value, quality, time, can hold NaN, code
        (nan, STALE, 0, True, "BadWaitingForInitialData"),
        (nan, STALE, 5, True, "BadNoCommunication"),
        (nan, Quality.GOOD, 5, False, "BadWaitingForInitialData"),
        (nan, Quality.GOOD, 5, True, "Good"),
        (nan, Quality.INVALID | Quality.FAILURE, 5, True, "BadDeviceFailure"),
        (1.5, STALE, 5, True, "UncertainNoCommunicationLastUsableValue"),
    ]
    value, quality, time, number, names = zip(*rows, strict=True)
    found = judge(
        np.array(value), np.array(quality, np.uint16), np.array(time), np.array(number, np.bool_)
    )
    assert found.tolist() == [getattr(ua.StatusCodes, name) for name in names]
