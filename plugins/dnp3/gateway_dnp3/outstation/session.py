"""One master's session: requests in, responses out, without I/O and without a clock of its own.

The solicited and the unsolicited responses are two state machines with one rule between them
(IEEE 1815 clauses 4.1 and 5.1.1): one response with events is on its way at a time.

    solicited     idle ─ response with CON ─▶ waits for its confirmation ─ it comes ─▶ next fragment
                                                  └ time-out, another request ─▶ idle, events kept
    unsolicited   see `unsolicited.py`; a READ that comes while one waits for its confirmation is
                  deferred until that has come or is overdue; all else is answered at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import ClassVar

from gateway_dnp3.app import (
    NO_ANSWER,
    AppControl,
    Fragment,
    FragmentError,
    FunctionCode,
    Iin,
    Writer,
    headers,
    indication,
    parse,
)
from gateway_dnp3.link import Broadcast
from gateway_dnp3.objects import ObjectError
from gateway_dnp3.outstation.application import Application, Controls
from gateway_dnp3.outstation.attributes import Attributes
from gateway_dnp3.outstation.control import Outputs
from gateway_dnp3.outstation.database import Database
from gateway_dnp3.outstation.events import EventBuffer
from gateway_dnp3.outstation.maintenance import Maintenance
from gateway_dnp3.outstation.reading import Reader, Reply
from gateway_dnp3.outstation.settings import SessionSettings
from gateway_dnp3.outstation.unsolicited import Unsolicited

_F = FunctionCode
HEAD = 4
"""Octets of a response before its objects."""


class Session:
    """Answers one master, and tells it of events.

    clock: seconds that only go forward. wall: ms since 1970 UTC.
    counts: what happened, by name: `confirm_timeouts`, `repeated`, `unexpected` …
    Call `tick` at `deadline`, and `wake` when events were added.
    """

    def __init__(
        self,
        settings: SessionSettings,
        database: Database,
        events: EventBuffer,
        attributes: Attributes,
        application: Application,
        clock: Callable[[], float],
        wall: Callable[[], int],
    ) -> None:
        self.settings = settings
        self.database = database
        self.events = events
        self.application = application
        self.clock = clock
        self.wall = wall
        self.counts: Counter[str] = Counter()
        self.restarted = True
        self.overflowed = False
        self.time_due: float | None = None if settings.need_time is None else clock()
        self.online = False
        self._reader = Reader(database, events, attributes, wall, self.indications)
        self._outputs = Outputs(settings, application)
        self.maintenance = Maintenance(self)
        self.unsolicited = Unsolicited(self, settings.unsolicited, self._reader)
        self._broadcast: Broadcast | None = None
        self._last: bytes = b""
        self._response: bytes = b""
        self._reply: Reply | None = None
        self._sequence = 0
        self._confirm_by: float | None = None
        self._told = Iin.NONE
        self._deferred: tuple[Fragment, bytes] | None = None
        self._controls: Controls | None = None
        self._carries = False
        self._silent = False
        self._shed = 0

    # The connection

    def connected(self) -> None:
        """Take note that the master can be spoken to."""
        self.online = True
        self.unsolicited.begin()
        self.wake()

    def disconnected(self) -> None:
        """Take note that it cannot; what was not confirmed is kept, what was selected is not."""
        self.online = False
        self._deferred = None
        self._controls = None
        self._last = b""
        self._outputs.forget()
        self._abandon()
        self.unsolicited.end()

    @property
    def deadline(self) -> float | None:
        """When to call `tick`, if nothing happens before; None for never."""
        due = [d for d in (self._confirm_by, self.unsolicited.deadline) if d is not None]
        return min(due, default=None)

    def tick(self) -> None:
        """Do what is due by now."""
        if self._confirm_by is not None and self.clock() >= self._confirm_by:
            self.counts["confirm_timeouts"] += 1
            self._abandon()
        self.unsolicited.tick()
        self.wake()

    def wake(self) -> None:
        """Report events that wait, if it is time; answer what was deferred."""
        if self._deferred is not None and not self.unsolicited.waits:
            request, octets = self._deferred
            self._deferred = None
            self._request(request, octets, None)
        if self.online and not self.busy:
            self.unsolicited.go_on()

    @property
    def busy(self) -> bool:
        """Whether a response waits for its confirmation."""
        return self._confirm_by is not None

    # Fragments

    def receive(self, fragment: bytes, broadcast: Broadcast | None = None) -> None:
        """Take a fragment from the master."""
        try:
            request = parse(fragment)
        except FragmentError as error:
            self._unreadable(fragment, error, broadcast)
            return
        control = request.control
        if request.function is _F.CONFIRM:
            self._confirmed(control)
        elif request.iin is not None or not (control.fir and control.fin) or control.uns:
            self.counts["unexpected"] += 1
        elif fragment == self._last and broadcast is None:
            self._repeated(request, fragment)
        elif request.function is _F.READ and self.unsolicited.waits and broadcast is None:
            self._deferred = request, fragment
        else:
            self._deferred = None
            self._request(request, fragment, broadcast)
        self.wake()

    def _unreadable(
        self, fragment: bytes, error: FragmentError, broadcast: Broadcast | None
    ) -> None:
        self.counts["unreadable"] += 1
        if len(fragment) >= 2 and broadcast is None:
            control = AppControl.decode(fragment[0])
            if control.fir and control.fin and not control.uns:
                self._abandon()
                self._last = fragment
                self._sequence = control.sequence
                self._answer(indication(error))
                self.wake()

    def _repeated(self, request: Fragment, fragment: bytes) -> None:
        """The master did not hear the response: what it asked for is not done twice."""
        self.counts["repeated"] += 1
        if request.function is _F.READ and not self.busy:
            if self.unsolicited.waits:
                self._deferred = request, fragment
            else:
                self._request(request, fragment, None)
        elif self._response and self._controls is None and request.function not in NO_ANSWER:
            if self.busy:
                self._confirm_by = self.clock() + self.settings.confirm_timeout
            self.application.send(self._response)

    def _request(self, request: Fragment, octets: bytes, broadcast: Broadcast | None) -> None:
        """Do what is asked for, and answer."""
        function = request.function
        self.counts["requests"] += 1
        self._abandon()
        self._controls = None
        self._response = b""
        self._last = octets if broadcast is None else b""
        self._sequence = request.control.sequence
        self._silent = broadcast is not None or function in NO_ANSWER
        handle = None if function in self.settings.refused else self._HANDLERS.get(function)
        if broadcast is not None:
            self._broadcast = broadcast
            if function is _F.READ or function not in self._BY_BROADCAST:
                self.counts["unexpected"] += 1
                return
        if handle is None:
            self._outputs.forget()
            if not self._silent:
                self._answer(Iin.NO_FUNC_CODE_SUPPORT)
            return
        if function is not _F.OPERATE:
            self._outputs.forget()
        try:
            iin, objects = handle(self, request)
        except ObjectError as error:
            iin, objects = indication(error), b""
        if not self._silent and function is not _F.READ and self._controls is None:
            self._answer(iin, objects)

    def _read(self, request: Fragment) -> tuple[Iin, bytes]:
        # What an unsolicited response told in vain belongs to this answer.
        self.unsolicited.withdraw()
        self._reply = self._reader.plan(headers(request))
        self._report(first=True)
        return Iin.NONE, b""

    def _control(self, request: Fragment) -> tuple[Iin, bytes]:
        # The answer is sent when `operated` says how each ended.
        outcome = self._outputs.take(request)
        if isinstance(outcome, Controls):
            self._controls = outcome
            self.application.operate(outcome)
            return Iin.NONE, b""
        return outcome

    def operated(self, controls: Controls, statuses: list[int]) -> None:
        """Say how controls ended, one status for each command."""
        late = controls is not self._controls
        objects = self._outputs.done(controls, statuses, late=late)
        if late:
            # The master asked for something else meanwhile, or has gone.
            self.counts["late_answers"] += 1
            return
        self._controls = None
        if not self._silent:
            self._answer(Iin.NONE, objects)
            self.wake()

    def _maintain(self, request: Fragment) -> tuple[Iin, bytes]:
        return self.maintenance.do(request)

    # Responses

    def _report(self, *, first: bool) -> None:
        """Send the next fragment of what a READ asked for."""
        reply = self._reply
        assert reply is not None  # noqa: S101 - somebody asks for it
        writer = Writer(self.settings.fragment - HEAD)
        before = len(writer.objects())
        reported = self._reader.write(reply, writer)
        if reply and writer.size == before and not reported:
            # Not even one object fits: nothing more can be said.
            self._reply = reply = Reply(iin=Iin.PARAMETER_ERROR)
        last = not reply
        if last:
            self._reply = None
        self._answer(reply.iin, writer.objects(), first=first, last=last, events=reported)

    def _answer(
        self,
        iin: Iin,
        objects: bytes = b"",
        *,
        first: bool = True,
        last: bool = True,
        events: bool = False,
    ) -> None:
        confirm = events or not last or self._broadcast is Broadcast.CONFIRM
        self._told = iin | self.indications()
        response = Fragment.response(
            self._told, objects, self._sequence, fir=first, fin=last, con=confirm
        )
        if not confirm:
            self._broadcast = None
        self._response = response.encode()
        self._carries = events
        self._confirm_by = self.clock() + self.settings.confirm_timeout if confirm else None
        self.application.send(self._response)

    def _confirmed(self, control: AppControl) -> None:
        if control.uns:
            self.unsolicited.confirmed(control.sequence)
        elif self._confirm_by is None or control.sequence != self._sequence:
            self.counts["unexpected"] += 1
        else:
            self._confirm_by = None
            self.had(self._told, events=self._carries)
            self._sequence = (self._sequence + 1) % 16
            if self._reply is not None:
                self._report(first=False)

    def had(self, told: Iin, *, events: bool) -> None:
        """The master has a response with these indications, and the events if it had some."""
        if events:
            self.counts["events"] += self.events.confirm()
        if told & Iin.EVENT_BUFFER_OVERFLOW:
            self.overflowed = False
        if told & Iin.BROADCAST:
            self._broadcast = None

    def _abandon(self) -> None:
        """Give up the response that waits for its confirmation; its events are kept."""
        if self._confirm_by is not None and self._carries:
            self.events.put_back()
        self._carries = False
        self._confirm_by = None
        self._reply = None

    def indications(self) -> Iin:
        """Return the internal indications of this moment."""
        iin = self.application.indications()
        if self.restarted:
            iin |= Iin.DEVICE_RESTART
        shed = self.events.shed.total()
        if shed != self._shed:
            self._shed = shed
            self.overflowed = True
        if self.overflowed:
            iin |= Iin.EVENT_BUFFER_OVERFLOW
        if self.time_due is not None and self.clock() >= self.time_due:
            iin |= Iin.NEED_TIME
        if self._broadcast is not None:
            iin |= Iin.BROADCAST
        return iin | Iin(self.events.classes & Iin.EVENTS)

    _HANDLERS: ClassVar[dict[FunctionCode, Callable[[Session, Fragment], tuple[Iin, bytes]]]] = {
        _F.READ: _read,
        **dict.fromkeys((_F.SELECT, _F.OPERATE, _F.DIRECT_OPERATE, _F.DIRECT_OPERATE_NR), _control),
        **dict.fromkeys(
            (
                _F.WRITE,
                _F.IMMED_FREEZE,
                _F.IMMED_FREEZE_NR,
                _F.FREEZE_CLEAR,
                _F.FREEZE_CLEAR_NR,
                _F.COLD_RESTART,
                _F.WARM_RESTART,
                _F.ENABLE_UNSOLICITED,
                _F.DISABLE_UNSOLICITED,
                _F.ASSIGN_CLASS,
                _F.DELAY_MEASURE,
                _F.RECORD_CURRENT_TIME,
            ),
            _maintain,
        ),
    }
    """The functions that are supported; all others are IIN2.0."""

    _BY_BROADCAST = frozenset(
        {
            _F.WRITE,
            _F.DIRECT_OPERATE_NR,
            _F.IMMED_FREEZE_NR,
            _F.FREEZE_CLEAR_NR,
            _F.ENABLE_UNSOLICITED,
            _F.DISABLE_UNSOLICITED,
            _F.ASSIGN_CLASS,
            _F.RECORD_CURRENT_TIME,
        }
    )
    """What may be asked of all outstations at once: nothing that wants an answer of each."""
