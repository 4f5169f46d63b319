"""Dialogues on the link in one line for each step, by a clock that the test moves.

`stimulus: what comes of it`. In both `DATA+ab` is SEND/CONFIRM with FCB set and the ASDU "ab",
`DATA-ab` the same with FCB clear; `C1+` a request for class 1; `GIVE` its answer; `^` is ACD, `*`
is DFC; `@5` the address where it is not 1. `>` is what this side says, `!` what it delivers.
"""

from __future__ import annotations

import re
from typing import Any

from gateway_iec60870.ft12 import SINGLE, Control, Frame, Function, LinkFull, Turn

NAMES = {
    Function.RESET_REMOTE_LINK: "RESET",
    Function.RESET_USER_PROCESS: "PROCESS",
    Function.TEST_LINK: "TEST",
    Function.USER_DATA: "DATA",
    Function.USER_DATA_NO_REPLY: "FREE",
    Function.ACCESS_DEMAND: "DEMAND?",
    Function.REQUEST_STATUS: "STATUS?",
    Function.REQUEST_CLASS_1: "C1",
    Function.REQUEST_CLASS_2: "C2",
    Function.ACK: "ACK",
    Function.NACK: "NACK",
    Function.RESPOND: "GIVE",
    Function.NO_DATA: "NONE",
    Function.STATUS: "STATUS",
    Function.NOT_FUNCTIONING: "DEAD",
    Function.NOT_IMPLEMENTED: "UNKNOWN",
}
FUNCTIONS = {name: function for function, name in NAMES.items()}


def frame(text: str, dir_: bool = False) -> Frame:
    """The frame that a word says."""
    if text == "E5":
        return SINGLE
    match = re.fullmatch(r"(C1|C2|[A-Z]+\??)([+-]?)(\^?)(\*?)([a-z]*)(?:@(\d+))?", text)
    assert match is not None, text
    name, count, acd, dfc, data, address = match.groups()
    control = Control(FUNCTIONS[name], dir_, bool(acd) or count == "+", bool(count or dfc))
    return Frame(control, int(address or 1), data.encode())


def word(one: Frame) -> str:
    """The word for a frame."""
    control = one.control
    if control is None:
        return "E5"
    if control.prm:
        marks = ("+" if control.fcb else "-") if control.fcv else ""
    else:
        marks = "^" * control.acd + "*" * control.dfc
    at = f"@{one.address}" if one.address != 1 else ""
    return NAMES[Function(control.function)] + marks + one.asdu.decode() + at


def said(turn: Turn) -> str:
    """What came of a turn, in one line."""
    words = [f">{word(one)}" for one in turn.frames]
    words += [f"!{asdu.decode()}" for asdu in turn.received]
    words += [f"acknowledged{turn.acknowledged}"] * bool(turn.acknowledged)
    words += [f"acknowledged2:{turn.acknowledged_2}"] * bool(turn.acknowledged_2)
    words += ["broken"] * bool(turn.broken) + [f"lost{turn.lost}"] * bool(turn.lost)
    words += [f"lost2:{turn.lost_2}"] * bool(turn.lost_2) + ["doubtful"] * turn.doubtful
    return " ".join(words + [event.name.lower() for event in turn.events])


def play(session: Any, dialogue: str, *, end: Any = None, dir_: bool = False) -> list[str]:
    """Play a dialogue; returns the sentences why lives ended.

    session: has `receive`, `leaves`, `sent`, `tick`, `deadline`; `end`, by default the same one,
             has the rest.
    dir_:    the DIR bit of what is heard.

    Stimuli are `< FRAME`, `send ab cd` (`send2` for class 2), `confirm`, `refuse`, `withdraw 0`,
    `broadcast ab`, and `at 2.5`, which moves the clock and ticks where that is due. Every frame has
    left the line at once.
    """
    end = end or session
    now, sentences = 0.0, []
    for line in filter(str.strip, dialogue.splitlines()):
        stimulus, _, expected = (part.strip() for part in line.partition(":"))
        verb, _, rest = stimulus.partition(" ")
        turn = Turn()
        heard = ""
        if verb == "<":
            turn = session.receive(frame(rest, dir_), now)
        elif verb in ("send", "send2"):
            try:
                asdus = [part.encode() for part in rest.split()]
                turn = end.send(asdus, now, 2 if verb == "send2" else 1)
            except LinkFull:
                heard = "full"
        elif verb == "broadcast":
            turn = session.broadcast(rest.encode(), now)
        elif verb == "confirm":
            turn = end.confirm(1, now)
        elif verb == "refuse":
            turn = end.refuse(now)
        elif verb == "withdraw":
            heard = "back" if end.withdraw(int(rest)) else "gone"
        else:
            assert verb == "at", line
            now = float(rest)
            if session.deadline is not None and session.deadline <= now:
                turn = session.tick(now)
        come = [turn]
        for one in come:
            for left in one.frames:
                session.leaves(left)
                come.append(session.sent(left, now))
        found = " ".join(filter(None, [said(one) for one in come])) or heard
        assert found == expected, line
        sentences += [one.broken for one in come if one.broken]
    return sentences
