"""Flags and quality, both ways, beside tables written by hand.

The bits are those of IEC 60870-5-101:2003: SIQ 7.2.6.1, DIQ 7.2.6.2, QDS 7.2.6.3, QDP 7.2.6.4,
VTI 7.2.6.5, BCR 7.2.6.9. Their meaning is that of IEC TS 61850-80-1, as two others have it:
RTE's conversion of 104 to the model of IEC 61850 (fledge-power/fledgepower-filter-iec104topivot,
`addQuality` and `toIec104DataObject`), which agrees both ways, and the table "Internal to IEC
60870-5-104" of the Altus Hadron Xtorm manual, which agrees for digital points. For analog points
Altus also calls bad references, inconsistent and inaccurate values invalid; here they stay usable.
"""

from __future__ import annotations

import numpy as np
import pytest
from gateway_iec60870.quality import MEANINGS, flags_of, quality_of, transient_of

from gateway import Quality

SINGLE, DOUBLE, STEP, BITS = (1, 2, 30), (3, 4, 31), (5, 6, 32), (7, 8, 33)
NORMALISED, SCALED, FLOAT = (9, 10, 34), (11, 12, 35), (13, 14, 36)
TOTALS, PROTECTION, PACKED, BARE = (15, 16, 37), (17, 18, 19, 38, 39, 40), (20,), (21,)

MEASURED = (*STEP, *BITS, *NORMALISED, *SCALED, *FLOAT, *PACKED)
STATE = (*SINGLE, *DOUBLE, *PROTECTION)
DESCRIBED = (*STATE, *MEASURED)
ALL = (*DESCRIBED, *TOTALS, *BARE)

OV, EI, BL, SB, NT, IV = 0x01, 0x08, 0x10, 0x20, 0x40, 0x80
CY, CA = 0x20, 0x40
Q = Quality

# (types, flags, quality, flags of that quality)
TABLE = [
    (ALL, 0, Q.GOOD, 0),
    (DESCRIBED, IV, Q.INVALID, IV),
    (DESCRIBED, NT, Q.QUESTIONABLE | Q.OLD_DATA, NT),
    (DESCRIBED, SB, Q.SUBSTITUTED, SB),
    (DESCRIBED, BL, Q.OPERATOR_BLOCKED, BL),
    (DESCRIBED, IV | NT, Q.INVALID | Q.OLD_DATA, IV | NT),
    (DESCRIBED, IV | SB, Q.INVALID | Q.SUBSTITUTED, IV | SB),
    (DESCRIBED, IV | BL, Q.INVALID | Q.OPERATOR_BLOCKED, IV | BL),
    (DESCRIBED, NT | SB, Q.QUESTIONABLE | Q.OLD_DATA | Q.SUBSTITUTED, NT | SB),
    (DESCRIBED, NT | BL, Q.QUESTIONABLE | Q.OLD_DATA | Q.OPERATOR_BLOCKED, NT | BL),
    (DESCRIBED, SB | BL, Q.SUBSTITUTED | Q.OPERATOR_BLOCKED, SB | BL),
    (
        DESCRIBED,
        IV | NT | SB | BL,
        Q.INVALID | Q.OLD_DATA | Q.SUBSTITUTED | Q.OPERATOR_BLOCKED,
        IV | NT | SB | BL,
    ),
    (MEASURED, OV, Q.QUESTIONABLE | Q.OVERFLOW, OV),
    (MEASURED, OV | IV, Q.INVALID | Q.OVERFLOW, OV | IV),
    (MEASURED, OV | NT, Q.QUESTIONABLE | Q.OVERFLOW | Q.OLD_DATA, OV | NT),
    (MEASURED, OV | SB, Q.QUESTIONABLE | Q.OVERFLOW | Q.SUBSTITUTED, OV | SB),
    (PROTECTION, EI, Q.GOOD, 0),
    (PROTECTION, EI | IV, Q.INVALID, IV),
    (TOTALS, IV, Q.INVALID, IV),
    (TOTALS, CA, Q.QUESTIONABLE | Q.INCONSISTENT, CA),
    (TOTALS, CA | IV, Q.INVALID | Q.INCONSISTENT, CA | IV),
    (TOTALS, CY, Q.GOOD, 0),
    (TOTALS, CY | IV, Q.INVALID, IV),
]
CASES = [(type_id, *row) for types, *row in TABLE for type_id in types]


def of(type_id: int, flags: int, extra: int = 0) -> Quality:
    (found,) = quality_of(type_id, np.array([flags], np.uint8), np.array([extra], np.uint32))
    return Quality(int(found))


def back(type_id: int, quality: int) -> int:
    (found,) = flags_of(type_id, np.array([quality], np.uint16))
    return int(found)


@pytest.mark.parametrize(("type_id", "flags", "quality", "again"), CASES)
def test_flags_are_a_quality(type_id: int, flags: int, quality: Quality, again: int) -> None:
    """Each flag in each type that has it, and the way back."""
    assert of(type_id, flags) == quality
    assert back(type_id, quality) == again


