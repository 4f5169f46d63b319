"""Quality of a sample: IEC 61850-7-3 clause 6.2.1 as a 16-bit flag set."""

from __future__ import annotations

from enum import IntFlag


class Quality(IntFlag):
    """What may be believed of a sample.

    Bits 0..12 stand in the order of the standard's packed list.
    The two lowest bits are one number, the validity, and never two flags:
    compare `quality & Quality.VALIDITY` with `GOOD`, `INVALID` or `QUESTIONABLE`.
    Bits 13 and 14 say where the time came from and whether its clock can be trusted.
    """

    GOOD = 0
    INVALID = 0x0001
    RESERVED = 0x0002
    QUESTIONABLE = 0x0003
    OVERFLOW = 0x0004
    OUT_OF_RANGE = 0x0008
    BAD_REFERENCE = 0x0010
    OSCILLATORY = 0x0020
    FAILURE = 0x0040
    OLD_DATA = 0x0080
    INCONSISTENT = 0x0100
    INACCURATE = 0x0200
    SUBSTITUTED = 0x0400
    TEST = 0x0800
    OPERATOR_BLOCKED = 0x1000
    CLOCK_NOT_SYNCHRONISED = 0x2000
    DEVICE_TIME = 0x4000

    VALIDITY = 0x0003
    DETAIL = 0x03FC
    TIME = 0x6000


VALIDITY_WORDS = {
    Quality.GOOD: "good",
    Quality.INVALID: "invalid",
    Quality.RESERVED: "reserved",
    Quality.QUESTIONABLE: "questionable",
}

DETAIL_WORDS = {
    Quality.OVERFLOW: "overflow",
    Quality.OUT_OF_RANGE: "outOfRange",
    Quality.BAD_REFERENCE: "badReference",
    Quality.OSCILLATORY: "oscillatory",
    Quality.FAILURE: "failure",
    Quality.OLD_DATA: "oldData",
    Quality.INCONSISTENT: "inconsistent",
    Quality.INACCURATE: "inaccurate",
    Quality.SUBSTITUTED: "substituted",
    Quality.TEST: "test",
    Quality.OPERATOR_BLOCKED: "operatorBlocked",
    Quality.CLOCK_NOT_SYNCHRONISED: "clockNotSynchronised",
}


def quality_text(quality: int) -> str:
    """Return the quality in the standard's words, validity first: `invalid,oldData`."""
    words = [VALIDITY_WORDS[Quality(quality & Quality.VALIDITY)]]
    words += [word for bit, word in DETAIL_WORDS.items() if quality & bit]
    return ",".join(words)


def worst_validity(first: int, second: int) -> int:
    """Return the worse of two validities: good < questionable < reserved, invalid."""
    severity = (0, 3, 2, 1)
    a, b = first & Quality.VALIDITY, second & Quality.VALIDITY
    return a if severity[a] >= severity[b] else b
