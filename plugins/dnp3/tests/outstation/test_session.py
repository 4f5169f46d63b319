"""The outstation's session: what is answered, confirmed, repeated and reported, and when."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from gateway_dnp3.app import (
    Fragment,
    FunctionCode,
    Iin,
    assign_class,
    class_objects,
    clear_restart,
    contents,
    headers,
    name_range,
    parse,
)
from gateway_dnp3.link import Broadcast
from gateway_dnp3.objects import (
    ALL_ATTRIBUTES,
    LIST_OF_ATTRIBUTES,
    AnalogOutput,
    Crob,
    Qualifier,
    commands,
    encode_commands,
    header,
    time_object,
)
from gateway_dnp3.outstation import (
    ControlOperation,
    Finished,
    OutstationPoint,
    PointType,
    UnsolicitedSettings,
)

sys.path.insert(0, str(Path(__file__).parent))
from bench import INTEGRITY, READ_EVENTS, WALL, Bench, events, rows

F, T = FunctionCode, PointType

# Reading


def test_class_0_has_every_point_in_its_default_variation() -> None:
    """An integrity poll answers with the events first and then with all points."""
    bench = Bench()
    bench.happen((1, 0.0), (5, 7.5))
    answer = bench.ask(F.READ, INTEGRITY)
    assert answer.control.con
    assert rows(answer) == [
        (2, 2, 1, 0.0),
        (32, 7, 1, 7.5),
        *((1, 2, n, float(n > 0)) for n in range(4)),
        (20, 1, 0, 7.0),
        (20, 1, 1, 8.0),
        (21, 5, 0, 0.0),
        (21, 5, 1, 0.0),
        *((30, 5, n, 4.0 + n) for n in range(3)),
    ]


def test_answer_without_events_asks_for_no_confirmation() -> None:
    """What can be read again need not be confirmed."""
    assert not Bench().ask(F.READ, class_objects(0)).control.con


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        (name_range(1, 0, 1, 2), [(1, 2, 1, 1.0), (1, 2, 2, 1.0)]),
        (name_range(1, 1, 0, 3), [(1, 1, n, float(n > 0)) for n in range(4)]),
        (name_range(30, 2, 1, 1), [(30, 2, 1, 5.0)]),
        (header(30, 6, Qualifier.ALL), [(30, 6, n, 4.0 + n) for n in range(3)]),
        (header(20, 5, Qualifier.COUNT_8, count=1), [(20, 5, 0, 7.0)]),
        (
            header(30, 1, Qualifier.INDEX_8, count=2, data=b"\x02\x00"),
            [(30, 1, 2, 6.0), (30, 1, 0, 4.0)],
        ),
    ],
)
def test_points_are_read_by_range_count_and_index(
    objects: bytes, expected: list[tuple[int, int, int, float]]
) -> None:
    """READ takes all qualifiers and each variation of a group."""
    answer = Bench().ask(F.READ, objects)
    assert rows(answer) == expected
    assert not answer.iin & Iin.REFUSED  # type: ignore[operator]


@pytest.mark.parametrize(
    ("objects", "iin"),
    [
        (name_range(1, 0, 2, 9), Iin.PARAMETER_ERROR),
        (name_range(3, 0, 0, 0), Iin.PARAMETER_ERROR),
        (header(3, 0, Qualifier.ALL), Iin.NONE),
        (name_range(1, 7, 0, 0), Iin.OBJECT_UNKNOWN),
        (header(110, 0, Qualifier.ALL), Iin.OBJECT_UNKNOWN),
        (header(60, 9, Qualifier.ALL), Iin.OBJECT_UNKNOWN),
        (header(70, 5, Qualifier.ALL), Iin.OBJECT_UNKNOWN),
        (header(2, 0, Qualifier.RANGE_8, start=0, count=2), Iin.PARAMETER_ERROR),
        (bytes.fromhex("1E 00 77"), Iin.PARAMETER_ERROR),
        (b"\x1e", Iin.PARAMETER_ERROR),
        (header(1, 0, Qualifier.RANGE_32, start=0, count=1 << 20), Iin.PARAMETER_ERROR),
        (class_objects(0) * 300, Iin.PARAMETER_ERROR),
    ],
)
def test_what_cannot_be_read_is_indicated(objects: bytes, iin: Iin) -> None:
    """A header that names what is not there sets IIN2.1 or IIN2.2, and the rest is answered."""
    bench = Bench()
    bench.request(F.READ, objects)
    while True:
        (answer,) = bench.sent()
        if answer.control.fin:
            break
        bench.confirm(answer)
    assert answer.iin is not None
    assert answer.iin & Iin.REFUSED == iin


def test_packed_format_is_for_points_without_a_fault() -> None:
    """g1v1 has no flags: where one point is not ONLINE its part comes as g1v2."""
    bench = Bench()
    bench.flags[2] = 0
    found = {
        (group, variation)
        for group, variation, _, _ in rows(bench.ask(F.READ, name_range(1, 1, 0, 3)))
    }
    assert found == {(1, 1), (1, 2)}


def test_long_answer_comes_in_fragments() -> None:
    """Each fragment but the last wants its confirmation, and the numbers go on from the request."""
    bench = Bench([OutstationPoint(T.ANALOG_INPUT, n, 0) for n in range(1000)])
    bench.request(F.READ, class_objects(0))
    found: list[tuple[int, int, int, float]] = []
    controls = []
    while True:
        (answer,) = bench.sent()
        found += rows(answer)
        controls.append(answer.control)
        assert len(answer.encode()) <= 2048
        if answer.control.fin:
            break
        bench.confirm(answer)
    assert [index for _, _, index, _ in found] == list(range(1000))
    assert [c.fir for c in controls] == [True] + [False] * (len(controls) - 1)
    assert [c.con for c in controls] == [True] * (len(controls) - 1) + [False]
    assert [c.sequence for c in controls] == [(1 + n) % 16 for n in range(len(controls))]
    # 5 octets a point: 4 of single float, 1 of flags; 2044 less a 7-octet header make 407.
    assert len(controls) == 3


def test_limited_counts_leave_the_rest() -> None:
    """A count in the header is the most that is reported; the others stay, and are indicated."""
    bench = Bench()
    bench.happen(*((n % 4, 1.0) for n in range(10)))
    answer = bench.ask(F.READ, class_objects(1, limit=4))
    assert [index for _, index, _ in events(answer)] == [0, 1, 2, 3]
    assert answer.iin is not None
    assert answer.iin & Iin.CLASS_1_EVENTS
    bench.confirm(answer)
    again = bench.ask(F.READ, header(2, 1, Qualifier.COUNT_8, count=3))
    assert [row[:3] for row in rows(again)] == [(2, 1, 0), (2, 1, 1), (2, 1, 2)]


def test_events_keep_their_order_across_fragments() -> None:
    """5,000 events of two classes arrive in the order in which each point had them."""
    bench = Bench()
    expected: dict[int, list[float]] = {n: [] for n in range(4, 9)}
    for batch in range(50):
        samples = [(4 + (n % 5), float(batch * 100 + n)) for n in range(100)]
        for slot, value in samples:
            expected[slot].append(value)
        bench.happen(*samples, key=batch)
    found: dict[int, list[float]] = {n: [] for n in range(4, 9)}
    bench.request(F.READ, class_objects(2, 3))
    while True:
        (answer,) = bench.sent()
        for group, index, value in events(answer):
            found[index + (4 if group == 32 else 7)].append(value)
        bench.confirm(answer)
        if answer.control.fin:
            break
    assert found == expected
    assert [one.key for one in bench.finished] == list(range(50))


def test_a_class_that_is_never_read_holds_up_no_other() -> None:
    """Class 2 is passed over 2,000 times: its oldest events are shed, told, and class 1 goes on."""
    bench = Bench()
    found, told = [], Iin.NONE
    for batch in range(2000):
        bench.happen((0, float(batch % 2)), (4, float(batch)), key=batch)
        answer = bench.ask(F.READ, class_objects(1))
        found += events(answer)
        assert answer.iin is not None
        told |= answer.iin
        bench.confirm(answer)
    assert found == [(2, 0, float(n % 2)) for n in range(2000)]
    assert bench.events.open <= 901
    assert [one.key for one in bench.finished] == list(range(len(bench.finished)))
    shed = sum(one.shed for one in bench.finished)
    assert dict(bench.events.shed) == {2: shed}
    assert told & Iin.EVENT_BUFFER_OVERFLOW
    late = bench.ask(F.READ, class_objects(2))
    assert events(late)[0] == (32, 0, float(shed))


# Confirmations


def test_events_leave_only_on_the_confirmation() -> None:
    """Without it they are reported again; with it their delivery is finished."""
    bench = Bench()
    bench.happen((0, 1.0), key=7)
    first = bench.ask(F.READ, READ_EVENTS)
    bench.wait(5.0)
    assert bench.finished == []
    assert bench.session.counts["confirm_timeouts"] == 1
    second = bench.ask(F.READ, READ_EVENTS)
    assert events(second) == events(first) == [(2, 0, 1.0)]
    bench.confirm(second)
    assert bench.finished == [Finished(7, 0, 0)]
    assert events(bench.ask(F.READ, READ_EVENTS)) == []


@pytest.mark.parametrize("uns", [False, True])
def test_a_wrong_confirmation_confirms_nothing(uns: bool) -> None:
    """Neither the number before nor an unsolicited one with the right number counts."""
    bench = Bench()
    bench.happen((0, 1.0))
    bench.ask(F.READ, READ_EVENTS)
    wrong = bench.sequence if uns else bench.sequence - 1
    bench.session.receive(Fragment.confirm(wrong, unsolicited=uns).encode())
    assert bench.finished == []
    assert bench.session.counts["unexpected"] == 1


def test_late_confirmation_confirms_nothing() -> None:
    """After the time-out the events may be reported otherwise."""
    bench = Bench()
    bench.happen((0, 1.0))
    answer = bench.ask(F.READ, READ_EVENTS)
    bench.wait(5.0)
    bench.confirm(answer)
    assert bench.finished == []


def test_a_new_request_ends_the_wait() -> None:
    """Its answer comes at once, and the events are still there."""
    bench = Bench()
    bench.happen((0, 1.0))
    bench.ask(F.READ, READ_EVENTS)
    assert bench.ask(F.WRITE, clear_restart()).iin == Iin.CLASS_1_EVENTS
    assert events(bench.ask(F.READ, READ_EVENTS)) == [(2, 0, 1.0)]


def test_a_repeated_request_is_answered_the_same_and_done_once() -> None:
    """The master did not hear the answer: it gets it again, byte for byte (clause 4.2.2.4)."""
    bench = Bench()
    direct = encode_commands([Crob(0, 0x03)])
    bench.request(F.DIRECT_OPERATE, direct)
    bench.request(F.DIRECT_OPERATE, direct, sequence=bench.sequence)
    assert len(bench.controls) == 1
    assert bench.fragments == []
    bench.session.operated(bench.controls[0], [0])
    bench.request(F.DIRECT_OPERATE, direct, sequence=bench.sequence)
    assert len(bench.controls) == 1
    assert bench.fragments[0] == bench.fragments[1]


def test_a_repeated_read_in_the_wait_is_sent_again() -> None:
    """The same events under the same number, and one confirmation is enough."""
    bench = Bench()
    bench.happen((0, 1.0))
    bench.request(F.READ, READ_EVENTS)
    bench.request(F.READ, READ_EVENTS, sequence=bench.sequence)
    first, second = bench.fragments
    assert first == second
    bench.confirm(parse(second))
    assert len(bench.finished) == 1


def test_lost_connection_keeps_the_events() -> None:
    """What was on its way and not confirmed is reported on the next connection."""
    bench = Bench()
    bench.happen((0, 1.0))
    bench.ask(F.READ, READ_EVENTS)
    bench.session.disconnected()
    bench.session.connected()
    assert events(bench.ask(F.READ, READ_EVENTS)) == [(2, 0, 1.0)]


# Indications


def test_restart_is_indicated_until_the_master_clears_it() -> None:
    """IIN1.7 is set from the start; g80v1 index 7 clears it, and nothing else does."""
    bench = Bench()
    assert bench.ask(F.READ, class_objects(0)).iin == Iin.DEVICE_RESTART
    set_it = header(80, 1, Qualifier.RANGE_8, start=7, count=1, data=b"\1")
    other = header(80, 1, Qualifier.RANGE_8, start=4, count=1, data=b"\0")
    for wrong in (set_it, other):
        expected = Iin.DEVICE_RESTART | Iin.PARAMETER_ERROR
        assert bench.ask(F.WRITE, wrong).iin == expected
    assert bench.ask(F.WRITE, clear_restart()).iin == Iin.NONE


def test_indications_can_be_read() -> None:
    """g80v1 shows the 16 bits."""
    bench = Bench()
    bench.own = Iin.LOCAL_CONTROL
    values = [value for *_, value in rows(bench.ask(F.READ, header(80, 1, Qualifier.ALL)))]
    assert [bit for bit, value in enumerate(values) if value] == [5, 7]


def test_overflow_is_indicated_until_it_was_confirmed() -> None:
    """Above the limit the oldest of the fullest class goes; IIN2.3 stays until it was heard."""
    bench = Bench(limit=4)
    bench.happen((0, 0.0), (1, 1.0), (4, 4.0), key=1)
    bench.happen((2, 1.0), (3, 1.0), (0, 1.0), key=2)
    assert dict(bench.events.shed) == {1: 2}
    answer = bench.ask(F.READ, READ_EVENTS)
    assert events(answer) == [(32, 0, 4.0), (2, 2, 1.0), (2, 3, 1.0), (2, 0, 1.0)]
    assert answer.iin is not None
    assert answer.iin & Iin.EVENT_BUFFER_OVERFLOW
    bench.confirm(answer)
    assert bench.finished == [Finished(1, 0, 2), Finished(2, 0, 0)]
    assert bench.ask(F.READ, READ_EVENTS).iin == Iin.DEVICE_RESTART


@pytest.mark.parametrize(
    "function", [F.SAVE_CONFIG, F.OPEN_FILE, F.FREEZE_AT_TIME, F.INITIALIZE_DATA]
)
def test_functions_that_are_not_there_are_refused(function: F) -> None:
    """IIN2.0, and nothing is done."""
    assert Bench().ask(function).iin == Iin.DEVICE_RESTART | Iin.NO_FUNC_CODE_SUPPORT


def test_unknown_function_code_is_refused() -> None:
    """A code beyond the table gets IIN2.0, too."""
    bench = Bench()
    bench.session.receive(bytes((0xC3, 0x60)))
    (answer,) = bench.sent()
    assert answer.iin == Iin.DEVICE_RESTART | Iin.NO_FUNC_CODE_SUPPORT
    assert answer.control.sequence == 3


def test_broadcast_is_done_and_indicated_but_not_answered() -> None:
    """IIN1.0 stands in the next answer; for 0xFFFE until an answer was confirmed (clause 9.2.3)."""
    bench = Bench()
    clear = Fragment.request(F.WRITE, clear_restart()).encode()
    bench.session.receive(clear, Broadcast.NO_CONFIRM)
    assert bench.fragments == []
    assert bench.ask(F.READ, class_objects(0)).iin == Iin.BROADCAST
    assert bench.ask(F.READ, class_objects(0)).iin == Iin.NONE
    bench.session.receive(clear, Broadcast.CONFIRM)
    answer = bench.ask(F.READ, class_objects(0))
    assert (answer.iin, answer.control.con) == (Iin.BROADCAST, True)
    bench.confirm(answer)
    assert bench.ask(F.READ, class_objects(0)).iin == Iin.NONE
    bench.session.receive(Fragment.request(F.READ, class_objects(0)).encode(), Broadcast.CONFIRM)
    assert bench.fragments == []


@pytest.mark.parametrize("fragment", ["", "C0", "80 01 3C 01 06", "D0 01", "C0 81 00 00", "E0 00"])
def test_what_is_no_request_is_left(fragment: str) -> None:
    """Fragments that are too short, cut, unsolicited, or answers: silence."""
    bench = Bench()
    bench.session.receive(bytes.fromhex(fragment))
    assert bench.fragments == []


# Time, classes, counters, attributes


def test_time_is_taken_in_both_ways() -> None:
    """g50v1 is now; g50v3 was when RECORD_CURRENT_TIME came (clause 10.3.3)."""
    bench = Bench(need_time=3600.0)
    assert bench.ask(F.READ, class_objects(0)).iin == Iin.DEVICE_RESTART | Iin.NEED_TIME
    assert bench.ask(F.WRITE, time_object(50, 1, WALL)).iin == Iin.DEVICE_RESTART
    assert bench.ask(F.WRITE, time_object(50, 3, WALL)).iin == (
        Iin.DEVICE_RESTART | Iin.PARAMETER_ERROR
    )
    bench.ask(F.RECORD_CURRENT_TIME)
    bench.now += 0.25
    bench.ask(F.WRITE, time_object(50, 3, WALL))
    assert bench.times == [(WALL, None), (WALL, 0.25)]
    bench.now += 3600.0
    assert bench.ask(F.READ, class_objects(0)).iin == Iin.DEVICE_RESTART | Iin.NEED_TIME


def test_delay_and_time_of_day() -> None:
    """DELAY_MEASURE is answered with g52v2, READ of g50v1 with the time."""
    bench = Bench()
    delay = bench.ask(F.DELAY_MEASURE)
    assert [(h.group, h.variation, item) for h, item in contents(delay)] == [(52, 2, [0])]
    now = bench.ask(F.READ, header(50, 1, Qualifier.COUNT_8, count=1))
    assert [item for _, item in contents(now)] == [[WALL]]


def test_classes_can_be_assigned() -> None:
    """ASSIGN_CLASS moves points: class 0 has no events (clause 4.4.10)."""
    bench = Bench()
    assert bench.ask(F.ASSIGN_CLASS, assign_class(3, [(1, 0, 1)])).iin == Iin.DEVICE_RESTART
    bench.ask(F.ASSIGN_CLASS, assign_class(0, [(30, 0, 2)]))
    bench.happen((0, 1.0), (2, 1.0), (4, 1.0), key=3)
    assert events(bench.ask(F.READ, class_objects(3))) == [(2, 0, 1.0)]
    assert events(bench.ask(F.READ, class_objects(1))) == [(2, 2, 1.0)]
    assert events(bench.ask(F.READ, class_objects(2))) == []
    wrong = bench.ask(F.ASSIGN_CLASS, name_range(1, 0, 0, 1))
    assert wrong.iin is not None
    assert wrong.iin & Iin.REFUSED == Iin.PARAMETER_ERROR


def test_counters_are_frozen_and_cleared() -> None:
    """g21 holds what g20 was; after a freeze-and-clear g20 counts from 0."""
    bench = Bench()
    bench.ask(F.IMMED_FREEZE, header(20, 0, Qualifier.ALL))
    bench.value[7:] += 10
    frozen = rows(bench.ask(F.READ, header(21, 1, Qualifier.ALL)))
    assert frozen == [(21, 1, 0, 7.0), (21, 1, 1, 8.0)]
    bench.request(F.FREEZE_CLEAR_NR, name_range(20, 0, 0, 0))
    assert bench.fragments == []
    bench.value[7:] += 1
    assert rows(bench.ask(F.READ, header(21, 1, Qualifier.ALL))) == [
        (21, 1, 0, 17.0),
        (21, 1, 1, 8.0),
    ]
    assert rows(bench.ask(F.READ, header(20, 1, Qualifier.ALL))) == [
        (20, 1, 0, 1.0),
        (20, 1, 1, 19.0),
    ]
    bench.happen((7, 20.0))
    assert events(bench.ask(F.READ, class_objects(3))) == [(22, 0, 3.0)]
    unknown = bench.ask(F.IMMED_FREEZE, header(30, 0, Qualifier.ALL))
    assert unknown.iin is not None
    assert unknown.iin & Iin.REFUSED == Iin.OBJECT_UNKNOWN


def test_deadbands_are_written_and_kept_to() -> None:
    """g34: an event is due when the value lies farther than the band from the last one."""
    bench = Bench()
    band = header(34, 3, Qualifier.RANGE_8, start=0, count=1, data=bytes.fromhex("00000040"))
    assert bench.ask(F.WRITE, band).iin == Iin.DEVICE_RESTART  # 2.0
    bench.happen((4, 10.0), (4, 12.0), (4, 12.5), (4, 11.0), (4, 10.25), (5, 1.0), (5, 1.1))
    assert events(bench.ask(F.READ, class_objects(2))) == [
        (32, 0, 10.0),
        (32, 0, 12.5),
        (32, 0, 10.25),
        (32, 1, 1.0),
        (32, 1, pytest.approx(1.1)),
    ]
    shown = bench.ask(F.READ, name_range(34, 0, 0, 2))
    assert [value for *_, value in rows(shown)] == [2.0, 0.0, 0.0]
    beyond = header(34, 3, Qualifier.RANGE_8, start=9, count=1, data=bytes(4))
    answer = bench.ask(F.WRITE, beyond)
    assert answer.iin is not None
    assert answer.iin & Iin.REFUSED == Iin.PARAMETER_ERROR


def test_latest_value_takes_the_place_of_one_that_waits() -> None:
    """A point that keeps the latest has one event at most; one on its way stays."""
    points = [
        OutstationPoint(T.ANALOG_INPUT, 0, 2, latest=True),
        OutstationPoint(T.BINARY_INPUT, 0),
    ]
    bench = Bench(points)
    bench.happen((0, 1.0), key=1)
    bench.happen((1, 1.0), key=2)
    bench.happen((0, 2.0), key=3)
    first = bench.ask(F.READ, READ_EVENTS)
    assert events(first) == [(2, 0, 1.0), (32, 0, 2.0)]
    bench.happen((0, 3.0), key=4)
    bench.happen((0, 4.0), key=5)
    bench.confirm(first)
    assert bench.finished == [
        Finished(1, 1, 0),
        Finished(2, 0, 0),
        Finished(3, 0, 0),
        Finished(4, 1, 0),
    ]
    assert events(bench.ask(F.READ, READ_EVENTS)) == [(32, 0, 4.0)]


def test_attributes() -> None:
    """g0 says what there is: all of it, the list, one of them, and none that is not there."""
    bench = Bench()
    every = bench.ask(F.READ, header(0, ALL_ATTRIBUTES, Qualifier.ALL))
    found = {h.variation: item[0].value for h, item in contents(every)}  # type: ignore[index, union-attr]
    assert found[252] == "maker"
    assert (found[239], found[238], found[233], found[229]) == (4, 3, 3, 2)
    listed = bench.ask(F.READ, header(0, LIST_OF_ATTRIBUTES, Qualifier.RANGE_8, start=0, count=1))
    ((_, item),) = contents(listed)
    assert [number for number, _ in item[0].value] == sorted(found)  # type: ignore[index, union-attr]
    none = bench.ask(F.READ, header(0, 245, Qualifier.ALL))
    assert none.iin == Iin.DEVICE_RESTART | Iin.OBJECT_UNKNOWN


def test_restarts_are_refused_unless_allowed() -> None:
    """IIN2.0 without leave; with it the answer says how long it takes."""
    bench = Bench()
    assert bench.ask(F.COLD_RESTART).iin == Iin.DEVICE_RESTART | Iin.NO_FUNC_CODE_SUPPORT
    bench.delay = 1100
    warm = bench.ask(F.WARM_RESTART)
    assert [(h.variation, item) for h, item in contents(warm)] == [(2, [1100])]
    assert bench.restarts == [True, False]


# Controls

CROBS = encode_commands([Crob(3, 0x41, 1, 100, 0), Crob(4, 0x81, 1, 100, 0)])


def statuses(answer: Fragment) -> list[int]:
    return [one.status for head in headers(answer) for one in commands(head)]


def test_select_and_operate() -> None:
    """OPERATE follows its SELECT with the next number and the same objects."""
    bench = Bench()
    bench.request(F.SELECT, CROBS)
    assert bench.controls[0].operation is ControlOperation.SELECT
    bench.session.operated(bench.controls[0], [0, 0])
    (answer,) = bench.sent()
    assert answer.objects == CROBS
    bench.request(F.OPERATE, CROBS)
    assert bench.controls[1].operation is ControlOperation.OPERATE
    assert [one.index for one in bench.controls[1].commands] == [3, 4]
    bench.session.operated(bench.controls[1], [0, 7])
    (answer,) = bench.sent()
    assert statuses(answer) == [0, 7]
    assert bench.released == []


@pytest.mark.parametrize(
    ("between", "objects", "skip"),
    [
        (None, encode_commands([Crob(3, 0x41, 1, 100, 0)]), 0),
        (None, CROBS, 1),
        (F.READ, CROBS, 0),
    ],
)
def test_operate_that_does_not_follow_is_refused(
    between: F | None, objects: bytes, skip: int
) -> None:
    """Other objects, another number, or another request between: NO_SELECT, and it is released."""
    bench = Bench()
    bench.request(F.SELECT, CROBS)
    bench.session.operated(bench.controls[0], [0, 0])
    if between is not None:
        bench.request(between, class_objects(0))
    bench.sent()
    bench.sequence += skip
    answer = bench.ask(F.OPERATE, objects)
    assert set(statuses(answer)) == {2}
    assert len(bench.controls) == 1
    assert bench.released == [bench.controls[0]]
    assert [status for status, _ in bench.refusals] == [2]


def test_operate_without_select_is_refused() -> None:
    """NO_SELECT, and nothing is operated."""
    bench = Bench()
    assert statuses(bench.ask(F.OPERATE, CROBS)) == [2, 2]
    assert bench.controls == []


def test_operate_after_a_select_that_failed_is_refused() -> None:
    """One control that cannot be selected spoils them all."""
    bench = Bench()
    bench.request(F.SELECT, CROBS)
    bench.session.operated(bench.controls[0], [0, 4])
    bench.sent()
    assert statuses(bench.ask(F.OPERATE, CROBS)) == [2, 2]


def test_a_late_select_is_given_back() -> None:
    """The master asked for something else while the select was under way: it holds nothing."""
    bench = Bench()
    bench.request(F.SELECT, CROBS)
    bench.ask(F.READ, class_objects(0))
    bench.session.operated(bench.controls[0], [0, 0])
    assert bench.fragments == []
    assert bench.released == [bench.controls[0]]
    assert bench.session.counts["late_answers"] == 1


def test_lost_connection_gives_back_what_is_selected() -> None:
    """Nobody holds an output that cannot speak."""
    bench = Bench()
    bench.request(F.SELECT, CROBS)
    bench.session.operated(bench.controls[0], [0, 0])
    bench.session.disconnected()
    assert bench.released == [bench.controls[0]]


def test_direct_operate_without_answer() -> None:
    """DIRECT_OPERATE_NR is carried out and not answered."""
    bench = Bench()
    bench.request(F.DIRECT_OPERATE_NR, encode_commands([AnalogOutput(1, 3, 2.5)]))
    assert bench.controls[0].commands[0] == AnalogOutput(1, 3, 2.5)
    bench.session.operated(bench.controls[0], [0])
    assert bench.fragments == []


@pytest.mark.parametrize("variation", [1, 2, 3, 4])
def test_analog_outputs_are_echoed(variation: int) -> None:
    """Each variation of g41 comes back as it was, with its status."""
    bench = Bench()
    asked = encode_commands([AnalogOutput(300, variation, 7.0)])
    bench.request(F.DIRECT_OPERATE, asked)
    bench.session.operated(bench.controls[0], [9])
    (answer,) = bench.sent()
    assert answer.objects == asked[:-1] + b"\x09"


def test_too_many_controls_are_refused() -> None:
    """TOO_MANY_OBJS for each, and nothing is operated."""
    bench = Bench(controls=2)
    many = encode_commands([Crob(n, 3) for n in range(3)])
    assert statuses(bench.ask(F.DIRECT_OPERATE, many)) == [8, 8, 8]
    assert bench.controls == []


@pytest.mark.parametrize(
    ("objects", "iin"),
    [
        (b"", Iin.PARAMETER_ERROR),
        (name_range(30, 1, 0, 0) + bytes(5), Iin.OBJECT_UNKNOWN),
        (encode_commands([Crob(0, 3, variation=2)]), Iin.OBJECT_UNKNOWN),
        (CROBS[:-1], Iin.PARAMETER_ERROR),
    ],
)
def test_what_is_no_control_is_refused(objects: bytes, iin: Iin) -> None:
    """The indications say so, and nothing is operated."""
    bench = Bench()
    answer = bench.ask(F.DIRECT_OPERATE, objects)
    assert answer.iin == Iin.DEVICE_RESTART | iin
    assert bench.controls == []


def test_a_request_during_a_control_is_answered() -> None:
    """The answer to the control is not sent any more: its number has gone by."""
    bench = Bench()
    bench.request(F.DIRECT_OPERATE, CROBS)
    bench.ask(F.READ, class_objects(0))
    bench.session.operated(bench.controls[0], [0, 0])
    assert bench.fragments == []


# Unsolicited

PATIENT = UnsolicitedSettings(retry=2.0, retry_max=10.0, retries=3)


def ready(settings: UnsolicitedSettings = PATIENT, **more: Any) -> Bench:
    """Return a bench whose master has confirmed the null response and enabled all classes."""
    bench = Bench(unsolicited=settings, **more)
    (null,) = bench.sent()
    assert null.function is F.UNSOLICITED_RESPONSE
    bench.confirm(null)
    bench.ask(F.WRITE, clear_restart())
    bench.ask(F.ENABLE_UNSOLICITED, READ_EVENTS)
    return bench


def test_the_first_word_is_a_null_response() -> None:
    """Empty, with IIN1.7, and wanting a confirmation (clause 5.1.1.1)."""
    bench = Bench(unsolicited=PATIENT)
    (null,) = bench.sent()
    assert (null.function, null.objects) == (F.UNSOLICITED_RESPONSE, b"")
    assert (null.control.con, null.control.uns, null.control.sequence) == (True, True, 0)
    assert null.iin == Iin.DEVICE_RESTART


def test_no_event_is_reported_before_the_master_enables_it() -> None:
    """Confirmed, but not enabled: silence."""
    bench = Bench(unsolicited=PATIENT)
    (null,) = bench.sent()
    bench.happen((0, 1.0))
    bench.confirm(null)
    assert bench.sent() == []
    bench.request(F.ENABLE_UNSOLICITED, class_objects(1))
    answer, report = bench.sent()
    assert answer.function is F.RESPONSE
    assert (report.function, events(report)) == (F.UNSOLICITED_RESPONSE, [(2, 0, 1.0)])
    assert report.control.sequence == 1


def test_only_enabled_classes_are_reported() -> None:
    """Class 2 stays where only 1 and 3 are enabled."""
    bench = ready()
    bench.ask(F.DISABLE_UNSOLICITED, class_objects(2))
    bench.happen((4, 1.0))
    assert bench.sent() == []
    bench.happen((0, 1.0))
    (report,) = bench.sent()
    assert events(report) == [(2, 0, 1.0)]
    assert report.iin is not None
    assert report.iin & Iin.CLASS_2_EVENTS


def test_unsolicited_backs_off() -> None:
    """Overdue after 5 s; then pauses of 2, 4, 8 s and of 10 s, and the same octets four times."""
    bench = ready()
    bench.happen((0, 1.0))
    moments, octets = [], []
    while bench.now < 60:
        for one in bench.fragments:
            moments.append(bench.now)
            octets.append(one)
        bench.fragments.clear()
        bench.wait(0.5)
    # Each time: 5 s until it is overdue, then the pause.
    assert moments == [0.0, 7.0, 16.0, 29.0, 44.0, 51.0]
    assert len(set(octets[:4])) == 1
    assert parse(octets[4]).control.sequence == (parse(octets[0]).control.sequence + 1) % 16
    assert events(parse(octets[4])) == events(parse(octets[0]))


def test_next_response_follows_the_confirmation() -> None:
    """Events that came meanwhile go out at once, with the next number."""
    bench = ready()
    bench.happen((0, 1.0), key=1)
    bench.happen((1, 1.0), key=2)
    (first,) = bench.sent()
    bench.confirm(first)
    (second,) = bench.sent()
    assert events(second) == [(2, 1, 1.0)]
    assert second.control.sequence == first.control.sequence + 1
    bench.confirm(second)
    assert [one.key for one in bench.finished] == [1, 2]


def test_a_read_waits_for_the_confirmation() -> None:
    """A READ in the wait is deferred; then it has what is left (clause 5.1.1.4)."""
    bench = ready()
    bench.happen((0, 1.0))
    (report,) = bench.sent()
    bench.happen((1, 1.0))
    bench.request(F.READ, READ_EVENTS)
    assert bench.sent() == []
    bench.confirm(report)
    answer = bench.sent()[0]
    assert (answer.function, events(answer)) == (F.RESPONSE, [(2, 1, 1.0)])


def test_a_deferred_read_is_answered_after_the_time_out() -> None:
    """With the events that were not confirmed, and once."""
    bench = ready()
    bench.happen((0, 1.0))
    (report,) = bench.sent()
    bench.request(F.READ, READ_EVENTS)
    bench.wait(5.0)
    (answer,) = bench.sent()
    assert (answer.function, events(answer)) == (F.RESPONSE, [(2, 0, 1.0)])
    bench.confirm(report)
    assert bench.finished == []
    bench.confirm(answer)
    assert len(bench.finished) == 1


def test_other_requests_are_answered_in_the_wait() -> None:
    """A write does not wait, and only the last READ is kept."""
    bench = ready()
    bench.happen((0, 1.0))
    bench.sent()
    bench.request(F.READ, READ_EVENTS)
    assert bench.ask(F.WRITE, clear_restart()).iin is not None
    bench.wait(5.0)
    assert bench.sent() == []


def test_a_confirmation_that_crosses_the_disabling_counts() -> None:
    """What was confirmed is not told again in the answer to the READ that follows."""
    bench = ready()
    bench.happen((0, 1.0))
    (report,) = bench.sent()
    bench.ask(F.DISABLE_UNSOLICITED, READ_EVENTS)
    bench.confirm(report)
    assert bench.ask(F.READ, READ_EVENTS).objects == b""


def test_what_was_on_its_way_when_disabled_delays_no_read() -> None:
    """It is not sent again either; without a confirmation the READ tells it, or the IIN does."""
    bench = ready()
    bench.happen((0, 1.0))
    bench.sent()
    bench.ask(F.DISABLE_UNSOLICITED, READ_EVENTS)
    assert events(bench.ask(F.READ, READ_EVENTS)) == [(2, 0, 1.0)]

    bench = ready()
    bench.happen((0, 1.0))
    bench.sent()
    bench.ask(F.DISABLE_UNSOLICITED, READ_EVENTS)
    for _ in range(20):
        bench.now += 5.0
        bench.session.tick()
    assert bench.sent() == []
    iin = bench.ask(F.DELAY_MEASURE).iin
    assert iin is not None
    assert iin & Iin.CLASS_1_EVENTS


def test_nothing_unsolicited_while_an_answer_waits() -> None:
    """One response with events is on its way at a time."""
    bench = ready()
    bench.ask(F.DISABLE_UNSOLICITED, READ_EVENTS)
    bench.happen((0, 1.0))
    answer = bench.ask(F.READ, READ_EVENTS)
    bench.request(F.ENABLE_UNSOLICITED, READ_EVENTS)
    report = bench.sent()[-1]
    assert report.control.uns
    bench.confirm(report)
    bench.happen((1, 1.0))
    bench.confirm(bench.sent()[0])
    assert answer.control.con


def test_events_wait_for_more_of_their_class() -> None:
    """Class 1 waits 1 s or for 3 events; class 2 goes at once and takes the others along."""
    hold = UnsolicitedSettings(holds=(1.0, 0.0, 0.0), counts=(3, 1, 1))
    bench = ready(hold)
    bench.happen((0, 1.0))
    bench.wait(0.9)
    assert bench.sent() == []
    bench.wait(0.1)
    (report,) = bench.sent()
    bench.confirm(report)
    bench.happen((0, 1.0), (1, 1.0))
    assert bench.sent() == []
    bench.happen((2, 1.0))
    (report,) = bench.sent()
    assert len(events(report)) == 3
    bench.confirm(report)
    bench.happen((0, 0.0))
    bench.happen((4, 1.0))
    (report,) = bench.sent()
    assert events(report) == [(2, 0, 0.0), (32, 0, 1.0)]


def test_a_lost_connection_begins_anew() -> None:
    """The next connection hears the events at once, under a new number."""
    bench = ready()
    bench.happen((0, 1.0))
    (first,) = bench.sent()
    bench.session.disconnected()
    assert bench.session.deadline is None
    bench.session.connected()
    (second,) = bench.sent()
    assert events(second) == events(first)
    assert second.control.sequence == first.control.sequence + 1


def test_unsolicited_that_is_not_offered() -> None:
    """Neither a null response, nor leave to enable it."""
    bench = Bench()
    assert bench.sent() == []
    refused = Iin.DEVICE_RESTART | Iin.NO_FUNC_CODE_SUPPORT
    assert bench.ask(F.ENABLE_UNSOLICITED, READ_EVENTS).iin == refused
    assert bench.ask(F.DISABLE_UNSOLICITED, READ_EVENTS).iin == refused
