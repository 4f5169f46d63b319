"""The secondary station of an unbalanced line (60870-5-2 clause 5, 101 clause 6.2.1)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from gateway_iec60870.ft12 import (
    Control,
    Frame,
    Function,
    LinkFull,
    Secondary,
    SecondarySettings,
    Turn,
)
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from ft12_dialogue import frame, play

PLAIN = SecondarySettings(address=1, single=False, silence=None)
SINGLE = SecondarySettings(address=1, silence=None)

DIALOGUES = {
    "start-up: the status of the link, then its reset (101 clause 6.2.1, figure 6)": (
        PLAIN,
        """
        < STATUS?: >STATUS
        < RESET: >ACK up
        """,
    ),
    "before the reset nothing that counts is served": (
        PLAIN,
        """
        < C1+: >DEAD
        < C2+: >DEAD
        < DATA+ab: >DEAD
        < FREEab:
        < RESET: >ACK up
        < DATA+ab: >ACK !ab
        """,
    ),
    "no data: NACK, requested data not available": (
        PLAIN,
        """
        < RESET: >ACK up
        < C1+: >NONE
        < C2-: >NONE
        """,
    ),
    "the single character for ACK and no data, where ACD and DFC are not set (6.2.1.1)": (
        SINGLE,
        """
        < STATUS?: >STATUS
        < RESET: >E5 up
        < C2+: >E5
        < DATA-ab: >E5 !ab
        send x:
        < C2+: >NONE^
        < DATA-cd: >ACK^ !cd
        """,
    ),
    "class 1 data is demanded (ACD), given, and acknowledged by the next FCB": (
        PLAIN,
        """
        < RESET: >ACK up
        send a b:
        < STATUS?: >STATUS^
        < DEMAND?: >STATUS^
        < C2+: >NONE^
        < C1-: >GIVE^a
        < C1+: >GIVEb acknowledged1
        < C1-: >NONE acknowledged1
        < C1+: >NONE
        """,
    ),
    "the same FCB again: the same answer again, and nothing is acknowledged": (
        PLAIN,
        """
        < RESET: >ACK up
        send a b:
        < C1+: >GIVE^a
        < C1+: >GIVE^a
        < C1+: >GIVE^a
        < C1-: >GIVEb acknowledged1
        < C1-: >GIVEb
        """,
    ),
    "any frame that counts acknowledges: user data, too, and a request for the other class": (
        PLAIN,
        """
        < RESET: >ACK up
        send a:
        send2 x:
        < C1+: >GIVEa
        < DATA-ab: >ACK !ab acknowledged1
        < DATA-ab: >ACK
        < C2+: >GIVEx
        < C1-: >NONE acknowledged2:1
        """,
    ),
    "what does not count acknowledges nothing": (
        PLAIN,
        """
        < RESET: >ACK up
        send a:
        < C1+: >GIVEa
        < STATUS?: >STATUS
        < FREEab: !ab
        < C1+: >GIVEa
        """,
    ),
    "the classes keep their orders apart": (
        PLAIN,
        """
        < RESET: >ACK up
        send a b:
        send2 x y:
        < C2+: >GIVE^x
        < C1-: >GIVE^a acknowledged2:1
        < C2+: >GIVE^y acknowledged1
        < C1-: >GIVEb acknowledged2:1
        < C1+: >NONE acknowledged1
        """,
    ),
    "class 1 for class 2, where both have agreed on it (101 clause 8.3)": (
        SecondarySettings(address=1, single=False, silence=None, class_1_for_2=True),
        """
        < RESET: >ACK up
        send a:
        send2 x:
        < C2+: >GIVE^x
        < C2-: >GIVEa acknowledged2:1
        < C2+: >NONE acknowledged1
        """,
    ),
    "a reset ends the life: what was not acknowledged is given back": (
        PLAIN,
        """
        < RESET: >ACK up
        send a b:
        send2 x:
        < C1+: >GIVE^a
        < RESET: >ACK broken lost2 lost2:1 doubtful up
        < C1+: >NONE
        send b:
        < RESET: >ACK broken lost1 up
        """,
    ),
    "an inbox that is full: NACK and DFC, until there is room; broadcasts are dropped": (
        SecondarySettings(address=1, single=True, silence=None, inbox=1),
        """
        < RESET: >E5 up
        < DATA+ab: >ACK* !ab
        < DATA-cd: >NACK*
        < FREEef:
        < FREEef@255:
        < STATUS?: >STATUS*
        < C1-: >NONE*
        confirm:
        < STATUS?: >STATUS
        < DATA+cd: >ACK* !cd
        refuse:
        < STATUS?: >STATUS
        """,
    ),
    "a NACK acknowledges what was given before, and its frame comes again": (
        SecondarySettings(address=1, single=False, silence=None, inbox=1),
        """
        < RESET: >ACK up
        send a:
        < DATA+ab: >ACK^* !ab
        < C1-: >GIVE*a
        < DATA+cd: >NACK* acknowledged1
        confirm:
        < DATA+cd: >ACK* !cd
        """,
    ),
    "after a reset the first frame is new, whatever its FCB": (
        PLAIN,
        """
        < RESET: >ACK up
        send a:
        < C1-: >GIVEa
        < C1-: >GIVEa
        < RESET: >ACK broken lost1 doubtful up
        send b:
        < C1-: >GIVEb
        < C1+: >NONE acknowledged1
        """,
    ),
    "broadcasts are taken and not answered": (
        PLAIN,
        """
        < RESET: >ACK up
        < FREEab@255: !ab
        < FREEcd: !cd
        < DATA+ab@255:
        < RESET@255:
        < STATUS?@255:
        """,
    ),
    "what is for others, and what others say, is left": (
        PLAIN,
        """
        < RESET: >ACK up
        < RESET@2:
        < GIVEab@2:
        < E5:
        < ACK:
        < FREEab@2:
        """,
    ),
    "services that are not there": (
        PLAIN,
        """
        < RESET: >ACK up
        < PROCESS: >UNKNOWN
        < TEST+: >UNKNOWN
        < C1+: >NONE
        """,
    ),
    "FCB that must count and does not: no answer": (
        PLAIN,
        """
        < RESET: >ACK up
        < C1:
        < DATAab:
        """,
    ),
    "a master that asks nothing is called silent, once, until it asks again": (
        SecondarySettings(address=1, single=False, silence=60.0),
        """
        at 59:
        < RESET: >ACK up
        at 100:
        < STATUS?@2:
        at 118.9:
        at 119: silent
        at 500:
        < C1+: >NONE heard
        at 559:
        at 560: silent
        """,
    ),
    "ASDUs are taken back as long as they were not asked for": (
        PLAIN,
        """
        < RESET: >ACK up
        send a b c:
        withdraw 1: back
        < C1+: >GIVE^a
        withdraw 0: gone
        < C1-: >GIVEc acknowledged1
        """,
    ),
    "more than there is room for, and before the reset": (
        SecondarySettings(address=1, single=False, silence=None, queue=2),
        """
        send a: full
        < RESET: >ACK up
        send a b c: full
        send a b:
        send2 x y:
        send2 z: full
        """,
    ),
}


@pytest.mark.parametrize("name", DIALOGUES)
def test_dialogue(name: str) -> None:
    """The dialogue goes as its name says."""
    own, dialogue = DIALOGUES[name]
    sentences = play(Secondary(own, 0.0), dialogue)
    assert set(sentences) <= {"the primary station has reset the link of station 1"}


def test_two_octets() -> None:
    """With two octets of address, 65535 is for all and 255 for one."""
    session = Secondary(SecondarySettings(address=255, octets=2, single=False), 0.0)
    reset = Frame(Control(Function.RESET_REMOTE_LINK), 255)
    assert session.receive(reset, 0.0).frames == [Frame(Control(Function.ACK), 255)]
    to_all = Frame(Control(Function.USER_DATA_NO_REPLY), 65535, b"a")
    assert session.receive(to_all, 0.0).received == [b"a"]


def test_counts() -> None:
    """Everything that is left is counted."""
    session = Secondary(SecondarySettings(address=1, single=False, inbox=1), 0.0)
    play(
        session,
        """
        < C1+: >DEAD
        < FREEab:
        < RESET: >ACK up
        < C1+: >NONE
        < C1+: >NONE
        < C1:
        < RESET@2:
        < TEST-: >UNKNOWN
        < STATUS?@255:
        < DATA-ab: >ACK* !ab
        < DATA+ab: >NACK*
        < FREEab:
        refuse:
        < RESET: >ACK broken up
        """,
    )
    assert session.counts == {
        "not_reset": 2,
        "repeated": 1,
        "fcv": 1,
        "others": 1,
        "unsupported": 2,
        "inbox_full": 2,
        "refused_for_good": 1,
        "lives": 1,
    }


def test_made_when_asked_for() -> None:
    """What makes an ASDU is called when it goes on the line; a repetition is the same answer."""
    session = Secondary(PLAIN, 0.0)
    session.receive(frame("RESET"), 0.0)
    made = iter([b"first", b"second"])
    session.send([lambda: next(made)], 0.0)

    [one] = session.receive(frame("C1+"), 1.0).frames
    assert one.asdu == b"first"
    assert session.receive(frame("C1+"), 2.0).frames == [one]


def test_bounds() -> None:
    """ASDUs that no frame carries, classes that are none and confirmations of nothing are refused;
    a tick before its time does nothing."""
    session = Secondary(PLAIN, 0.0)
    session.receive(frame("RESET"), 0.0)
    with pytest.raises(ValueError, match=r"an ASDU of 0 octets, not 1\.\.253"):
        session.send([b""], 0.0)
    with pytest.raises(ValueError, match=r"an ASDU of 254 octets, not 1\.\.253"):
        session.send([bytes(254)], 0.0, 2)
    with pytest.raises(ValueError, match="group 3: user data is of class 1 or 2"):
        session.send([b"a"], 0.0, 3)
    with pytest.raises(ValueError, match="1 confirmed of 0 that were received"):
        session.confirm(1, 0.0)
    with pytest.raises(LinkFull, match="17 ASDUs of class 1, room for 16"):
        session.send([b"a"] * 17, 0.0)
    assert session.tick(1e9) == Turn(station=1)


@settings(deadline=None, max_examples=300)
@given(st.lists(st.tuples(st.integers(0, 255), st.sampled_from([1, 2, 255])), max_size=40))
def test_any_frames(frames: list[tuple[int, int]]) -> None:
    """Whatever comes, at most one frame answers it, only if it was for this station, and what the
    inbox holds is bounded."""
    session = Secondary(SecondarySettings(address=1, inbox=2), 0.0)
    for octet, address in frames:
        heard = Frame(_control(octet), address, b"x" if octet & 0x0F in (3, 4, 8) else b"")
        turn = session.receive(heard, 0.0)
        assert len(turn.frames) <= (address == 1 and octet & 0x40 > 0)
        assert all(one.control is None or not one.control.prm for one in turn.frames)
        assert session.unconfirmed <= 2


def _control(octet: int) -> Control:
    number = octet & 0x4F
    known = number in list(Function)
    return Control(
        Function(number) if known else number,
        bool(octet & 0x80),
        bool(octet & 0x20),
        bool(octet & 0x10),
    )
