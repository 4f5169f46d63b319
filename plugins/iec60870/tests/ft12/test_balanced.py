"""The balanced line (60870-5-2 clause 6, 101 clause 6.2.2)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from gateway_iec60870.ft12 import (
    SINGLE,
    Balanced,
    BalancedSettings,
    Control,
    Frame,
    Function,
    LinkFull,
    Turn,
)
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from ft12_dialogue import frame, play, said, word

UP = """
        at 0: >STATUS?
        < STATUS: >RESET
        < ACK: up
"""
RESET = """
        < RESET: >ACK reset
"""


def side(**given: Any) -> Balanced:
    """The controlling station, without tests of the link."""
    how: dict[str, Any] = {"controlling": True, "timeout": 1.0, "retries": 2, "test": None}
    return Balanced(BalancedSettings(**how | {"single": False} | given), 0.0)


DIALOGUES: dict[str, tuple[dict[str, Any], str]] = {
    "start-up of both directions (101 clause 6.2.2, figure 8)": (
        {},
        """
        at 0: >STATUS?
        < STATUS?: >STATUS
        < STATUS: >RESET
        < RESET: >ACK reset
        < ACK: up
        """,
    ),
    "user data with alternating FCB, one after the other": (
        {},
        UP
        + """
        send ab cd: >DATA+ab
        send ef:
        < ACK: >DATA-cd acknowledged1
        < ACK: >DATA+ef acknowledged1
        < ACK: acknowledged1
        """,
    ),
    "user data is acknowledged when it is in custody; until then it is not answered": (
        {},
        RESET.replace(">ACK reset", ">ACK >STATUS? reset")
        + """
        < DATA+ab: !ab
        < DATA+ab:
        < DATA+ab:
        confirm: >ACK
        < DATA+ab: >ACK
        < DATA-cd: !cd
        confirm: >ACK
        """,
    ),
    "custody refused: it is said again, and delivered again": (
        {},
        RESET.replace(">ACK reset", ">ACK >STATUS? reset")
        + """
        < DATA+ab: !ab
        refuse:
        < DATA+ab: !ab
        refuse:
        < DATA+ab: !ab
        confirm: >ACK
        < DATA-cd: !cd
        """,
    ),
    "the single character acknowledges, in both directions": (
        {"single": True},
        UP
        + """
        < RESET: >E5 reset
        < DATA+ab: !ab
        confirm: >E5
        < TEST-: >E5
        send a b: >DATA+a
        < E5: >DATA-b acknowledged1
        < ACK: acknowledged1
        """,
    ),
    "where it is not used it is noise": (
        {"single": False},
        UP
        + """
        send a b: >DATA+a
        < E5:
        < ACK: >DATA-b acknowledged1
        """,
    ),
    "both directions at once: ours waits for its answer, theirs is answered": (
        {},
        UP
        + RESET
        + """
        send a: >DATA+a
        < DATA+x: !x
        confirm: >ACK
        < ACK: acknowledged1
        """,
    ),
    "without an answer: the same again, then the life ends and the start-up begins anew": (
        {"pause": 1.0},
        UP
        + """
        send ab cd: >DATA+ab
        at 1: >DATA+ab
        at 2: >DATA+ab
        at 3: broken lost2 doubtful
        send ef: full
        at 4: >STATUS?
        at 5:
        at 7: >STATUS?
        < STATUS: >RESET
        < ACK: up
        """,
    ),
    "whoever speaks is there: it is asked at once": (
        {"pause": 100.0, "pause_max": 100.0},
        """
        at 0: >STATUS?
        at 1:
        at 50:
        < STATUS?: >STATUS >STATUS?
        < STATUS: >RESET
        """,
    ),
    "before its reset the link serves nothing that counts": (
        {},
        """
        at 0: >STATUS?
        < DATA+ab: >DEAD
        < TEST+: >DEAD
        < FREEab:
        < RESET: >ACK reset
        < FREEab: !ab
        """,
    ),
    "the other station restarts: our direction is reset, too": (
        {},
        UP
        + RESET
        + """
        send a b c: >DATA+a
        < ACK: >DATA-b acknowledged1
        at 0.5:
        at 6.1: >DATA-b
        < RESET: >ACK >STATUS? broken lost2 doubtful reset
        < STATUS: >RESET
        < ACK: up
        send b: >DATA+b
        """,
    ),
    "a reset that answers our own reset changes nothing": (
        {},
        UP
        + """
        send a b: >DATA+a
        < ACK: >DATA-b acknowledged1
        < RESET: >ACK reset
        < RESET: >ACK reset
        < ACK: acknowledged1
        """,
    ),
    "nor does one while nothing that counts has been said": (
        {},
        UP
        + """
        at 100:
        < RESET: >ACK reset
        send a: >DATA+a
        """,
    ),
    "a reset while custody is undecided: no ACK for what it has forgotten; it says it again": (
        {},
        RESET.replace(">ACK reset", ">ACK >STATUS? reset")
        + """
        < DATA+ab: !ab
        < RESET: >ACK reset
        < DATA+ab:
        confirm:
        < DATA+ab: !ab
        confirm: >ACK
        """,
    ),
    "its status asked for while custody is undecided: no ACK until it says it again": (
        {},
        RESET.replace(">ACK reset", ">ACK >STATUS? reset")
        + """
        < DATA+ab: !ab
        < STATUS?: >STATUS
        confirm:
        < DATA+ab: >ACK
        < DATA-cd: !cd
        < STATUS?: >STATUS
        < DATA-cd:
        confirm: >ACK
        < DATA+ef: !ef
        < STATUS?: >STATUS
        refuse:
        < DATA+ef: !ef
        confirm: >ACK
        """,
    ),
    "after a reset the first frame is new, whatever its FCB": (
        {},
        RESET.replace(">ACK reset", ">ACK >STATUS? reset")
        + """
        < DATA-ab: !ab
        confirm: >ACK
        < DATA-ab: >ACK
        < DATA+cd: !cd
        confirm: >ACK
        < RESET: >ACK reset
        < TEST-: >ACK
        < DATA+ef: !ef
        """,
    ),
    "whoever does not wait for our ACK does not get it for something else": (
        {},
        RESET.replace(">ACK reset", ">ACK >STATUS? reset")
        + """
        < DATA+ab: !ab
        < DATA-cd:
        confirm:
        < DATA-cd: !cd
        confirm: >ACK
        """,
    ),
    "a test of the link counts": (
        {},
        RESET.replace(">ACK reset", ">ACK >STATUS? reset")
        + """
        < TEST+: >ACK
        < TEST+: >ACK
        < DATA-ab: !ab
        confirm: >ACK
        """,
    ),
    "an inbox that is full: DFC, and NACK": (
        {"inbox": 2, "single": True},
        """
        at 0: >STATUS?
        < RESET: >E5 reset
        < FREEab: !ab
        < FREEcd: !cd
        < FREEef:
        < STATUS?: >STATUS*
        < DATA+gh: >NACK*
        < TEST+: >ACK*
        confirm:
        < DATA-gh: !gh
        confirm:
        confirm: >E5
        """,
    ),
    "refused without SEND/CONFIRM": (
        {},
        RESET.replace(">ACK reset", ">ACK >STATUS? reset")
        + """
        < FREEab: !ab
        < DATA+cd: !cd
        refuse:
        < DATA+cd: !cd
        """,
    ),
    "services of unbalanced lines are not there": (
        {},
        """
        at 0: >STATUS?
        < C1+: >UNKNOWN
        < DEMAND?: >UNKNOWN
        < PROCESS: >UNKNOWN
        """,
    ),
    "FCB that must count and does not: no answer": (
        {},
        RESET.replace(">ACK reset", ">ACK >STATUS? reset") + "< DATAab:",
    ),
    "the link is tested after silence, and a test that is answered changes the FCB": (
        {"test": 20.0},
        UP
        + """
        at 19.9:
        at 20: >TEST+
        < ACK:
        at 30:
        < STATUS?: >STATUS
        at 49.9:
        at 50: >TEST-
        < ACK:
        send a: >DATA+a
        """,
    ),
    "a test without an answer ends the life": (
        {"test": 20.0},
        UP
        + """
        at 20: >TEST+
        at 21: >TEST+
        at 22: >TEST+
        at 23: broken
        at 24: >STATUS?
        """,
    ),
    "whoever has no test is asked for its status, from the next life on": (
        {"test": 20.0},
        UP
        + """
        at 20: >TEST+
        < UNKNOWN: broken
        at 21: >STATUS?
        < STATUS: >RESET
        < ACK: up
        at 41: >STATUS?
        < STATUS:
        send a: >DATA+a
        """,
    ),
    "a test that is not accepted": (
        {"test": 20.0},
        UP
        + """
        at 20: >TEST+
        < NACK:
        at 40: >TEST+
        """,
    ),
    "NACK and DFC: the link status until there is room, then again with its FCB": (
        {},
        UP
        + """
        send a b: >DATA+a
        < NACK*:
        at 1: >STATUS?
        < STATUS*:
        at 2: >STATUS?
        < STATUS: >DATA+a
        < ACK*: acknowledged1
        at 3: >STATUS?
        < STATUS: >DATA-b
        """,
    ),
    "its link does not function any more": (
        {},
        UP
        + """
        send a: >DATA+a
        < DEAD: broken lost1 doubtful
        at 1: >STATUS?
        """,
    ),
    "taken back before it was said": (
        {},
        UP
        + """
        send a b: >DATA+a
        withdraw 0: gone
        withdraw 1: back
        < ACK: acknowledged1
        """,
    ),
}


@pytest.mark.parametrize("name", DIALOGUES)
def test_dialogue(name: str) -> None:
    """The dialogue goes as its name says."""
    given, dialogue = DIALOGUES[name]
    play(side(**given), dialogue)


def test_why_lives_end() -> None:
    """Each end of a life has a sentence."""
    reset = "send a: >DATA+a\n< ACK: acknowledged1\nat 7:\n< RESET: >ACK >STATUS? broken reset"
    assert play(side(), UP + reset) == ["station 1 has reset the link"]
    tested = "at 20: >TEST+\n< UNKNOWN: broken"
    assert play(side(test=20.0), UP + tested) == ["station 1: link service not implemented"]


def test_directions_and_addresses() -> None:
    """The controlling station says DIR = 1 and hears 0, the controlled one the reverse. In an
    exchange the address is that of its secondary station; others' are left."""
    a = side(local=3, remote=4)
    [asked] = a.tick(0.0).frames
    assert asked == Frame(Control(Function.REQUEST_STATUS, True), 4)
    a.leaves(asked)
    assert said(a.receive(Frame(Control(Function.STATUS), 4), 0.0)) == ">RESET@4"
    [answer] = a.receive(Frame(Control(Function.REQUEST_STATUS), 3), 0.0).frames
    assert answer == Frame(Control(Function.STATUS, True), 3)

    b = side(local=4, remote=3, controlling=False)
    [answer] = b.receive(Frame(Control(Function.REQUEST_STATUS, True), 4), 0.0).frames[:1]
    assert answer == Frame(Control(Function.STATUS, False), 4)

    b.receive(Frame(Control(Function.REQUEST_STATUS, False), 4), 0.0)  # our own, come back
    b.receive(Frame(Control(Function.REQUEST_STATUS, True), 5), 0.0)
    b.receive(SINGLE, 0.0)
    b.receive(Frame(Control(Function.ACK, True), 3), 0.0)
    assert b.counts == {"direction": 1, "address": 1, "unexpected": 2}


