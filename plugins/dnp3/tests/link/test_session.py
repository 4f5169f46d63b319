"""Dialogues on the link layer (IEEE 1815-2012, clause 9), by a clock that the test moves.

In a dialogue `>` is what this side sends and `<` what it hears; `!` is delivered.
"""

from __future__ import annotations

import re

import pytest
from gateway_dnp3.link import (
    Broadcast,
    Control,
    Frame,
    Function,
    LinkEvent,
    LinkFull,
    LinkSession,
    LinkSettings,
    Turn,
)
from gateway_dnp3.link.control import CONTROLS
from hypothesis import given, settings
from hypothesis import strategies as st

MASTER = LinkSettings(1, 10, True, keep_alive=None, timeout=2.0, retries=1)
CONFIRMED = LinkSettings(1, 10, True, confirmed=True, keep_alive=None, timeout=2.0, retries=1)
OUTSTATION = LinkSettings(10, 1, False, keep_alive=None)

SHORT = {
    "RESET": Function.RESET_LINK_STATES,
    "TEST": Function.TEST_LINK_STATES,
    "DATA": Function.CONFIRMED_USER_DATA,
    "FREE": Function.UNCONFIRMED_USER_DATA,
    "STATUS?": Function.REQUEST_LINK_STATUS,
    "ACK": Function.ACK,
    "NACK": Function.NACK,
    "STATUS": Function.LINK_STATUS,
    "NONE": Function.NOT_SUPPORTED,
}
NAMES = {function: name for name, function in SHORT.items()}
EVENT = {event.name.lower(): event for event in LinkEvent}


def frame(text: str, *, master: bool, source: int, destination: int) -> Frame:
    """`DATA+ab`: FCB set; `DATA-ab`: clear; `ACK*`: DFC set; letters are the data."""
    match = re.fullmatch(r"([A-Z]+\??)([+-]?)(\*?)([a-z]*)", text)
    assert match is not None, text
    name, count, full, data = match.groups()
    control = Control(SHORT[name], master, count == "+", bool(count or full))
    return Frame(control, destination, source, data.encode())


def text(one: Frame) -> str:
    control = one.control
    mark = ("+" if control.fcb else "-") if control.prm and control.fcv else ""
    return NAMES[Function(control.function)] + mark + "*" * control.dfc + one.data.decode()


def said(turn: Turn) -> str:
    """What came of a turn, in one line."""
    words = [f">{text(one)}" for one in turn.frames]
    words += [f"!{payload.data.decode()}" for payload in turn.received]
    words += [f"sent{turn.sent}"] * bool(turn.sent) + [f"lost{turn.lost}"] * bool(turn.lost)
    return " ".join(words + [event.name.lower() for event in turn.events])


def play(side: LinkSettings, dialogue: str) -> LinkSession:
    """Play lines `stimulus: what comes of it`; stimuli are `send ab`, `ask`, `test`, `< FRAME`,
    `full`, `room`, and `at 2.5`, which moves the clock and ticks where that is due."""
    now = 0.0
    session = LinkSession(side, now)
    for line in dialogue.strip().splitlines():
        stimulus, _, expected = (part.strip() for part in line.partition(":"))
        word, _, rest = stimulus.partition(" ")
        turn = Turn()
        if word == "send":
            turn = session.send(rest.encode(), now)
        elif word == "ask":
            turn = session.ask(now)
        elif word == "test":
            turn = session.ask(now, Function.TEST_LINK_STATES)
        elif word == "<":
            other = not side.master
            heard = frame(rest, master=other, source=side.remote, destination=side.local)
            turn = session.receive(heard, now)
        elif word == "at":
            now = float(rest)
            if session.deadline is not None and session.deadline <= now:
                turn = session.tick(now)
        else:
            session.full = word == "full"
        assert said(turn) == expected, line
        for one in turn.frames:
            assert one.control.dir == side.master
            assert (one.source, one.destination) == (side.local, side.remote)
    return session


