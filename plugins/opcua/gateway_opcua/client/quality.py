"""StatusCodes of other people's servers as quality: what the server's own table leaves out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gateway import Quality
from gateway_opcua.status import quality_of

_Q = Quality

STATUS_TO_QUALITY: dict[int, Quality] = {
    0x8005_0000: _Q.INVALID | _Q.OLD_DATA,  # BadCommunicationError
    0x800A_0000: _Q.INVALID | _Q.OLD_DATA,  # BadTimeout
    0x800C_0000: _Q.INVALID | _Q.OLD_DATA,  # BadShutdown
    0x800D_0000: _Q.INVALID | _Q.OLD_DATA,  # BadServerNotConnected
    0x801F_0000: _Q.INVALID | _Q.BAD_REFERENCE,  # BadUserAccessDenied
    0x8033_0000: _Q.INVALID | _Q.BAD_REFERENCE,  # BadNodeIdInvalid
    0x8034_0000: _Q.INVALID | _Q.BAD_REFERENCE,  # BadNodeIdUnknown
    0x8035_0000: _Q.INVALID | _Q.BAD_REFERENCE,  # BadAttributeIdInvalid
    0x8036_0000: _Q.INVALID | _Q.BAD_REFERENCE,  # BadIndexRangeInvalid
    0x8037_0000: _Q.INVALID | _Q.BAD_REFERENCE,  # BadIndexRangeNoData
    0x803A_0000: _Q.INVALID | _Q.BAD_REFERENCE,  # BadNotReadable
    0x8074_0000: _Q.INVALID | _Q.BAD_REFERENCE,  # BadTypeMismatch
    0x8089_0000: _Q.INVALID | _Q.BAD_REFERENCE,  # BadConfigurationError
    0x808A_0000: _Q.INVALID | _Q.OLD_DATA,  # BadNotConnected
    0x809D_0000: _Q.INVALID | _Q.OLD_DATA,  # BadDataLost
    0x809E_0000: _Q.INVALID | _Q.OLD_DATA,  # BadDataUnavailable
    0x4092_0000: _Q.QUESTIONABLE | _Q.OLD_DATA,  # UncertainInitialValue
    0x40A4_0000: _Q.QUESTIONABLE | _Q.INCONSISTENT,  # UncertainDataSubNormal
    0x4208_0000: _Q.QUESTIONABLE | _Q.SUBSTITUTED,  # UncertainTransducerInManual
    0x420A_0000: _Q.QUESTIONABLE | _Q.INACCURATE,  # UncertainSensorCalibration
    0x0030_0000: _Q.GOOD,  # GoodClamped
}
"""OPC 10000-4 (7.39.2) and OPC 10000-8 (6.3.2); a code that neither table has counts by its
severity. That a point is not where it should be is `badReference`, that nobody can tell `oldData`.
"""

OVERFLOW = 0x0480
"""InfoType DataValue with the Overflow bit: values before this one were lost in the server."""


def of_status(status: int) -> Quality:
    """Return the quality of a StatusCode."""
    found = STATUS_TO_QUALITY.get(status & 0xFFFF_0000)
    return quality_of(status) if found is None else found


def qualities(status: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint16]:
    """Return the quality of each StatusCode of a column."""
    if not status.any():
        return np.zeros(len(status), np.uint16)
    codes, places = np.unique(status, return_inverse=True)
    table = np.array([of_status(code) for code in codes.tolist()], np.uint16)
    return table[places]


def overflows(status: npt.NDArray[np.uint32]) -> int:
    """Return how many values say that there were others before them that were lost."""
    return int(np.count_nonzero((status & 0x0C80) == OVERFLOW))
