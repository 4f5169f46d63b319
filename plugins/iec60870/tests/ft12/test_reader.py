"""Frames out of streams that begin anywhere, break off and are damaged."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from gateway_iec60870.ft12 import SINGLE, Control, Frame, Function, Reader, encode
from hypothesis import given, settings
from hypothesis import strategies as st

RESET = bytes.fromhex("10 40 01 41 16")
READ = Frame(Control(Function.RESET_REMOTE_LINK), 1)
DATA = bytes.fromhex("68 09 09 68 73 01 64 01 06 01 00 00 14 F4 16")

BAD = [
    # what is wrong (60870-5-1, FT1.2, rule R6), octets, what is counted
    ("start", "11 40 01 41 16", {"garbage": 5}),
    ("checksum, fixed", "10 40 01 42 16", {"checksum": 1, "garbage": 5}),
    ("end, fixed", "10 40 01 41 17", {"end": 1, "garbage": 5}),
    ("checksum", "68 03 03 68 08 01 55 5F 16", {"checksum": 1, "length": 1, "garbage": 9}),
    ("end", "68 03 03 68 08 01 55 5E 17", {"end": 1, "length": 1, "garbage": 9}),
    ("two lengths", "68 03 04 68 08 01 55 5E 16", {"length": 2, "garbage": 9}),
    ("second start", "68 03 03 69 08 01 55 5E 16", {"length": 1, "garbage": 9}),
    ("too short a length", "68 01 01 68 08 08 16", {"length": 2, "garbage": 7}),
    ("reserved single character", "A2", {"garbage": 1}),
    ("a single character in the noise", "FF E5", {"single": 0, "garbage": 2}),
    ("no ASDU where one is due", "10 43 01 44 16", {"form": 1}),
    ("an ASDU where none is due", "68 03 03 68 0B 01 55 61 16", {"form": 1}),
]


@pytest.mark.parametrize(("name", "octets", "errors"), BAD, ids=[row[0] for row in BAD])
def test_bad(name: str, octets: str, errors: dict[str, int]) -> None:
    """What is no frame is counted by its fault, and the frame after it is found, however it is
    cut."""
    stream = bytes.fromhex(octets) + RESET
    for cut in range(len(stream)):
        reader = Reader(1)
        assert reader.feed(stream[:cut]) + reader.feed(stream[cut:]) == [READ]
        errors_found = {name: n for name, n in reader.errors.items() if n and name != "single"}
        assert errors_found == {name: n for name, n in errors.items() if n}
        assert reader.held == 0


def test_no_acknowledgement_out_of_a_damaged_frame() -> None:
    """An octet E5 inside a frame whose start was damaged is no acknowledgement, nor is one behind
    what may only look like a frame of fixed length. After silence, after a frame of variable length
    or two of fixed length in a row it is one."""
    damaged = bytes.fromhex("69 05 05 68 08 01 E5 E5 E5 B8 16")
    reader = Reader(1)
    assert reader.feed(damaged) == []
    assert reader.waiting
    assert reader.feed(b"\xe5") == []
    assert reader.errors["single"] == 1
    assert reader.flush() == []
    assert not reader.waiting
    assert reader.feed(b"\xe5") == [SINGLE]

    assert Reader(1).feed(damaged + RESET + b"\xe5\xe5") == [READ]
    assert Reader(1).feed(damaged + RESET + RESET + b"\xe5") == [READ, READ, SINGLE]
    assert Reader(1).feed(damaged + DATA + b"\xe5")[1:] == [SINGLE]


def test_no_acknowledgement_out_of_noise() -> None:
    """A single character with which something begins that is no frame is noise, too."""
    reader = Reader(1)
    assert reader.feed(bytes.fromhex("E5 0D A9") + RESET) == [READ]
    assert reader.errors == {"single": 1, "garbage": 3}
    assert reader.flush() == []
    assert reader.feed(b"\xe5" + RESET) == [SINGLE, READ]


def test_octets_that_got_lost() -> None:
    """A frame that lost any one of its octets costs no more than itself and the one that begins in
    it; silence shows that it broke off."""
    for lost in range(len(DATA)):
        reader = Reader(1)
        stream = DATA[:lost] + DATA[lost + 1 :]
        assert reader.feed(stream + RESET) + reader.flush() == [READ]
        assert not reader.waiting


def test_flush() -> None:
    """When the line falls silent, a frame that broke off is given up, and what stood inside it,
    where the next one had begun, is found."""
    reader = Reader(1)
    assert reader.feed(DATA[:6] + RESET) == []
    assert reader.held == 11

    assert reader.flush() == [READ]
    assert reader.errors == {"truncated": 1, "garbage": 6, "length": 1}
    assert reader.flush() == []


@pytest.mark.parametrize("octets", [-1, 3])
def test_sizes_of_addresses(octets: int) -> None:
    """A link address has 0, 1 or 2 octets."""
    with pytest.raises(ValueError, match=rf"a link address of {octets} octets, not 0\.\.2"):
        Reader(octets)


@st.composite
def streams(draw: st.DrawFn) -> tuple[int, list[Frame], list[bytes]]:
    """Frames, and them with noise that holds no start between them, in random pieces."""
    octets, noisy = draw(st.integers(0, 2)), draw(st.booleans())
    frames, stream = [], b""
    for _ in range(draw(st.integers(1, 6))):
        function = draw(st.sampled_from(list(Function)))
        with_asdu = function in (
            Function.USER_DATA,
            Function.USER_DATA_NO_REPLY,
            Function.RESPOND,
        )
        asdu = draw(st.binary(min_size=1, max_size=254 - octets)) if with_asdu else b""
        control = Control(function, draw(st.booleans()), draw(st.booleans()), draw(st.booleans()))
        frames.append(Frame(control, draw(st.integers(0, 256**octets - 1)), asdu))
        noise = draw(st.binary(max_size=20)).translate(bytes(range(256)), b"\x10\x68\xe5")
        if not noisy and draw(st.booleans()):
            # Nobody could tell it from noise beside it.
            frames.insert(-1, SINGLE)
            noise = b"\xe5"
        elif not noisy:
            noise = b""
        stream += noise + encode(frames[-1], octets)
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=20)))
    return octets, frames, [stream[a:b] for a, b in pairwise([0, *cuts, len(stream)])]


@settings(deadline=None)
@given(streams())
def test_any_frames_in_any_pieces(case: tuple[int, list[Frame], list[bytes]]) -> None:
    """Whatever the pieces, the frames come out, in their order and none besides."""
    octets, frames, pieces = case
    reader = Reader(octets)

    assert [frame for piece in pieces for frame in reader.feed(piece)] == frames
    assert reader.held == 0


@settings(deadline=None, max_examples=300)
@given(
    st.integers(0, 2),
    st.lists(
        st.one_of(
            st.binary(max_size=400),
            st.lists(st.sampled_from(b"\x10\x68\x03\x16\xe5\x00"), max_size=60).map(bytes),
        ),
        max_size=10,
    ),
)
def test_any_octets(octets: int, pieces: list[bytes]) -> None:
    """Whatever comes: every octet is in a frame, counted, or held, 260 at most."""
    reader = Reader(octets)
    frames = []
    for piece in pieces:
        frames += reader.feed(piece)
        assert reader.held <= 260
    frames += reader.flush()

    found = sum(len(encode(frame, octets)) for frame in frames)
    # A frame of wrong form is left as a whole: as long as its octets say.
    left = sum(map(len, pieces)) - found - reader.errors["garbage"]
    assert 0 <= left <= 261 * reader.errors["form"]
    assert (left > 0) == (reader.errors["form"] > 0) or octets == 0


def test_damaged_streams() -> None:
    """Of 2,000 frames in a stream in which 300 have one octet replaced, none comes out changed, and
    nearly all come out that were not hit. (Two octets can make the sum right again: parity is what
    finds those on a line.)"""
    chance = random.Random(60870)
    control = Control(Function.USER_DATA_NO_REPLY)
    sent = [Frame(control, n % 255, n.to_bytes(2, "big") * (n % 120 + 1)) for n in range(2000)]
    octets = [bytearray(encode(frame, 1)) for frame in sent]
    hit = set(chance.sample(range(len(octets)), 300))
    for at in hit:
        octets[at][chance.randrange(len(octets[at]))] ^= chance.randrange(1, 256)
    stream, reader, found = b"".join(octets), Reader(1), []
    while stream:
        cut = chance.randrange(1, 1000)
        found += reader.feed(stream[:cut])
        stream = stream[cut:]
    found += reader.flush()

    assert set(found) <= set(sent)
    assert found == sorted(found, key=sent.index)
    missing = set(range(len(sent))) - {sent.index(frame) for frame in found}
    # A damaged length may swallow whole frames, but not what begins after them.
    assert hit <= missing
    assert len(missing) <= 1.1 * len(hit)
