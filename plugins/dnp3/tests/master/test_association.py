"""The master's session: what is asked when, what is confirmed when."""

from __future__ import annotations

from typing import Any

import pytest
from gateway_dnp3.app import Fragment, FunctionCode, Iin, Writer, parse
from gateway_dnp3.master.association import MAX_JOBS, Association
from gateway_dnp3.master.manners import Freeze, Manners, Scan, TimeSync
from gateway_dnp3.master.moves import Ended, Job, Moves
from gateway_dnp3.master.parcels import MOST, Parcel
from gateway_dnp3.master.script import plain
from gateway_dnp3.objects import Columns, header

F = FunctionCode
WALL = 1_700_000_000_000  # ms: 2023-11-14T22:13:20Z
QUIET = Manners(event=None, keep_alive=None, integrity=None)
EVENT = Columns.of(2, 1, [3], [1])
STATIC = Columns.of(30, 5, [0], [1.5])


def written(*columns: Columns) -> bytes:
    writer = Writer(2048)
    for one in columns:
        assert writer.add(one) == len(one)
    return writer.objects()


class Session:
    """An association, the time, and what it has sent."""

    def __init__(self, manners: Manners = QUIET) -> None:
        self.now = 100.0
        self.notes: list[str] = []
        self.association = Association(manners, self.now, self.wall, self.notes.append)
        self.sent: list[Fragment] = []
        self.parcels: list[Parcel] = []
        self.links = 0

    def wall(self) -> int:
        return WALL + round((self.now - 100.0) * 1000)

    def take(self, moves: Moves) -> None:
        self.sent += [parse(one) for one in moves.fragments]
        self.parcels += [one for one in moves.parcels if one.columns]
        for parcel in moves.parcels:
            if not parcel.columns:
                self.take(self.association.settled(parcel, True, self.now))
        self.links += moves.link_status

    def go(self) -> Fragment | None:
        """Let it ask, if it wants to; returns the request."""
        before = len(self.sent)
        assert self.association.idle
        self.take(self.association.start(self.now))
        return self.sent[-1] if len(self.sent) > before else None

    def hear(self, fragment: Fragment) -> None:
        self.take(self.association.receive(fragment.encode(), self.now))

    def answer(self, iin: Iin = Iin.NONE, objects: bytes = b"", **more: Any) -> None:
        sequence = more.pop("sequence", self.association.sequence)
        self.hear(Fragment.response(iin, objects, sequence, **more))

    def report(self, sequence: int, objects: bytes = b"", iin: Iin = Iin.NONE) -> None:
        self.hear(Fragment.response(iin, objects, sequence, con=True, unsolicited=True))

    def settle(self, taken: bool = True) -> None:
        """The gateway takes all that waits, or refuses it."""
        parcels, self.parcels = self.parcels, []
        for parcel in parcels:
            self.take(self.association.settled(parcel, taken, self.now))

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.take(self.association.tick(self.now))

    def through(self, iin: Iin = Iin.NONE, limit: int = 30) -> list[F]:
        """Answer whatever is asked, with nothing, until nothing more is; returns what was."""
        asked: list[F] = []
        for _ in range(limit):
            request = self.go()
            if request is None:
                return asked
            while not self.association.idle:
                asked.append(self.sent[-1].function)
                objects = DELAY if self.sent[-1].function is F.DELAY_MEASURE else b""
                self.answer(iin, objects)
            self.settle()
        raise AssertionError(f"no end: {asked}")

    @property
    def last(self) -> Fragment:
        return self.sent[-1]


DELAY = header(52, 2, 0x07, count=1, data=(20).to_bytes(2, "little"))  # type: ignore[arg-type]


def ready(manners: Manners = QUIET) -> Session:
    """A session past its start."""
    session = Session(manners)
    session.through()
    session.sent.clear()
    return session