def test_without_addresses() -> None:
    """A line without link addresses works."""
    a = side(octets=0)
    [asked] = a.tick(0.0).frames
    assert asked == Frame(Control(Function.REQUEST_STATUS, True), 0)
    a.leaves(asked)
    assert said(a.receive(Frame(Control(Function.STATUS), 0), 0.0)) == ">RESET@0"


def test_early_answers() -> None:
    """An ACK that comes before our frame is on the line was for something else."""
    a = side(single=True)
    play(a, UP)
    [data, *_] = a.send([b"a", b"b"], 1.0).frames
    assert a.deadline is None
    assert said(a.receive(SINGLE, 1.0)) == ""
    a.leaves(data)
    a.sent(data, 1.1)
    assert a.deadline == 2.1
    turn = a.receive(SINGLE, 1.2)
    assert (turn.acknowledged, [word(one) for one in turn.frames]) == (1, ["DATA-b"])
    # Its second answer, to what the line had doubled.
    assert said(a.receive(SINGLE, 1.2)) == ""
    assert a.counts == {"early": 2}


def test_counts() -> None:
    """Everything that is left or said again is counted."""
    a = side(inbox=2)
    play(
        a,
        """
        at 0: >STATUS?
        < DATA+ab: >DEAD
        < FREEab:
        < C1+: >UNKNOWN
        < RESET: >ACK reset
        < DATAab:
        < DATA+ab: !ab
        < DATA+ab:
        < DATA-cd:
        < FREEef: !ef
        < FREEgh:
        refuse:
        < DATA-cd: !cd
        refuse:
        """,
    )
    assert a.counts == {
        "not_reset": 2,
        "unsupported": 1,
        "fcv": 1,
        "repeated": 1,
        "held": 1,
        "inbox_full": 1,
        "refused_for_good": 2,
        "refused": 1,
    }


