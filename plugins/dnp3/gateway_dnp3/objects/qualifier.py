"""Qualifiers: how an object header says which objects follow (IEEE 1815 clause 4.2.2.7)."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class Qualifier(IntEnum):
    """The octet after group and variation: prefix code in the high, range code in the low digit."""

    RANGE_8 = 0x00
    RANGE_16 = 0x01
    RANGE_32 = 0x02
    ALL = 0x06
    COUNT_8 = 0x07
    COUNT_16 = 0x08
    COUNT_32 = 0x09
    INDEX_8 = 0x17
    INDEX_8_COUNT_16 = 0x18
    INDEX_8_COUNT_32 = 0x19
    INDEX_16_COUNT_8 = 0x27
    INDEX_16 = 0x28
    INDEX_16_COUNT_32 = 0x29
    INDEX_32 = 0x39
    FREE = 0x5B


class Form(NamedTuple):
    """Octets of each part that a qualifier asks for; 0 where it has none."""

    prefix: int
    range: int
    quantity: int


FORMS = {
    Qualifier.RANGE_8: Form(0, 1, 0),
    Qualifier.RANGE_16: Form(0, 2, 0),
    Qualifier.RANGE_32: Form(0, 4, 0),
    Qualifier.ALL: Form(0, 0, 0),
    Qualifier.COUNT_8: Form(0, 0, 1),
    Qualifier.COUNT_16: Form(0, 0, 2),
    Qualifier.COUNT_32: Form(0, 0, 4),
    Qualifier.INDEX_8: Form(1, 0, 1),
    Qualifier.INDEX_8_COUNT_16: Form(1, 0, 2),
    Qualifier.INDEX_8_COUNT_32: Form(1, 0, 4),
    Qualifier.INDEX_16_COUNT_8: Form(2, 0, 1),
    Qualifier.INDEX_16: Form(2, 0, 2),
    Qualifier.INDEX_16_COUNT_32: Form(2, 0, 4),
    Qualifier.INDEX_32: Form(4, 0, 4),
    Qualifier.FREE: Form(2, 0, 1),
}
"""What each qualifier is made of; the prefix of FREE is the size of the object after it."""
