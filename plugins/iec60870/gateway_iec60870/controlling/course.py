"""How one request of a command goes: what its answers mean, and the silence after them."""

from __future__ import annotations

from dataclasses import dataclass

from gateway import FROM_IEC104, CommandStatus
from gateway_iec60870.asdu import Asdu, Cause
from gateway_iec60870.controlling.exchange import REFUSALS, Exchange, cause_text, refuses

_S = CommandStatus
Outcome = tuple[CommandStatus, str]


@dataclass(frozen=True, slots=True)
class Step:
    """One request of a command.

    cause:      ACTIVATION or DEACTIVATION.
    select:     S/E of its qualifier.
    terminated: whether the end is waited for.
    """

    cause: Cause
    select: bool
    terminated: bool = False


class Course:
    """The course of one step; `where` names the station for people.

    An end that comes before its confirmation, as some stations say them, counts when the
    confirmation has come, and not before: it may be the end of another command.
    """

    def __init__(self, step: Step, where: str) -> None:
        self._step = step
        self._where = where
        self._confirmed = False
        self._end: Outcome | None = None

    def take(self, answer: Asdu, exchange: Exchange) -> Outcome | None:
        """Return how the step ended by an answer; None where its end is still to come."""
        repeated = exchange.repeated_by(answer)
        if not repeated and answer.cause not in REFUSALS:
            found, sent = answer.body[: exchange.compared], exchange.request.body
            return _S.DEVICE_ERROR, (
                f"the answer {found.hex(' ')} does not repeat the command "
                f"{sent[: exchange.compared].hex(' ')}: it may have acted"
            )
        if answer.cause == Cause.ACTIVATION_TERM:
            if self._step.terminated:
                self._end = _refusal(answer) if refuses(answer) else (_S.SUCCESS, "")
            return self._end if self._confirmed else None
        if refuses(answer):
            return _refusal(answer)
        if self._step.cause is Cause.DEACTIVATION:
            if answer.cause == Cause.DEACTIVATION_CON:
                return _S.SUCCESS, ""
            return _S.REFUSED, f"the answer to a cancel is {cause_text(answer)}"
        if answer.cause == Cause.ACTIVATION_CON:
            self._confirmed = True
            return self._end if self._step.terminated else (_S.SUCCESS, "")
        return None

    def silence(self) -> Outcome:
        """Return how the step ended where nothing more has come in time."""
        if self._confirmed:
            return _S.TIMEOUT, f"{self._where} confirmed it and has not said that it ended"
        if self._end is not None:
            return _S.TIMEOUT, f"{self._where} said that it ended and has not confirmed it"
        return _S.TIMEOUT, f"{self._where} has not answered"


def _refusal(answer: Asdu) -> Outcome:
    status = FROM_IEC104.get((answer.cause, True), _S.REFUSED)
    acted = ": it may have acted" if status is _S.DEVICE_ERROR else ""
    return status, cause_text(answer) + acted
