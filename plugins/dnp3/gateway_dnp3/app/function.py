"""Function codes of the application layer (IEEE 1815 table 4-1)."""

from __future__ import annotations

from enum import IntEnum


class FunctionCode(IntEnum):
    """What a fragment asks for, or that it answers."""

    CONFIRM = 0
    READ = 1
    WRITE = 2
    SELECT = 3
    OPERATE = 4
    DIRECT_OPERATE = 5
    DIRECT_OPERATE_NR = 6
    IMMED_FREEZE = 7
    IMMED_FREEZE_NR = 8
    FREEZE_CLEAR = 9
    FREEZE_CLEAR_NR = 10
    FREEZE_AT_TIME = 11
    FREEZE_AT_TIME_NR = 12
    COLD_RESTART = 13
    WARM_RESTART = 14
    INITIALIZE_DATA = 15
    INITIALIZE_APPL = 16
    START_APPL = 17
    STOP_APPL = 18
    SAVE_CONFIG = 19
    ENABLE_UNSOLICITED = 20
    DISABLE_UNSOLICITED = 21
    ASSIGN_CLASS = 22
    DELAY_MEASURE = 23
    RECORD_CURRENT_TIME = 24
    OPEN_FILE = 25
    CLOSE_FILE = 26
    DELETE_FILE = 27
    GET_FILE_INFO = 28
    AUTHENTICATE_FILE = 29
    ABORT_FILE = 30
    ACTIVATE_CONFIG = 31
    AUTHENTICATE_REQ = 32
    AUTH_REQ_NO_ACK = 33
    RESPONSE = 129
    UNSOLICITED_RESPONSE = 130
    AUTHENTICATE_RESP = 131


RESPONSES = frozenset(
    {
        FunctionCode.RESPONSE,
        FunctionCode.UNSOLICITED_RESPONSE,
        FunctionCode.AUTHENTICATE_RESP,
    }
)
"""The functions that an outstation sends; they carry internal indications."""

NO_ANSWER = frozenset(
    {
        FunctionCode.CONFIRM,
        FunctionCode.DIRECT_OPERATE_NR,
        FunctionCode.IMMED_FREEZE_NR,
        FunctionCode.FREEZE_CLEAR_NR,
        FunctionCode.FREEZE_AT_TIME_NR,
        FunctionCode.AUTH_REQ_NO_ACK,
    }
)
"""The requests that an outstation never answers."""

NAMING = frozenset(
    {
        FunctionCode.READ,
        FunctionCode.IMMED_FREEZE,
        FunctionCode.IMMED_FREEZE_NR,
        FunctionCode.FREEZE_CLEAR,
        FunctionCode.FREEZE_CLEAR_NR,
        FunctionCode.FREEZE_AT_TIME,
        FunctionCode.FREEZE_AT_TIME_NR,
        FunctionCode.INITIALIZE_DATA,
        FunctionCode.ENABLE_UNSOLICITED,
        FunctionCode.DISABLE_UNSOLICITED,
        FunctionCode.ASSIGN_CLASS,
    }
)
"""The requests that name objects and do not carry them."""
