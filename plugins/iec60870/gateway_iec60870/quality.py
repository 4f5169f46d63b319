"""Flags of an object and the gateway's quality: one table each way.

The flags are those of IEC 60870-5-101:2003 clauses 7.2.6.1 to 7.2.6.4 (SIQ, DIQ, QDS, QDP) and
7.2.6.9 (BCR), their meaning as in IEC TS 61850-80-1, the mapping of IEC 61850 to 101 and 104.
What 101 and 104 cannot say stays unsaid: a value that is only questionable has no flag.
The test flag is in the cause of transmission, that of the clock in the time, neither in here.
"""

from __future__ import annotations

from enum import IntFlag

import numpy as np
from numpy.typing import NDArray

from gateway import Quality
from gateway_iec60870.asdu import LAYOUTS, Element, Use


class Flag(IntFlag):
    """The bits of SIQ, DIQ, QDS and QDP."""

    OV = 0x01
    """Overflow: beyond the range; in QDS only."""
    EI = 0x08
    """The elapsed time is invalid, which says nothing of the value; in QDP only."""
    BL = 0x10
    """Blocked: it stays what it was before that."""
    SB = 0x20
    """Substituted: by an operator or automatically."""
    NT = 0x40
    """Not topical: the last update did not come in time."""
    IV = 0x80
    """Invalid: may be wrong, and must not be used."""


class CounterFlag(IntFlag):
    """The bits of BCR beside its sequence number."""

    CY = 0x20
    """Carry: it overflowed in the counting period, as counters do."""
    CA = 0x40
    """Adjusted since the last reading."""
    IV = 0x80


Meanings = tuple[tuple[int, Quality], ...]

STATE: Meanings = (
    (Flag.BL, Quality.OPERATOR_BLOCKED),
    (Flag.SB, Quality.SUBSTITUTED),
    (Flag.NT, Quality.QUESTIONABLE | Quality.OLD_DATA),
    (Flag.IV, Quality.INVALID),
)
"""SIQ, DIQ and QDP."""

MEASURED: Meanings = ((Flag.OV, Quality.QUESTIONABLE | Quality.OVERFLOW), *STATE)
"""QDS."""

COUNTER: Meanings = (
    (CounterFlag.CA, Quality.QUESTIONABLE | Quality.INCONSISTENT),
    (CounterFlag.IV, Quality.INVALID),
)
"""BCR."""

_ELEMENTS: dict[Element, Meanings] = {
    **dict.fromkeys((Element.SIQ, Element.DIQ), STATE),
    **dict.fromkeys((Element.SEP, Element.SPE, Element.OCI), STATE),
    **dict.fromkeys((Element.VTI, Element.BSI, Element.SCD), MEASURED),
    **dict.fromkeys((Element.NVA, Element.SVA, Element.R32), MEASURED),
    Element.BCR: COUNTER,
}

MEANINGS: dict[int, Meanings] = {
    kind: _ELEMENTS[layout.element]
    for kind, layout in LAYOUTS.items()
    if layout.use is Use.MEASUREMENT and layout.element in _ELEMENTS
}
"""What the flags of each type mean; normalised values without quality have none."""

STEPS = frozenset(kind for kind in MEANINGS if LAYOUTS[kind].element is Element.VTI)
"""Types with a transient state, which is a bit of the value's octet and not a flag."""

TRANSIENT = Quality.QUESTIONABLE | Quality.INACCURATE
"""A tap changer that has left its position, and shows it still."""

_ALSO = {
    Quality.OVERFLOW: Quality.OUT_OF_RANGE,
}
"""Qualities that a flag says on the way back besides its own."""

_KNOWN = 0x1FFF
"""All of a quality but what its time is like."""


def quality_of(
    type_id: int, flags: NDArray[np.uint8], extra: NDArray[np.uint32]
) -> NDArray[np.uint16]:
    """Return the quality of each row of one type, without what its time is like.

    flags: as they stand in the object, the bits of the value cleared.
    extra: 1 where a step position is transient; other types have something else there.
    All rows are good where the type has no flags.
    """
    meanings = MEANINGS.get(type_id)
    if meanings is None:
        return np.zeros(len(flags), np.uint16)
    row = flags.astype(np.uint16)
    if type_id in STEPS:
        row += (extra & 1).astype(np.uint16) << 8
    table: NDArray[np.uint16] = _QUALITIES[id(meanings)]
    return np.take(table, row)


def flags_of(type_id: int, quality: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Return the flags that say a quality in one type; 0 where the type has none."""
    meanings = MEANINGS.get(type_id)
    if meanings is None:
        return np.zeros(len(quality), np.uint8)
    table: NDArray[np.uint8] = _FLAGS[id(meanings)]
    return np.take(table, quality & _KNOWN)


def transient_of(type_id: int, quality: NDArray[np.uint16]) -> NDArray[np.uint32]:
    """Return 1 for each step position that is in transition, which its flags do not say."""
    if type_id not in STEPS:
        return np.zeros(len(quality), np.uint32)
    transient: NDArray[np.bool_] = quality & int(Quality.INACCURATE) != 0
    return transient.astype(np.uint32)


def _qualities(meanings: Meanings) -> NDArray[np.uint16]:
    """Return the quality of all flags, and once more for what is transient besides."""
    table = np.zeros(512, np.uint16)
    for row in range(len(table)):
        said = [meaning for flag, meaning in meanings if row & flag]
        if row & 0x100:
            said.append(TRANSIENT)
        validity = Quality.GOOD
        for meaning in said:
            table[row] |= int(meaning & ~Quality.VALIDITY)
            if validity != Quality.INVALID:
                validity = (meaning & Quality.VALIDITY) or validity
        table[row] |= int(validity)
    return table


def _flags(meanings: Meanings) -> NDArray[np.uint8]:
    """Return the flags of every quality, as columns: there are thousands of them."""
    quality = np.arange(_KNOWN + 1, dtype=np.uint16)
    validity = quality & int(Quality.VALIDITY)
    invalid = np.isin(validity, (int(Quality.INVALID), int(Quality.RESERVED)))
    invalid |= quality & int(Quality.FAILURE) != 0
    if meanings is COUNTER:
        # There is no NT, and an old reading must not be taken for the present one.
        invalid |= quality & int(Quality.OLD_DATA) != 0
    flags = np.where(invalid, int(Flag.IV), 0).astype(np.uint8)
    for flag, meaning in meanings:
        word = meaning & ~Quality.VALIDITY
        words = int(word | _ALSO.get(word, Quality.GOOD))
        flags[quality & words != 0] |= np.uint8(flag)
    return flags


_QUALITIES = {id(meanings): _qualities(meanings) for meanings in (STATE, MEASURED, COUNTER)}
_FLAGS = {id(meanings): _flags(meanings) for meanings in (STATE, MEASURED, COUNTER)}
