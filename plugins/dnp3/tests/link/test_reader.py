"""Frames out of streams that begin anywhere, break off and are damaged."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

import pytest
from gateway_dnp3.link import Control, Frame, Function, Reader, encode
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import checksum

RESET = bytes.fromhex("056405C001000004E921")
DATA = bytes.fromhex("056414F3010000040A3BC0C3013C02063C03063C04063C01069A12")
READ = Frame(Control(Function.RESET_LINK_STATES, True), 1, 1024)


def with_header(text: str) -> bytes:
    """A header with the check that it needs, by the published CRC."""
    return checksum.seal_dnp(bytes.fromhex(text))


BAD = [
    # octets, what is counted; the first five after opendnp3's TestLinkReceiver.cpp
    ("header check", RESET[:9] + b"\x20", {"header_check": 1, "garbage": 10}),
    ("data check", DATA[:-1] + b"\x11", {"data_check": 1, "garbage": 27}),
    ("LEN 1", with_header("056401C001000004"), {"length": 1, "garbage": 10}),
    ("data with a reset", with_header("056408C001000004 010203"), {"length": 1}),
    ("no data", with_header("0564057300040100"), {"length": 1}),
    ("noise", b"noise", {"garbage": 5}),
    ("half a start", b"\x64\x05\x05\x65", {"garbage": 4}),
]


@pytest.mark.parametrize(("name", "octets", "errors"), BAD, ids=[row[0] for row in BAD])
def test_bad(name: str, octets: bytes, errors: dict[str, int]) -> None:
    """What is no frame is counted by its fault, and the frame after it is found, however it is
    cut."""
    for cut in range(len(octets) + len(RESET)):
        reader = Reader()
        stream = octets + RESET
        assert reader.feed(stream[:cut]) + reader.feed(stream[cut:]) == [READ]
        assert reader.errors == errors
        assert reader.held == 0


def test_resynchronises_inside() -> None:
    """A start that is none does not cost the frame that begins in it (opendnp3: Resync0564)."""
    reader = Reader()

    assert reader.feed(bytes.fromhex("0564") + RESET) == [READ]
    assert reader.errors == {"header_check": 1, "garbage": 2}


def test_lost_octets() -> None:
    """A frame that lost octets on the line does not take the next one with it."""
    for lost in range(11, len(DATA)):
        reader = Reader()
        stream = DATA[:11] + DATA[lost + 1 :] if lost > 11 else DATA[:11] + DATA[12:]
        found = reader.feed(stream + RESET + RESET + RESET) + reader.flush()
        assert found == [READ] * 3


def test_flush() -> None:
    """When the line falls silent, a frame that broke off is given up, and what stood inside it,
    where the next one had begun, is found."""
    reader = Reader()
    assert reader.feed(DATA[:12] + RESET) == []
    assert reader.held == 22

    assert reader.flush() == [READ]
    assert reader.errors == {"truncated": 1, "garbage": 12}
    assert reader.flush() == []


def test_reserved_functions() -> None:
    """A frame of a reserved function is handed on: the station answers that it has none."""
    [frame] = Reader().feed(with_header("056405C601000004"))

    assert frame.control == Control(0x46, True)


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[Frame], list[bytes]]:
    """Frames, and them with noise that holds no start between them, in random pieces."""
    frames, stream = [], b""
    for _ in range(draw(st.integers(1, 6))):
        function = draw(st.sampled_from(list(Function)))
        with_data = function in (Function.CONFIRMED_USER_DATA, Function.UNCONFIRMED_USER_DATA)
        data = draw(st.binary(min_size=1, max_size=250)) if with_data else b""
        control = Control(function, draw(st.booleans()), draw(st.booleans()), draw(st.booleans()))
        address = st.integers(0, 65535)
        frames.append(Frame(control, draw(address), draw(address), data))
        noise = draw(st.binary(max_size=20)).replace(b"\x05", b"\x06")
        stream += noise + encode(frames[-1])
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=20)))
    edges = [0, *cuts, len(stream)]
    return frames, [stream[a:b] for a, b in pairwise(edges)]


@settings(deadline=None)
@given(streams())
def test_any_frames_in_any_pieces(case: tuple[list[Frame], list[bytes]]) -> None:
    """Whatever the pieces, the frames come out, in their order and none besides."""
    frames, pieces = case
    reader = Reader()

    assert [frame for piece in pieces for frame in reader.feed(piece)] == frames
    assert reader.held == 0


@settings(deadline=None)
@given(st.lists(st.binary(max_size=400), max_size=10))
def test_any_octets(pieces: list[bytes]) -> None:
    """Whatever comes: every octet is in a frame, counted, or held, 291 at most."""
    reader = Reader()
    frames = []
    for piece in pieces:
        frames += reader.feed(piece)
        assert reader.held <= 291
    frames += reader.flush()

    left = reader.errors["garbage"]
    assert sum(map(len, pieces)) == sum(len(encode(frame)) for frame in frames) + left


def test_damaged_streams() -> None:
    """Of 2,000 frames in a stream with 300 flipped bits, those not hit come out, in order."""
    chance = random.Random(1815)
    sent = [
        Frame(Control(Function.UNCONFIRMED_USER_DATA, True), n, 1, chance.randbytes(n % 250 + 1))
        for n in range(2000)
    ]
    octets = [bytearray(encode(frame)) for frame in sent]
    hit = set()
    for _ in range(300):
        at = chance.randrange(len(octets))
        octets[at][chance.randrange(len(octets[at]))] ^= 1 << chance.randrange(8)
        hit.add(at)
    stream, reader, found = b"".join(octets), Reader(), []
    while stream:
        cut = chance.randrange(1, 1000)
        found += reader.feed(stream[:cut])
        stream = stream[cut:]

    whole = [frame for number, frame in enumerate(sent) if number not in hit]
    assert Counter(found) - Counter(whole) == Counter()
    assert found == whole