def commanded(session: Session, **more: Any) -> list[tuple[Ended, Any]]:
    ends: list[tuple[Ended, Any]] = []
    association = session.association
    job = Job(
        "test", lambda: association.direct(CONTROL), done=lambda *end: ends.append(end), **more
    )
    assert association.submit(job)
    return ends


# A CROB as IEEE 1815 annex A.8 lays it out: latch on, once, 100 ms, 100 ms, status 0, index 5.
CONTROL = bytes.fromhex("0C 01 28 01 00 05 00 03 01 64 00 00 00 64 00 00 00 00")


def test_start() -> None:
    """Unsolicited responses off, everything read, unsolicited on: in this order, classes 1230."""
    session = Session(Manners(unsolicited=(1, 2, 3)))

    assert session.through() == [F.DISABLE_UNSOLICITED, F.READ, F.ENABLE_UNSOLICITED]
    assert [one.objects.hex() for one in session.sent if one.function is not F.CONFIRM] == [
        "3c02063c03063c0406",
        "3c02063c03063c04063c0106",
        "3c02063c03063c0406",
    ]
    assert [one.control.sequence for one in session.sent] == [0, 1, 2]


def test_start_after_a_restart() -> None:
    """The restart bit is cleared before anything is read (g80v1, index 7, 0), once."""
    session = Session()
    session.go()
    session.answer(Iin.DEVICE_RESTART)
    request = session.go()

    assert request is not None
    assert (request.function, request.objects.hex()) == (F.WRITE, "5001000707" + "00")
    assert session.notes == ["has restarted"]
    session.answer()
    assert session.through() == [F.READ]


def test_restart_in_between() -> None:
    """An outstation that restarts is started with again, and gets its unsolicited back."""
    session = ready(Manners(unsolicited=(1,), event=None))
    session.report(0, iin=Iin.DEVICE_RESTART)

    assert session.through() == [F.DISABLE_UNSOLICITED, F.WRITE, F.READ, F.ENABLE_UNSOLICITED]
    assert session.association.counts["restarts"] == 1


def test_a_restart_bit_that_stays() -> None:
    """A bit that cannot be cleared is written to once a minute, not for ever in a row."""
    session = Session()
    session.through(Iin.DEVICE_RESTART)
    assert [one.function for one in session.sent].count(F.WRITE) == 1

    session.wait(59.9)
    assert F.WRITE not in session.through(Iin.DEVICE_RESTART)
    session.wait(0.2)
    assert session.through(Iin.DEVICE_RESTART) == [F.WRITE]


def test_periods() -> None:
    """Classes are read at their rates; turns that were missed do not pile up."""
    manners = Manners(event=2.0, integrity=10.0, unsolicited=None, keep_alive=None)
    session = ready(manners)
    asked = []
    for _ in range(22):
        session.wait(0.5)
        if session.through():
            asked.append((session.now - 100.0, session.last.objects.hex()))

    events = "3c02063c03063c0406"
    assert [(at, "integrity" if "3c01" in o else "events") for at, o in asked] == [
        (2.0, "events"), (4.0, "events"), (6.0, "events"), (8.0, "events"),
        (10.0, "events"),  # integrity before it, in the same moment
    ]  # fmt: skip
    assert asked[0][1] == events
    assert [o.objects.hex() for o in session.sent].count(events + "3c0106") == 1
    session.wait(60)
    assert len(session.through()) == 2


def test_scans_and_freezes() -> None:
    """A range has its own rate; counters are frozen at whole multiples of the wall clock."""
    scan = Scan("analog_input 0 to 9", header(30, 0, 0x00, start=0, count=10), 5.0)  # type: ignore[arg-type]
    session = Session(
        Manners(event=None, keep_alive=None, integrity=None, unsolicited=None,
                scans=(scan,), freeze=Freeze(900.0))
    )  # fmt: skip
    session.through()
    assert session.last.objects.hex() == "1e00000009"

    # 22:13:20 is 400 s before 22:20, and 100 s before 22:15.
    session.wait(99.9)
    assert session.through() == [F.READ]
    session.wait(0.2)
    assert session.through() == [F.IMMED_FREEZE, F.READ]
    assert [one.objects.hex() for one in session.sent[-2:]] == ["140006", "150006"]
    session.wait(899.5)
    assert session.through() == [F.READ]
    session.wait(0.5)
    assert session.through() == [F.IMMED_FREEZE, F.READ]


