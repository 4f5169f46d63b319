"""Commands, and octets that are none."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from gateway_c37118.server.answers import Answers, Reader
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.c37118 import Command, Configuration, PmuConfiguration

sys.path.insert(0, str(Path(__file__).parent))
import pdc_wire as wire

NOW = 1_767_225_600_250_000_000
ANSWERS = Answers(Configuration(7, (PmuConfiguration("A", 7),), 50), "A PMU")


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.one_of(st.sampled_from(list(range(1, 7))), st.binary(max_size=40)), max_size=8),
    st.data(),
)
def test_noise_between_commands(parts: list[int | bytes], data: st.DataObject) -> None:
    """In whatever portions octets come, each command behind noise without 0xAA is answered."""
    octets = b"".join(
        wire.command(7, one) if isinstance(one, int) else one.replace(b"\xaa", b"\0")
        for one in parts
    )
    reader = Reader(Counter())
    found = []
    at = 0
    while at < len(octets):
        n = data.draw(st.integers(1, len(octets)))
        found += reader.feed(octets[at : at + n])
        at += n
    words = [one for one in parts if isinstance(one, int)]
    assert [whole for _, whole in found] == [wire.command(7, word) for word in words]
    answers = [ANSWERS.answer(frame, NOW) for frame, _ in found]
    assert [a.command for a in answers if a] == [Command(word) for word in words]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=6))
def test_any_octets(parts: list[bytes]) -> None:
    """No octets make the reader fail, or keep more than a frame that a client may send."""
    reader = Reader(Counter())
    for octets in parts:
        for frame, _ in reader.feed(b"\xaa\x42" + octets):
            ANSWERS.answer(frame, NOW)
    assert len(reader._octets) <= 1024


def test_a_client_that_never_ends_a_frame() -> None:
    """A frame that is longer than any command is noise at once, and what follows is answered."""
    counts: Counter[str] = Counter()
    ((frame, _),) = Reader(counts).feed(b"\xaa\x42\xff\xff" + wire.command(7, wire.START))
    assert frame.body == b"\0\2"
    assert counts == {"bad_frames": 1}


def test_the_time_of_answers() -> None:
    """A configuration and a header have the time of the answer, in parts of TIME_BASE."""
    for word in (wire.SEND_CONFIG_2, wire.SEND_HEADER):
        ((frame, _),) = Reader(Counter()).feed(wire.command(7, word))
        answer = ANSWERS.answer(frame, NOW)
        assert answer is not None
        assert wire.kind(answer.frame) in (wire.CONFIG_2, wire.HEADER)
        assert int.from_bytes(answer.frame[6:10]) == 1_767_225_600
        assert int.from_bytes(answer.frame[10:14]) == 250_000
