"""How a command ended, in HTTP's numbers and in a few words."""

from __future__ import annotations

from gateway import CommandStatus

_S = CommandStatus

CODES: dict[CommandStatus, int] = {
    _S.SUCCESS: 200,
    _S.TIMEOUT: 504,
    _S.NO_INDICATION: 504,
    _S.SELECT_EXPIRED: 409,
    _S.NO_SELECT: 409,
    _S.SELECTED_BY_OTHER: 409,
    _S.ALREADY_ACTIVE: 409,
    _S.DUPLICATE: 409,
    _S.CANCELLED: 409,
    _S.UNKNOWN_POINT: 404,
    _S.NOT_SUPPORTED: 409,
    _S.FORMAT_ERROR: 422,
    _S.OUT_OF_RANGE: 422,
    _S.NOT_AUTHORISED: 403,
    _S.LOCAL: 409,
    _S.INTERLOCKED: 409,
    _S.BLOCKED: 409,
    _S.RATE_LIMITED: 429,
    _S.UNREACHABLE: 503,
    _S.REFUSED: 502,
    _S.DEVICE_LOCAL: 502,
    _S.DEVICE_ERROR: 502,
    _S.FAILED: 500,
}
"""The HTTP status code of each answer; RFC 9110 clause 15."""

MEANINGS: dict[CommandStatus, str] = dict.fromkeys(_S, "it was not done") | {
    _S.SUCCESS: "it was done",
    _S.TIMEOUT: "it may have been done: look before you ask again",
    _S.NO_INDICATION: "it may have been done: look before you ask again",
}
