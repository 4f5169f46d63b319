"""One side of a balanced line: a primary and a secondary station in one (60870-5-2 clause 6;
101 clause 6.2.2).

User data is acknowledged when it is in custody, and not before: until then the other station says
it again, and is not answered.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence

from gateway_iec60870.ft12.control import Control, Function
from gateway_iec60870.ft12.frame import SINGLE, Frame
from gateway_iec60870.ft12.partner import NEVER
from gateway_iec60870.ft12.peer import Peer
from gateway_iec60870.ft12.settings import BalancedSettings
from gateway_iec60870.ft12.turn import Asdu, Turn


class Balanced:
    """The association of a balanced line, without I/O and without a clock.

    Give it what comes and call `tick` at `deadline`; do what each `Turn` says, tell `leaves` of
    each frame that goes on the line, and `sent` when it has left. Times are seconds of any clock
    that only goes forward.
    A life is one of our primary side: it begins when the other station's link is reset.
    """

    def __init__(self, settings: BalancedSettings, now: float) -> None:
        self.settings = settings
        self._call = Peer(settings, now)
        self._left: Counter[str] = Counter()
        self._reset = False  # the other station has reset our link
        self._expected: bool | None = None  # FCB of its next frame that counts, None for any
        self._received: deque[bool] = deque()  # unconfirmed: whether it was SEND/CONFIRM
        self._undecided = False  # its last frame that counted waits for custody
        self._waits = False  # it waits for our ACK of that

    @property
    def up(self) -> bool:
        """Whether a life is under way."""
        return self._call.up

    @property
    def unconfirmed(self) -> int:
        """ASDUs that were received and are neither confirmed nor refused."""
        return len(self._received)

    @property
    def counts(self) -> Counter[str]:
        """What was left and why.

        Those of `Partner`, and `direction` (frames of our own, come back), `address` (for others),
        `unexpected` (answers to nothing), `fcv` (FCB that must count and does not), `not_reset`
        (what came before the link was reset), `repeated` (what had come already), `held` (what came
        before custody of the ASDU before was decided), `inbox_full`, `refused` (ASDUs that were
        refused and will come again), `refused_for_good`, `unsupported`.
        """
        return self._left + self._call.counts

    @property
    def deadline(self) -> float | None:
        """When to call `tick`, if nothing happens before; None for never."""
        if self._call.asked is not None:
            return self._call.until
        wants = self._call.wants
        return None if wants == NEVER else wants

    def room(self, group: int = 1) -> int:
        """How many ASDUs may be sent now; there is no group but 1."""
        return self._call.room(group)

    def send(self, asdus: Sequence[Asdu], now: float, group: int = 1) -> Turn:
        """Send ASDUs, SEND/CONFIRM, in their order; raises LinkFull above `room`."""
        self._call.queue(asdus, group)
        return self._went(now)

    def withdraw(self, index: int) -> bool:
        """Take an unacknowledged ASDU back, 0 is the oldest; False if it has been on the line."""
        return self._call.withdraw(index)

    def confirm(self, count: int, now: float) -> Turn:
        """Take note that the oldest `count` received ASDUs are in custody."""
        if not 0 <= count <= self.unconfirmed:
            raise ValueError(f"{count} confirmed of {self.unconfirmed} that were received")
        turn = Turn(station=self.settings.other)
        for _ in range(count):
            if self._received.popleft():
                self._undecided = False
                if self._waits:
                    self._waits = False
                    turn.frames.append(self._ack())
        return turn

    def refuse(self, now: float) -> Turn:
        """Take note that no unconfirmed ASDU is in custody: SEND/CONFIRM will come again."""
        self._left["refused"] += self._undecided
        self._left["refused_for_good"] += self.unconfirmed - self._undecided
        if self._undecided:
            self._expected = not self._expected
        self._undecided = self._waits = False
        self._received.clear()
        return Turn(station=self.settings.other)

    def leaves(self, frame: Frame) -> None:
        """Take note that a frame goes on the line."""
        self._call.leaves(frame)

    def sent(self, frame: Frame, now: float) -> Turn:
        """Take note that a frame has left the line."""
        self._call.sent(frame, now)
        return Turn(station=self.settings.other)

    def receive(self, frame: Frame, now: float) -> Turn:
        """Take a frame that came."""
        settings, control = self.settings, frame.control
        turn = Turn(station=settings.other)
        if control is not None and control.dir == settings.controlling:
            self._left["direction"] += 1
        elif control is not None and frame.address not in (settings.own, settings.other):
            self._left["address"] += 1
        elif control is None or not control.prm:
            if self._call.answer(frame, now, turn):
                self._call.heard = now
            else:
                self._left["unexpected"] += 1
        else:
            self._call.heard = now
            self._serve(control, frame.asdu, now, turn)
        self._go(now, turn)
        return turn

    def tick(self, now: float) -> Turn:
        """Do what is due by now: say again, give up, test the link."""
        turn = Turn(station=self.settings.other)
        again = self._call.expire(now, turn)
        if again is not None:
            turn.frames.append(again)
        self._go(now, turn)
        return turn

    def _went(self, now: float) -> Turn:
        turn = Turn(station=self.settings.other)
        self._go(now, turn)
        return turn

    def _go(self, now: float, turn: Turn) -> None:
        if self._call.wants <= now:
            turn.frames.append(self._call.speak(now))

    # The secondary side

    @property
    def _full(self) -> bool:
        return self.unconfirmed >= self.settings.inbox

    def _say(self, function: Function) -> Frame:
        settings = self.settings
        return Frame(Control(function, settings.controlling, False, self._full), settings.own)

    def _ack(self) -> Frame:
        return SINGLE if self.settings.single and not self._full else self._say(Function.ACK)

    def _serve(self, control: Control, asdu: bytes, now: float, turn: Turn) -> None:
        function = control.function
        if function is Function.RESET_REMOTE_LINK:
            self._reset = True
            self._expected = None
            self._undecided = self._waits = False
            turn.frames.append(self._ack())
            self._call.was_reset(now, turn)
        elif function is Function.REQUEST_STATUS:
            # It does not wait for an ACK any more, and could take a late one for its reset's.
            self._waits = False
            turn.frames.append(self._say(Function.STATUS))
            self._call.wake(now)
        elif function is Function.USER_DATA_NO_REPLY:
            if not self._reset:
                self._left["not_reset"] += 1
            elif self._full:
                self._left["inbox_full"] += 1
            else:
                self._received.append(False)
                turn.received.append(asdu)
        elif function not in (Function.TEST_LINK, Function.USER_DATA):
            self._left["unsupported"] += 1
            turn.frames.append(self._say(Function.NOT_IMPLEMENTED))
        elif not control.fcv:
            self._left["fcv"] += 1
        elif not self._reset:
            self._left["not_reset"] += 1
            turn.frames.append(self._say(Function.NOT_FUNCTIONING))
        else:
            self._count(control, asdu, turn)

    def _count(self, control: Control, asdu: bytes, turn: Turn) -> None:
        if self._expected is not None and control.fcb != self._expected:
            self._left["repeated"] += 1
            self._waits = self._undecided
            if not self._waits:
                turn.frames.append(self._ack())
        elif any(self._received):
            # It has not waited for our ACK, and would take it for that of this frame.
            self._left["held"] += 1
            self._undecided = self._waits = False
        elif self._full and control.function is Function.USER_DATA:
            self._left["inbox_full"] += 1
            turn.frames.append(self._say(Function.NACK))
        else:
            self._expected = not control.fcb
            if control.function is Function.TEST_LINK:
                turn.frames.append(self._ack())
                return
            self._received.append(True)
            self._undecided = self._waits = True
            turn.received.append(asdu)