def test_several_fragments() -> None:
    """Each fragment is confirmed when it is taken, and the next one is waited for anew."""
    session = Session(Manners(unsolicited=None, event=None, keep_alive=None))
    session.go()
    session.answer(objects=written(EVENT), con=True, fin=False)
    assert session.association.idle  # nobody speaks while the gateway writes
    session.settle()
    assert session.last == Fragment.confirm(0)
    session.wait(4.9)
    session.answer(objects=written(STATIC), con=True, fir=False, sequence=1)
    session.settle()

    assert session.last == Fragment.confirm(1)
    assert session.association.deadline == float("inf")
    assert session.through() == []
    assert session.association.sequence == 0


def test_a_fragment_out_of_order() -> None:
    """A fragment that is not the next one is neither taken nor confirmed."""
    session = Session(Manners(unsolicited=None, event=None, keep_alive=None, retries=0))
    session.go()
    session.answer(objects=written(EVENT), con=True, fin=False)
    session.settle()
    confirmations = len(session.sent)
    session.answer(objects=written(STATIC), con=True, fir=False, sequence=2)

    assert session.parcels == []
    assert len(session.sent) == confirmations
    assert session.association.counts["unexpected"] == 1


@pytest.mark.parametrize("unsolicited", [False, True])
def test_custody(unsolicited: bool) -> None:
    """No confirmation before the gateway has it; none at all if it does not take it."""
    session = ready()
    for taken in (False, True):
        if not unsolicited:
            session.association._duties.events.call(session.now)
            session.go()
        before = len(session.sent)
        if unsolicited:
            session.report(4, written(EVENT))
        else:
            session.answer(objects=written(EVENT), con=True)
        assert len(session.parcels) == 1
        session.wait(1.0)
        assert len(session.sent) == before
        session.settle(taken)

        assert len(session.sent) - before == int(taken)
        session.wait(2.0)
    assert session.last.function is F.CONFIRM
    assert session.association.counts["refused_custody"] == 1


def test_custody_that_takes_too_long() -> None:
    """A gateway that cannot take an answer in time leaves it; commands go on meanwhile."""
    session = Session(Manners(unsolicited=None, event=None, keep_alive=None))
    session.go()
    session.answer(objects=written(EVENT), con=True)
    ends = commanded(session)
    assert session.go() is None
    session.wait(5.0)
    assert session.association.counts["late_custody"] == 1
    request = session.go()
    assert request is not None
    assert request.function is F.DIRECT_OPERATE
    session.answer(objects=CONTROL)
    assert [ended for ended, _ in ends] == [Ended.DONE]
    assert session.go() is None, "no polls while something waits to be taken"

    before = len(session.sent)
    session.settle()
    assert len(session.sent) == before, "a confirmation now would be of something else"
    session.wait(1.0)
    assert session.through() == [F.READ]


def test_duplicates() -> None:
    """What is said again, its confirmation lost, is confirmed again and not taken again."""
    session = ready()
    session.report(7, written(EVENT))
    session.report(7, written(EVENT))
    assert len(session.parcels) == 1
    assert session.sent == []
    session.settle()
    session.report(7, written(EVENT), Iin.CLASS_1_EVENTS)

    assert session.parcels == []
    assert session.sent == [Fragment.confirm(7, unsolicited=True)] * 2
    assert session.association.counts["duplicates"] == 2

    session.report(8, written(EVENT))
    session.settle()
    assert session.last == Fragment.confirm(8, unsolicited=True)
    session.report(8, written(STATIC))
    assert len(session.parcels) == 1, "the same number with other content is something new"


