"""What a device may answer instead of data, and what that says of its points."""

from __future__ import annotations

from gateway import STALE, Quality

# Exception codes, Modbus application protocol V1.1b3 section 7.
ILLEGAL_FUNCTION = 0x01
ILLEGAL_ADDRESS = 0x02
ILLEGAL_VALUE = 0x03
DEVICE_FAILURE = 0x04
ACKNOWLEDGE = 0x05
BUSY = 0x06
MEMORY_PARITY = 0x08
GATEWAY_PATH = 0x0A
GATEWAY_TARGET = 0x0B

# Not on the wire: no answer at all within the time-out (on serial lines: nor a whole one).
TIMEOUT = 0x100
# Nor this: an answer to a write that does not repeat what was written.
WRONG_ECHO = 0x101

SENTENCE = {
    ILLEGAL_FUNCTION: "illegal function: the device does not know it for this table",
    ILLEGAL_ADDRESS: "illegal data address",
    ILLEGAL_VALUE: "illegal data value: the device does not take a request of this length",
    DEVICE_FAILURE: "server device failure",
    ACKNOWLEDGE: "acknowledge: the device is still at it",
    BUSY: "server device busy",
    MEMORY_PARITY: "memory parity error",
    GATEWAY_PATH: "gateway path unavailable",
    GATEWAY_TARGET: "gateway target device failed to respond",
    TIMEOUT: "no answer in time",
    WRONG_ECHO: "the answer does not repeat what was written",
}

QUALITY = {
    ILLEGAL_FUNCTION: Quality.INVALID | Quality.BAD_REFERENCE,
    ILLEGAL_ADDRESS: Quality.INVALID | Quality.BAD_REFERENCE,
    ILLEGAL_VALUE: Quality.INVALID | Quality.BAD_REFERENCE,
    DEVICE_FAILURE: Quality.INVALID | Quality.FAILURE,
    ACKNOWLEDGE: Quality.QUESTIONABLE | Quality.OLD_DATA,
    BUSY: Quality.QUESTIONABLE | Quality.OLD_DATA,
    MEMORY_PARITY: Quality.INVALID | Quality.FAILURE,
    GATEWAY_PATH: STALE,
    GATEWAY_TARGET: STALE,
    TIMEOUT: STALE,
}
OTHER_QUALITY = Quality.INVALID | Quality.FAILURE

# The device is there, but not the register or the length that was asked for.
REFUSED = frozenset({ILLEGAL_ADDRESS, ILLEGAL_VALUE})
# What was asked for is not there: no use asking often.
ABSENT = REFUSED | {ILLEGAL_FUNCTION}
# Ask again in a moment.
NOT_NOW = frozenset({ACKNOWLEDGE, BUSY})
# Nobody answers for this unit.
SILENT = frozenset({TIMEOUT, GATEWAY_PATH, GATEWAY_TARGET})


def quality_of(code: int) -> Quality:
    """Return the quality of points whose read ended with this exception code, or `TIMEOUT`."""
    return QUALITY.get(code, OTHER_QUALITY)


def sentence_of(code: int) -> str:
    """Return what an exception code means, with its number."""
    if code in (TIMEOUT, WRONG_ECHO):
        return SENTENCE[code]
    return f"exception {code:#04x}: {SENTENCE.get(code, 'not in the standard')}"
