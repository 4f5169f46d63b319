"""Octet strings (g110, g111) and virtual terminals (g112, g113)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway_dnp3.objects.error import ObjectError, Reason
from gateway_dnp3.objects.header import ObjectHeader, header
from gateway_dnp3.objects.layout import STRINGS
from gateway_dnp3.objects.qualifier import FORMS, Form, Qualifier

_EVENTS = (111, 113)
MAX_INDEX = 0xFFFF


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
    header.expect(size)
    step = size + prefix
    index = header.indexes().tolist()
    octets = bytes(header.data)
    return Strings(
        header.group,
        index,
        [octets[at : at + size] for at in range(prefix, prefix + step * len(index), step)],
    )


def encode_strings(
    given: Strings, budget: int, qualifier: Qualifier = Qualifier.INDEX_16
) -> tuple[bytes, int]:
    """Return the object headers of as many first strings as fit into `budget`, and how many.

    The variation is the length, so that only neighbours of one length share a header.
    `qualifier` is that of the lists, which events are. Raises ObjectError for a string of no
    octets or more than 255, and an index that the qualifier cannot say.
    """
    octets = []
    rows = 0
    while rows < len(given):
        part, count = _run(given, rows, budget, FORMS[qualifier], qualifier)
        if not count:
            break
        octets.append(part)
        budget -= len(part)
        rows += count
    return b"".join(octets), rows


def _run(
    given: Strings, first: int, budget: int, form: Form, qualifier: Qualifier
) -> tuple[bytes, int]:
    """Return the header that begins with one string, and how many strings it holds."""
    size = len(given.text[first])
    listed = given.group in _EVENTS
    room = budget - (3 + form.quantity if listed else 7)
    step = size + form.prefix if listed else size
    last = (1 << 8 * form.prefix) - 1 if listed else MAX_INDEX
    limit = min(len(given), first + (1 << 8 * form.quantity) - 1) if listed else len(given)
    stop = first
    while stop < limit and len(given.text[stop]) == size and room >= step:
        index = given.index[stop]
        if not 0 <= index <= last or not 1 <= size <= 0xFF:
            raise ObjectError(
                0,
                f"g{given.group}: {size} octets at index {index}",
                f"allowed: 1 to 255 octets, index 0 to {last}",
            )
        if not listed and index != given.index[first] + stop - first:
            break
        room -= step
        stop += 1
    count = stop - first
    if not count:
        return b"", 0
    text = given.text[first:stop]
    if listed:
        prefixes = (index.to_bytes(form.prefix, "little") for index in given.index[first:stop])
        data = b"".join(a + b for a, b in zip(prefixes, text, strict=True))
        return header(given.group, size, qualifier, count=count, data=data), count
    start = given.index[first]
    bounds = Qualifier.RANGE_8 if start + count <= 0x100 else Qualifier.RANGE_16
    octets = header(given.group, size, bounds, start=start, count=count, data=b"".join(text))
    return octets, count
