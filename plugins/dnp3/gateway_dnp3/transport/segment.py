"""Segments: a fragment cut into what a frame can carry (IEEE 1815-2012, clause 8)."""

from __future__ import annotations

from collections.abc import Iterator

FIN = 0x80
FIR = 0x40
SEQUENCE = 0x3F
PAYLOAD = 249
"""Most octets of a fragment in one segment; the header octet is the 250th of the frame's data."""


def count(octets: int) -> int:
    """Return how many segments a fragment of so many octets has."""
    return -(-octets // PAYLOAD)


def split(fragment: bytes, sequence: int) -> Iterator[bytes]:
    """Yield the segments of a fragment, the first one with this sequence number, 0..63.

    The next fragment goes on from `sequence + count(len(fragment))`, modulo 64.
    Raises ValueError for a fragment without octets.
    """
    if not fragment:
        raise ValueError("a fragment without octets")
    for at in range(0, len(fragment), PAYLOAD):
        first, last = at == 0, at + PAYLOAD >= len(fragment)
        header = (FIR if first else 0) | (FIN if last else 0) | (sequence & SEQUENCE)
        yield bytes((header,)) + fragment[at : at + PAYLOAD]
        sequence += 1
