"""A master's session with one outstation: what is asked when, and what answers mean.

No I/O, no clock: whoever owns it gives it what came and the time, does its `Moves`, and calls
`tick` at `deadline`. While it is `idle`, `start` at `wants` lets it ask its next question; several
sessions on one line take turns that way.

State     what is waited for
IDLE      nothing
WAITING   a fragment of the answer, until `deadline`
HOLDING   that the gateway takes a fragment whose CONFIRM is due, until `deadline`

A CONFIRM leaves only after `settled(parcel, taken=True)`: the outstation deletes its events on it.
Unsolicited responses are taken in every state, and confirmed out of turn.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from enum import Enum, auto
from typing import Any

from gateway_dnp3.app import Fragment, FragmentError, FunctionCode, Iin, contents, parse
from gateway_dnp3.master.duty import NEVER, Duties, Duty
from gateway_dnp3.master.manners import Manners, TimeSync
from gateway_dnp3.master.moves import Custody, Ended, Job, Moves, Parcel
from gateway_dnp3.master.script import ACCEPTED, Ask, Reply, Script, Verdict, command
from gateway_dnp3.objects.columns import Columns
from gateway_dnp3.objects.error import ObjectError
from gateway_dnp3.objects.layout import EVENTS

MAX_PARCELS = 8
"""Fragments that may wait for the gateway to take them; what comes then stays where it is."""
MAX_JOBS = 64
"""Commands that may wait for their turn."""
AGAIN = 1.0
"""Seconds before events are asked for again that were announced and did not come."""
AFTER_FAULT = 5.0
"""Seconds before something is asked again whose answer could not be read."""
AFTER_TIME = 60.0
"""Seconds before the clock is set again, or a restart cleared, of an outstation that still asks."""
FALLBACK = 1.0
"""Period of event polls, in seconds, where unsolicited responses were wanted and are refused."""

_SAID = {
    Iin.DEVICE_RESTART: "has restarted",
    Iin.EVENT_BUFFER_OVERFLOW: "has lost events: its buffer was full",
    Iin.DEVICE_TROUBLE: "says that something is wrong with it",
    Iin.CONFIG_CORRUPT: "says that its configuration is corrupt",
}
_COUNTED = {
    Iin.DEVICE_RESTART: "restarts",
    Iin.EVENT_BUFFER_OVERFLOW: "event_overflows",
    Iin.DEVICE_TROUBLE: "device_troubles",
    Iin.CONFIG_CORRUPT: "config_corrupt",
}
_CLASS = {1: Iin.CLASS_1_EVENTS, 2: Iin.CLASS_2_EVENTS, 3: Iin.CLASS_3_EVENTS}


class State(Enum):
    """See the head of the file."""

    IDLE = auto()
    WAITING = auto()
    HOLDING = auto()


class Association:
    """The session; one lives as long as its channel.

    wall:   the wall clock in ms since 1970 UTC, for the outstation's.
    note:   takes sentences for the log, of things that begin or end.
    counts: what happened how often.
    iin:    the latest indications; None before the first answer.
    silent: whether it does not answer.
    heard:  when a fragment came last.
    """

    def __init__(
        self,
        manners: Manners,
        now: float,
        wall: Callable[[], int],
        note: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.manners = manners
        self.counts: Counter[str] = Counter()
        self.iin: Iin | None = None
        self.silent = False
        self.heard = now
        self.state = State.IDLE
        self.sequence = 15
        self._wall = wall
        self._note = note
        self._duties = Duties(manners, wall)
        self._jobs: deque[Job] = deque()
        self._job: Job | None = None
        self._script: Script | None = None
        self._asked: Ask | None = None
        self._tries = 0
        self._until = NEVER
        self._sent = now
        self._expected = 0
        self._first = True
        self._parcels = 0
        self._held: Parcel | None = None
        self._confirmed: Parcel | None = None
        self._reported: Parcel | None = None
        self._allowed: frozenset[int] = frozenset()
        self._selected: tuple[int, bytes] | None = None
        self._refused: set[str] = set()
        self._pause = manners.probe_pause
        self._probe = now
        self._told: Iin | None = None
        self._plan(now)

    # What its owner asks

    @property
    def idle(self) -> bool:
        """Whether the line is free for others, as far as this session goes."""
        return self.state is not State.WAITING

    @property
    def deadline(self) -> float:
        """When to call `tick`; NEVER where there is nothing to wait for."""
        return NEVER if self.state is State.IDLE else self._until

    @property
    def wants(self) -> float:
        """When to call `start`, as soon as the line is free; NEVER while an answer is out."""
        if self.state is not State.IDLE:
            return NEVER
        if self._jobs:
            return -NEVER
        if self._parcels:
            return NEVER
        due = self._duties.due
        if self.manners.keep_alive is not None:
            due = min(due, self.heard + self.manners.keep_alive)
        return max(due, self._probe) if self.silent else due

    @property
    def urgent(self) -> bool:
        """Whether a command waits."""
        return self.state is State.IDLE and bool(self._jobs)

    # What its owner does

    def submit(self, job: Job) -> bool:
        """Have a command carried out before all duties; False where too many wait, or the
        outstation does not answer: nothing will be sent."""
        if self.silent or len(self._jobs) >= MAX_JOBS:
            return False
        self._jobs.append(job)
        return True

    def select(self, objects: bytes) -> Script:
        """Select a control; return the Verdict."""
        self._selected = None
        verdict: Verdict = yield from command(FunctionCode.SELECT, objects)
        if verdict.status == ACCEPTED:
            self._selected = (self.sequence, objects)
        return verdict

    def operate(self, objects: bytes) -> Script:
        """Operate what was selected; return the Verdict.

        An OPERATE must follow its SELECT at once, with the next sequence number (IEEE 1815 clause
        4.4.4): where anything else was asked since, the control is selected once more.
        """
        if self._selected != (self.sequence, objects):
            verdict: Verdict = yield from self.select(objects)
            if verdict.status != ACCEPTED:
                return verdict
        self._selected = None
        return (yield from command(FunctionCode.OPERATE, objects))

    def direct(self, objects: bytes) -> Script:
        """Operate a control without selecting it; return the Verdict."""
        return command(FunctionCode.DIRECT_OPERATE, objects)

    def deselect(self) -> None:
        """Forget what was selected; the outstation does when its time is over, or at the next
        request."""
        self._selected = None

    def start(self, now: float) -> Moves:
        """Ask the next question, if there is one; the line must be free."""
        moves = Moves()
        while self.state is State.IDLE and (job := self._next(now)) is not None:
            self._job = job
            self._tries = 0
            self._attempt(now, moves)
        return moves

    def receive(self, octets: bytes, now: float) -> Moves:
        """Take a fragment that came."""
        moves = Moves()
        try:
            fragment = parse(octets)
        except FragmentError as error:
            self._fault(str(error))
            return moves
        self._alive(now)
        if fragment.function is FunctionCode.UNSOLICITED_RESPONSE:
            self._unsolicited(fragment, now, moves)
        elif fragment.function is FunctionCode.RESPONSE:
            self._response(fragment, now, moves)
        else:
            self.counts["unexpected"] += 1
        return moves

    def linked(self, now: float) -> Moves:
        """Take the answer to the request for the link status."""
        moves = Moves()
        self._alive(now)
        if self.state is State.WAITING and self._asked is not None and not self._asked.function:
            self._answered(Reply(self.iin or Iin.NONE, b"", now - self._sent), now, moves)
        return moves

    def lost(self, now: float) -> Moves:
        """Take it that the link layer could not hand over what was sent."""
        moves = Moves()
        if self.state is State.WAITING:
            self._no_answer(now, moves)
        return moves

    def postpone(self, now: float) -> None:
        """Begin to wait for the answer now: the link layer has handed over the request."""
        if self.state is State.WAITING:
            self._wait(now)

    def settled(self, parcel: Parcel, taken: bool, now: float) -> Moves:
        """Hear whether the gateway has taken a parcel; every parcel once, in their order."""
        moves = Moves()
        self._parcels -= 1
        parcel.custody = Custody.TAKEN if taken else Custody.REFUSED
        if not taken:
            self.counts["refused_custody"] += 1
        if not parcel.confirm:
            return moves
        if parcel.fragment.function is FunctionCode.UNSOLICITED_RESPONSE:
            if taken and parcel is self._reported:
                self._confirm(parcel.fragment, now, moves)
        elif parcel is self._held:
            self._held = None
            if taken:
                self._confirmed = parcel
                self._confirm(parcel.fragment, now, moves)
                self._go_on(parcel.fragment, now, moves)
            else:
                self._end(Ended.UNTAKEN, now)
        return moves

    def tick(self, now: float) -> Moves:
        """Do what is due by now."""
        moves = Moves()
        if now < self.deadline:
            return moves
        if self.state is State.WAITING:
            self.counts["timeouts"] += 1
            self._no_answer(now, moves)
        elif self.state is State.HOLDING:
            # What the gateway takes later the outstation sends again.
            self._held = None
            self.counts["late_custody"] += 1
            self._end(Ended.UNTAKEN, now)
        return moves

    # Questions

    def _plan(self, now: float) -> None:
        for duty in self._duties:
            duty.plan(now, self._wall() / 1000)

    def _next(self, now: float) -> Job | None:
        while self._jobs:
            job = self._jobs.popleft()
            if now < job.expires:
                return job
            if job.done is not None:
                job.done(Ended.UNSENT, None)
        if self._parcels or now < self.wants:
            return None
        keep_alive = self.manners.keep_alive
        if keep_alive is not None and now >= self.heard + keep_alive:
            self._duties.link.call(now)
        duty = self._duties.first(now)
        if duty is None:
            return None
        retries = 0 if self.silent else self.manners.retries
        return Job(duty.name, duty.begin, retries, duty=duty)

    def _attempt(self, now: float, moves: Moves) -> None:
        assert self._job is not None  # noqa: S101 - only jobs are attempted
        self._tries += 1
        self._script = self._job.begin()
        self._proceed(None, now, moves)

    def _proceed(self, reply: Reply | None, now: float, moves: Moves) -> None:
        """Let the script go on to its next question or to its end."""
        assert self._script is not None  # noqa: S101 - a job has its script
        try:
            ask = next(self._script) if reply is None else self._script.send(reply)
        except StopIteration as stop:
            self._end(Ended.DONE, now, stop.value)
            return
        self._asked, self._sent = ask, now
        self.state = State.WAITING
        if ask.function is None:
            moves.link_status = True
            # The link layer has a time-out and retries of its own.
            self._until = NEVER
            return
        self._wait(now)
        self.sequence = (self.sequence + 1) % 16
        self._expected = self.sequence
        self._first = True
        moves.fragments.append(Fragment.request(ask.function, ask.objects, self.sequence).encode())

    def _wait(self, now: float) -> None:
        expires = self._job.expires if self._job is not None else NEVER
        self._until = min(now + self.manners.timeout, expires)

    # Answers

    def _response(self, fragment: Fragment, now: float, moves: Moves) -> None:
        control = fragment.control
        ours = control.sequence == self._expected and control.fir == self._first
        if self.state is not State.WAITING or not ours or control.uns:
            last = self._confirmed
            if last is not None and last.same(fragment) and control.con:
                self.counts["duplicates"] += 1
                self._confirm(fragment, now, moves)
            else:
                self.counts["unexpected"] += 1
            return
        self._indicated(fragment.iin or Iin.NONE, now)
        asked = self._asked
        columns: list[Columns] = []
        if asked is not None and asked.reads:
            columns, whole = self._measurements(fragment)
            if not whole:
                self._parcel(columns, fragment, moves, confirm=False)
                self._end(Ended.MALFORMED, now)
                return
        if not self._parcel(columns, fragment, moves, confirm=control.con):
            self._end(Ended.UNTAKEN, now)
        elif columns and control.con:
            self._held = moves.parcels[-1]
            self.state = State.HOLDING
            self._until = now + self.manners.timeout
        else:
            if control.con:
                self._confirm(fragment, now, moves)
            self._go_on(fragment, now, moves)

    def _go_on(self, fragment: Fragment, now: float, moves: Moves) -> None:
        """Wait for the next fragment, or have the answer."""
        if not fragment.control.fin:
            self.state = State.WAITING
            self._expected = (self._expected + 1) % 16
            self._first = False
            self._wait(now)
            return
        self._answered(
            Reply(fragment.iin or Iin.NONE, fragment.objects, now - self._sent), now, moves
        )

    def _answered(self, reply: Reply, now: float, moves: Moves) -> None:
        self.state = State.IDLE
        self._proceed(reply, now, moves)

    def _unsolicited(self, fragment: Fragment, now: float, moves: Moves) -> None:
        control = fragment.control
        if not (control.fir and control.fin and control.uns):
            self._fault("an unsolicited response that is not one fragment")
            return
        if fragment.iin is not None and fragment.iin & Iin.DEVICE_RESTART and not self._restarting:
            self._reported = None  # its numbers begin anew
        self._indicated(fragment.iin or Iin.NONE, now)
        last = self._reported
        if last is not None and last.same(fragment) and last.custody is not Custody.REFUSED:
            self.counts["duplicates"] += 1
            if last.custody is Custody.TAKEN:
                self._confirm(fragment, now, moves)
            return
        columns, whole = self._measurements(fragment)
        if not whole:
            self._parcel(columns, fragment, moves, confirm=False)
            return
        if not self._parcel(columns, fragment, moves, confirm=control.con):
            return
        if columns:
            self._reported = moves.parcels[-1]
            return
        self._reported = Parcel([], fragment.iin or Iin.NONE, fragment, custody=Custody.TAKEN)
        if control.con:
            self._confirm(fragment, now, moves)

    def _parcel(
        self, columns: list[Columns], fragment: Fragment, moves: Moves, *, confirm: bool
    ) -> bool:
        """Hand on what a fragment holds, and what it indicates; False where too much waits."""
        iin = fragment.iin or Iin.NONE
        if not columns and iin == self._told:
            return True
        if self._parcels >= MAX_PARCELS:
            self.counts["dropped_fragments"] += 1
            return not columns
        self._told = iin
        self._parcels += 1
        moves.parcels.append(Parcel(columns, iin, fragment, confirm and bool(columns)))
        return True

    def _measurements(self, fragment: Fragment) -> tuple[list[Columns], bool]:
        """Return the columns of a fragment, and whether all of it could be read.

        Of one that could not, and that wants to be confirmed, what was read before is the
        static part only: its events will be sent again.
        """
        columns: list[Columns] = []
        try:
            for header, item in contents(fragment):
                if isinstance(item, Columns):
                    if len(item):
                        columns.append(item)
                elif header.group not in _SILENTLY:
                    self.counts["objects_left"] += header.count
        except ObjectError as error:
            self._fault(str(error))
            if fragment.control.con:
                columns = [one for one in columns if one.group not in EVENTS]
            return columns, False
        return columns, True

    def _confirm(self, fragment: Fragment, now: float, moves: Moves) -> None:
        control = fragment.control
        moves.fragments.append(Fragment.confirm(control.sequence, unsolicited=control.uns).encode())
        if control.uns and self.state is State.WAITING and self._until < NEVER:
            # An outstation that waits for this confirmation answers requests after it.
            latest = self._sent + 3 * self.manners.timeout
            self._until = max(self._until, min(now + self.manners.timeout, latest))
            if self._job is not None:
                self._until = min(self._until, self._job.expires)

    # Indications

    @property
    def _restarting(self) -> bool:
        return self.iin is not None and bool(self.iin & Iin.DEVICE_RESTART)

    def _indicated(self, iin: Iin, now: float) -> None:
        new = iin & ~(self.iin or Iin.NONE)
        self.iin = iin
        for bit, sentence in _SAID.items():
            if new & bit:
                self.counts[_COUNTED[bit]] += 1
                self._note(sentence)
        duties = self._duties
        if new & Iin.DEVICE_RESTART:
            self._selected = None
            self._allowed = frozenset()
            for duty in duties:
                if duty.start and (self._job is None or duty is not self._job.duty):
                    duty.call(now)
        if iin & Iin.DEVICE_RESTART:
            duties.clear.call(max(now, duties.clear.last + AFTER_TIME))
        if new & Iin.EVENT_BUFFER_OVERFLOW:
            duties.integrity.call(now)
        if iin & Iin.NEED_TIME and self.manners.time_sync is not TimeSync.NONE:
            duties.time.call(max(now, duties.time.last + AFTER_TIME))
        if any(iin & bit for one, bit in _CLASS.items() if one not in self._allowed):
            duties.events.call(max(now, duties.events.last + AGAIN))

    # Ends

    def _end(self, ended: Ended, now: float, value: Any = None) -> None:
        job, self._job = self._job, None
        self.state = State.IDLE
        self._script = self._asked = None
        if job is None:
            return
        if job.duty is not None:
            self._dutiful(job.duty, ended, value, now)
        if job.done is not None:
            job.done(ended, value)

    def _dutiful(self, duty: Duty, ended: Ended, value: Any, now: float) -> None:
        if ended is not Ended.DONE:
            duty.later(now, AGAIN if ended is Ended.UNTAKEN else AFTER_FAULT)
            return
        duty.done(now, self._wall() / 1000)
        if duty is self._duties.allow:
            self._allowed = frozenset(self.manners.unsolicited or ()) if value else frozenset()
            if not value and self._duties.events.period is None:
                self._duties.events.period = FALLBACK
                self._duties.events.call(now)
        if not value:
            self.counts["refused"] += 1
            if duty.name not in self._refused:
                self._refused.add(duty.name)
                self._note(f"refuses {duty.name}: {_words(self.iin)}")

    def _no_answer(self, now: float, moves: Moves) -> None:
        job = self._job
        if job is None:
            return
        if self._tries <= job.retries and now < job.expires:
            self.counts["retries"] += 1
            self._attempt(now, moves)
        elif job.duty is None:
            self._end(Ended.SILENT, now)
            # Is it there at all?
            self._duties.events.call(now)
        else:
            self._end(Ended.SILENT, now)
            self._fall_silent(now)

    def _fall_silent(self, now: float) -> None:
        self.silent = True
        share = self.manners.timeout * (1 / self.manners.probe_share - 1)
        self._probe = now + max(self._pause, share)
        self._pause = min(2 * self._pause, self.manners.probe_pause_max)
        self._selected = None
        self._allowed = frozenset()
        # Whatever it missed meanwhile: it is met as at the first time.
        self._plan(now)
        jobs, self._jobs = self._jobs, deque()
        for job in jobs:
            if job.done is not None:
                job.done(Ended.UNSENT, None)

    def _alive(self, now: float) -> None:
        self.heard = now
        if self.silent:
            self.silent = False
            self._pause = self.manners.probe_pause

    def _fault(self, sentence: str) -> None:
        self.counts["malformed"] += 1
        if "malformed" not in self._refused:
            self._refused.add("malformed")
            self._note(f"sends what cannot be read: {sentence}")


_SILENTLY = frozenset({50, 51, 52})


def _words(iin: Iin | None) -> str:
    return ", ".join((one.name or "").lower() for one in iin or () if one & Iin.REFUSED) or "?"