def test_a_duplicate_answer() -> None:
    """An answer that comes again after its confirmation is confirmed again."""
    session = Session(Manners(unsolicited=None, event=None, keep_alive=None))
    session.go()
    session.answer(objects=written(EVENT), con=True)
    session.settle()
    session.answer(objects=written(EVENT), con=True)

    assert session.parcels == []
    assert session.sent[1:] == [Fragment.confirm(0)] * 2


def test_unsolicited_while_an_answer_is_due() -> None:
    """It is confirmed at once, and the answer may come after it."""
    session = ready(Manners(event=None, integrity=50.0, keep_alive=None))
    session.wait(50)
    session.go()
    session.wait(4.0)
    session.report(3, written(EVENT))
    session.settle()
    assert session.last == Fragment.confirm(3, unsolicited=True)
    session.wait(4.0)
    assert session.association.counts["timeouts"] == 0
    session.answer(objects=written(STATIC))

    assert len(session.parcels) == 1
    assert session.association.state.name == "IDLE"


def test_a_flood_while_an_answer_is_due() -> None:
    """Unsolicited responses do not put off the time-out for ever."""
    session = ready(Manners(event=None, integrity=50.0, keep_alive=None, retries=0))
    session.wait(50)
    session.go()
    for number in range(40):
        session.report(number % 16, written(EVENT))
        session.settle()
        session.wait(1.0)
        if session.association.silent:
            break
    assert session.now - 150.0 == 15.0


def test_more_than_can_be_taken() -> None:
    """What cannot be taken stays with the outstation: it is counted, and not confirmed."""
    session = ready()
    for number in range(MOST + 3):
        session.report(number, written(EVENT))

    assert len(session.parcels) == MOST
    assert session.association.counts["dropped_fragments"] == 3
    session.settle()
    # Only the latest is waited for by the outstation, and that one was dropped.
    assert all(one.control.sequence < MOST for one in session.sent)


def test_timeouts_and_silence() -> None:
    """No answer, asked again; then it is silent, and asked ever more rarely, as at the start."""
    session = Session(
        Manners(unsolicited=None, event=1.0, keep_alive=None, retries=2, probe_share=1.0)
    )
    session.go()
    for _ in range(2):
        session.wait(4.9)
        assert not session.association.silent
        session.wait(0.1)
    assert [one.control.sequence for one in session.sent] == [0, 1, 2]
    assert not session.association.silent
    session.wait(5.0)
    assert session.association.silent
    assert session.association.counts["timeouts"] == 3

    pauses = []
    for _ in range(7):
        pauses.append(session.association.wants - session.now)
        session.now = session.association.wants
        assert session.go() is not None
        session.wait(5.0)
    assert pauses == [2, 4, 8, 16, 32, 60, 60]
    session.now = session.association.wants
    session.go()
    session.answer()
    assert not session.association.silent
    session.wait(1.0)
    assert session.through() == [F.READ]


def test_a_late_answer() -> None:
    """An answer to the request before is neither taken nor confirmed."""
    session = Session(Manners(unsolicited=None, event=None, keep_alive=None))
    session.go()
    session.wait(5.0)
    session.answer(objects=written(EVENT), con=True, sequence=0)

    assert session.parcels == []
    assert [one.function for one in session.sent] == [F.READ, F.READ]


def test_keep_alive() -> None:
    """Silence makes it ask for the link status; no answer, and the outstation is silent."""
    session = ready(Manners(event=None, integrity=None, keep_alive=30.0, retries=0))
    session.wait(29.9)
    assert session.go() is None
    session.wait(0.1)
    session.go()
    assert session.links == 1
    assert session.sent == []
    session.wait(1.0)
    session.take(session.association.linked(session.now))
    assert session.association.wants == session.now + 30.0

    session.wait(30.0)
    session.go()
    session.take(session.association.lost(session.now))
    assert session.association.silent


