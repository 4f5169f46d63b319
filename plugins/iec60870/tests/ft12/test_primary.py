"""The primary station of an unbalanced line (60870-5-2 clause 5, 101 clause 6.2.1)."""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from gateway_iec60870.ft12 import (
    Control,
    Frame,
    Function,
    LinkFull,
    Polled,
    PolledSettings,
    Primary,
    Turn,
)
from gateway_iec60870.ft12.primary import BROADCASTS

sys.path.insert(0, str(Path(__file__).parent))
from ft12_dialogue import frame, play, said, word

UP = """
        at 0: >STATUS?
        < STATUS: >RESET
        < E5: >C2+ up
"""
"""A start-up (101 clause 6.2.1, figure 6), after which class 2 data is asked for at once."""

QUIET = """
        at 0: >STATUS?
        < STATUS: >RESET
        < E5: >C2+ up
        < E5:
"""


def one(**given: Any) -> tuple[Primary, Polled]:
    """A line with station 1; class 2 data is asked for every 10 s."""
    line = Primary()
    how: dict[str, Any] = {"timeout": 1.0, "retries": 2, "class_2": 10.0, "pause": 2.0}
    return line, line.add(PolledSettings(address=1, **how | given), 0.0)


DIALOGUES: dict[str, tuple[dict[str, Any], str]] = {
    "start-up, then class 2 with its period; FCB begins with 1 and alternates": (
        {},
        UP
        + """
        < NONE:
        at 9.9:
        at 10: >C2-
        < NONE:
        at 20: >C2+
        """,
    ),
    "class 2 all the time": (
        {"class_2": 0.0},
        UP
        + """
        < NONE: >C2-
        < NONE: >C2+
        """,
    ),
    "class 1 when it is demanded, until it is not": (
        {},
        UP
        + """
        < NONE^: >C1-
        < GIVE^ab: !ab
        confirm: >C1+
        < GIVEcd: !cd
        confirm:
        at 10: >C2-
        """,
    ),
    "the single character says that nothing is demanded": (
        {},
        UP
        + """
        < NONE^: >C1-
        < E5:
        """,
    ),
    "the status of the link demands, too": (
        {},
        """
        at 0: >STATUS?
        < STATUS^: >RESET
        < ACK^: >C1+ up
        """,
    ),
    "class 1 without a demand, with its period": (
        {"class_1": 4.0},
        """
        at 0: >STATUS?
        < STATUS: >RESET
        < E5: >C1+ up
        < NONE: >C2-
        < NONE:
        at 4: >C1+
        < NONE:
        at 8: >C1-
        < NONE:
        at 10: >C2+
        """,
    ),
    "whoever demands without end gets its class 2 asked for all the same": (
        {"class_2": 3.0},
        """
        at 0: >STATUS?
        < STATUS^: >RESET
        < ACK^: >C1+ up
        < NONE^: >C2-
        < NONE^: >C1+
        at 0.5:
        < NONE^: >C1-
        at 0.9:
        < NONE^: >C1+
        at 1.8:
        < NONE^: >C1-
        at 2.7:
        < NONE^: >C1+
        at 3:
        < NONE^: >C2-
        < NONE^: >C1+
        """,
    ),
    "custody: what counts waits for it, then the FCB toggles and acknowledges": (
        {},
        UP
        + """
        < GIVE^ab: !ab
        at 9:
        send cd:
        confirm: >DATA-cd
        < ACK^: >C1+ acknowledged1
        """,
    ),
    "custody that is slow: the link status is asked for, which acknowledges nothing": (
        {"hold": 5.0},
        UP
        + """
        < GIVE^ab: !ab
        at 4.9:
        at 5: >STATUS?
        < STATUS^:
        at 10: >STATUS?
        < STATUS^:
        confirm: >C1-
        """,
    ),
    "custody refused: the same request with the same FCB after a pause, and the data comes again": (
        {"again": 5.0},
        UP
        + """
        < GIVE^ab: !ab
        send cd:
        refuse:
        at 4.9:
        at 5: >C2+
        < GIVE^ab: !ab
        refuse:
        at 10: >C2+
        < GIVE^ab: !ab
        confirm: >DATA-cd
        """,
    ),
    "custody refused, and there is nothing any more": (
        {"again": 5.0},
        UP
        + """
        < GIVEab: !ab
        refuse:
        at 5: >C2+
        < NONE:
        at 10: >C2-
        """,
    ),
    "custody decided after the life has ended: no reset before": (
        {"hold": 1.0, "retries": 0},
        UP
        + """
        < GIVEab: !ab
        at 1: >STATUS?
        at 2: broken
        at 100:
        confirm: >STATUS?
        < STATUS: >RESET
        < E5: >C2+ up
        """,
    ),
    "custody refused after the life has ended": (
        {"hold": 1.0, "retries": 0},
        UP
        + """
        < GIVEab: !ab
        at 1: >STATUS?
        at 2: broken
        refuse:
        at 4: >STATUS?
        < STATUS: >RESET
        < E5: >C2+ up
        """,
    ),
    "user data, one after the other": (
        {},
        QUIET
        + """
        send ab cd: >DATA-ab
        < ACK: >DATA+cd acknowledged1
        send ef:
        < E5: >DATA-ef acknowledged1
        < ACK: acknowledged1
        """,
    ),
    "without an answer the same again, then the life ends; it is asked for its status anew": (
        {},
        QUIET
        + """
        send ab cd: >DATA-ab
        at 0.9:
        at 1: >DATA-ab
        at 2: >DATA-ab
        at 2.9:
        at 3: broken lost2 doubtful
        send ef: full
        at 4.9:
        at 5: >STATUS?
        < STATUS: >RESET
        < ACK: >C2+ up
        """,
    ),
    "the answer to a repetition: the link status first, so that a late answer harms nobody": (
        {},
        QUIET
        + """
        send ab cd: >DATA-ab
        at 1: >DATA-ab
        < E5: >STATUS? acknowledged1
        < E5:
        < STATUS: >DATA+cd
        < E5: acknowledged1
        """,
    ),
    "a late answer to a request does not bring its data twice, nor does it hide the next": (
        {},
        UP
        + """
        at 1: >C2+
        < GIVE^ab: >STATUS? !ab
        < GIVE^ab:
        < STATUS^:
        confirm: >C1-
        < GIVEcd: !cd
        """,
    ),
    "a repeated reset: the same": (
        {},
        """
        at 0: >STATUS?
        < STATUS: >RESET
        at 1: >RESET
        < E5: >STATUS? up
        < E5:
        < STATUS: >C2+
        """,
    ),
    "a reset without an answer": (
        {},
        """
        at 0: >STATUS?
        < STATUS: >RESET
        at 1: >RESET
        at 2: >RESET
        at 3:
        at 5: >STATUS?
        """,
    ),
    "DFC: no user data, but requests; its status is asked for until there is room": (
        {},
        QUIET
        + """
        send ab cd: >DATA-ab
        < ACK*: acknowledged1
        at 0.9:
        at 1: >STATUS?
        < STATUS*:
        at 2: >STATUS?
        < STATUS: >DATA+cd
        < ACK: acknowledged1
        """,
    ),
    "DFC, and class 2 is due": (
        {"class_2": 0.5},
        UP
        + """
        < NONE*:
        send ab:
        at 0.5: >C2-
        < NONE*:
        at 1: >C2+
        < NONE: >DATA-ab
        """,
    ),
    "NACK: not accepted, said again with its FCB when there is room": (
        {},
        QUIET
        + """
        send ab: >DATA-ab
        < NACK*:
        at 1: >STATUS?
        < STATUS: >DATA-ab
        < NACK:
        at 2: >STATUS?
        < STATUS: >DATA-ab
        < ACK: acknowledged1
        """,
    ),
    "a link that is busy is not reset": (
        {},
        """
        at 0: >STATUS?
        < STATUS*:
        at 1.9:
        at 2: >STATUS?
        < STATUS: >RESET
        """,
    ),
    "a link that does not let itself be reset": (
        {},
        """
        at 0: >STATUS?
        < STATUS: >RESET
        < NACK:
        at 2: >STATUS?
        """,
    ),
    "whoever does not know the question for its status is there, too": (
        {},
        """
        at 0: >STATUS?
        < UNKNOWN: >RESET
        < ACK: >C2+ up
        """,
    ),
    "a station that has restarted says that its link does not function: the life ends": (
        {},
        QUIET
        + """
        send ab: >DATA-ab
        < DEAD: broken lost1 doubtful
        at 2: >STATUS?
        < DEAD:
        at 6: >STATUS?
        < STATUS: >RESET
        """,
    ),
    "a service that is not there": (
        {},
        UP
        + """
        < UNKNOWN: broken
        at 2: >STATUS?
        """,
    ),
    "answers to something else are waited past": (
        {},
        UP
        + """
        < STATUS:
        < NACK:
        < ACK:
        < GIVEab@2:
        < GIVEab: !ab
        < GIVEcd:
        """,
    ),
    "frames of a primary station are left: our own, come back, or another one's": (
        {},
        UP
        + """
        < C2+:
        < E5:
        < STATUS?:
        """,
    ),
    "what was not on the line can be taken back": (
        {},
        UP
        + """
        send ab cd ef:
        withdraw 1: back
        withdraw 0: back
        < NONE: >DATA-ef
        withdraw 0: gone
        """,
    ),
    "broadcasts, when the line is free": (
        {},
        UP
        + """
        broadcast ab:
        broadcast cd:
        < NONE: >FREEab@255 >FREEcd@255
        broadcast ef: >FREEef@255
        at 10: >C2-
        """,
    ),
    "the pauses of a silent station double up to the longest": (
        {"pause_max": 5.0},
        """
        at 0: >STATUS?
        at 1:
        at 2.9:
        at 3: >STATUS?
        at 4:
        at 8: >STATUS?
        at 9:
        at 13.9:
        at 14: >STATUS?
        < STATUS: >RESET
        < ACK: >C2+ up
        at 15: >C2+
        at 16: >C2+
        at 17: broken
        at 19: >STATUS?
        """,
    ),
}


