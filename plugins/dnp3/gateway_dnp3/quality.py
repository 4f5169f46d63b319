"""Flags of an object and the gateway's quality: one table each way.

What DNP3 cannot say stays unsaid: a value that is only questionable is ONLINE.
"""

from __future__ import annotations

from enum import IntFlag

import numpy as np
from numpy.typing import NDArray

from gateway import Quality
from gateway_dnp3.objects import NO_TIME, Columns


class Flag(IntFlag):
    """The bits that all objects with flags have in common."""

    ONLINE = 0x01
    RESTART = 0x02
    COMM_LOST = 0x04
    REMOTE_FORCED = 0x08
    LOCAL_FORCED = 0x10


class StateFlag(IntFlag):
    """Bit 5 of binary and double-bit inputs."""

    CHATTER_FILTER = 0x20


class CounterFlag(IntFlag):
    """Bits 5 and 6 of counters; ROLLOVER is obsolete."""

    ROLLOVER = 0x20
    DISCONTINUITY = 0x40


class AnalogFlag(IntFlag):
    """Bits 5 and 6 of analog inputs and outputs."""

    OVER_RANGE = 0x20
    REFERENCE_ERR = 0x40


Details = tuple[tuple[int, Quality], ...]

_COMMON: Details = (
    (Flag.COMM_LOST, Quality.QUESTIONABLE | Quality.OLD_DATA),
    (Flag.REMOTE_FORCED, Quality.SUBSTITUTED),
    (Flag.LOCAL_FORCED, Quality.SUBSTITUTED),
)
INPUT: Details = (*_COMMON, (StateFlag.CHATTER_FILTER, Quality.QUESTIONABLE | Quality.OSCILLATORY))
OUTPUT: Details = _COMMON
COUNTER: Details = (
    *_COMMON,
    (CounterFlag.DISCONTINUITY, Quality.QUESTIONABLE | Quality.INCONSISTENT),
)
ANALOG: Details = (
    *_COMMON,
    (AnalogFlag.OVER_RANGE, Quality.QUESTIONABLE | Quality.OUT_OF_RANGE),
    (AnalogFlag.REFERENCE_ERR, Quality.QUESTIONABLE | Quality.BAD_REFERENCE),
)
"""What each flag says; a point that is not ONLINE, or not since its RESTART, is invalid."""

GROUPS: dict[int, Details] = {
    **dict.fromkeys((1, 2, 3, 4), INPUT),
    **dict.fromkeys((10, 11), OUTPUT),
    **dict.fromkeys((20, 21, 22, 23), COUNTER),
    **dict.fromkeys((30, 31, 32, 33, 40, 42), ANALOG),
}
"""Groups with flags; g13 and g43 have the status of a command in their place."""

_ALSO = {
    Quality.OUT_OF_RANGE: Quality.OVERFLOW,
    Quality.BAD_REFERENCE: Quality.INACCURATE,
}
"""Qualities that a flag says on the way back besides its own."""

_OFFLINE = Quality.FAILURE | Quality.TEST
"""What a master must not take for the process, and has no flag of its own."""


def quality_of(columns: Columns) -> NDArray[np.uint16]:
    """Return the quality of each row, with where its time comes from."""
    table = _QUALITIES.get(columns.group)
    quality = np.zeros(len(columns), np.uint16) if table is None else table[columns.flags]
    timed = columns.time != NO_TIME
    quality[timed] |= np.uint16(Quality.DEVICE_TIME)
    if not columns.synchronised:
        quality[timed] |= np.uint16(Quality.CLOCK_NOT_SYNCHRONISED)
    return quality


def flags_of(group: int, quality: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Return the flags that say a quality in a group; 0 for a group that has none."""
    details = GROUPS.get(group)
    if details is None:
        return np.zeros(len(quality), np.uint8)
    table: NDArray[np.uint8] = _FLAGS[id(details)]
    return np.take(table, quality & (len(table) - 1))


def _quality(flags: int, details: Details) -> Quality:
    quality = Quality.GOOD
    for flag, meaning in details:
        if flags & flag:
            quality |= meaning
    if flags & Flag.RESTART:
        quality |= Quality.OLD_DATA
    if flags & Flag.RESTART or not flags & Flag.ONLINE:
        quality = (quality & ~Quality.VALIDITY) | Quality.INVALID
    return quality


def _flags(details: Details) -> NDArray[np.uint8]:
    """Return the flags of every quality, as columns: there are thousands of them."""
    quality = np.arange(int(Quality.OPERATOR_BLOCKED), dtype=np.uint16)
    validity = quality & int(Quality.VALIDITY)
    invalid = np.isin(validity, (int(Quality.INVALID), int(Quality.RESERVED)))
    offline = invalid | (quality & int(_OFFLINE) != 0)
    flags = np.where(offline, 0, int(Flag.ONLINE)).astype(np.uint8)
    for flag, meaning in details:
        # What was substituted was so at the device, never here.
        if flag != Flag.LOCAL_FORCED:
            word = meaning & ~Quality.VALIDITY
            words = int(word | _ALSO.get(word, Quality.GOOD))
            flags[quality & words != 0] |= np.uint8(flag)
    return flags


_QUALITIES = {
    group: np.array([_quality(flags, details) for flags in range(256)], np.uint16)
    for group, details in GROUPS.items()
}
_FLAGS = {id(details): _flags(details) for details in (INPUT, OUTPUT, COUNTER, ANALOG)}
