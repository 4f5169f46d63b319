"""Who may send what when (IEC 60870-5-104:2006, clause 5), by a clock that the test moves.

See `apci_dialogue` for how the dialogues are written.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from gateway_iec60870.apci import ApciSettings, Session, State

sys.path.insert(0, str(Path(__file__).parent))
from apci_dialogue import play
from apdu_wire import octets, stream, words

START = """
    start : >STARTDT
    < STARTDT.con : started
"""
STARTED = """
    < STARTDT : started >STARTDT.con
"""

CONTROLLING = {
    "figure 18: STOPPED, STARTING, STARTED, STOPPING, STOPPED": """
        start : >STARTDT
        < STARTDT.con : started
        stop : >STOPDT
        < STOPDT.con : stopped
        start : >STARTDT
        < STARTDT.con : started
    """,
    "numbers go on after STOPDT; they begin at 0 only with a new connection (5.1)": """
        start : >STARTDT
        < STARTDT.con I0/0:a I1/0:b : !a !b started
        confirm 2
        send x : >I0/2:x
        < S1 : acked1
        stop : >STOPDT
        < STOPDT.con : stopped
        start : >STARTDT
        < STARTDT.con : started
        send y : >I1/2:y
        < I2/2:c : !c acked1
    """,
    "what is confirmed is acknowledged before STOPDT act (5.3)": """
        start : >STARTDT
        < STARTDT.con I0/0:a I1/0:b I2/0:c : !a !b !c started
        confirm 2
        stop : >S2 >STOPDT
        < STOPDT.con : stopped
    """,
    "until STOPDT con I frames still come, and are acknowledged at once when confirmed (5.3)": """
        start : >STARTDT
        < STARTDT.con I0/0:a : !a started
        stop : >STOPDT
        < I1/0:b : !b
        confirm 1 : >S1
        < I2/0:c : !c
        confirm 2 : >S3
        < STOPDT.con : stopped
    """,
    "pending unconfirmed stopped: our I frames are acknowledged by I and S frames": """
        start : >STARTDT
        < STARTDT.con : started
        send x y z : >I0/0:x >I1/0:y >I2/0:z
        stop : >STOPDT
        < I0/1:a : !a acked1
        confirm 1 : >S1
        < S3 : acked2
        < STOPDT.con : stopped
        at 19.9
    """,
    "nothing is acknowledged while stopped; what is owed is, when started again": """
        start : >STARTDT
        < STARTDT.con I0/0:a : !a started
        stop : >STOPDT
        < STOPDT.con : stopped
        confirm 1
        ack
        at 12
        start : >STARTDT
        < STARTDT.con : started
        at 12 : >S1
    """,
    "an I frame when stopped breaks the connection (5.3)": """
        < I0/0:a : broken: an I frame when STOPPED, not only when STARTED
    """,
    "an I frame before STARTDT con breaks the connection": """
        start : >STARTDT
        < I0/0:a STARTDT.con : broken: an I frame when STARTING, not only when STARTED
    """,
    "an S frame when stopped breaks the connection (5.3)": """
        < S0 : broken: an S frame when STOPPED, not STARTED or STOPPING
    """,
    "a controlled station asks for nothing": """
        < STARTDT : broken: STARTDT act of the controlled station
    """,
    "a controlled station does not stop": START + """
        < STOPDT : broken: STOPDT act of the controlled station
    """,
    "a con that was not asked for is left and counted": """
        < STARTDT.con
        < STOPDT.con
        < TESTFR.con
        start : >STARTDT
        < STOPDT.con
        < STARTDT.con : started
        < STARTDT.con
    """,
}  # fmt: skip

CONTROLLED = {
    "figure 17: STOPPED, STARTED, STOPPED": """
        < STARTDT : started >STARTDT.con
        < STOPDT : stopped >STOPDT.con
        < STARTDT : started >STARTDT.con
    """,
    "STARTDT twice is confirmed twice and changes nothing": """
        < STARTDT : started >STARTDT.con
        send a : >I0/0:a
        < STARTDT : >STARTDT.con
        send b : >I1/0:b
        < S2 : acked2
    """,
    "STOPDT when stopped is confirmed: a station that asks twice is not left waiting": """
        < STOPDT : >STOPDT.con
        < STARTDT : started >STARTDT.con
        < STOPDT STOPDT : stopped >STOPDT.con >STOPDT.con
    """,
    "pending unconfirmed stopped: con only when our I frames are acknowledged (5.3)": """
        < STARTDT : started >STARTDT.con
        send a b c : >I0/0:a >I1/0:b >I2/0:c
        < STOPDT : stopping
        < S1 : acked1
        < STOPDT
        < S3 : acked2 stopped >STOPDT.con
    """,
    "what came is acknowledged before the con, when it is confirmed and not before (5.3)": """
        < STARTDT I0/0:a I1/0:b I2/0:c : !a !b !c started >STARTDT.con
        confirm 1
        < STOPDT : stopping >S1
        confirm 1 : >S2
        confirm 0
        confirm 1 : stopped >S3 >STOPDT.con
    """,
    "both directions have to be settled": """
        < STARTDT I0/0:a : !a started >STARTDT.con
        send x : >I0/0:x
        < STOPDT : stopping
        confirm 1 : >S1
        < S1 : acked1 stopped >STOPDT.con
    """,
    "what is owed leaves with the con": """
        < STARTDT I0/0:a : !a started >STARTDT.con
        confirm 1
        < STOPDT : stopped >S1 >STOPDT.con
    """,
    "STARTDT while stopping starts again": """
        < STARTDT : started >STARTDT.con
        send a : >I0/0:a
        < STOPDT : stopping
        < STARTDT : started >STARTDT.con
        send b : >I1/0:b
        < S2 : acked2
    """,
    "no I frame may follow STOPDT act": """
        < STARTDT : started >STARTDT.con
        send a : >I0/0:a
        < STOPDT : stopping
        < I0/1:x : broken: an I frame when STOPPING, not only when STARTED
    """,
    "an I frame before STARTDT breaks the connection (5.3)": """
        < I0/0:a : broken: an I frame when STOPPED, not only when STARTED
    """,
    "an S frame before STARTDT breaks the connection (5.3)": """
        < S0 : broken: an S frame when STOPPED, not STARTED or STOPPING
    """,
    "an S frame after STOPDT con breaks the connection": """
        < STARTDT : started >STARTDT.con
        < STOPDT S0 : stopped >STOPDT.con broken: an S frame when STOPPED, not STARTED or STOPPING
    """,
    "a con is nothing for a controlled station": """
        < STARTDT.con STOPDT.con
        < STARTDT : started >STARTDT.con
        send a : >I0/0:a
        < STOPDT : stopping
        < STOPDT.con
        < S1 : acked1 stopped >STOPDT.con
    """,
    "halted for another connection of the group: acknowledgements still count (10.1)": """
        < STARTDT : started >STARTDT.con
        send a b : >I0/0:a >I1/0:b
        halt
        < S1 : acked1
        < S2 : acked1
        < STARTDT : started >STARTDT.con
        send c : >I2/0:c
    """,
    "halted: STARTDT ends it": """
        < STARTDT : started >STARTDT.con
        halt
        < STARTDT STOPDT : started stopped >STARTDT.con >STOPDT.con
        < S0 : broken: an S frame when STOPPED, not STARTED or STOPPING
    """,
    "halted: STOPDT is confirmed, and ends it": """
        < STARTDT : started >STARTDT.con
        halt
        < STOPDT : >STOPDT.con
        < S0 : broken: an S frame when STOPPED, not STARTED or STOPPING
    """,
    "halted: STOPDT waits for what was sent before, as ever": """
        < STARTDT : started >STARTDT.con
        send a b : >I0/0:a >I1/0:b
        halt
        < S1 STOPDT : acked1 stopping
        < S2 : acked1 stopped >STOPDT.con
        < STARTDT : started >STARTDT.con
    """,
    "halted: an I frame breaks the connection, which tells the other side": """
        < STARTDT : started >STARTDT.con
        halt
        < I0/0:a : broken: an I frame when STOPPED, not only when STARTED
    """,
    "halted: what is not acknowledged within t1 breaks the connection": """
        < STARTDT : started >STARTDT.con
        send a : >I0/0:a
        halt
        at 15 : broken: I frame N(S) 0 not acknowledged within 15 s (t1)
    """,
    "a connection that stops is not halted": """
        < STARTDT : started >STARTDT.con
        send a : >I0/0:a
        < STOPDT : stopping
        halt
        < S1 : acked1 stopped >STOPDT.con
    """,
}  # fmt: skip

NUMBERS = {
    "figure 9: I frames acknowledge those of the other direction": """
        send a : >I0/0:a
        < I0/1:x : !x acked1
        confirm 1
        send b c : >I1/1:b >I2/1:c
        < I1/3:y : !y acked2
    """,
    "several N(R) in one read": """
        send a b c d : >I0/0:a >I1/0:b >I2/0:c >I3/0:d
        < I0/1:x S2 I1/2:y I2/4:z : !x !y !z acked4
    """,
    "an N(S) is left out": """
        < I0/0:a I2/0:c : !a broken: N(S) 2 of an I frame, not 1
    """,
    "an N(S) comes twice": """
        < I0/0:a I0/0:a : !a broken: N(S) 0 of an I frame, not 1
    """,
    "an N(R) of what was not sent, in an I frame": """
        send a b : >I0/0:a >I1/0:b
        < S1 I0/3:x : acked1 broken: N(R) 3, not 1..2
    """,
    "an N(R) of what was not sent, in an S frame": """
        < S1 : broken: N(R) 1, not 0..0
    """,
    "an N(R) that goes back": """
        send a b : >I0/0:a >I1/0:b
        < S2 : acked2
        < S1 : broken: N(R) 1, not 2..2
    """,
    "an N(R) that goes back in one read": """
        send a b : >I0/0:a >I1/0:b
        < I0/2:x I1/1:y : !x acked2 broken: N(R) 1, not 2..2
    """,
    "an N(R) that says nothing new": """
        send a b : >I0/0:a >I1/0:b
        < S1 : acked1
        < S1
        < I0/1:x : !x
    """,
    "nothing comes of anything any more": """
        < S9 : broken: N(R) 9, not 0..0
        < TESTFR : broken: N(R) 9, not 0..0
        test : broken: N(R) 9, not 0..0
        at 100 : broken: N(R) 9, not 0..0
        close later
        < TESTFR : broken: N(R) 9, not 0..0
    """,
    "closed by this side": """
        < I0/0:a : !a
        close enough
        confirm 1
        ack
        < TESTFR : broken: enough
    """,
}

CUSTODY = {
    "N(R) never passes what was confirmed, in S frames": """
        < I0/0:a I1/0:b I2/0:c I3/0:d I4/0:e : !a !b !c !d !e
        < I5/0:f I6/0:g I7/0:h I8/0:i I9/0:j : !f !g !h !i !j
        at 9.9
        confirm 7
        confirm 1 : >S8
        at 14
        confirm 1 : >S9
    """,
    "N(R) never passes what was confirmed, in I frames": """
        < I0/0:a I1/0:b I2/0:c : !a !b !c
        send x : >I0/0:x
        confirm 2
        send y z : >I1/2:y >I2/2:z
        at 9.9
        confirm 1
        send w : >I3/3:w
    """,
    "w: the eighth that is confirmed is acknowledged at once": """
        < I0/0:a I1/0:b I2/0:c I3/0:d I4/0:e I5/0:f I6/0:g I7/0:h : !a !b !c !d !e !f !g !h
        confirm 8 : >S8
        at 14
    """,
    "one acknowledgement for all that is confirmed": """
        < I0/0:a I1/0:b I2/0:c I3/0:d I4/0:e : !a !b !c !d !e
        < I5/0:f I6/0:g I7/0:h I8/0:i I9/0:j : !f !g !h !i !j
        confirm 10 : >S10
    """,
    "w counts what was not acknowledged, by an I frame either": """
        < I0/0:a I1/0:b I2/0:c I3/0:d I4/0:e I5/0:f I6/0:g : !a !b !c !d !e !f !g
        confirm 7
        send x : >I0/7:x
        < I7/1:h : !h acked1
        confirm 1
        at 9.9
    """,
    "t2: from when the oldest came": """
        at 1
        < I0/0:a : !a
        confirm 1
        at 3
        < I1/0:b : !b
        confirm 1
        at 10.9
        at 11 : >S2
        at 12
        < I2/0:c : !c
        confirm 1
        at 22 : >S3
    """,
    "t2 has passed when it is confirmed at last": """
        < I0/0:a : !a
        at 11
        confirm 1 : >S1
    """,
    "t2: only what is confirmed; the rest waits for its own": """
        < I0/0:a : !a
        at 4
        < I1/0:b : !b
        confirm 1
        at 10 : >S1
        at 13
        confirm 1
        at 14 : >S2
    """,
    "at once on request": """
        < I0/0:a I1/0:b : !a !b
        ack
        confirm 1
        ack : >S1
        ack
    """,
    "custody is slow: nothing is acknowledged, the other side's t1 is its own affair": """
        < I0/0:a : !a
        at 19.9
        at 20 : >TESTFR
        < TESTFR.con : tested
        at 39
        confirm 1 : >S1
    """,
}  # fmt: skip

TIMES = {
    "t1: an I frame is not acknowledged": """
        at 1
        send a b : >I0/0:a >I1/0:b
        at 3
        send c : >I2/0:c
        < S1 : acked1
        at 15.9
        at 16 : broken: I frame N(S) 1 not acknowledged within 15 s (t1)
    """,
    "t1: begins anew with the oldest one that is left, from when it was sent": """
        send a : >I0/0:a
        at 10
        send b : >I1/0:b
        at 14
        < S1 : acked1
        at 24.9
        at 25 : broken: I frame N(S) 1 not acknowledged within 15 s (t1)
    """,
    "t1: other frames are no acknowledgement": """
        send a : >I0/0:a
        at 14
        < I0/0:x TESTFR S0 : !x >TESTFR.con
        at 15 : broken: I frame N(S) 0 not acknowledged within 15 s (t1)
    """,
    "t3: silence is tested, t1 for the answer (5.2)": """
        at 19.9
        at 20 : >TESTFR
        at 34.9
        at 35 : broken: no TESTFR con within 15 s (t1)
    """,
    "t3: begins anew with any frame that comes": """
        at 10
        < TESTFR : >TESTFR.con
        at 20
        < S0
        at 30
        < I0/0:a : !a
        at 49.9
        confirm 1 : >S1
        at 50 : >TESTFR
        at 51
        < TESTFR.con : tested
        at 70.9
        at 71 : >TESTFR
    """,
    "t3: what is sent does not count as hearing": """
        at 19
        send a : >I0/0:a
        at 20 : >TESTFR
        < TESTFR.con S1 : acked1 tested
    """,
    "t3: part of a frame is no frame": """
        at 20 : >TESTFR
        at 30
        < TESTFR.con : tested
        at 49.9
        at 50 : >TESTFR
    """,
    "other frames do not answer a test": """
        at 20 : >TESTFR
        at 30
        < I0/0:a TESTFR : !a >TESTFR.con
        at 35 : broken: no TESTFR con within 15 s (t1)
    """,
    "one test at a time": """
        test : >TESTFR
        test
        at 14
        < TESTFR.con : tested
        test : >TESTFR
    """,
    "both tests at once: each is answered (5.2)": """
        test : >TESTFR
        < TESTFR TESTFR.con : tested >TESTFR.con
    """,
    "t2 and t3 together": """
        < I0/0:a : !a
        confirm 1
        at 20 : >S1 >TESTFR
    """,
    "while nothing is read, t1 and t3 stand still, t2 goes on": """
        < I0/0:a : !a
        confirm 1
        send x : >I0/1:x
        test : >TESTFR
        < I1/0:b : !b
        confirm 1
        at 5
        deafen
        at 10 : >S2
        at 100
        deafen
        send y : >I1/2:y
        at 105
        listen
        at 114.9
        < TESTFR.con : tested
        at 115 : broken: I frame N(S) 0 not acknowledged within 15 s (t1)
    """,
    "what was sent while nothing was read has its whole t1 afterwards": """
        at 5
        deafen
        at 50
        send x : >I0/0:x
        at 60
        listen
        at 74.9
        < TESTFR : >TESTFR.con
        at 75 : broken: I frame N(S) 0 not acknowledged within 15 s (t1)
    """,
    "what was asked before has the rest of its t1 afterwards": """
        test : >TESTFR
        at 5
        deafen
        at 50
        listen
        at 59.9
        at 60 : broken: no TESTFR con within 15 s (t1)
    """,
    "listening without having been deaf changes nothing": """
        at 10
        listen
        at 20 : >TESTFR
    """,
    "t3 where the time heard has been moved": """
        at 10
        deafen
        at 40
        listen
        at 49.9
        at 50 : >TESTFR
    """,
}


@pytest.mark.parametrize("dialogue", CONTROLLING.values(), ids=CONTROLLING)
def test_controlling_station(dialogue: str) -> None:
    """A controlling station goes through its states as 5.3 and figure 18 say."""
    play(dialogue, controlling=True)


@pytest.mark.parametrize("dialogue", CONTROLLED.values(), ids=CONTROLLED)
def test_controlled_station(dialogue: str) -> None:
    """A controlled station goes through its states as 5.3 and figure 17 say."""
    play(dialogue, controlling=False)


@pytest.mark.parametrize("controlling", [True, False])
@pytest.mark.parametrize(
    "dialogue", (NUMBERS | CUSTODY | TIMES).values(), ids=NUMBERS | CUSTODY | TIMES
)
def test_either_station(dialogue: str, controlling: bool) -> None:
    """Numbers, acknowledgements and times are the same for both stations (5.1, 5.2, 5.5)."""
    play((START if controlling else STARTED) + dialogue, controlling=controlling)


def test_start_without_an_answer() -> None:
    """STARTDT con is due within t1."""
    play(
        """
        at 2
        start : >STARTDT
        at 16.9
        < TESTFR : >TESTFR.con
        at 17 : broken: no STARTDT con within 15 s (t1)
        """,
        controlling=True,
    )


def test_stop_without_an_answer() -> None:
    """STOPDT con is due within t1, whatever else comes."""
    dialogue = """
        stop : >STOPDT
        at 14
        < I0/0:a : !a
        confirm 1 : >S1
        at 15 : broken: no STOPDT con within 15 s (t1)
    """
    play(START + dialogue, controlling=True)


def test_window() -> None:
    """At most k I frames are sent without an acknowledgement (5.5); each one makes room."""
    session = Session(ApciSettings(k=3, w=2), controlling=False, now=0.0)
    assert session.room == 0
    session.receive(octets("STARTDT"), 0.0)
    assert session.room == 3

    assert words(b"".join(session.send([b"a", b"b", b"c"], 0.0).frames)) == "I0/0:a I1/0:b I2/0:c"
    assert (session.room, session.unacknowledged) == (0, 3)
    with pytest.raises(ValueError, match=r"1 ASDUs, not 0\.\.0 \(STARTED\)"):
        session.send([b"d"], 0.0)
    assert session.send([], 0.0).frames == []

    assert session.receive(octets("S2"), 0.0).acknowledged == 2
    assert (session.room, session.unacknowledged) == (2, 1)
    with pytest.raises(ValueError, match="ASDU of 250 octets"):
        session.send([b"d", bytes(250)], 0.0)
    with pytest.raises(ValueError, match="ASDU of 0 octets"):
        session.send([b"", b"d"], 0.0)
    assert words(b"".join(session.send([b"d", b"e"], 0.0).frames)) == "I3/0:d I4/0:e"


def test_the_other_side_exceeds_the_window() -> None:
    """I frames above k are taken, and counted: they are not lost for a device's mistake."""
    session = Session(ApciSettings(k=2, w=2), controlling=False, now=0.0)
    session.receive(stream("STARTDT I0/0:a I1/0:b"), 0.0)
    assert session.counts["window_exceeded"] == 0
    assert len(session.receive(stream("I2/0:c I3/0:d"), 0.0).received) == 2
    assert session.counts["window_exceeded"] == 2
    session.confirm(4, 0.0)
    session.receive(stream("I4/0:e I5/0:f I6/0:g"), 0.0)
    assert session.counts["window_exceeded"] == 3