DIALOGUES = {
    "unconfirmed data leaves at once, and nothing is due": (
        MASTER,
        """
        send ab: >FREEab sent1
        send cd: >FREEcd sent1
        at 100:
        """,
    ),
    "unconfirmed data does not wait for an answer that is due": (
        MASTER,
        """
        ask: >STATUS?
        send ab: >FREEab sent1
        < STATUS: alive
        """,
    ),
    "confirmed data: reset, then the frame count bit alternates from 1 (9.2.4.1.3.4)": (
        CONFIRMED,
        """
        send a: >RESET
        < ACK: >DATA+a
        < ACK: sent1
        send b: >DATA-b
        send c:
        < ACK: >DATA+c sent1
        < ACK: sent1
        at 100:
        """,
    ),
    "a frame without an answer is repeated with its frame count bit, then given up": (
        CONFIRMED,
        """
        send a: >RESET
        < ACK: >DATA+a
        at 1.9:
        at 2: >DATA+a
        at 3.9:
        send b:
        at 4: lost2 failed silent
        at 100:
        send c: >RESET
        """,
    ),
    "the answer to a repetition goes on": (
        CONFIRMED,
        """
        send a: >RESET
        at 2: >RESET
        < ACK: >DATA+a
        at 4: >DATA+a
        < ACK: sent1
        send b: >DATA-b
        at 6: >DATA-b
        < ACK: sent1
        """,
    ),
    "a late second answer is not taken for the next one's": (
        CONFIRMED,
        """
        send a: >RESET
        < ACK: >DATA+a
        at 2: >DATA+a
        < ACK: sent1
        < ACK:
        """,
    ),
    "NACK asks for a reset (the other side has restarted)": (
        CONFIRMED,
        """
        send a: >RESET
        < ACK: >DATA+a
        < ACK: sent1
        send b: >DATA-b
        < NACK: >RESET
        < ACK: >DATA+b
        < ACK: sent1
        """,
    ),
    "whoever refuses again and again is given up, but is not silent": (
        CONFIRMED,
        """
        send a: >RESET
        < ACK: >DATA+a
        < NACK: >RESET
        < ACK: >DATA+a
        < NACK: lost1 failed
        """,
    ),
    "no room: the link status is asked for until there is some, and the frame is said again": (
        CONFIRMED,
        """
        send a: >RESET
        < ACK: >DATA+a
        < NACK*:
        at 2: >STATUS?
        < STATUS: >DATA+a
        < ACK*: sent1
        send b: >STATUS?
        < STATUS*:
        at 4: >STATUS?
        < STATUS: >DATA-b
        < ACK: sent1
        """,
    ),
    "no room for too long": (
        CONFIRMED,
        """
        send a: >RESET
        < ACK: >DATA+a
        < NACK*:
        at 2: >STATUS?
        < STATUS*: lost1 failed
        """,
    ),
    "whoever has no confirmed data is given up at once": (
        CONFIRMED,
        """
        send a: >RESET
        < NONE: lost1 failed
        """,
    ),
    "an answer to something else is waited past": (
        CONFIRMED,
        """
        send a: >RESET
        < STATUS:
        < NACK:
        < ACK: >DATA+a
        """,
    ),
    "a test of the link needs a reset, and counts": (
        CONFIRMED,
        """
        test: >RESET
        < ACK: >TEST+
        < ACK: alive
        send a: >DATA-a
        < NACK: >RESET
        < ACK: >DATA+a
        """,
    ),
    "a question without an answer": (
        MASTER,
        """
        ask: >STATUS?
        at 2: >STATUS?
        at 4: silent
        at 100:
        """,
    ),
    "whoever does not know the question is there": (
        MASTER,
        """
        ask: >STATUS?
        < NONE: alive
        """,
    ),
    "the secondary station: unconfirmed data, link status, reset": (
        OUTSTATION,
        """
        < FREEab: !ab
        < FREEab: !ab
        < STATUS?: >STATUS
        < RESET: >ACK reset
        < RESET: >ACK reset
        < STATUS?: >STATUS
        """,
    ),
    "the secondary station: a repetition is confirmed and not delivered (SecAckWrongFCB)": (
        OUTSTATION,
        """
        < RESET: >ACK reset
        < DATA-a: >ACK
        < DATA+a: >ACK !a
        < DATA+a: >ACK
        < DATA-b: >ACK !b
        < TEST+: >ACK
        < TEST+: >ACK
        < DATA-c: >ACK !c
        < RESET: >ACK reset
        < DATA+d: >ACK !d
        """,
    ),
    "the secondary station: counted frames before a reset are refused": (
        OUTSTATION,
        """
        < DATA+a: >NACK
        < TEST+: >NACK
        """,
    ),
    "the secondary station: no room": (
        OUTSTATION,
        """
        < RESET: >ACK reset
        full:
        < DATA+a: >NACK*
        < STATUS?: >STATUS*
        < TEST+: >ACK*
        room:
        < DATA-a: >ACK !a
        """,
    ),
    "both sides at once: ours waits, theirs is answered": (
        CONFIRMED,
        """
        send a: >RESET
        < RESET: >ACK reset
        < DATA+x: >ACK !x
        < ACK: >DATA+a
        < DATA-y: >ACK !y
        < ACK: sent1
        """,
    ),
    "keep-alive: after the interval without a frame, and not before": (
        LinkSettings(1, 10, True, keep_alive=60.0, timeout=2.0, retries=1),
        """
        at 59.9:
        send ab: >FREEab sent1
        at 60: >STATUS?
        < STATUS: alive
        at 119.9:
        < FREEab: !ab
        at 179.8:
        at 180: >STATUS?
        at 182: >STATUS?
        at 184: silent
        at 243.9:
        at 244: >STATUS?
        """,
    ),
}