def test_bounds() -> None:
    """No more ASDUs wait than may, none is empty or too long, and only what came is confirmed; a
    tick before its time does nothing."""
    a = side(queue=2)
    assert not a.up
    with pytest.raises(LinkFull, match="1 ASDUs to station 1, room for 0"):
        a.send([b"a"], 0.0)
    play(a, UP)
    assert (a.up, a.room(), a.deadline) == (True, 2, None)
    assert a.tick(5.0) == Turn(station=1)
    with pytest.raises(LinkFull, match="3 ASDUs to station 1, room for 2"):
        a.send([b"a"] * 3, 0.0)
    with pytest.raises(ValueError, match=r"an ASDU of 254 octets, not 1\.\.253"):
        a.send([bytes(254)], 0.0)
    with pytest.raises(ValueError, match="group 2: a primary station has none but 1"):
        a.send([b"a"], 0.0, 2)
    with pytest.raises(ValueError, match="1 confirmed of 0 that were received"):
        a.confirm(1, 0.0)


@settings(deadline=None, max_examples=300)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                [
                    "RESET",
                    "STATUS?",
                    "DATA+a",
                    "DATA-b",
                    "TEST+",
                    "TEST-",
                    "FREEc",
                    "E5",
                    "ACK",
                    "STATUS",
                ]
            ),
            st.sampled_from(["NACK*", "DEAD", "UNKNOWN", "C1+", "send", "confirm", "refuse"]),
            st.floats(0.1, 30.0),
        ),
        max_size=60,
    )
)
def test_any_order(steps: list[str | float]) -> None:
    """Whatever happens in whatever order: at most one frame answers, one of ours is out at a time,
    queues are bounded, and every ASDU that was handed over is acknowledged, lost or still there."""
    a = side(inbox=2, queue=3, test=20.0)
    now, given, settled = 0.0, 0, 0
    for step in steps:
        turn = Turn()
        if isinstance(step, float):
            now += step
            if a.deadline is not None and a.deadline <= now:
                turn = a.tick(now)
        elif step == "send":
            if a.room():
                given += 1
                turn = a.send([b"x"], now)
        elif step == "confirm":
            turn = a.confirm(min(1, a.unconfirmed), now)
        elif step == "refuse":
            turn = a.refuse(now)
        else:
            turn = a.receive(frame(step), now)
        ours = [one for one in turn.frames if one.control is not None and one.control.prm]
        assert len(ours) <= 1
        assert len(turn.frames) - len(ours) <= 1
        for one in ours:
            a.leaves(one)
            a.sent(one, now)
        settled += turn.acknowledged + turn.lost
        assert a.unconfirmed <= 2
        assert given - settled == (3 - a.room() if a.up else 0)