@pytest.mark.parametrize("name", DIALOGUES)
def test_dialogue(name: str) -> None:
    """The dialogue goes as its name says."""
    given, dialogue = DIALOGUES[name]
    line, station = one(**given)
    play(line, dialogue, end=station)


def test_why_lives_end() -> None:
    """Each end of a life has a sentence."""
    line, station = one(retries=2)
    silent = "at 3: broken\nat 5: >STATUS?"
    assert play(line, UP + "at 1: >C2+\nat 2: >C2+\n" + silent, end=station) == [
        "station 1 does not answer, asked 3 times"
    ]
    line, station = one(retries=0)
    assert play(line, UP + "at 1: broken", end=station) == ["station 1 does not answer, asked once"]
    line, station = one()
    assert play(line, UP + "< DEAD: broken", end=station) == [
        "station 1: link service not functioning"
    ]
    line, station = one()
    assert play(line, UP + "< UNKNOWN: broken", end=station) == [
        "station 1: link service not implemented"
    ]


def test_counts() -> None:
    """Everything that is left or said again is counted, of the station and of the line."""
    line, station = one(again=5.0)
    play(
        line,
        UP
        + """
        < C2+:
        < STATUS:
        < GIVEab: !ab
        refuse:
        at 5: >C2+
        at 6: >C2+
        < NONE*: >STATUS?
        < STATUS*:
        at 10: >C2-
        < DEAD: broken
        """,
        end=station,
    )
    assert line.counts == {"primary": 1, "unexpected": 1}
    assert station.counts == {"refused": 1, "retries": 1, "busy": 2, "lives": 1}


