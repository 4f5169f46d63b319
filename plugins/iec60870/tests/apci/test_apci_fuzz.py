"""Whatever comes, a session takes it: frames or a sentence, and never more than a frame held."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest
from gateway_iec60870.apci import ApciSettings, Reader, Session, State, Turn
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from apdu_wire import octets, stream

NUMBERS = st.integers(0, 9)
WORDS = st.one_of(
    st.sampled_from(["STARTDT", "STARTDT.con", "STOPDT", "STOPDT.con", "TESTFR", "TESTFR.con"]),
    NUMBERS.map(lambda n: f"S{n}"),
    st.tuples(NUMBERS, NUMBERS).map(lambda n: f"I{n[0]}/{n[1]}:a"),
)
SPEECH = st.lists(st.one_of(WORDS.map(octets), st.binary(max_size=5)), max_size=12).map(b"".join)


def begun(controlling: bool) -> Session:
    """A session that is started and has sent three ASDUs."""
    session = Session(ApciSettings(), controlling=controlling, now=0.0)
    if controlling:
        session.start(0.0)
    session.receive(octets("STARTDT.con" if controlling else "STARTDT"), 0.0)
    session.send([b"x", b"y", b"z"], 0.0)
    return session


def total(turns: list[Turn]) -> tuple[bytes, list[bytes], int, list[object], str]:
    """All that came of some turns."""
    return (
        b"".join(frame for turn in turns for frame in turn.frames),
        [asdu for turn in turns for asdu in turn.received],
        sum(turn.acknowledged for turn in turns),
        [event for turn in turns for event in turn.events],
        turns[-1].broken if turns else "",
    )


@settings(max_examples=500)
@given(st.one_of(st.binary(max_size=600), SPEECH), st.booleans(), st.booleans())
def test_any_octets(data: bytes, controlling: bool, started: bool) -> None:
    """Any octets come to the same, whole or octet by octet: ASDUs, answers, and the sentence."""
    sessions = [
        begun(controlling) if started else Session(ApciSettings(), controlling=controlling, now=0.0)
        for _ in range(2)
    ]

    whole = total([sessions[0].receive(data, 1.0)])
    single = [sessions[1].receive(bytes((octet,)), 1.0) for octet in data]

    assert total([*single, sessions[1].receive(b"", 1.0)]) == whole
    for session in sessions:
        assert 0 <= session.unacknowledged <= 12
        assert session.unconfirmed == len(whole[1])
        if whole[4]:
            assert session.state is State.CLOSED
            assert session.deadline is None
        else:
            assert session.deadline is not None
            assert session.deadline > 1.0


@pytest.mark.parametrize("seed", range(20))
def test_a_damaged_octet(seed: int) -> None:
    """A stream with one wrong octet ends with a sentence or in order; it never hangs or grows."""
    rng = random.Random(seed)
    good = stream(" ".join(f"I{n}/{n % 4}:{'a' * (1 + n % 200)}" for n in range(60)))
    for _ in range(100):
        data = bytearray(good)
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        reader, session = Reader(), begun(False)
        for start in range(0, len(data), 97):
            chunk = bytes(data[start : start + 97])
            reader.feed(chunk)
            session.receive(chunk, 0.0)
            assert reader.held <= 254
        assert session.unconfirmed <= 60


def test_noise_holds_nothing() -> None:
    """A megabyte of noise ends the stream at once, and nothing of it is kept."""
    rng = random.Random(1)
    reader = Reader()
    for _ in range(256):
        reader.feed(rng.randbytes(4096))
    assert (reader.held, reader.error is None) == (0, False)
    assert reader.error is not None
    assert len(reader.error.octets) <= 255
