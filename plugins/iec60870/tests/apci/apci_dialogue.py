"""Dialogues with a session, line by line, by a clock that the test moves.

`stimulus : what comes of it`, or a stimulus of which nothing comes. Stimuli:
  `start`, `stop`, `halt`, `test`, `ack`, `deafen`, `listen`, `close why`
  `send ab c`    ASDUs
  `confirm 2`
  `< S5 I0/0:a`  frames that come in one read, see `apdu_wire`
  `at 2.5`       moves the clock; ticks if that is due
What comes of it: `>FRAME` is sent, `!asdu` has come, `acked2`, events in small letters, and last
`broken: sentence`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from gateway_iec60870.apci import ApciSettings, Session, State, Turn

sys.path.insert(0, str(Path(__file__).parent))
from apdu_wire import stream, word


def said(turn: Turn) -> str:
    """What came of a turn, in one line."""
    found = [f"!{asdu.decode()}" for asdu in turn.received]
    found += [f"acked{turn.acknowledged}"] * bool(turn.acknowledged)
    found += [event.name.lower() for event in turn.events]
    found += [f">{word(frame)}" for frame in turn.frames]
    found += [f"broken: {turn.broken}"] * bool(turn.broken)
    return " ".join(found)


def play(dialogue: str, *, controlling: bool, settings: ApciSettings | None = None) -> Session:
    """Play a dialogue; the clock begins at 0."""
    now = 0.0
    session = Session(settings or ApciSettings(), controlling=controlling, now=now)
    for line in filter(None, (line.strip() for line in dialogue.splitlines())):
        stimulus, _, expected = (part.strip() for part in line.partition(" : "))
        verb, _, rest = stimulus.partition(" ")
        turn = Turn()
        match verb:
            case "start":
                turn = session.start(now)
            case "stop":
                turn = session.stop(now)
            case "halt":
                session.halt()
            case "test":
                turn = session.test(now)
            case "ack":
                turn = session.acknowledge()
            case "deafen":
                session.deafen(now)
            case "listen":
                session.listen(now)
            case "close":
                session.close(rest)
            case "send":
                turn = session.send([asdu.encode() for asdu in rest.split()], now)
            case "confirm":
                turn = session.confirm(int(rest), now)
            case "<":
                turn = session.receive(stream(rest), now)
            case "at":
                now = float(rest)
                due = session.state is State.CLOSED or (session.deadline or now) <= now
                turn = session.tick(now)
                assert due or turn == Turn(), line
                assert (session.deadline or now + 1) > now, line
            case _:
                raise AssertionError(line)
        assert said(turn) == expected, line
    return session