def test_an_answer_before_the_question_is_on_the_line() -> None:
    """What comes before our frame is on the line is no answer to it; the time-out begins when it
    has left, but whoever answers sooner has answered."""
    line, station = one()
    [question] = line.tick(0.0).frames
    assert line.deadline is None
    assert line.receive(frame("STATUS"), 0.1) == Turn(station=1)
    other = Frame(Control(Function.REQUEST_STATUS), 1)
    line.leaves(other)
    assert line.receive(frame("STATUS"), 0.1) == Turn(station=1)
    assert station.counts == {"early": 2}

    line.leaves(question)
    line.sent(other, 0.2)
    assert line.deadline is None
    line.sent(question, 0.3)
    assert line.deadline == 1.3
    assert line.tick(1.2).frames == []
    [reset] = line.receive(frame("STATUS"), 1.2).frames
    line.leaves(reset)
    assert said(line.receive(frame("ACK"), 1.3)) == ">C2+ up"
    line.sent(reset, 1.3)
    assert line.deadline is None


def test_made_at_each_try() -> None:
    """What makes an ASDU is called each time that it goes on the line, for a repetition too."""
    line, station = one()
    play(line, QUIET, end=station)
    made = iter([b"first", b"second", b"all"])
    frames = station.send([lambda: next(made)], 1.0).frames
    assert frames[0].asdu == b"first"
    line.leaves(frames[0])
    line.sent(frames[0], 1.0)
    [again] = line.tick(2.0).frames
    assert (again.asdu, again.control) == (b"second", frames[0].control)
    line.leaves(again)
    line.sent(again, 2.0)
    [status] = line.receive(frame("ACK"), 2.0).frames
    line.leaves(status)
    line.sent(status, 2.0)
    line.receive(frame("STATUS"), 2.0)
    [to_all] = line.broadcast(lambda: next(made), 2.0).frames
    assert to_all.asdu == b"all"