@pytest.mark.parametrize("name", DIALOGUES)
def test_dialogue(name: str) -> None:
    """The dialogue goes as its name says."""
    play(*DIALOGUES[name])


def test_early_ticks() -> None:
    """A tick before its time does nothing."""
    session = LinkSession(MASTER, 0.0)
    assert session.tick(1.0) == Turn()
    session.ask(1.0)
    assert session.deadline == 3.0
    assert session.tick(2.9) == Turn()


@pytest.mark.parametrize(
    ("one", "count"),
    [
        (Frame(Control(Function.UNCONFIRMED_USER_DATA, True), 11, 1, b"a"), "address"),
        (Frame(Control(Function.UNCONFIRMED_USER_DATA, True), 10, 2, b"a"), "address"),
        (Frame(Control(Function.UNCONFIRMED_USER_DATA, True), 0xFFFC, 1, b"a"), "address"),
        (Frame(Control(Function.UNCONFIRMED_USER_DATA, False), 10, 1, b"a"), "direction"),
        (Frame(Control(Function.ACK, True), 10, 1), "unexpected"),
        (Frame(Control(Function.UNCONFIRMED_USER_DATA, True, False, True), 10, 1, b"a"), "fcv"),
        (Frame(Control(Function.CONFIRMED_USER_DATA, True, True, False), 10, 1, b"a"), "fcv"),
        (Frame(Control(Function.RESET_LINK_STATES, True), 0xFFFE, 1), "unexpected"),
        (Frame(Control(Function.REQUEST_LINK_STATUS, True), 0xFFFF, 1), "unexpected"),
        (Frame(Control(Function.CONFIRMED_USER_DATA, True, 1, 1), 0xFFFD, 1, b"a"), "unexpected"),
    ],
)
def test_left(one: Frame, count: str) -> None:
    """A frame that is not for this station, or makes no sense, is counted and not answered."""
    session = LinkSession(OUTSTATION, 0.0)

    assert session.receive(one, 1.0) == Turn()
    assert session.counts == {count: 1}


def test_reserved_function() -> None:
    """A primary function that is reserved is answered: not supported."""
    session = LinkSession(OUTSTATION, 0.0)

    [answer] = session.receive(Frame(Control(0x47, True), 10, 1), 0.0).frames

    assert answer == Frame(Control(Function.NOT_SUPPORTED, False), 1, 10)
    assert session.counts == {"unsupported": 1}


@pytest.mark.parametrize("address", [0xFFFD, 0xFFFE, 0xFFFF])
def test_broadcast(address: int) -> None:
    """User data for all is delivered to outstations, which say nothing, and to no master."""
    sent = LinkSession(CONFIRMED, 0.0).send(b"a", 0.0, address)
    [one] = sent.frames
    assert one == Frame(Control(Function.UNCONFIRMED_USER_DATA, True), address, 1, b"a")
    assert sent.sent == 1

    turn = LinkSession(OUTSTATION, 0.0).receive(one, 0.0)
    assert said(turn) == "!a"
    assert turn.received[0].broadcast == Broadcast(address)

    session = LinkSession(LinkSettings(10, 1, True), 0.0)
    assert session.receive(one._replace(control=one.control._replace(dir=False)), 0.0) == Turn()


