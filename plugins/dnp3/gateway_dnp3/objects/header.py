"""An object header, and the walk over the headers of a fragment (IEEE 1815 clause 4.2.2.7)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct

import numpy as np
from numpy.typing import NDArray

from gateway_dnp3.objects.error import ObjectError, Reason
from gateway_dnp3.objects.layout import layout
from gateway_dnp3.objects.qualifier import FORMS, Form, Qualifier

MAX_NAMED = 0x10000
"""How many points a header may name at once: as many as 16-bit indexes tell apart."""

LONG_LIST = 255
"""The data type of an attribute whose length octet counts from 256."""

_LETTERS = {1: "B", 2: "H", 4: "I"}
_RANGES = {size: Struct("<" + 2 * letter) for size, letter in _LETTERS.items()}
_COUNTS = {size: Struct("<" + letter) for size, letter in _LETTERS.items()}
_FORMS: dict[int, tuple[Qualifier, Form]] = {int(q): (q, form) for q, form in FORMS.items()}
_NAMES = ", ".join(f"0x{q:02X}" for q in _FORMS)


@dataclass(frozen=True, slots=True)
class ObjectHeader:
    """One object header with the objects after it.

    `start` is None for a qualifier without a range; `count` is 0 for Qualifier.ALL.
    `data` holds the objects with their prefixes; where a request only names objects it holds the
    prefixes, if any. It is a view of the fragment that was read.
    `offset` is where the header began, in octets from the first one.
    """

    group: int
    variation: int
    qualifier: Qualifier
    start: int | None
    count: int
    data: memoryview
    offset: int = 0

    @property
    def stop(self) -> int | None:
        """The last index of the range, itself included."""
        return None if self.start is None else self.start + self.count - 1

    @property
    def prefix(self) -> int:
        """Octets before each object."""
        return FORMS[self.qualifier].prefix

    def indexes(self) -> NDArray[np.int64]:
        """Return the index of each object; raise ObjectError where the header gives none."""
        if self.start is not None:
            if self.count > MAX_NAMED:
                raise self.error(f"a range of {self.count} points", f"{MAX_NAMED} at once")
            return np.arange(self.start, self.start + self.count, dtype=np.int64)
        prefix = self.prefix
        if not prefix or self.qualifier is Qualifier.FREE:
            raise self.error(f"qualifier 0x{self.qualifier:02X}", "one that gives an index")
        width = len(self.data) // self.count if self.count else prefix
        if width * self.count != len(self.data):
            raise self.error("objects of different sizes", "objects of one size")
        octets = np.frombuffer(self.data, np.uint8).reshape(self.count, width)[:, :prefix]
        return np.ascontiguousarray(octets).view(f"<u{prefix}")[:, 0].astype(np.int64)

    def expect(self, size: int) -> None:
        """Raise ObjectError unless every object is there, each of `size` octets."""
        if self.qualifier is Qualifier.FREE or len(self.data) != self.count * (self.prefix + size):
            raise self.error(f"{len(self.data)} octets", f"{self.count} objects of {size} octets")

    def error(self, found: str, allowed: str, reason: Reason = Reason.MALFORMED) -> ObjectError:
        """Return the error that says what is wrong with these objects."""
        return ObjectError(
            self.offset, f"g{self.group}v{self.variation}: {found}", f"allowed: {allowed}", reason
        )


def split(
    objects: bytes | memoryview, *, naming: bool = False, carrying: frozenset[int] = frozenset()
) -> Iterator[ObjectHeader]:
    """Yield the object headers of a fragment; raise ObjectError at the first that is not one.

    `naming` is for requests that only name objects (READ, freezes, classes), of which only the
    groups in `carrying` bring objects along.
    """
    view = memoryview(objects)
    at = 0
    while at < len(view):
        one = _head(view, at, naming and view[at] not in carrying)
        yield one
        at = one.offset + _head_size(one.qualifier) + len(one.data)


def header(
    group: int,
    variation: int,
    qualifier: Qualifier = Qualifier.ALL,
    *,
    start: int = 0,
    count: int = 0,
    data: bytes = b"",
) -> bytes:
    """Return the octets of one object header with what follows it.

    Raises ObjectError where the qualifier cannot say `start` or `count`.
    """
    form = FORMS[qualifier]
    octets = bytes((group, variation, qualifier))
    limit = 1 << 8 * (form.range or form.quantity)
    if form.range:
        if not 0 <= start < start + count <= limit:
            raise ObjectError(
                0,
                f"{count} objects from index {start} in qualifier 0x{qualifier:02X}",
                f"it holds 1 or more, up to index {limit - 1}",
            )
        octets += _RANGES[form.range].pack(start, start + count - 1)
    elif form.quantity:
        if not 0 <= count < limit:
            raise ObjectError(
                0, f"{count} objects in qualifier 0x{qualifier:02X}", f"it holds 0 to {limit - 1}"
            )
        octets += _COUNTS[form.quantity].pack(count)
    return octets + data


def _head_size(qualifier: Qualifier) -> int:
    form = FORMS[qualifier]
    return 3 + 2 * form.range + form.quantity


def _head(view: memoryview, at: int, naming: bool) -> ObjectHeader:
    """Return the header at an offset with the objects that follow it."""
    if len(view) - at < 3:
        raise ObjectError(at, f"{len(view) - at} octets left", "an object header has 3 or more")
    group, variation, code = view[at], view[at + 1], view[at + 2]
    found = _FORMS.get(code)
    if found is None:
        raise ObjectError(
            at, f"g{group}v{variation} with qualifier 0x{code:02X}", f"known are {_NAMES}"
        )
    qualifier, form = found
    body = at + _head_size(qualifier)
    if body > len(view):
        raise _cut(at, group, variation, body, len(view))
    start: int | None = None
    count = 0
    if form.range:
        start, stop = _RANGES[form.range].unpack_from(view, at + 3)
        if stop < start:
            raise ObjectError(
                at, f"g{group}v{variation} from {start} to {stop}", "a range begins before it ends"
            )
        count = stop - start + 1
    elif form.quantity:
        (count,) = _COUNTS[form.quantity].unpack_from(view, at + 3)
    if qualifier is Qualifier.FREE:
        end = _end_of_free(view, at, body, count)
    elif naming:
        end = body + count * form.prefix
    else:
        end = _end(view, at, body, qualifier, count)
    if end > len(view):
        raise _cut(at, group, variation, end, len(view))
    return ObjectHeader(group, variation, qualifier, start, count, view[body:end], at)


def _end(view: memoryview, at: int, body: int, qualifier: Qualifier, count: int) -> int:
    """Return where the objects end that the table knows."""
    group, variation = view[at], view[at + 1]
    known = layout(group, variation)
    if known is None:
        raise ObjectError(
            at,
            f"g{group}v{variation}, which is not known",
            "its size would have to be",
            Reason.UNKNOWN,
        )
    if (qualifier is Qualifier.ALL and known.size != 0) or (known.bits and FORMS[qualifier].prefix):
        raise ObjectError(
            at,
            f"g{group}v{variation} with qualifier 0x{qualifier:02X}",
            "its objects need a range or a count",
        )
    if known.bits:
        return body + (count * known.bits + 7) // 8
    if known.size is not None:
        return body + count * (FORMS[qualifier].prefix + known.size)
    if group:
        raise ObjectError(
            at,
            f"g{group}v{variation} with qualifier 0x{qualifier:02X}",
            "its objects need 0x5B, which says how long they are",
        )
    return _end_of_attributes(view, at, body, FORMS[qualifier].prefix, count)


def _end_of_free(view: memoryview, at: int, body: int, count: int) -> int:
    end = body
    for _ in range(count):
        if end + 2 > len(view):
            raise _cut(at, view[at], view[at + 1], end + 2, len(view))
        end += 2 + _COUNTS[2].unpack_from(view, end)[0]
    return end


def _end_of_attributes(view: memoryview, at: int, body: int, prefix: int, count: int) -> int:
    end = body
    for _ in range(count):
        head = end + prefix
        if head + 2 > len(view):
            raise _cut(at, 0, view[at + 1], head + 2, len(view))
        end = head + 2 + view[head + 1] + (256 if view[head] == LONG_LIST else 0)
    return end


def _cut(at: int, group: int, variation: int, end: int, length: int) -> ObjectError:
    return ObjectError(
        at,
        f"g{group}v{variation} that would end at byte {end}",
        f"the fragment ends at byte {length}",
    )