# (types, quality, flags): what other protocols say and 101 and 104 have few words for
BACK = [
    (ALL, Q.QUESTIONABLE, 0),
    (ALL, Q.TEST, 0),
    (ALL, Q.DEVICE_TIME | Q.CLOCK_NOT_SYNCHRONISED, 0),
    (ALL, Q.QUESTIONABLE | Q.BAD_REFERENCE, 0),
    (ALL, Q.QUESTIONABLE | Q.OSCILLATORY, 0),
    (ALL, Q.QUESTIONABLE | Q.INACCURATE, 0),
    ((*DESCRIBED, *BARE), Q.QUESTIONABLE | Q.INCONSISTENT, 0),
    ((*DESCRIBED, *TOTALS), Q.RESERVED, IV),
    ((*DESCRIBED, *TOTALS), Q.FAILURE, IV),
    ((*DESCRIBED, *TOTALS), Q.QUESTIONABLE | Q.FAILURE, IV),
    ((*DESCRIBED, *TOTALS), Q.INVALID | Q.OSCILLATORY | Q.DEVICE_TIME, IV),
    (DESCRIBED, Q.OLD_DATA | Q.OPERATOR_BLOCKED, NT | BL),
    (MEASURED, Q.QUESTIONABLE | Q.OUT_OF_RANGE, OV),
    (MEASURED, Q.QUESTIONABLE | Q.OUT_OF_RANGE | Q.OVERFLOW, OV),
    (STATE, Q.QUESTIONABLE | Q.OUT_OF_RANGE, 0),
    (STATE, Q.QUESTIONABLE | Q.OVERFLOW, 0),
    (TOTALS, Q.QUESTIONABLE | Q.OVERFLOW, 0),
    (TOTALS, Q.SUBSTITUTED, 0),
    (TOTALS, Q.OPERATOR_BLOCKED, 0),
    # BCR has no NT, and whoever bills must not take an old reading for the present one.
    (TOTALS, Q.QUESTIONABLE | Q.OLD_DATA, IV),
    (TOTALS, Q.INVALID | Q.OLD_DATA, IV),
    (BARE, Q.INVALID | Q.OLD_DATA, 0),
]


@pytest.mark.parametrize(
    ("type_id", "quality", "flags"), [(type_id, *row) for types, *row in BACK for type_id in types]
)
def test_a_quality_is_flags(type_id: int, quality: Quality, flags: int) -> None:
    """What has no flag is left out, and never sets another type's flag."""
    assert back(type_id, quality) == flags


@pytest.mark.parametrize("type_id", [*MEANINGS, *BARE])
def test_flags_come_back_but_for_carry_and_elapsed_time(type_id: int) -> None:
    """All 256 flags, bits of the value among them: what they say of the value comes back."""
    said = {**dict.fromkeys(STATE, 0xF0), **dict.fromkeys(MEASURED, 0xF1)}
    said |= dict.fromkeys(TOTALS, CA | IV)
    flags = np.arange(256, dtype=np.uint8)
    again = flags_of(type_id, quality_of(type_id, flags, np.zeros(256, np.uint32)))

    assert again.tolist() == (flags & said.get(type_id, 0)).tolist()


@pytest.mark.parametrize("type_id", STEP)
def test_a_tap_changer_on_its_way_is_inaccurate(type_id: int) -> None:
    """The transient bit is kept beside the flags, both ways, and makes nothing better."""
    assert of(type_id, 0, 1) == Q.QUESTIONABLE | Q.INACCURATE
    assert of(type_id, IV, 1) == Q.INVALID | Q.INACCURATE
    assert of(type_id, NT | SB, 1) == Q.QUESTIONABLE | Q.OLD_DATA | Q.INACCURATE | Q.SUBSTITUTED
    column = np.array([Q.GOOD, Q.QUESTIONABLE | Q.INACCURATE, Q.INVALID], np.uint16)
    assert transient_of(type_id, column).tolist() == [0, 1, 0]


@pytest.mark.parametrize("type_id", sorted({*ALL} - {*STEP}))
def test_only_tap_changers_are_on_their_way(type_id: int) -> None:
    """What other types have beside their value, a counter's sequence number say, is no quality."""
    assert of(type_id, 0, 31) == Q.GOOD
    column = np.array([Q.QUESTIONABLE | Q.INACCURATE], np.uint16)
    assert transient_of(type_id, column).tolist() == [0]


def test_every_type_of_the_process_is_in_the_tables() -> None:
    """Types 1 to 40 as 101 and 104 define them; 22 to 29 do not exist, 21 has no descriptor."""
    assert sorted([*MEANINGS, *BARE]) == [*range(1, 22), *range(30, 41)]
    assert sorted(ALL) == [*range(1, 22), *range(30, 41)]


def test_columns_keep_their_length() -> None:
    """As many rows come out as go in, none included."""
    for rows in (0, 3):
        flags, extra = np.zeros(rows, np.uint8), np.zeros(rows, np.uint32)
        for type_id in (1, 5, 15, 21, 100):
            assert len(quality_of(type_id, flags, extra)) == rows
            assert len(flags_of(type_id, np.zeros(rows, np.uint16))) == rows
