"""The secondary station: the side that is spoken to (IEEE 1815-2012, 9.2.6)."""

from __future__ import annotations

from typing import NamedTuple

from gateway_dnp3.link.control import Control, Function


class Reply(NamedTuple):
    """The answer, if there is one, and whether the user data is new."""

    function: Function | None
    deliver: bool = False


_STATELESS: dict[int, Reply] = {
    Function.UNCONFIRMED_USER_DATA: Reply(None, deliver=True),
    Function.REQUEST_LINK_STATUS: Reply(Function.LINK_STATUS),
}


class Secondary:
    """Answers a primary station, and tells repeated user data by the frame count bit."""

    __slots__ = ("_expected", "reset")

    def __init__(self) -> None:
        self.reset = False
        self._expected = True

    def take(self, control: Control, full: bool) -> Reply:
        """Return what to do with a frame whose FCV is right; `full`: no room for user data."""
        function = control.function
        if function == Function.RESET_LINK_STATES:
            self.reset = self._expected = True
            return Reply(Function.ACK)
        if function in (Function.CONFIRMED_USER_DATA, Function.TEST_LINK_STATES):
            return self._counted(control, full)
        return _STATELESS.get(function, Reply(Function.NOT_SUPPORTED))

    def _counted(self, control: Control, full: bool) -> Reply:
        data = control.function == Function.CONFIRMED_USER_DATA
        if not self.reset:
            return Reply(Function.NACK)
        if control.fcb != self._expected:
            # The primary station did not hear our answer and has said it again.
            return Reply(Function.ACK)
        if data and full:
            return Reply(Function.NACK)
        self._expected = not self._expected
        return Reply(Function.ACK, deliver=data)
