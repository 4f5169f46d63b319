"""Internal indications: the two octets of every response (IEEE 1815 clause 4.2.2.6)."""

from __future__ import annotations

from enum import IntFlag


class Iin(IntFlag):
    """IIN1 in the low octet, IIN2 in the high one: bit *n* is object g80v1 of index *n*."""

    NONE = 0
    BROADCAST = 0x0001
    CLASS_1_EVENTS = 0x0002
    CLASS_2_EVENTS = 0x0004
    CLASS_3_EVENTS = 0x0008
    NEED_TIME = 0x0010
    LOCAL_CONTROL = 0x0020
    DEVICE_TROUBLE = 0x0040
    DEVICE_RESTART = 0x0080
    NO_FUNC_CODE_SUPPORT = 0x0100
    OBJECT_UNKNOWN = 0x0200
    PARAMETER_ERROR = 0x0400
    EVENT_BUFFER_OVERFLOW = 0x0800
    ALREADY_EXECUTING = 0x1000
    CONFIG_CORRUPT = 0x2000

    EVENTS = 0x000E
    REFUSED = 0x0700
    """The request, or a part of it, was not carried out."""