def test_indications() -> None:
    """Events that are announced are read; a buffer that was full means that everything is."""
    session = ready()
    session.report(0, iin=Iin.CLASS_2_EVENTS)
    assert session.through() == [F.READ]
    assert session.last.objects.hex() == "3c02063c03063c0406"

    session.report(1, iin=Iin.EVENT_BUFFER_OVERFLOW)
    assert session.through(Iin.EVENT_BUFFER_OVERFLOW) == [F.READ]
    assert session.last.objects.hex().endswith("3c0106")
    session.report(2, iin=Iin.EVENT_BUFFER_OVERFLOW)
    assert session.through() == []
    assert session.association.counts["event_overflows"] == 1
    assert session.notes == ["has lost events: its buffer was full"]


def test_events_that_are_announced_and_do_not_come() -> None:
    """They are asked for once a second; those that come are asked for at once."""
    session = ready()
    session.report(0, iin=Iin.CLASS_1_EVENTS)
    assert session.through(Iin.CLASS_1_EVENTS) == [F.READ]
    session.wait(0.9)
    assert session.through(Iin.CLASS_1_EVENTS) == []
    session.wait(0.1)
    session.go()
    session.answer(Iin.CLASS_1_EVENTS, written(EVENT), con=True)
    session.settle()
    assert session.association.wants <= session.now


def test_announced_events_of_unsolicited_classes() -> None:
    """What comes by itself is not asked for."""
    session = ready(Manners(unsolicited=(1,), event=None, keep_alive=None))
    session.report(0, iin=Iin.CLASS_1_EVENTS)
    assert session.through() == []
    session.report(1, iin=Iin.CLASS_2_EVENTS)
    assert session.through() == [F.READ]


def test_unsolicited_refused() -> None:
    """An outstation that does not know unsolicited responses is polled."""
    session = Session(Manners(unsolicited=(1,), event=None, keep_alive=None))
    session.through(Iin.NO_FUNC_CODE_SUPPORT)
    assert "refuses enable unsolicited: no_func_code_support" in session.notes
    session.wait(1.0)
    assert session.through() == [F.READ]


def test_lan_time() -> None:
    """g50v3 is the moment at which RECORD_CURRENT_TIME left."""
    session = ready(Manners(event=None, keep_alive=None, integrity=None, time_sync=TimeSync.LAN))
    session.wait(10)
    session.report(0, iin=Iin.NEED_TIME)
    assert session.go() == Fragment.request(F.RECORD_CURRENT_TIME, b"", 2)
    session.wait(0.25)
    session.answer(Iin.NEED_TIME)

    # 1_700_000_010_000 = 0x018BCFE58F10
    assert session.last == Fragment.request(F.WRITE, bytes.fromhex("320307 01 108FE5CF8B01"), 3)
    session.answer()
    assert session.through() == []


def test_non_lan_time() -> None:
    """g50v1 is the time, and half of what the way took: (260 ms − 20 ms) / 2."""
    session = ready(
        Manners(event=None, keep_alive=None, integrity=None, time_sync=TimeSync.NON_LAN)
    )
    session.report(0, iin=Iin.NEED_TIME)
    assert session.go() == Fragment.request(F.DELAY_MEASURE, b"", 2)
    session.wait(0.26)
    session.answer(Iin.NEED_TIME, DELAY)

    # 1_700_000_000_000 + 260 + 120 = 0x018BCFE5697C
    assert session.last == Fragment.request(F.WRITE, bytes.fromhex("320107 01 7C69E5CF8B01"), 3)


def test_time_that_is_not_set() -> None:
    """Whoever asks for the time again and again gets it once a minute, and never without leave."""
    session = ready(Manners(event=None, keep_alive=None, integrity=None, time_sync=TimeSync.LAN))
    session.report(0, iin=Iin.NEED_TIME)
    assert session.through(Iin.NEED_TIME) == [F.RECORD_CURRENT_TIME, F.WRITE]
    session.wait(59)
    session.report(1, iin=Iin.NEED_TIME)
    assert session.through(Iin.NEED_TIME) == []
    session.wait(1)
    assert session.through(Iin.NEED_TIME) == [F.RECORD_CURRENT_TIME, F.WRITE]

    session = ready()
    session.report(0, iin=Iin.NEED_TIME)
    assert session.through() == []


