"""Events of several types in one order, as octets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway_iec60870.asdu.asdu import MOST_OBJECTS, head
from gateway_iec60870.asdu.columns import Columns
from gateway_iec60870.asdu.encode import objects
from gateway_iec60870.asdu.sizes import Sizes

Positions = NDArray[np.integer[Any]]

_COUNTS = [bytes([count]) for count in range(MOST_OBJECTS + 1)]


class _Rows:
    """The objects of one type, in their order, as ASDUs are made of them."""

    def __init__(
        self, head: bytes, bodies: list[NDArray[np.uint8]], places: list[Positions], room: int
    ) -> None:
        body, self.position = bodies[0], places[0]
        if len(bodies) > 1:
            body, self.position = np.concatenate(bodies), np.concatenate(places)
        if (self.position[1:] < self.position[:-1]).any():
            order = np.argsort(self.position, kind="stable")
            body, self.position = body[order], self.position[order]
        self._type, self._rest = head[:1], head[2:]
        self._octets = body.tobytes()
        self._width = body.shape[1]
        self._most = min(MOST_OBJECTS, room // self._width)
        self._taken = 0

    def __len__(self) -> int:
        return len(self.position)

    def take(self, count: int, asdus: list[bytes]) -> None:
        """Add the ASDUs of the next rows."""
        width, most, first = self._width, self._most, self._taken
        self._taken = end = first + count
        while first < end:
            stop = min(first + most, end)
            octets = self._octets[first * width : stop * width]
            asdus.append(self._type + _COUNTS[stop - first] + self._rest + octets)
            first = stop


def encode_events(
    parts: Sequence[tuple[Columns, Positions]],
    sizes: Sizes,
    *,
    cause: int,
    address: int,
    test: bool = False,
    originator: int = 0,
) -> list[bytes]:
    """Return encoded ASDUs (SQ=0) with the rows of all parts in one common order.

    Each part has the position of each of its rows in that order. Rows of one type that follow each
    other share an ASDU as far as `sizes` and 127 objects allow.
    Raises AsduError as `encode` does, and for a cause or an address beyond the octets; ValueError
    where a part has not one position for each row.
    """
    bodies: dict[int, list[NDArray[np.uint8]]] = {}
    places: dict[int, list[Positions]] = {}
    for columns, position in parts:
        if len(position) != len(columns):
            raise ValueError(
                f"{len(columns)} rows of type {columns.type} with {len(position)} positions; "
                f"allowed: one for each"
            )
        if len(columns):
            bodies.setdefault(columns.type, []).append(objects(columns, sizes))
            places.setdefault(columns.type, []).append(position)
    room = sizes.longest - sizes.head
    types = []
    for kind in bodies:
        octets = head(sizes, kind, 0, cause, address, test=test, originator=originator)
        types.append(_Rows(octets, bodies[kind], places[kind], room))
    asdus: list[bytes] = []
    for rows, count in _runs(types):
        rows.take(count, asdus)
    return asdus


def _runs(types: Sequence[_Rows]) -> Iterator[tuple[_Rows, int]]:
    """Yield, in the common order, of which type the next rows are, and how many."""
    if len(types) == 1:
        yield types[0], len(types[0])
    if len(types) < 2:
        return
    order = np.argsort(np.concatenate([rows.position for rows in types]), kind="stable")
    which = np.repeat(np.arange(len(types)), [len(rows) for rows in types])[order]
    begins = np.flatnonzero(np.diff(which, prepend=-1))
    bounds = pairwise([*begins.tolist(), len(which)])
    for number, (first, last) in zip(which[begins].tolist(), bounds, strict=True):
        yield types[number], last - first
