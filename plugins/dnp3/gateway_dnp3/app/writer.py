"""Builders of the objects of a fragment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway_dnp3.objects.columns import Columns
from gateway_dnp3.objects.encode import encode, encode_events
from gateway_dnp3.objects.header import header
from gateway_dnp3.objects.qualifier import Qualifier
from gateway_dnp3.objects.text import Strings, encode_strings

CLASS = 60
EVENT_CLASSES = (1, 2, 3)
INTEGRITY = (1, 2, 3, 0)
"""The classes of an integrity poll: events first, then what is now."""


def class_objects(*classes: int, limit: int | None = None) -> bytes:
    """Return the objects of class 0 to 3 in this order, at most `limit` events of each."""
    qualifier, count = Qualifier.ALL, 0
    if limit is not None:
        qualifier, count = Qualifier.COUNT_16, limit
    return b"".join(header(CLASS, one + 1, qualifier, count=count) for one in classes)


def assign_class(wanted: int, points: Iterable[tuple[int, int, int]]) -> bytes:
    """Return the objects that put points into a class: (group, first index, last index) each."""
    return class_objects(wanted) + b"".join(
        name_range(group, 0, first, last) for group, first, last in points
    )


def name_range(group: int, variation: int, first: int, last: int) -> bytes:
    """Return the header that names a range of points, for READ, freezes and ASSIGN_CLASS."""
    qualifier = Qualifier.RANGE_8 if last <= 0xFF else Qualifier.RANGE_16
    return header(group, variation, qualifier, start=first, count=last - first + 1)


def name_all(group: int, variation: int = 0) -> bytes:
    """Return the header that names all points of a group."""
    return header(group, variation, Qualifier.ALL)


def clear_restart() -> bytes:
    """Return the objects of the WRITE that clears IIN1.7 (g80v1, index 7)."""
    return header(80, 1, Qualifier.RANGE_8, start=7, count=1, data=b"\0")


class Writer:
    """The objects of one fragment, up to a number of octets."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self._parts: list[bytes] = []

    @property
    def room(self) -> int:
        return self.limit - self.size

    def add(self, rows: Columns | Strings) -> int:
        """Write as many first rows as there is room for, and return how many."""
        if isinstance(rows, Columns):
            octets, count = encode(rows, self.room)
        else:
            octets, count = encode_strings(rows, self.room)
        self._take(octets)
        return count

    def add_events(self, parts: Sequence[Columns], order: NDArray[np.integer[Any]]) -> int:
        """Write events of several kinds in their order, as `encode_events`; return how many."""
        octets, count = encode_events(parts, order, self.room)
        self._take(octets)
        return count

    def put(self, octets: bytes) -> bool:
        """Write an object header that was made elsewhere; return whether there was room."""
        if len(octets) > self.room:
            return False
        self._take(octets)
        return True

    def objects(self) -> bytes:
        """Return what was written."""
        return b"".join(self._parts)

    def _take(self, octets: bytes) -> None:
        self._parts.append(octets)
        self.size += len(octets)
