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

from gateway_dnp3.app import Fragment, FragmentError, FunctionCode, Iin, parse
from gateway_dnp3.master.duty import NEVER, Duties, Duty
from gateway_dnp3.master.indications import AGAIN, Indications
from gateway_dnp3.master.manners import Manners
from gateway_dnp3.master.moves import Ended, Job, Moves
from gateway_dnp3.master.parcels import Custody, Parcel, Parcels
from gateway_dnp3.master.reading import Reading, measurements
from gateway_dnp3.master.script import ACCEPTED, Ask, Reply, Script, Verdict, command

MAX_JOBS = 64
"""Commands that may wait for their turn."""
AFTER_FAULT = 5.0
"""Seconds before something is asked again whose answer could not be read."""
FALLBACK = 1.0
"""Period of event polls, in seconds, where unsolicited responses were wanted and are refused."""
PATIENCE = 3
"""Time-outs that an answer may take while the outstation waits for a confirmation of ours."""


class State(Enum):
    """See the head of the file."""

    IDLE = auto()
    WAITING = auto()
    HOLDING = auto()


class Association:
    """The session; one lives as long as its channel.

    wall:   the wall clock in ms since 1970 UTC, for the outstation's.
    note:   takes sentences for the log, of what begins or ends.
    counts: what happened how often.
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
        self.silent = False
        self.heard = now
        self.state = State.IDLE
        self.sequence = 15  # of the latest request
        self._wall = wall
        self._note = note
        self._noted: set[str] = set()
        self._duties = Duties(manners, wall)
        self._indications = Indications(self._duties, manners, self.counts, note)
        self._parcels = Parcels(self.counts)
        self._jobs: deque[Job] = deque()
        self._job: Job | None = None
        self._script: Script | None = None
        self._asked: Ask | None = None
        self._tries = 0
        self._sent = now
        self._until = NEVER
        self._expected = 0  # sequence number of the fragment that is waited for
        self._first = True
        self._gave = False  # the answer had events
        self._held: Parcel | None = None
        self._confirmed: Parcel | None = None  # the latest of those that were asked for
        self._reported: Parcel | None = None  # the latest of those that came unasked
        self._selected: tuple[int, bytes] | None = None
        self._pause = manners.probe_pause
        self._probe = now
        self._plan(now)

    # What its owner may know

    @property
    def iin(self) -> Iin | None:
        """The latest indications; None before the first answer."""
        return self._indications.latest

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
        if self._parcels.waiting:
            return NEVER
        due = self._duties.due
        if self.manners.keep_alive is not None:
            due = min(due, self.heard + self.manners.keep_alive)
        return max(due, self._probe) if self.silent else due

    @property
    def urgent(self) -> bool:
        """Whether a command waits."""
        return self.state is State.IDLE and bool(self._jobs)

    # Commands

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
        4.4.4.3): where anything else was asked since, the control is selected once more.
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
        """Forget what was selected; the outstation does at the next request, or by its time."""
        self._selected = None

    # What happens

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
        if self._asks_link:
            self._answered(Reply(self.iin or Iin.NONE, b"", now - self._sent), now, moves)
        return moves

    def lost(self, now: float) -> Moves:
        """Take it that the link layer could not hand over what was sent."""
        moves = Moves()
        if self.state is State.WAITING:
            self.counts["unconfirmed"] += 1
            self._no_answer(now, moves)
        return moves

    def postpone(self, now: float) -> None:
        """Begin to wait for the answer now: the channel has carried the request."""
        if self.state is State.WAITING and not self._asks_link:
            self._wait(now)

    def settled(self, parcel: Parcel, taken: bool, now: float) -> Moves:
        """Hear whether the gateway has taken a parcel; every parcel once, in their order."""
        moves = Moves()
        self._parcels.settled(parcel, taken)
        if parcel is self._held:
            self._held = None
            if taken:
                self._confirmed = parcel
                self._confirm(parcel.fragment, now, moves)
                self._go_on(parcel.fragment, now, moves)
            else:
                self._end(Ended.UNTAKEN, now)
        elif parcel is self._reported and parcel.confirm and taken:
            self._confirm(parcel.fragment, now, moves)
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
            # What the gateway takes later than this the outstation sends again.
            self._held = None
            self.counts["late_custody"] += 1
            self._end(Ended.UNTAKEN, now)
        return moves

    # Questions

    @property
    def _asks_link(self) -> bool:
        asked = self._asked
        return self.state is State.WAITING and asked is not None and asked.function is None

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
        if now < self.wants:
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
        self._gave = False
        self._script = self._job.begin()
        self._proceed(None, now, moves)

    def _proceed(self, reply: Reply | None, now: float, moves: Moves) -> None:
        """Let the script go on to its next question, or to its end."""
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
        request = Fragment.request(ask.function, ask.objects, self.sequence)
        moves.fragments.append(request.encode())

    def _wait(self, now: float) -> None:
        expires = self._job.expires if self._job is not None else NEVER
        self._until = min(now + self.manners.timeout, expires)

    # Answers

    def _response(self, fragment: Fragment, now: float, moves: Moves) -> None:
        control = fragment.control
        ours = control.sequence == self._expected and control.fir == self._first
        if self.state is not State.WAITING or self._asks_link or not ours or control.uns:
            self._unexpected(fragment, now, moves)
            return
        self._indicate(fragment, now)
        reading = self._read(fragment) if self._asked and self._asked.reads else Reading()
        parcel = self._parcels.pack(reading.columns, fragment)
        if parcel is not None:
            moves.parcels.append(parcel)
        self._gave = self._gave or reading.events
        if reading.fault:
            self._end(Ended.MALFORMED, now)
        elif reading.columns and parcel is None:
            self._end(Ended.UNTAKEN, now)
        elif parcel is not None and parcel.confirm:
            self._held = parcel
            self.state = State.HOLDING
            self._until = now + self.manners.timeout
        else:
            if control.con:
                self._confirm(fragment, now, moves)
            self._go_on(fragment, now, moves)

    def _unexpected(self, fragment: Fragment, now: float, moves: Moves) -> None:
        """Confirm again what was confirmed before, for that confirmation was lost."""
        last = self._confirmed
        if last is not None and last.same(fragment) and fragment.control.con:
            self.counts["duplicates"] += 1
            self._confirm(fragment, now, moves)
        else:
            self.counts["unexpected"] += 1

    def _go_on(self, fragment: Fragment, now: float, moves: Moves) -> None:
        """Wait for the next fragment, or have the answer."""
        if fragment.control.fin:
            reply = Reply(fragment.iin or Iin.NONE, fragment.objects, now - self._sent)
            self._answered(reply, now, moves)
            return
        self.state = State.WAITING
        self._expected = (self._expected + 1) % 16
        self._first = False
        self._wait(now)

    def _answered(self, reply: Reply, now: float, moves: Moves) -> None:
        self.state = State.IDLE
        self._proceed(reply, now, moves)

    def _unsolicited(self, fragment: Fragment, now: float, moves: Moves) -> None:
        control = fragment.control
        if not (control.fir and control.fin and control.uns):
            self._fault("an unsolicited response that is not one fragment")
            return
        if self._indications.restarted(fragment.iin or Iin.NONE):
            self._reported = None  # it begins to count anew
        self._indicate(fragment, now)
        last = self._reported
        if last is not None and last.same(fragment) and last.custody is not Custody.REFUSED:
            self.counts["duplicates"] += 1
            if last.custody is Custody.TAKEN:
                self._confirm(fragment, now, moves)
            return
        reading = self._read(fragment)
        parcel = self._parcels.pack(reading.columns, fragment)
        if parcel is not None:
            moves.parcels.append(parcel)
        if reading.fault or (reading.columns and parcel is None):
            return
        if reading.columns:
            self._reported = parcel
            return
        self._reported = Parcel([], fragment, custody=Custody.TAKEN)
        if control.con:
            self._confirm(fragment, now, moves)

    def _read(self, fragment: Fragment) -> Reading:
        reading = measurements(fragment)
        if reading.left:
            self.counts["objects_left"] += reading.left
        if reading.fault:
            self._fault(reading.fault)
        return reading

    def _indicate(self, fragment: Fragment, now: float) -> None:
        iin = fragment.iin or Iin.NONE
        if self._indications.restarted(iin):
            self._selected = None
        self._indications.take(iin, now, self._job.duty if self._job is not None else None)

    def _confirm(self, fragment: Fragment, now: float, moves: Moves) -> None:
        control = fragment.control
        confirm = Fragment.confirm(control.sequence, unsolicited=control.uns)
        moves.fragments.append(confirm.encode())
        if control.uns and self.state is State.WAITING and not self._asks_link:
            # An outstation that waits for this confirmation answers requests after it.
            until = self._until
            self._wait(min(now, self._sent + (PATIENCE - 1) * self.manners.timeout))
            self._until = max(until, self._until)

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
        duties = self._duties
        if ended is not Ended.DONE:
            duty.later(now, AGAIN if ended is Ended.UNTAKEN else AFTER_FAULT)
            return
        duty.done(now, self._wall() / 1000)
        if duty is duties.allow:
            self._indications.come_unasked((self.manners.unsolicited or ()) if value else ())
            if not value and duties.events.period is None:
                duties.events.period = FALLBACK
                duties.events.call(now)
        elif duty is duties.events and self._indications.events:
            # One answer need not hold all there are.
            duty.call(now if self._gave else now + AGAIN)
        if not value:
            self.counts["refused"] += 1
            self._note_once(f"refuses {duty.name}: {_words(self.iin)}")

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
        self._indications.come_unasked(())
        # Whatever it did meanwhile: it is met as at the first time.
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
        self._note_once("sends what cannot be read", f": {sentence}")

    def _note_once(self, sentence: str, more: str = "") -> None:
        if sentence not in self._noted:
            self._noted.add(sentence)
            self._note(sentence + more)


def _words(iin: Iin | None) -> str:
    return ", ".join((one.name or "").lower() for one in iin or () if one & Iin.REFUSED) or "?"
