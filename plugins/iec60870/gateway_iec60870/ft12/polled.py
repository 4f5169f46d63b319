"""A secondary station of an unbalanced line, as the primary station sees it: requests for class 1
and class 2 data, and the custody of what they bring (101 clause 6.2.1).

A secondary station forgets its data when the next request has another FCB. So that request waits
until the data is in custody; where custody is refused, the same FCB asks for the same data again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gateway_iec60870.ft12.control import Control, Function
from gateway_iec60870.ft12.frame import Frame
from gateway_iec60870.ft12.partner import AT_ONCE, NEVER, Partner
from gateway_iec60870.ft12.settings import PolledSettings
from gateway_iec60870.ft12.turn import Asdu, Turn


class Polled(Partner):
    """One secondary station of a `Primary`, and the association with it.

    settings: how it is treated.
    served:   the number of its latest turn at the line.
    counts:   besides those of `Partner` `refused` (ASDUs that were refused and asked for again).
    """

    def __init__(
        self, settings: PolledSettings, now: float, go: Callable[[float, Turn], None]
    ) -> None:
        super().__init__(settings, settings.address, False, now)
        self.settings = settings
        self.served = 0
        self._go = go
        self._acd = False
        self._undecided = False  # an ASDU waits for custody
        self._held: Function | None = None  # the request that brought it, in this life
        self._again: Function | None = None  # the request whose data was refused
        self._class_1_at = self._class_2_at = self._hold_at = self._again_at = now
        self._class_1_before = False  # class 1 was asked for last

    @property
    def wants(self) -> float:
        """See `Partner.wants`; while custody is undecided no link is reset."""
        if self._undecided and not self.up:
            return NEVER
        return super().wants

    @property
    def unconfirmed(self) -> int:
        """ASDUs that were received and are neither confirmed nor refused, 0 or 1."""
        return int(self._undecided)

    def send(self, asdus: Sequence[Asdu], now: float, group: int = 1) -> Turn:
        """Send ASDUs, SEND/CONFIRM, in their order; raises LinkFull above `room`."""
        self.queue(asdus, group)
        return self._went(now)

    def confirm(self, count: int, now: float) -> Turn:
        """Take note that the oldest `count` received ASDUs are in custody."""
        if not 0 <= count <= self.unconfirmed:
            raise ValueError(f"{count} confirmed of {self.unconfirmed} that were received")
        if count:
            self._undecided = False
            if self._held is not None:
                self._held = None
                self._fcb = not self._fcb
        return self._went(now)

    def refuse(self, now: float) -> Turn:
        """Take note that no unconfirmed ASDU is in custody: the same data is asked for again."""
        self.counts["refused"] += self.unconfirmed
        self._undecided = False
        if self._held is not None:
            self._again, self._held = self._held, None
            self._again_at = now + self.settings.again
        return self._went(now)

    def end(self, now: float, turn: Turn, why: str) -> None:
        """See `Partner.end`; what is undecided stays so."""
        super().end(now, turn, why)
        self._acd = False
        self._held = self._again = None

    def _went(self, now: float) -> Turn:
        turn = Turn(station=self.address)
        self._go(now, turn)
        return turn

    @property
    def _sendable(self) -> bool:
        # Whatever counts toggles the FCB, and with it the data would be forgotten.
        return bool(self._queue) and not self._undecided and self._again is None

    def _duty_at(self) -> float:
        if self._undecided:
            return self._hold_at
        if self._again is not None:
            return self._again_at
        if self._acd:
            return AT_ONCE
        if self.settings.class_1 is not None:
            return min(self._class_1_at, self._class_2_at)
        return self._class_2_at

    def _duty(self, now: float) -> Function:
        if self._undecided:
            self._hold_at = now + self.settings.hold
            return Function.REQUEST_STATUS
        if self._again is not None:
            return self._again
        period = self.settings.class_1
        demanded = self._acd or (period is not None and self._class_1_at <= now)
        # Whoever demands without end shall not keep back its class 2.
        if demanded and not (self._class_1_before and self._class_2_at <= now):
            self._class_1_before = True
            self._class_1_at = now + (period or 0.0)
            return Function.REQUEST_CLASS_1
        self._class_1_before = False
        self._class_2_at = now + self.settings.class_2
        return Function.REQUEST_CLASS_2

    def _mark(self, control: Control | None, now: float) -> None:
        super()._mark(control, now)
        self._acd = control is not None and control.acd

    def _begin(self, now: float, turn: Turn) -> None:
        super()._begin(now, turn)
        self._class_1_at = self._class_2_at = now

    def _accepted(self, asked: Function, frame: Frame, now: float, turn: Turn) -> None:
        self._again = None
        if frame.control is None or frame.control.function is not Function.RESPOND:
            super()._accepted(asked, frame, now, turn)
            return
        self._undecided = True
        self._held = asked
        self._hold_at = now + self.settings.hold
        turn.received.append(frame.asdu)
