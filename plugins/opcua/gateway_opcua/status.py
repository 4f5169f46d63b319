"""Quality as OPC UA StatusCode, and back: two tables and nothing else.

OPC 10000-8 (Data Access) 6.3.2 gives the codes their meaning, IEC 61850-7-3 6.2.1 the quality.
A Bad code makes the value null (OPC 10000-4 7.11), so a value that is old but known is Uncertain:
OPC 10000-8 maps "last known" to UncertainNoCommunicationLastUsableValue for this reason.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from gateway import Quality

StatusColumn: TypeAlias = npt.NDArray[np.uint32]

GOOD = 0x0000_0000
GOOD_LOCAL_OVERRIDE = 0x0096_0000
UNCERTAIN = 0x4000_0000
UNCERTAIN_NO_COMMUNICATION_LAST_USABLE_VALUE = 0x408F_0000
UNCERTAIN_LAST_USABLE_VALUE = 0x4090_0000
UNCERTAIN_SUBSTITUTE_VALUE = 0x4091_0000
UNCERTAIN_SENSOR_NOT_ACCURATE = 0x4093_0000
UNCERTAIN_ENGINEERING_UNITS_EXCEEDED = 0x4094_0000
UNCERTAIN_SUB_NORMAL = 0x4095_0000
UNCERTAIN_SIMULATED_VALUE = 0x4209_0000
BAD = 0x8000_0000
BAD_NO_COMMUNICATION = 0x8031_0000
BAD_WAITING_FOR_INITIAL_DATA = 0x8032_0000
BAD_OUT_OF_RANGE = 0x803C_0000
BAD_DEVICE_FAILURE = 0x808B_0000
BAD_SENSOR_FAILURE = 0x808C_0000
BAD_OUT_OF_SERVICE = 0x808D_0000

SEVERITY_BAD = 0x8000_0000
OVERFLOW = 0x0480
"""InfoType DataValue with the Overflow bit (OPC 10000-4 7.39.1)."""

_Q = Quality

QUALITY_TO_STATUS: tuple[tuple[Quality, Quality, int], ...] = (
    # validity, any of these details (0: none asked), code; the first row that fits decides
    (_Q.INVALID, _Q.OPERATOR_BLOCKED, BAD_OUT_OF_SERVICE),
    (_Q.INVALID, _Q.FAILURE, BAD_DEVICE_FAILURE),
    (_Q.INVALID, _Q.BAD_REFERENCE, BAD_SENSOR_FAILURE),
    (_Q.INVALID, _Q.OUT_OF_RANGE | _Q.OVERFLOW, BAD_OUT_OF_RANGE),
    (_Q.INVALID, _Q.OLD_DATA, UNCERTAIN_NO_COMMUNICATION_LAST_USABLE_VALUE),
    (_Q.INVALID, _Q.GOOD, BAD),
    (_Q.RESERVED, _Q.GOOD, BAD),
    (_Q.QUESTIONABLE, _Q.TEST, UNCERTAIN_SIMULATED_VALUE),
    (_Q.QUESTIONABLE, _Q.SUBSTITUTED, UNCERTAIN_SUBSTITUTE_VALUE),
    (_Q.QUESTIONABLE, _Q.OLD_DATA | _Q.OPERATOR_BLOCKED, UNCERTAIN_LAST_USABLE_VALUE),
    (_Q.QUESTIONABLE, _Q.OUT_OF_RANGE | _Q.OVERFLOW, UNCERTAIN_ENGINEERING_UNITS_EXCEEDED),
    (_Q.QUESTIONABLE, _Q.INACCURATE | _Q.BAD_REFERENCE, UNCERTAIN_SENSOR_NOT_ACCURATE),
    (_Q.QUESTIONABLE, _Q.INCONSISTENT, UNCERTAIN_SUB_NORMAL),
    (_Q.QUESTIONABLE, _Q.GOOD, UNCERTAIN),
    (_Q.GOOD, _Q.TEST, UNCERTAIN_SIMULATED_VALUE),
    (_Q.GOOD, _Q.OPERATOR_BLOCKED, UNCERTAIN_LAST_USABLE_VALUE),
    (_Q.GOOD, _Q.SUBSTITUTED, GOOD_LOCAL_OVERRIDE),
    (_Q.GOOD, _Q.GOOD, GOOD),
)

STATUS_TO_QUALITY: dict[int, Quality] = {
    GOOD: _Q.GOOD,
    GOOD_LOCAL_OVERRIDE: _Q.GOOD | _Q.SUBSTITUTED,
    UNCERTAIN: _Q.QUESTIONABLE,
    UNCERTAIN_NO_COMMUNICATION_LAST_USABLE_VALUE: _Q.INVALID | _Q.OLD_DATA,
    UNCERTAIN_LAST_USABLE_VALUE: _Q.QUESTIONABLE | _Q.OLD_DATA,
    UNCERTAIN_SUBSTITUTE_VALUE: _Q.QUESTIONABLE | _Q.SUBSTITUTED,
    UNCERTAIN_SENSOR_NOT_ACCURATE: _Q.QUESTIONABLE | _Q.INACCURATE,
    UNCERTAIN_ENGINEERING_UNITS_EXCEEDED: _Q.QUESTIONABLE | _Q.OUT_OF_RANGE,
    UNCERTAIN_SUB_NORMAL: _Q.QUESTIONABLE | _Q.INCONSISTENT,
    UNCERTAIN_SIMULATED_VALUE: _Q.QUESTIONABLE | _Q.TEST,
    BAD: _Q.INVALID,
    BAD_NO_COMMUNICATION: _Q.INVALID | _Q.OLD_DATA,
    BAD_WAITING_FOR_INITIAL_DATA: _Q.INVALID | _Q.OLD_DATA,
    BAD_OUT_OF_RANGE: _Q.INVALID | _Q.OUT_OF_RANGE,
    BAD_DEVICE_FAILURE: _Q.INVALID | _Q.FAILURE,
    BAD_SENSOR_FAILURE: _Q.INVALID | _Q.BAD_REFERENCE,
    BAD_OUT_OF_SERVICE: _Q.INVALID | _Q.OPERATOR_BLOCKED,
}


def status_of(quality: int) -> int:
    """Return the StatusCode of a quality whose value is known.

    The flags of time have no place in a StatusCode and change nothing.
    """
    validity = quality & Quality.VALIDITY
    return next(
        code
        for wanted, details, code in QUALITY_TO_STATUS
        if wanted == validity and (not details or quality & details)
    )


def quality_of(status: int) -> Quality:
    """Return the quality of a StatusCode; a code outside the table counts by its severity."""
    known = STATUS_TO_QUALITY.get(status & 0xFFFF_0000)
    if known is not None:
        return known
    severity = status & 0xC000_0000
    if severity == GOOD:
        return Quality.GOOD
    return Quality.QUESTIONABLE if severity == UNCERTAIN else Quality.INVALID


def _column(rule: Callable[[int], int]) -> StatusColumn:
    return np.array([rule(quality) for quality in range(0x2000)], np.uint32)


_STATUS = _column(status_of)


def judge(
    value: npt.NDArray[np.float64],
    quality: npt.NDArray[np.uint16],
    time: npt.NDArray[np.int64],
    number: npt.NDArray[np.bool_],
) -> StatusColumn:
    """Return the StatusCode of each sample, columns of one length in, one column out.

    number: whether the node's data type can hold NaN.
    A sample without a value (none yet, or NaN where the type has none) is Bad,
    so that no client takes a made-up number.
    """
    status: StatusColumn = _STATUS[quality & 0x1FFF]
    missing = np.isnan(value) & (~number | (status & UNCERTAIN != 0) | (time == 0))
    if missing.any():
        missing &= status & SEVERITY_BAD == 0
        old = (quality & Quality.OLD_DATA != 0) & (time != 0)
        status[missing & old] = BAD_NO_COMMUNICATION
        status[missing & ~old] = BAD_WAITING_FOR_INITIAL_DATA
    return status
