"""The primary station: the side that begins an exchange (IEEE 1815-2012, 9.2.6)."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from gateway_dnp3.link.control import COUNTED, WITH_DATA, Control, Function
from gateway_dnp3.link.frame import Frame
from gateway_dnp3.link.settings import LinkSettings
from gateway_dnp3.link.turn import LinkEvent, Turn

ANSWERS = {
    Function.RESET_LINK_STATES: {Function.ACK, Function.NOT_SUPPORTED},
    Function.TEST_LINK_STATES: {Function.ACK, Function.NACK, Function.NOT_SUPPORTED},
    Function.CONFIRMED_USER_DATA: {Function.ACK, Function.NACK, Function.NOT_SUPPORTED},
    Function.REQUEST_LINK_STATUS: {Function.LINK_STATUS, Function.NOT_SUPPORTED},
}
"""The answers to each function; whatever else comes is not the answer, and is waited on for."""

QUESTIONS = frozenset({Function.REQUEST_LINK_STATUS, Function.TEST_LINK_STATES})
"""What may be asked for its own sake: whoever does not support it is there, too."""


class Job(NamedTuple):
    """Something to say that is to be answered."""

    function: Function
    data: bytes = b""


class Primary:
    """Says one thing after the other, each until it is answered or given up.

    deadline: when the answer is overdue, or the other side is asked again whether it has room.
    """

    __slots__ = (
        "_asked", "_fcb", "_full", "_jobs", "_refused", "_reset", "_settings", "_tries", "deadline",
    )  # fmt: skip

    def __init__(self, settings: LinkSettings) -> None:
        self._settings = settings
        self._jobs: deque[Job] = deque()
        self._asked: Function | None = None  # what an answer is due for
        self._tries = 0  # times that it was said
        self._refused = 0  # times that the first job was refused
        self._reset = False
        self._fcb = True
        self._full = False  # the other side has no room
        self.deadline: float | None = None

    @property
    def idle(self) -> bool:
        """Whether there is nothing to say and no answer due."""
        return not self._jobs

    @property
    def waiting(self) -> int:
        """Payloads and questions that are not through."""
        return len(self._jobs)

    def add(self, job: Job, now: float, turn: Turn) -> None:
        """Say it when all before it is through."""
        self._jobs.append(job)
        self._go_on(now, turn)

    def answer(self, control: Control, now: float, turn: Turn) -> bool:
        """Take an answer; returns whether it was due."""
        asked = self._asked
        if asked is None or control.function not in ANSWERS[asked]:
            return False
        self._asked = self.deadline = None
        self._tries = 0
        if control.function == Function.NACK:
            self._refuse(control.dfc, now, turn)
        elif control.function == Function.NOT_SUPPORTED and asked not in QUESTIONS:
            self._give_up(turn, LinkEvent.ALIVE)
        elif asked == Function.RESET_LINK_STATES:
            self._reset = self._fcb = True
        elif asked == self._jobs[0].function:
            self._full = control.dfc and asked in WITH_DATA
            self._through(asked, turn)
        else:
            # Asked between, because there was no room.
            self._full = control.dfc
            if self._full:
                self._refuse(True, now, turn)
        self._go_on(now, turn)
        return True

    def expire(self, now: float, turn: Turn) -> None:
        """Do what is due by now."""
        if self.deadline is None or now < self.deadline:
            return
        self.deadline = None
        if self._asked is None:
            self._say(Function.REQUEST_LINK_STATUS, now, turn)
        elif self._tries <= self._settings.retries:
            self._say(self._asked, now, turn)
        else:
            self._give_up(turn, LinkEvent.SILENT)

    def _go_on(self, now: float, turn: Turn) -> None:
        while self._jobs and self._asked is None and self.deadline is None:
            job = self._jobs[0]
            if job.function in COUNTED and not self._reset:
                self._say(Function.RESET_LINK_STATES, now, turn)
            elif job.function in WITH_DATA and self._full:
                self._say(Function.REQUEST_LINK_STATUS, now, turn)
            else:
                self._say(job.function, now, turn)

    def _say(self, function: Function, now: float, turn: Turn) -> None:
        self._asked = function
        self._tries += 1
        self.deadline = now + self._settings.timeout
        turn.frames.append(self._frame(function, self._jobs[0]))

    def _frame(self, function: Function, job: Job) -> Frame:
        counted = function in COUNTED
        control = Control(function, self._settings.master, counted and self._fcb, counted)
        data = job.data if function == job.function else b""
        return Frame(control, self._settings.remote, self._settings.local, data)

    def _through(self, function: Function, turn: Turn) -> None:
        self._jobs.popleft()
        self._refused = 0
        if function in COUNTED:
            self._fcb = not self._fcb
        if function in WITH_DATA:
            turn.sent += 1
        else:
            turn.events.append(LinkEvent.ALIVE)

    def _refuse(self, full: bool, now: float, turn: Turn) -> None:
        """Wait until there is room, or reset the link states: NACK says one of the two."""
        self._refused += 1
        if self._refused > self._settings.retries:
            self._give_up(turn, LinkEvent.ALIVE)
        elif full:
            self._full = True
            self.deadline = now + self._settings.timeout
        else:
            self._reset = False

    def _give_up(self, turn: Turn, questions: LinkEvent) -> None:
        lost = sum(job.function in WITH_DATA for job in self._jobs)
        turn.lost += lost
        if lost:
            turn.events.append(LinkEvent.FAILED)
        if lost < len(self._jobs) or questions is LinkEvent.SILENT:
            turn.events.append(questions)
        self._jobs.clear()
        self._asked = self.deadline = None
        self._tries = self._refused = 0
        self._reset = self._full = False
