"""Another station as a primary station sees it: one question at a time, each until it is answered
or given up (60870-5-2 clause 5; 101 clause 6.2).

State    what it is, and what is said next
DOWN     not heard, or not any more: REQUEST STATUS OF LINK, once, at `due`
CHECKED  it has said its status: RESET OF REMOTE LINK
UP       a life is under way: user data, and what `_duty` finds

The answers carry no count: a late one could be taken for the next one's, and the ASDU that it seems
to acknowledge would be lost. So
- what comes before our frame is on the line is no answer to it;
- after an exchange that needed a repetition the link status is asked for: its answer is like no
  other, and what comes before it belonged to what was said before.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from enum import Enum, auto

from gateway_iec60870.ft12.control import COUNTED, Control, Function
from gateway_iec60870.ft12.frame import Frame
from gateway_iec60870.ft12.settings import CallSettings
from gateway_iec60870.ft12.turn import Asdu, LinkEvent, LinkFull, Turn, check_asdu

NEVER = float("inf")
AT_ONCE = -NEVER

_REFUSALS = frozenset({Function.NOT_FUNCTIONING, Function.NOT_IMPLEMENTED})
_CONFIRM = _REFUSALS | {None, Function.ACK, Function.NACK}
_RESPOND = _REFUSALS | {None, Function.RESPOND, Function.NO_DATA}
_ANSWERS: dict[Function, frozenset[Function | None]] = {
    Function.RESET_REMOTE_LINK: _CONFIRM,
    Function.TEST_LINK: _CONFIRM,
    Function.USER_DATA: _CONFIRM,
    Function.REQUEST_STATUS: _REFUSALS | {Function.STATUS},
    Function.REQUEST_CLASS_1: _RESPOND,
    Function.REQUEST_CLASS_2: _RESPOND,
}
"""The answers to each function, None for the single character; what else comes is waited past."""


class State(Enum):
    """See the head of the file."""

    DOWN = auto()
    CHECKED = auto()
    UP = auto()


class Partner:
    """The exchanges with one other station; whoever owns the line says whose turn it is.

    asked:   what an answer is due for; None where nothing is.
    until:   when it is overdue; None while its frame is still on its way.
    doubted: whether a late answer may still come.
    fresh:   whether nothing that counts has been said in this life.
    since:   when this life began.
    counts:  `retries`, `early` (answers that came too early to be ours), `busy` (times that it had
             no room), `lives` (that have ended).
    """

    def __init__(self, settings: CallSettings, address: int, controlling: bool, now: float) -> None:
        self.address = address
        self.counts: Counter[str] = Counter()
        self.state = State.DOWN
        self.asked: Function | None = None
        self.until: float | None = None
        self.fresh = True
        self.since = now
        self.due = now
        self._settings = settings
        self._controlling = controlling
        self._queue: deque[Asdu] = deque()
        self._begun = False  # the first of the queue has been on the line
        self._frame: Frame | None = None
        self._leaves = False  # that frame is on the line, or has been
        self._tries = 0
        self._fcb = True
        self.doubted = False
        self._busy_until: float | None = None  # when to ask whether it has room again
        self._pause = settings.pause

    @property
    def up(self) -> bool:
        """Whether a life is under way."""
        return self.state is State.UP

    def room(self, group: int = 1) -> int:
        """How many ASDUs may be sent now; a primary station has no group but 1."""
        if group != 1:
            raise ValueError(f"group {group}: a primary station has none but 1")
        return self._settings.queue - len(self._queue) if self.up else 0

    @property
    def wants(self) -> float:
        """When it is to be asked something, as far as it goes; NEVER while an answer is due."""
        if self.asked is not None:
            return NEVER
        if self.state is State.DOWN:
            return self.due
        if self.state is State.CHECKED or self.doubted:
            return AT_ONCE
        at = self._duty_at()
        if self._sendable:
            at = min(at, AT_ONCE if self._busy_until is None else self._busy_until)
        return at

    @property
    def urgent(self) -> bool:
        """Whether user data is to go, and nothing is in its way."""
        return self.up and self.asked is None and self._sendable and self._busy_until is None

    def queue(self, asdus: Sequence[Asdu], group: int = 1) -> None:
        """Have ASDUs sent; raises LinkFull above `room`, ValueError for what no frame carries."""
        room = self.room(group)
        for asdu in asdus:
            check_asdu(asdu, self._settings.octets)
        if len(asdus) > room:
            raise LinkFull(f"{len(asdus)} ASDUs to station {self.address}, room for {room}")
        self._queue.extend(asdus)

    def withdraw(self, index: int) -> bool:
        """Take an unacknowledged ASDU back, 0 is the oldest; False if it has been on the line."""
        if index == 0 and self._begun:
            return False
        del self._queue[index]
        return True

    def speak(self, now: float) -> Frame:
        """Return the next thing to say; for when `wants` is due and the line is free."""
        self.asked = self._choose(now)
        self._tries = 0
        return self._say()

    def leaves(self, frame: Frame) -> None:
        """Take note that a frame goes on the line: from now on it can be answered."""
        self._leaves = self._leaves or frame is self._frame

    def sent(self, frame: Frame, now: float) -> None:
        """Take note that a frame has left: from now on the answer's time counts."""
        if frame is self._frame and self.asked is not None:
            self.until = now + self._settings.timeout

    def answer(self, frame: Frame, now: float, turn: Turn) -> bool:
        """Take an answer; returns whether one like it was due."""
        asked, control = self.asked, frame.control
        function = None if control is None else control.function
        if asked is None or function not in _ANSWERS[asked]:
            return False
        if control is None and not self._settings.single:
            return False
        if not self._leaves:
            self.counts["early"] += 1
            return True
        self.asked = self.until = None
        self._mark(control, now)
        if function in _REFUSALS and self._refuses(asked, function):
            name = Function(function).name.lower().replace("_", " ")
            self.end(now, turn, f"station {self.address}: link service {name}")
            return True
        repeated = self._tries > 1
        if asked is Function.REQUEST_STATUS:
            self._checked(now)
        elif function is Function.NACK:
            self._not_accepted(asked, now, turn)
        elif asked is Function.RESET_REMOTE_LINK:
            self._begin(now, turn)
        else:
            self._accepted(asked, frame, now, turn)
        self.doubted = repeated and asked is not Function.REQUEST_STATUS
        return True

    def expire(self, now: float, turn: Turn) -> Frame | None:
        """Return what is to be said again, if an answer is overdue; or give it up."""
        if self.asked is None or self.until is None or now < self.until:
            return None
        again = 0 if self.state is State.DOWN else self._settings.retries
        if self._tries <= again:
            self.counts["retries"] += 1
            return self._say()
        times = f"{self._tries} times" if self._tries > 1 else "once"
        self.end(now, turn, f"station {self.address} does not answer, asked {times}")
        return None

    def end(self, now: float, turn: Turn, why: str) -> None:
        """End the life, if there is one, and begin anew after a pause."""
        if self.up:
            self.counts["lives"] += 1
            turn.broken = why
            turn.lost = len(self._queue)
            turn.doubtful = self._begun
        self.state = State.DOWN
        self.asked = self.until = self._frame = None
        self._queue.clear()
        self._begun = self.doubted = False
        self.due = now + self._pause
        self._pause = min(2 * self._pause, self._settings.pause_max)

    def abandon(self) -> None:
        """Say nothing again: what is asked now is the last."""
        self._tries = self._settings.retries + 1

    def wake(self, now: float) -> None:
        """Take note that it is there: if it is down, it is asked now."""
        if self.state is State.DOWN:
            self.due = now
            self._pause = self._settings.pause

    # What kinds of partners differ in

    @property
    def _sendable(self) -> bool:
        """Whether user data waits that may go."""
        return bool(self._queue)

    def _duty_at(self) -> float:
        """When something besides user data is to be asked."""
        raise NotImplementedError

    def _duty(self, now: float) -> Function:
        """What that is."""
        raise NotImplementedError

    def _accepted(self, asked: Function, frame: Frame, now: float, turn: Turn) -> None:
        """Take the answer to something that counts."""
        self._fcb = not self._fcb
        if asked is Function.USER_DATA:
            self._queue.popleft()
            self._begun = False
            turn.acknowledged += 1

    # The same for all

    def _choose(self, now: float) -> Function:
        if self.state is State.DOWN or self.doubted:
            return Function.REQUEST_STATUS
        if self.state is State.CHECKED:
            return Function.RESET_REMOTE_LINK
        if self._sendable:
            if self._busy_until is None:
                return Function.USER_DATA
            if self._busy_until <= now:
                return Function.REQUEST_STATUS
        return self._duty(now)

    def _say(self) -> Frame:
        function = self.asked
        assert function is not None  # noqa: S101 - whoever calls has just set it
        counted = function in COUNTED
        asdu = b""
        if function is Function.USER_DATA:
            first = self._queue[0]
            asdu = first if isinstance(first, bytes) else first()
            self._begun = True
        self.fresh = self.fresh and not counted
        self._tries += 1
        self._leaves = False
        self.until = None
        control = Control(function, self._controlling, counted and self._fcb, counted)
        self._frame = Frame(control, self.address, asdu)
        return self._frame

    def _mark(self, control: Control | None, now: float) -> None:
        """Take what every answer says of its sender: DFC; the single character says 0."""
        if control is not None and control.dfc:
            self._wait(now)
        else:
            self._busy_until = None

    def _wait(self, now: float) -> None:
        self.counts["busy"] += 1
        self._busy_until = now + self._settings.timeout

    def _refuses(self, asked: Function, function: int) -> bool:
        """Take a refusal; returns whether it ends the life."""
        # Whoever does not know the question for its status is there, too.
        return asked is not Function.REQUEST_STATUS or function is not Function.NOT_IMPLEMENTED

    def _checked(self, now: float) -> None:
        if self.state is not State.DOWN:
            return
        if self._busy_until is not None:
            # It is there and will not be reset now.
            self.due = now + self._settings.pause
        else:
            self.state = State.CHECKED

    def _not_accepted(self, asked: Function, now: float, turn: Turn) -> None:
        if asked is Function.RESET_REMOTE_LINK:
            self.end(now, turn, f"station {self.address} does not let its link be reset")
        else:
            # The frame count stays: it is said again when there is room.
            self._wait(now)

    def _begin(self, now: float, turn: Turn) -> None:
        self.state = State.UP
        self.since = now
        self._fcb = self.fresh = True
        self._pause = self._settings.pause
        turn.events.append(LinkEvent.UP)