@pytest.mark.parametrize("count", [-1, 2])
def test_what_cannot_be_confirmed(count: int) -> None:
    """No more can be in custody than has come."""
    session = Session(ApciSettings(), controlling=False, now=0.0)
    session.receive(stream("STARTDT I0/0:a"), 0.0)
    with pytest.raises(ValueError, match=rf"{count} ASDUs confirmed, not 0\.\.1"):
        session.confirm(count, 0.0)
    assert session.unconfirmed == 1


def test_who_may_start_and_stop() -> None:
    """Only the controlling station starts and stops, each in its state."""
    controlled = Session(ApciSettings(), controlling=False, now=0.0)
    with pytest.raises(ValueError, match="STARTDT act of the controlled station when STOPPED"):
        controlled.start(0.0)
    controlling = Session(ApciSettings(), controlling=True, now=0.0)
    with pytest.raises(ValueError, match="STOPDT act of the controlling station when STOPPED"):
        controlling.stop(0.0)
    controlling.start(0.0)
    with pytest.raises(ValueError, match="the controlling station sends it when STOPPED"):
        controlling.start(0.0)
    assert controlling.state is State.STARTING


def test_wrap_of_both_numbers() -> None:
    """After 32767 follows 0 (5.1), for N(S) and N(R), in a window that reaches over it."""
    session = Session(ApciSettings(k=12, w=8), controlling=True, now=0.0)
    session.start(0.0)
    session.receive(octets("STARTDT.con"), 0.0)
    for number in range(0, 32760, 8):
        session.receive(stream(" ".join(f"I{number + i}/{number}:x" for i in range(8))), 0.0)
        assert words(b"".join(session.confirm(8, 0.0).frames)) == f"S{number + 8}"
        session.send([b"y"] * 8, 0.0)
        assert session.receive(octets(f"S{number + 8}"), 0.0).acknowledged == 8

    sent = session.send([b"z"] * 12, 0.0).frames
    expected = [*range(32760, 32768), 0, 1, 2, 3]
    assert words(b"".join(sent)) == " ".join(f"I{number}/32760:z" for number in expected)
    came = " ".join(f"I{number}/32767:x" for number in expected)
    turn = session.receive(stream(came), 0.0)
    assert (len(turn.received), turn.acknowledged, turn.broken) == (12, 7, "")
    assert words(b"".join(session.confirm(8, 0.0).frames)) == "S0"
    assert session.receive(octets("S3"), 0.0).acknowledged == 4
    session.confirm(4, 0.0)
    assert words(b"".join(session.send([b"z"], 0.0).frames)) == "I4/4:z"
    assert session.receive(octets("S6"), 0.0).broken == "N(R) 6, not 3..5"


