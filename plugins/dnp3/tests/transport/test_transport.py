"""Segments and fragments (IEEE 1815-2012, clause 8)."""

from __future__ import annotations

import pytest
from gateway_dnp3.transport import PAYLOAD, Reassembly, count, split
from hypothesis import given, settings
from hypothesis import strategies as st

SPLITS = [
    # octets of the fragment, first sequence, header octets; FIN 0x80, FIR 0x40 (8.2.2)
    (1, 0, [0xC0]),
    (249, 1, [0xC1]),
    (250, 2, [0x42, 0x83]),
    (498, 62, [0x7E, 0xBF]),
    (499, 62, [0x7E, 0x3F, 0x80]),
    # opendnp3's SendFullAPDU: 2048 octets are nine segments
    (2048, 0, [0x40, 1, 2, 3, 4, 5, 6, 7, 0x88]),
]


@pytest.mark.parametrize(("octets", "sequence", "headers"), SPLITS)
def test_split(octets: int, sequence: int, headers: list[int]) -> None:
    """A fragment becomes full segments and a rest; FIR, FIN and sequence are where they belong."""
    fragment = bytes(i % 251 for i in range(octets))

    segments = list(split(fragment, sequence))

    assert [segment[0] for segment in segments] == headers
    assert b"".join(segment[1:] for segment in segments) == fragment
    assert all(len(segment) == 1 + PAYLOAD for segment in segments[:-1])
    assert count(octets) == len(headers)


def test_split_refuses() -> None:
    """A fragment without octets is none."""
    with pytest.raises(ValueError, match="a fragment without octets"):
        list(split(b"", 0))


RECEIVED = [
    # name, segments, fragments, counts; * from opendnp3's TestTransportLayer.cpp
    ("one segment *", "C077", ["77"], {"fragments": 1}),
    ("any sequence", "FF77", ["77"], {"fragments": 1}),
    ("segments of any size *", "400A0B0C 810D0E0F", ["0A0B0C0D0E0F"], {"fragments": 1}),
    ("a last one without octets *", "41DEADBEEF 82", ["DEADBEEF"], {"fragments": 1}),
    ("over the end of the numbers", "7F01 0002 8103", ["010203"], {"fragments": 1}),
    ("no first *", "8077", [], {"no_first": 1}),
    ("one is missing *", "4001 8202 8303", [], {"sequence": 1, "no_first": 1}),
    ("a new first *", "4001 C0ABCD", ["ABCD"], {"abandoned": 1, "fragments": 1}),
    ("a repetition", "4001 0102 0102 8203", ["010203"], {"repeated": 1, "fragments": 1}),
    ("a repeated first", "4001 4001 8102", ["0102"], {"abandoned": 1, "fragments": 1}),
    ("the same number, other octets", "4001 0102 0103 8204", [], {"sequence": 1, "no_first": 1}),
    ("a repeated last", "4001 8102 8102", ["0102"], {"fragments": 1, "no_first": 1}),
    ("after a fault", "4001 8302 C005", ["05"], {"sequence": 1, "fragments": 1}),
    ("too long", "4001020304 8105 C006", ["06"], {"too_long": 1, "fragments": 1}),
    ("too long at once", "C00102030405 4001 8102", ["0102"], {"too_long": 1, "fragments": 1}),
]


@pytest.mark.parametrize(
    ("name", "segments", "fragments", "counts"), RECEIVED, ids=[row[0] for row in RECEIVED]
)
def test_received(name: str, segments: str, fragments: list[str], counts: dict[str, int]) -> None:
    """Segments make the fragments that the clause says, and what is left is counted."""
    reassembly = Reassembly(limit=4 if name.startswith("too long") else 2048)

    found = [reassembly.feed(bytes.fromhex(segment)) for segment in segments.split()]

    assert [one.hex().upper() for one in found if one is not None] == fragments
    assert reassembly.counts == counts


def test_nothing() -> None:
    """Frames without data, and a fragment that its connection took with it, leave nothing."""
    reassembly = Reassembly()
    assert reassembly.feed(b"") is None
    assert reassembly.feed(b"\x40a") is None
    reassembly.reset()
    assert reassembly.feed(b"\x81b") is None
    assert reassembly.counts == {"empty": 1, "no_first": 1}
    with pytest.raises(ValueError, match="a limit of 0 octets, not 1 or more"):
        Reassembly(0)


@settings(deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=2048), max_size=5), st.integers(0, 63))
def test_what_is_split_comes_back(fragments: list[bytes], sequence: int) -> None:
    """Fragments come back as they were, in their order."""
    reassembly, found = Reassembly(), []
    for fragment in fragments:
        found += [reassembly.feed(segment) for segment in split(fragment, sequence)]
        sequence += count(len(fragment))

    assert [one for one in found if one is not None] == fragments


@settings(deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=60))
def test_any_segments(segments: list[bytes]) -> None:
    """Whatever comes: a fragment within the limit, or nothing, and each segment in one count or
    in the fragment under way."""
    reassembly = Reassembly(limit=100)

    for segment in segments:
        fragment = reassembly.feed(segment)
        assert fragment is None or len(fragment) <= 100
        assert sum(map(len, reassembly._parts or ())) <= 100