def several(*addresses: int, share: float = 0.1, **given: Any) -> tuple[Primary, list[Polled]]:
    line = Primary(probe_share=share)
    how: dict[str, Any] = {"timeout": 1.0, "retries": 0, "class_2": 1.0, "pause": 2.0}
    return line, [line.add(PolledSettings(address=n, **how | given), 0.0) for n in addresses]


WORDS = {"STATUS?": "STATUS", "RESET": "ACK", "C1": "NONE", "C2": "NONE", "DATA": "ACK"}


class Field:
    """Stations at a line that answer after 0.1 s, by the clock; `dead` ones do not.

    words: what they say to what, other than the usual, by address and question.
    """

    def __init__(self, line: Primary) -> None:
        self.line = line
        self.dead: set[int] = set()
        self.words: dict[tuple[int, str], str] = {}
        self.asked: list[tuple[float, int, str]] = []
        self.now = 0.0
        self._turn = line.tick(0.0)

    def run(self, until: float) -> None:
        """Go on until then."""
        while True:
            if self._turn.frames:
                [one] = self._turn.frames
                what = word(one).split("@")[0].rstrip("+-abc")
                self.asked.append((self.now, one.address, what))
                self.line.leaves(one)
                self.line.sent(one, self.now)
                self._turn = Turn()
                if one.address not in self.dead:
                    self.now += 0.1
                    said = self.words.get((one.address, what), WORDS[what])
                    self._turn = self.line.receive(frame(f"{said}@{one.address}"), self.now)
            deadline = self.now if self._turn.frames else self.line.deadline
            if deadline is None or deadline >= until:
                self.now = until
                return
            if not self._turn.frames:
                self.now = max(self.now, deadline)
                self._turn = self.line.tick(self.now)

    def times(self, address: int, what: str, since: float = 0.0) -> list[float]:
        """When a station was asked this."""
        return [at for at, to, said in self.asked if (to, said) == (address, what) and at >= since]


def test_stations_take_turns() -> None:
    """Several stations are asked in turn, each with its own FCB and its own period."""
    line, stations = several(1, 2, 3)
    field = Field(line)
    field.run(20.0)
    assert all(one.up for one in stations)
    for n in (1, 2, 3):
        times = field.times(n, "C2", 5.0)
        assert len(times) == 15
        assert all(0.99 < after - before < 1.21 for before, after in pairwise(times))


def test_one_that_demands_keeps_nobody_back() -> None:
    """A station with class 1 data without end has every turn but those that others are due for."""
    line, _ = several(1, 2, 3, class_2=2.0)
    field = Field(line)
    field.words = {(1, "C2"): "NONE^", (1, "C1"): "NONE^"}
    field.run(25.0)
    # 200 turns of 0.1 s; the period is 2 s, and somebody may have to wait for one turn.
    for n in (1, 2, 3):
        assert 9 <= len(field.times(n, "C2", 5.0)) <= 10
    assert 168 <= len(field.times(1, "C1", 5.0)) <= 173


def test_user_data_goes_first_and_leaves_turns_to_the_others() -> None:
    """User data is sent before what else is due, and after each one somebody else has a turn."""
    line, stations = several(1, 2, class_2=0.0)
    field = Field(line)
    field.run(2.0)
    stations[1].send([b"a", b"b", b"c"], field.now)
    field.asked.clear()
    field.run(field.now + 1.0)
    questions = [what for _, _, what in field.asked]
    assert [n for n, what in enumerate(questions) if what == "DATA"] == [1, 3, 5]


def test_silent_stations_share_a_tenth() -> None:
    """Five dead stations of eight take a tenth of the time together, all of them have their turn,
    and the three that are there are asked nearly as often as without them."""
    line, _ = several(*range(1, 9), pause=1.0, pause_max=1.0)
    field = Field(line)
    field.dead = {4, 5, 6, 7, 8}
    field.run(600.0)
    probes = [len(field.times(n, "STATUS?", 10.0)) for n in sorted(field.dead)]
    assert 0.08 < sum(probes) * 1.0 / 590 <= 0.1  # each takes the time-out, 1 s
    assert all(10 <= number <= 13 for number in probes)
    # The period is 1 s, and a probe delays one request of ten by less than one.
    assert len(field.times(1, "C2", 10.0)) > 0.89 * 590


