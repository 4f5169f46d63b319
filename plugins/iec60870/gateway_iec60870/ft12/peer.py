"""The other station of a balanced line, as our primary side sees it (101 clause 6.2.2)."""

from __future__ import annotations

from gateway_iec60870.ft12.control import Function
from gateway_iec60870.ft12.partner import NEVER, Partner
from gateway_iec60870.ft12.settings import BalancedSettings
from gateway_iec60870.ft12.turn import LinkEvent, Turn

_PASSES = 2
"""The exchanges of a start-up: the status of the link, and its reset."""


class Peer(Partner):
    """Sends user data, and tests the link when nothing is heard.

    heard:  when a frame came last, or the link was given up.
    """

    def __init__(self, settings: BalancedSettings, now: float) -> None:
        super().__init__(settings, settings.other, settings.controlling, now)
        self.heard = now
        self._test = Function.TEST_LINK
        self._interval = settings.test
        # It may take so long until our reset of its link makes it reset ours.
        self._settling = _PASSES * settings.timeout * (settings.retries + 1)

    def was_reset(self, now: float, turn: Turn) -> None:
        """Take note that it has reset its link to us: it may have restarted.

        Then it does not know any more what we have said last: the next frame that counts could look
        like a repetition to it, and be lost. So we reset ours, too, unless it has done so because
        of our own reset.
        """
        turn.events.append(LinkEvent.RESET)
        if self.up and not self.fresh and now - self.since > self._settling:
            self.end(now, turn, f"station {self.address} has reset the link")
        self.wake(now)

    def end(self, now: float, turn: Turn, why: str) -> None:
        """See `Partner.end`."""
        self.heard = now
        super().end(now, turn, why)

    def _duty_at(self) -> float:
        return NEVER if self._interval is None else self.heard + self._interval

    def _duty(self, now: float) -> Function:
        return self._test

    def _refuses(self, asked: Function, function: int) -> bool:
        if asked is Function.TEST_LINK and function is Function.NOT_IMPLEMENTED:
            # Whether it has counted that frame nobody knows: the life ends. In the next one its
            # status is asked for instead.
            self._test = Function.REQUEST_STATUS
        return super()._refuses(asked, function)