def test_commands_go_first() -> None:
    """A command is carried out before what is due, and it is not said twice."""
    session = Session()
    ends = commanded(session)
    request = session.go()
    assert request is not None
    assert (request.function, request.objects) == (F.DIRECT_OPERATE, CONTROL)
    session.wait(5.0)
    assert [ended for ended, _ in ends] == [Ended.SILENT]
    assert [one.function for one in session.sent] == [F.DIRECT_OPERATE]


def test_commands_whose_time_is_over() -> None:
    """They are not sent; those on their way are waited for no longer than that."""
    session = ready()
    ends = commanded(session, expires=102.0)
    session.wait(2.0)
    assert session.go() is None
    assert [ended for ended, _ in ends] == [Ended.UNSENT]

    ends = commanded(session, expires=103.0)
    session.go()
    assert session.association.deadline == 103.0


def test_commands_to_silence() -> None:
    """Nothing is sent to an outstation that does not answer, and too many are not kept."""
    session = ready(Manners(event=1.0, keep_alive=None, retries=0))
    for _ in range(MAX_JOBS):
        commanded(session)
    assert not session.association.submit(Job("one more", lambda: plain(F.READ)))

    session = ready(Manners(event=1.0, keep_alive=None, retries=0))
    session.wait(1.0)
    session.go()
    ends = commanded(session)
    session.wait(5.0)
    assert [ended for ended, _ in ends] == [Ended.UNSENT]
    assert not session.association.submit(Job("test", lambda: plain(F.READ)))


def operated(session: Session) -> None:
    association = session.association
    assert association.submit(Job("operate", lambda: association.operate(CONTROL)))


def test_select_before_operate() -> None:
    """OPERATE has the number after SELECT's, and the same objects."""
    session = ready()
    association = session.association
    association.submit(Job("select", lambda: association.select(CONTROL)))
    session.go()
    session.answer(objects=CONTROL)
    operated(session)
    session.go()

    select, operate = session.sent
    assert (select.function, operate.function) == (F.SELECT, F.OPERATE)
    assert operate.control.sequence == (select.control.sequence + 1) % 16
    assert select.objects == operate.objects == CONTROL


def test_select_again_where_something_came_between() -> None:
    """A poll between the two takes the number: the control is selected anew, then operated."""
    session = ready(Manners(event=1.0, integrity=None, keep_alive=None))
    association = session.association
    association.submit(Job("select", lambda: association.select(CONTROL)))
    session.go()
    session.answer(objects=CONTROL)
    session.wait(1.0)
    assert session.through() == [F.READ]
    operated(session)
    session.go()
    session.answer(objects=CONTROL)

    assert [one.function for one in session.sent] == [F.SELECT, F.READ, F.SELECT, F.OPERATE]
    assert session.sent[3].control.sequence == (session.sent[2].control.sequence + 1) % 16


def test_a_select_that_is_refused_is_not_operated() -> None:
    """Where the second select is refused nothing is operated."""
    session = ready()
    operated(session)
    session.go()
    session.answer(objects=CONTROL[:-1] + b"\x05")
    assert [one.function for one in session.sent] == [F.SELECT]


def test_what_cannot_be_read() -> None:
    """It is counted, said once, and not confirmed: the events stay where they are."""
    session = Session(Manners(unsolicited=None, event=None, keep_alive=None))
    session.take(session.association.receive(b"\xc0", session.now))
    session.go()
    session.answer(objects=written(EVENT, STATIC) + b"\xf0\x01\x06", con=True)

    assert [one.group for one in session.parcels[0].columns] == [30]
    session.settle()
    assert [one.function for one in session.sent] == [F.READ]
    assert session.association.counts["malformed"] == 2
    assert len(session.notes) == 1
    assert session.go() is None
    session.wait(5.0)
    assert session.go() is not None
