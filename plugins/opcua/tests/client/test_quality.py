"""StatusCodes of other servers as quality."""

# mypy: disable-error-code="attr-defined"

from __future__ import annotations

import numpy as np
import pytest
from asyncua import ua
from gateway_opcua.client.quality import STATUS_TO_QUALITY, of_status, overflows, qualities
from gateway_opcua.status import STATUS_TO_QUALITY as SERVED
from gateway_opcua.status import status_of

from gateway import Quality

Q = Quality
# Names of OPC 10000-4 (7.39.2) and OPC 10000-8 (6.3.2); asyncua, another's work, has the numbers.
TABLE = [
    ("Good", Q.GOOD),
    ("GoodClamped", Q.GOOD),
    ("GoodLocalOverride", Q.GOOD | Q.SUBSTITUTED),
    ("UncertainInitialValue", Q.QUESTIONABLE | Q.OLD_DATA),
    ("UncertainLastUsableValue", Q.QUESTIONABLE | Q.OLD_DATA),
    ("UncertainNoCommunicationLastUsableValue", Q.INVALID | Q.OLD_DATA),
    ("UncertainDataSubNormal", Q.QUESTIONABLE | Q.INCONSISTENT),
    ("UncertainSensorNotAccurate", Q.QUESTIONABLE | Q.INACCURATE),
    ("BadCommunicationError", Q.INVALID | Q.OLD_DATA),
    ("BadTimeout", Q.INVALID | Q.OLD_DATA),
    ("BadShutdown", Q.INVALID | Q.OLD_DATA),
    ("BadServerNotConnected", Q.INVALID | Q.OLD_DATA),
    ("BadNoCommunication", Q.INVALID | Q.OLD_DATA),
    ("BadNotConnected", Q.INVALID | Q.OLD_DATA),
    ("BadWaitingForInitialData", Q.INVALID | Q.OLD_DATA),
    ("BadDataLost", Q.INVALID | Q.OLD_DATA),
    ("BadDataUnavailable", Q.INVALID | Q.OLD_DATA),
    ("BadUserAccessDenied", Q.INVALID | Q.BAD_REFERENCE),
    ("BadNodeIdInvalid", Q.INVALID | Q.BAD_REFERENCE),
    ("BadNodeIdUnknown", Q.INVALID | Q.BAD_REFERENCE),
    ("BadAttributeIdInvalid", Q.INVALID | Q.BAD_REFERENCE),
    ("BadIndexRangeInvalid", Q.INVALID | Q.BAD_REFERENCE),
    ("BadIndexRangeNoData", Q.INVALID | Q.BAD_REFERENCE),
    ("BadNotReadable", Q.INVALID | Q.BAD_REFERENCE),
    ("BadTypeMismatch", Q.INVALID | Q.BAD_REFERENCE),
    ("BadConfigurationError", Q.INVALID | Q.BAD_REFERENCE),
    ("BadSensorFailure", Q.INVALID | Q.BAD_REFERENCE),
    ("BadDeviceFailure", Q.INVALID | Q.FAILURE),
    ("BadOutOfService", Q.INVALID | Q.OPERATOR_BLOCKED),
    ("BadUnexpectedError", Q.INVALID),
]


@pytest.mark.parametrize(("name", "quality"), TABLE)
def test_a_status_has_a_quality(name: str, quality: Quality) -> None:
    """By name; the overflow bit changes nothing."""
    code = getattr(ua.StatusCodes, name)
    assert of_status(code) == of_status(code | 0x480) == quality


def test_every_code_of_the_table_is_tested() -> None:
    """And none is in the server's table as well, which would hide it."""
    tested = {getattr(ua.StatusCodes, name) for name, _ in TABLE}
    other = {0x4208_0000, 0x420A_0000}  # of OPC 10000-8 alone: asyncua has no names for them
    assert set(STATUS_TO_QUALITY) <= tested | other
    assert not set(STATUS_TO_QUALITY) & set(SERVED)
    assert of_status(0x4208_0000) == Q.QUESTIONABLE | Q.SUBSTITUTED
    assert of_status(0x420A_0000) == Q.QUESTIONABLE | Q.INACCURATE


def test_no_code_becomes_better_on_its_way_through_the_gateway() -> None:
    """Severity (the two top bits) of what comes in is that of what our own server says of it, or
    worse; but for what is old and known, which OPC 10000-8 calls uncertain.
    """
    for code in STATUS_TO_QUALITY:
        out = status_of(of_status(code))
        old = of_status(code) == Q.INVALID | Q.OLD_DATA
        assert out >> 30 == (1 if old else code >> 30)


def test_columns() -> None:
    """A column of codes is a column of qualities, row by row; overflows are counted."""
    codes = [0, 0x480, 0x808B_0000, 0x4093_0480, 0, 0x8031_0000, 0x0400, 0x0080]
    column = np.array(codes, np.uint32)
    assert qualities(column).tolist() == [int(of_status(code)) for code in codes]
    assert overflows(column) == 2
