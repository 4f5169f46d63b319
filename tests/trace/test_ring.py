"""The ring keeps the last frames within its bound, and what they did."""

from __future__ import annotations

import itertools
import sys
import tracemalloc
from enum import StrEnum

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gateway.trace import LONGEST, Did, Ring

SIZE = 10_000


def ring(size: int = SIZE) -> Ring:
    """A ring whose clock counts."""
    return Ring(size, itertools.count(1).__next__)


def octets(points: tuple[int, ...]) -> bytes:
    """Ids of points as the ring is given them."""
    return np.array(points, np.int32).tobytes()


def test_frames_have_numbers_times_and_what_was_said() -> None:
    """What is shown comes out again, in order, numbered from 1."""
    one = ring()
    one.add("tx", b"ask", "a note", "10.0.0.1:502")
    one.add("rx", b"answer")
    assert [tuple(frame) for frame in one.after(0, 10)] == [
        (1, 1, "tx", b"ask", 3, "a note", "10.0.0.1:502", ()),
        (2, 2, "rx", b"answer", 6, "", "", ()),
    ]
    assert [frame.number for frame in one.after(1, 10)] == [2]
    assert one.after(2, 10) == []
    assert [frame.number for frame in one.after(0, 1)] == [1]


@given(st.lists(st.integers(0, 300), min_size=1, max_size=300), st.integers(0, 300))
def test_the_oldest_go_and_are_counted(sizes: list[int], known: int) -> None:
    """Of any frames the last ones are there, none missing between, and the others are counted."""
    one = ring()
    for n, size in enumerate(sizes, 1):
        one.add("rx", n.to_bytes(2, "big") + bytes(size))
    frames = one.after(0, 1000)
    assert one.last == len(sizes)
    assert len(one) == len(frames) == len(sizes) - one.gone
    assert [frame.number for frame in frames] == list(range(one.gone + 1, len(sizes) + 1))
    assert all(frame.octets[:2] == frame.number.to_bytes(2, "big") for frame in frames)
    asked = [frame.number for frame in one.after(known, 7)]
    assert asked == [n for n in range(known + 1, len(sizes) + 1) if n > one.gone][:7]
    used = sum(len(frame.octets) for frame in frames)
    assert used <= SIZE
    if one.gone:
        assert used + 30 * len(frames) > SIZE / 2


def test_the_bound_is_that_of_memory() -> None:
    """A full ring takes no more memory than it may, whatever the frames are."""
    for length in (1, 12, 250):
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        one = Ring(1_000_000, lambda: 1_700_000_000_000_000_000 + len(sys.argv))
        for n in range(50_000):
            direction = "rx" if n % 2 else "tx"
            one.add(direction, b"x" * (length - 1) + bytes((n & 0xFF,)), "", "10.0.0.1:502")
            if n % 2:
                points = (n, n + 1000, n + 2000, n + 3000)
                one.did(1000 + n, n, octets(points), 10**18 + n)
        taken = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
        assert one.gone > 0
        assert taken < 1_000_000 * 1.1, length


def test_a_long_frame_is_cut() -> None:
    """Its first octets are kept, and its length is told."""
    one = ring(1_000_000)
    one.add("rx", b"x" * 100_000)
    (frame,) = one.after(0, 1)
    assert (len(frame.octets), frame.length) == (LONGEST, 100_000)


def test_what_can_change_is_copied() -> None:
    """A buffer that is used again leaves the frame as it was."""
    buffer = bytearray(b"abc")
    one = ring()
    one.add("rx", buffer)
    buffer[:] = b"xyz"
    assert one.after(0, 1)[0].octets == b"abc"


def test_what_a_frame_did_stands_with_it() -> None:
    """Several things a frame did come in their order; what none did is left."""
    one = ring()
    early, first, second = (Did(n, n, (n,)) for n in range(3))
    one.did(*early[:2], octets(early[2]))
    one.add("rx", b"1")
    one.did(*first[:2], octets(first[2]))
    one.add("tx", b"2")
    one.did(*second[:2], octets(second[2]))
    assert [frame.did for frame in one.after(0, 9)] == [(first, second), ()]


def test_of_a_burst_each_answer_has_its_own() -> None:
    """What was received at a time is of the frame shown right after it, not of the last one."""
    times = itertools.count(10, 10)
    one = Ring(SIZE, times.__next__)
    one.add("rx", b"10")
    one.add("tx", b"20")
    one.add("rx", b"30")
    one.add("rx", b"40")
    dids = [Did(n, n, (n,)) for n in (1, 3, 4)]
    for did, received in zip(dids, (9, 29, 38), strict=True):
        one.did(*did[:2], octets(did[2]), received)
    assert [frame.did for frame in one.after(0, 9)] == [(dids[0],), (), (dids[1],), (dids[2],)]
    # The same where only the last of them are asked for.
    assert [frame.did for frame in one.after(2, 1)] == [(dids[1],)]


def test_a_source_that_emits_without_frames_takes_no_room() -> None:
    """What is emitted long after a frame is not kept for ever, and pushes no frame out."""
    one = ring()
    one.add("rx", b"1")
    for n in range(1000):
        one.did(n, n, octets((n,)))
    (frame,) = one.after(0, 9)
    assert [did.samples for did in frame.did] == list(range(16))


def test_what_was_pushed_out_did_nothing() -> None:
    """What a frame did stays with it, and goes with it."""
    one = ring()
    for n in range(1000):
        one.add("rx", b"x" * 8)
        one.did(n, n, octets((n,)))
    frames = one.after(0, 1000)
    assert 0 < len(frames) < 1000
    assert [frame.did[0].samples + 1 for frame in frames] == [frame.number for frame in frames]
    one.add("rx", b"x")
    assert [frame.did[0].samples for frame in one.after(990, 3)] == [990, 991, 992]


class Word(StrEnum):
    """A word that is no plain text."""

    TX = "tx"


def test_whatever_a_link_hands_over_is_kept() -> None:
    """Words of an enumeration and numbers of numpy are as good as plain ones."""
    one = ring()
    one.add(Word.TX, b"1", Word.TX)
    one.did(np.int64(3), np.int32(2), octets((7,)))  # type: ignore[arg-type]
    for _ in range(100):
        one.add("rx", b"2")
    frame = one.after(0, 1)[0]
    assert (frame.direction, frame.note) == ("tx", "tx")


def test_of_what_waited_the_frame_before_is_named() -> None:
    """An emission that waited for room is of the frame that it followed; a loss of any frame."""
    one = ring()
    one.add("rx", b"1")
    one.add("tx", b"2")
    one.add("tx", b"3")
    one.did(7, 7, octets((1,)), frame=2)
    one.did(8, 8, octets((1,)), frame=2, lost=True)
    assert [frame.did for frame in one.after(0, 9)] == [
        (Did(7, 7, (1,)),),
        (Did(8, 8, (1,), lost=True),),
        (),
    ]