def test_self_address() -> None:
    """Where it is wanted, a frame to whoever hears it is answered with the station's address."""
    session = LinkSession(LinkSettings(10, 1, False, self_address=True), 0.0)

    [answer] = session.receive(
        Frame(Control(Function.REQUEST_LINK_STATUS, True), 0xFFFC, 1), 0.0
    ).frames

    assert answer == Frame(Control(Function.LINK_STATUS, False), 1, 10)


def test_bounds() -> None:
    """No more payloads wait than may; none is empty or too long; only a master broadcasts."""
    session = LinkSession(LinkSettings(1, 10, True, confirmed=True, queue=2), 0.0)
    session.send(b"a", 0.0)
    session.send(bytes(250), 0.0)
    assert session.waiting == 2
    with pytest.raises(LinkFull, match="2 payloads wait already"):
        session.send(b"c", 0.0)
    with pytest.raises(ValueError, match=r"0 octets of user data, not 1\.\.250"):
        session.send(b"", 0.0)
    with pytest.raises(ValueError, match=r"251 octets of user data, not 1\.\.250"):
        session.send(bytes(251), 0.0)
    with pytest.raises(ValueError, match="destination 10: only a master sends"):
        session.send(b"a", 0.0, 10)
    with pytest.raises(ValueError, match="destination 65535: only a master sends"):
        LinkSession(OUTSTATION, 0.0).send(b"a", 0.0, 65535)
    with pytest.raises(ValueError, match="RESET_LINK_STATES asks nothing"):
        session.ask(0.0, Function.RESET_LINK_STATES)


def heard() -> st.SearchStrategy[Frame]:
    control = st.integers(0, 255).map(CONTROLS.__getitem__)
    to, by = st.sampled_from([10, 10, 10, 11, 0xFFFC, 0xFFFF]), st.sampled_from([1, 1, 1, 2])
    return st.builds(Frame, control, to, by, st.sampled_from([b"", b"a"]))


STEP = st.one_of(
    heard(), st.sampled_from(["send", "ask", "test", "full", "room"]), st.floats(0.0, 100.0)
)


@settings(deadline=None)
@given(st.booleans(), st.lists(STEP, max_size=80))
def test_any_dialogue(confirmed: bool, steps: list[Frame | str | float]) -> None:
    """Whatever is heard and wanted: every payload is sent or lost once, the queue keeps its bound,
    time goes on, and when nobody answers any more there is an end."""
    now = 0.0
    session = LinkSession(
        LinkSettings(10, 1, False, confirmed=confirmed, self_address=True, queue=3), now
    )
    wanted = through = 0

    def tick() -> int:
        turn = session.tick(now)
        assert session.deadline is None or session.deadline > now
        return turn.sent + turn.lost

    for step in steps:
        turn = Turn()
        if isinstance(step, Frame):
            turn = session.receive(step, now)
            assert len(turn.frames) <= 1
        elif isinstance(step, float):
            end = now + step
            while session.deadline is not None and session.deadline <= end:
                now = session.deadline
                through += tick()
            now = end
        elif step in ("full", "room"):
            session.full = step == "full"
        elif session.waiting < 3:
            test = Function.TEST_LINK_STATES
            wanted += step == "send"
            turn = (
                session.send(b"x", now)
                if step == "send"
                else session.ask(now, test if step == "test" else Function.REQUEST_LINK_STATUS)
            )
        through += turn.sent + turn.lost
        assert session.waiting <= 3
    for _ in range(20):
        if session.waiting:
            assert session.deadline is not None
            now = session.deadline
            through += tick()
    assert session.waiting == 0
    assert through == wanted


@pytest.mark.parametrize(
    ("given_", "sentence"),
    [
        ({"local": 65520}, "local address 65520, not 0..65519"),
        ({"remote": -1}, "remote address -1, not 0..65519"),
        ({"remote": 1}, "address 1 is that of both sides"),
        ({"timeout": 0.0}, "timeout and keep_alive must be above 0 s"),
        ({"keep_alive": 0.0}, "timeout and keep_alive must be above 0 s"),
        ({"retries": -1}, "-1 retries and a queue of 64: at least 0 and 1"),
        ({"queue": 0}, "2 retries and a queue of 0: at least 0 and 1"),
    ],
)
def test_settings(given_: dict[str, float], sentence: str) -> None:
    """Settings that cannot be are refused with what was found and what is allowed."""
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the whole sentence is compared
        LinkSettings(**{"local": 1, "remote": 10, "master": True, **given_})  # type: ignore[arg-type]

    assert str(error.value) == sentence
