"""Status of a command in its answer (IEEE 1815 annex A, g12v1)."""

from __future__ import annotations

from enum import IntEnum


class CommandStatus(IntEnum):
    """What became of one command."""

    SUCCESS = 0
    TIMEOUT = 1
    NO_SELECT = 2
    FORMAT_ERROR = 3
    NOT_SUPPORTED = 4
    ALREADY_ACTIVE = 5
    HARDWARE_ERROR = 6
    LOCAL = 7
    TOO_MANY_OBJS = 8
    NOT_AUTHORIZED = 9
    AUTOMATION_INHIBIT = 10
    PROCESSING_LIMITED = 11
    OUT_OF_RANGE = 12
    DOWNSTREAM_LOCAL = 13
    ALREADY_COMPLETE = 14
    BLOCKED = 15
    CANCELLED = 16
    BLOCKED_OTHER_MASTER = 17
    DOWNSTREAM_FAIL = 18
    NON_PARTICIPATING = 126
    UNDEFINED = 127

    @classmethod
    def of(cls, octet: int) -> CommandStatus:
        """Return the status of an octet; what the standard reserves is UNDEFINED."""
        return cls(octet) if octet in cls._value2member_map_ else cls.UNDEFINED