def test_a_dead_line_is_asked_all_the_time() -> None:
    """Where nobody answers nobody is held up: each is asked with its own pause."""
    line, stations = several(1, 2, pause=1.0, pause_max=1.0)
    field = Field(line)
    field.dead = {1, 2}
    field.run(100.0)
    assert [at for at, _, _ in field.asked] == [float(n) for n in range(100)]
    field.dead.clear()
    field.run(103.0)
    assert all(one.up for one in stations)


def test_a_station_that_comes_back() -> None:
    """It is found again within its pause and what the share leaves."""
    line, stations = several(1, 2, pause=2.0, pause_max=8.0)
    field = Field(line)
    field.run(10.0)
    field.dead = {2}
    field.run(200.0)
    assert not stations[1].up
    field.dead = set()
    field.run(211.0)
    assert stations[1].up


def test_broadcasts_are_bounded() -> None:
    """No more broadcasts wait than may, and none is empty or too long."""
    line, _ = one()
    line.tick(0.0)  # the line is not free
    for _ in range(BROADCASTS):
        line.broadcast(b"a", 0.0)
    with pytest.raises(LinkFull, match="16 broadcasts wait already"):
        line.broadcast(b"a", 0.0)
    with pytest.raises(ValueError, match=r"an ASDU of 254 octets, not 1\.\.253"):
        line.broadcast(bytes(254), 0.0)


def test_a_broadcast_on_its_way_holds_the_line() -> None:
    """Nothing else is said until a broadcast has left."""
    line, _ = one()
    [broadcast] = line.broadcast(b"a", 0.0).frames
    assert line.deadline is None
    assert line.tick(0.0) == Turn()
    assert line.sent(Frame(Control(Function.USER_DATA_NO_REPLY), 255, b"b"), 0.0) == Turn()
    assert said(line.sent(broadcast, 0.0)) == ">STATUS?"


def test_stations_that_come_and_go() -> None:
    """A station can be added and removed at any time; an answer that is due to one that has gone is
    waited for and given to nobody, not even to its successor."""
    line = Primary()
    assert line.deadline is None
    settings = PolledSettings(address=1, retries=5)
    first = line.add(settings, 0.0)
    play(line, UP, end=first)
    with pytest.raises(ValueError, match="station 1 is there already"):
        line.add(settings, 0.0)
    with pytest.raises(ValueError, match="a link address of 2 octets, the line's 1"):
        line.add(PolledSettings(address=2, octets=2), 0.0)

    first.queue([b"a"])
    assert line.remove(1, 0.5) == Turn()
    second = line.add(settings, 0.5)
    assert line.tick(0.6) == Turn()
    assert said(line.receive(frame("GIVEab"), 0.7)) == ">STATUS?"
    assert not second.unconfirmed

    # Nor is it repeated.
    play(line, "at 1:", end=second)
    line, gone = one(retries=5)
    play(line, UP, end=gone)
    line.remove(1, 0.5)
    assert line.tick(1.0) == Turn()
    assert line.deadline is None


def test_removed_while_idle() -> None:
    """A station that is removed while nothing is asked is simply gone."""
    line, station = one()
    play(line, QUIET, end=station)
    assert line.remove(1, 0.5) == Turn()
    assert line.tick(100.0) == Turn()


def test_bounds() -> None:
    """No more ASDUs wait than may, none is empty or too long, and only what came is confirmed."""
    line, station = one(queue=2)
    assert station.room() == 0
    play(line, UP, end=station)
    assert station.room() == 2
    with pytest.raises(LinkFull, match="3 ASDUs to station 1, room for 2"):
        station.send([b"a"] * 3, 0.0)
    with pytest.raises(ValueError, match=r"an ASDU of 0 octets, not 1\.\.253"):
        station.send([b""], 0.0)
    with pytest.raises(ValueError, match="group 2: a primary station has none but 1"):
        station.send([b"a"], 0.0, 2)
    with pytest.raises(ValueError, match="1 confirmed of 0 that were received"):
        station.confirm(1, 0.0)
    assert station.confirm(0, 0.0) == Turn(station=1)
