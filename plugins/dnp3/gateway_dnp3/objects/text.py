"""Octet strings (g110, g111) and virtual terminals (g112, g113)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway_dnp3.objects.error import ObjectError, Reason
from gateway_dnp3.objects.header import ObjectHeader, header
from gateway_dnp3.objects.layout import STRINGS
from gateway_dnp3.objects.qualifier import Qualifier

_EVENTS = (111, 113)


@dataclass(frozen=True, slots=True)
class Strings:
    """The strings of one header: the index of each and its octets, at most 255."""

    group: int
    index: Sequence[int]
    text: Sequence[bytes]

    def __len__(self) -> int:
        return len(self.index)


def strings(header: ObjectHeader) -> Strings:
    """Return the strings of a header; raise ObjectError where it holds none."""
    if header.group not in STRINGS or not header.variation:
        raise header.error("no string", "g110 to g113", Reason.UNKNOWN)
    size, prefix = header.variation, header.prefix
    step = size + prefix
    index = header.indexes().tolist()
    octets = bytes(header.data)
    return Strings(
        header.group,
        index,
        [octets[at : at + size] for at in range(prefix, prefix + step * len(index), step)],
    )


def encode_strings(given: Strings, budget: int) -> tuple[bytes, int]:
    """Return the object headers of as many first strings as fit into `budget`, and how many.

    The variation is the length, so that only neighbours of one length share a header.
    Raises ObjectError for a string of no octets or more than 255, and an index above 65535.
    """
    octets = []
    rows = 0
    while rows < len(given):
        part, count = _run(given, rows, budget)
        if not count:
            break
        octets.append(part)
        budget -= len(part)
        rows += count
    return b"".join(octets), rows


def _run(given: Strings, first: int, budget: int) -> tuple[bytes, int]:
    """Return the header that begins with one string, and how many strings it holds."""
    size = len(given.text[first])
    listed = given.group in _EVENTS
    stop = first
    room = budget - (5 if listed else 7)
    step = size + 2 if listed else size
    while stop < len(given) and len(given.text[stop]) == size and room >= step:
        index = given.index[stop]
        if not 0 <= index <= 0xFFFF or not 1 <= size <= 0xFF:
            raise ObjectError(
                0,
                f"g{given.group}: {size} octets at index {index}",
                "allowed: 1 to 255 octets, index 0 to 65535",
            )
        if not listed and index != given.index[first] + stop - first:
            break
        room -= step
        stop += 1
    count = stop - first
    if not count:
        return b"", 0
    if listed:
        data = b"".join(
            given.index[row].to_bytes(2, "little") + given.text[row] for row in range(first, stop)
        )
        return header(given.group, size, Qualifier.INDEX_16, count=count, data=data), count
    start = given.index[first]
    qualifier = Qualifier.RANGE_8 if start + count <= 0x100 else Qualifier.RANGE_16
    data = b"".join(given.text[first:stop])
    return header(given.group, size, qualifier, start=start, count=count, data=data), count
