"""A secondary station of an unbalanced line: it speaks when it is asked (60870-5-2 clause 5;
101 clause 6.2.1).

Data that was asked for is kept until the primary station has it, which its next request with
another FCB says; after a reset of the link it is given back to whoever has sent it.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence

from gateway_iec60870.ft12.address import broadcast
from gateway_iec60870.ft12.control import COUNTED, Control, Function
from gateway_iec60870.ft12.frame import SINGLE, Frame
from gateway_iec60870.ft12.settings import SecondarySettings
from gateway_iec60870.ft12.turn import Asdu, LinkEvent, LinkFull, Turn, check_asdu

_SHORT = frozenset({Function.ACK, Function.NO_DATA})
"""The answers that the single character may stand for (101 clause 6.2.1.1)."""


class Secondary:
    """The association with the primary station, without I/O and without a clock.

    Give it what comes and call `tick` at `deadline`; do what each `Turn` says.
    Times are seconds of any clock that only goes forward.

    up:     the link has been reset: a life is under way, until it is reset again.
    silent: the primary station has asked nothing for `silence`.
    counts: what was left and why: `others` (frames of and for other stations), `fcv` (FCB that must
            count and does not), `not_reset` (what came before the link was reset), `repeated`
            (answers that were said again), `inbox_full`, `unsupported`, `refused_for_good` (ASDUs
            that were refused: this side has acknowledged them already), `lives` (that have ended).
    """

    def __init__(self, settings: SecondarySettings, now: float) -> None:
        self.settings = settings
        self.up = False
        self.silent = False
        self.unconfirmed = 0
        self.counts: Counter[str] = Counter()
        self._queues: dict[int, deque[Asdu]] = {1: deque(), 2: deque()}
        self._heard = now
        self._expected: bool | None = None  # FCB of the next frame that counts, None for any
        self._answer = SINGLE  # the latest one to a frame that counts
        self._out = 0  # the class whose first ASDU has been asked for and may not have arrived

    @property
    def deadline(self) -> float | None:
        """When to call `tick`, if nothing happens before; None for never."""
        silence = self.settings.silence
        return None if silence is None or self.silent else self._heard + silence

    def room(self, group: int = 1) -> int:
        """How many ASDUs of this class, 1 or 2, may be sent now."""
        if group not in self._queues:
            raise ValueError(f"group {group}: user data is of class 1 or 2")
        return self.settings.queue - len(self._queues[group]) if self.up else 0

    def send(self, asdus: Sequence[Asdu], now: float, group: int = 1) -> Turn:
        """Have ASDUs asked for, in their order; raises LinkFull above `room`.

        group: the class, 1 or 2.
        """
        room = self.room(group)
        for asdu in asdus:
            check_asdu(asdu, self.settings.octets)
        if len(asdus) > room:
            raise LinkFull(f"{len(asdus)} ASDUs of class {group}, room for {room}")
        self._queues[group].extend(asdus)
        return Turn(station=self.settings.address)

    def withdraw(self, index: int) -> bool:
        """Take an unacknowledged ASDU of class 1 back, 0 is the oldest; False if it was sent."""
        if index == 0 and self._out == 1:
            return False
        del self._queues[1][index]
        return True

    def confirm(self, count: int, now: float) -> Turn:
        """Take note that the oldest `count` received ASDUs are done with: there is room again."""
        if not 0 <= count <= self.unconfirmed:
            raise ValueError(f"{count} confirmed of {self.unconfirmed} that were received")
        self.unconfirmed -= count
        return Turn(station=self.settings.address)

    def refuse(self, now: float) -> Turn:
        """Take note that no unconfirmed ASDU was of use; they do not come again."""
        self.counts["refused_for_good"] += self.unconfirmed
        self.unconfirmed = 0
        return Turn(station=self.settings.address)

    def leaves(self, frame: Frame) -> None:
        """Take note that a frame goes on the line."""

    def sent(self, frame: Frame, now: float) -> Turn:
        """Take note that a frame has left the line."""
        return Turn(station=self.settings.address)

    def receive(self, frame: Frame, now: float) -> Turn:
        """Take a frame that came."""
        settings, control = self.settings, frame.control
        turn = Turn(station=settings.address)
        to_all = frame.address == broadcast(settings.octets)
        if control is None or not control.prm or not (to_all or frame.address == settings.address):
            self.counts["others"] += 1
            return turn
        self._heard = now
        if self.silent:
            self.silent = False
            turn.events.append(LinkEvent.HEARD)
        if control.function is Function.USER_DATA_NO_REPLY:
            self._take_free(frame.asdu, turn)
        elif to_all:
            # What is to be answered is for one station.
            self.counts["unsupported"] += 1
        else:
            self._serve(control, frame.asdu, turn)
        return turn

    def tick(self, now: float) -> Turn:
        """Do what is due by now: call the primary station silent."""
        turn = Turn(station=self.settings.address)
        deadline = self.deadline
        if deadline is not None and deadline <= now:
            self.silent = True
            turn.events.append(LinkEvent.SILENT)
        return turn

    @property
    def _full(self) -> bool:
        return self.unconfirmed >= self.settings.inbox

    @property
    def _demands(self) -> bool:
        """Whether there is class 1 data besides what has been asked for."""
        return len(self._queues[1]) > (self._out == 1)

    def _say(self, function: Function, asdu: bytes = b"") -> Frame:
        settings, acd, dfc = self.settings, self._demands, self._full
        if settings.single and function in _SHORT and not (acd or dfc):
            return SINGLE
        return Frame(Control(function, False, acd, dfc), settings.address, asdu)

    def _take_free(self, asdu: bytes, turn: Turn) -> None:
        if not self.up:
            self.counts["not_reset"] += 1
        elif self._full:
            self.counts["inbox_full"] += 1
        else:
            self._take(asdu, turn)

    def _take(self, asdu: bytes, turn: Turn) -> None:
        self.unconfirmed += 1
        turn.received.append(asdu)

    def _serve(self, control: Control, asdu: bytes, turn: Turn) -> None:
        function = control.function
        if function is Function.RESET_REMOTE_LINK:
            self._begin(turn)
            turn.frames.append(self._say(Function.ACK))
        elif function in (Function.REQUEST_STATUS, Function.ACCESS_DEMAND):
            turn.frames.append(self._say(Function.STATUS))
        elif function not in COUNTED or function is Function.TEST_LINK:
            self.counts["unsupported"] += 1
            turn.frames.append(self._say(Function.NOT_IMPLEMENTED))
        elif not control.fcv:
            self.counts["fcv"] += 1
        elif not self.up:
            self.counts["not_reset"] += 1
            turn.frames.append(self._say(Function.NOT_FUNCTIONING))
        elif self._expected is not None and control.fcb != self._expected:
            self.counts["repeated"] += 1
            turn.frames.append(self._answer)
        else:
            self._count(control, asdu, turn)

    def _count(self, control: Control, asdu: bytes, turn: Turn) -> None:
        """Take what has not been said before: what it asks, and that our last answer arrived."""
        function = control.function
        self._forget(turn)
        if function is Function.USER_DATA and self._full:
            self.counts["inbox_full"] += 1
            turn.frames.append(self._say(Function.NACK))
            return
        self._expected = not control.fcb
        if function is Function.USER_DATA:
            self._take(asdu, turn)
            self._answer = self._say(Function.ACK)
        else:
            self._answer = self._respond(2 if function is Function.REQUEST_CLASS_2 else 1)
        turn.frames.append(self._answer)

    def _forget(self, turn: Turn) -> None:
        if self._out:
            self._queues[self._out].popleft()
            turn.acknowledged += self._out == 1
            turn.acknowledged_2 += self._out == 2
            self._out = 0

    def _respond(self, group: int) -> Frame:
        if group == 2 and not self._queues[2] and self.settings.class_1_for_2:
            group = 1
        if not self._queues[group]:
            return self._say(Function.NO_DATA)
        self._out = group
        first = self._queues[group][0]
        return self._say(Function.RESPOND, first if isinstance(first, bytes) else first())

    def _begin(self, turn: Turn) -> None:
        one, two = self._queues.values()
        if self.up:
            self.counts["lives"] += 1
            turn.broken = (
                f"the primary station has reset the link of station {self.settings.address}"
            )
            turn.lost, turn.lost_2 = len(one), len(two)
            turn.doubtful = self._out == 1
        one.clear()
        two.clear()
        self._out = 0
        self.up = True
        self._expected = None
        turn.events.append(LinkEvent.UP)