def test_wrap_of_the_range_in_the_sentence() -> None:
    """A wrong N(R) at the wrap is told from a right one."""
    session = Session(ApciSettings(k=32767, w=1), controlling=False, now=0.0)
    session.receive(octets("STARTDT"), 0.0)
    session.send([b"a"] * 32767, 0.0)
    assert session.receive(octets("S32767"), 0.0).acknowledged == 32767
    session.send([b"a", b"b"], 0.0)
    assert session.receive(octets("S2"), 0.0).broken == "N(R) 2, not 32767..1"


def test_counts() -> None:
    """What passed is counted by format, and what was out of the ordinary."""
    session = play(
        START
        + """
        send a b : >I0/0:a >I1/0:b
        < I0/2:x TESTFR : !x acked2 >TESTFR.con
        confirm 1
        ack : >S1
        test : >TESTFR
        < TESTFR.con S2 : tested
        < TESTFR.con
        """,
        controlling=True,
    )
    assert session.counts == {
        "u_out": 3, "u_in": 4, "i_out": 2, "i_in": 1, "s_out": 1, "s_in": 1,
        "tests": 1, "unexpected": 1,
    }  # fmt: skip


def test_octets_that_are_no_frame() -> None:
    """What came before them counts; they are handed out for a trace, with the sentence."""
    session = Session(ApciSettings(), controlling=False, now=0.0)
    turn = session.receive(stream("STARTDT I0/0:a") + b"\x68\x02\x00", 0.0)
    assert turn.received == [b"a"]
    assert words(b"".join(turn.frames)) == "STARTDT.con"
    assert turn.broken == "length 2, not 4..253, at octet 14"
    assert turn.unreadable == b"\x68\x02\x00"
    assert session.state is State.CLOSED
    assert session.deadline is None
    assert session.room == 0


def test_half_a_frame_is_no_sign_of_life() -> None:
    """t3 begins anew with a frame, not with an octet."""
    session = Session(ApciSettings(), controlling=False, now=0.0)
    assert session.deadline == 20.0
    session.receive(octets("TESTFR")[:5], 10.0)
    assert session.deadline == 20.0
    session.receive(octets("TESTFR")[5:], 11.0)
    assert session.deadline == 31.0
