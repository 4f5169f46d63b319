"""A request that is out, and the answers to it."""

from __future__ import annotations

import asyncio
from enum import Enum, auto

from gateway_iec60870.asdu import Asdu, Cause, TypeId

REFUSALS = frozenset(
    (Cause.UNKNOWN_TYPE, Cause.UNKNOWN_CAUSE, Cause.UNKNOWN_ADDRESS, Cause.UNKNOWN_OBJECT)
)
"""Causes of an answer that nothing was done (101 clause 7.2.3); some stations forget P/N."""
ANSWERS = REFUSALS | {Cause.ACTIVATION_CON, Cause.DEACTIVATION_CON, Cause.ACTIVATION_TERM}

COMMANDS = frozenset((*range(45, 52), *range(58, 65)))
SELECTED = COMMANDS - {TypeId.C_BO_NA_1, TypeId.C_BO_TA_1}
"""Types of commands, and those whose last octet has S/E."""
_QUALIFIER = 0x7F


class Ended(Enum):
    """How a request ended.

    DONE:       answered, to the end.
    REFUSED:    answered with no.
    UNFINISHED: confirmed, and its end did not come.
    SILENT:     no answer.
    ABORTED:    the station began anew.
    """

    DONE = auto()
    REFUSED = auto()
    UNFINISHED = auto()
    SILENT = auto()
    ABORTED = auto()


class Exchange:
    """Lives from the sending of a request to the last answer.

    request:  the ASDU.
    compared: octets of its body, from the first, that answers repeat.
    confirmed, ended: whether an answer has said so.
    """

    def __init__(self, request: Asdu, compared: int) -> None:
        self.request = request
        self.compared = compared
        self.confirmed = False
        self.ended = False
        self._answers: asyncio.Queue[Asdu | None] = asyncio.Queue()

    def repeated_by(self, asdu: Asdu) -> bool:
        """Return whether an ASDU repeats the request, as all answers do.

        The end of a command may have the S/E of its select.
        """
        mine, other = self.request.body[: self.compared], asdu.body[: self.compared]
        if asdu.cause == Cause.ACTIVATION_TERM and asdu.type in SELECTED and mine and other:
            mine, other = _without_select(mine), _without_select(other)
        return (
            asdu.type == self.request.type
            and asdu.address == self.request.address
            and mine == other
        )

    def put(self, asdu: Asdu) -> None:
        """Take an answer."""
        if self.repeated_by(asdu):
            self.confirmed |= asdu.cause == Cause.ACTIVATION_CON and not refuses(asdu)
            self.ended |= asdu.cause == Cause.ACTIVATION_TERM
        self._answers.put_nowait(asdu)

    def abort(self) -> None:
        """End it without an answer."""
        self._answers.put_nowait(None)

    async def answer(self) -> Asdu | None:
        """Wait for the next answer; None where it was aborted."""
        return await self._answers.get()


def _without_select(octets: bytes) -> bytes:
    return octets[:-1] + bytes((octets[-1] & _QUALIFIER,))


def refuses(answer: Asdu) -> bool:
    """Return whether an answer says no."""
    return answer.negative or answer.cause in REFUSALS


def cause_text(answer: Asdu) -> str:
    """Return the cause of an answer in words."""
    try:
        name = Cause(answer.cause).name.lower().replace("_", " ")
    except ValueError:
        name = "unknown to the standard"
    return f"cause {answer.cause} ({name}{', negative' if answer.negative else ''})"
