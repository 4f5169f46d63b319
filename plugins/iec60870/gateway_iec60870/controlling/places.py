"""Which points stand at which object of which station."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

NOBODY = -1
NOWHERE = np.iinfo(np.int64).max
_ADDRESS = 24  # bits of an object address


def place(address: int, at: int) -> int:
    """Return common address and object address as one number."""
    return address << _ADDRESS | at


def places_of(address: NDArray[np.int64], at: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return common addresses and object addresses as one number each."""
    return address << _ADDRESS | at


class Places:
    """One point at each place."""

    def __init__(self, points: Mapping[int, int]) -> None:
        """`points` maps places to ids."""
        order = sorted(points)
        self._places = np.array([*order, NOWHERE], np.int64)
        self._ids = np.array([*(points[one] for one in order), NOBODY], np.int32)

    def find(self, places: NDArray[np.int64]) -> NDArray[np.int32]:
        """Return the id of each place, NOBODY where there is no point."""
        at = np.searchsorted(self._places, places)
        return np.where(self._places[at] == places, self._ids[at], np.int32(NOBODY))

    def __len__(self) -> int:
        return len(self._ids) - 1


class BitPlaces:
    """Several points at each place, each of them one bit."""

    def __init__(self, points: Mapping[int, Sequence[tuple[int, int]]]) -> None:
        """`points` maps places to bits and ids."""
        order = sorted(points)
        rows = [one for where in order for one in sorted(points[where])]
        sizes = [len(points[where]) for where in order]
        self._places = np.array([*order, NOWHERE], np.int64)
        self._many = np.array([*sizes, 0], np.intp)
        self._first = np.cumsum(self._many) - self._many
        self._bits = np.array([bit for bit, _ in rows], np.int64)
        self._ids = np.array([number for _, number in rows], np.int32)

    def find(
        self, places: NDArray[np.int64]
    ) -> tuple[NDArray[np.intp], NDArray[np.int64], NDArray[np.int32]]:
        """Return for each bit that is a point its row in `places`, its number, and the id."""
        at = np.searchsorted(self._places, places)
        many = np.where(self._places[at] == places, self._many[at], 0)
        rows = np.repeat(np.arange(len(places)), many)
        # Where each bit of a row stands among those of its place.
        ordinal = np.arange(len(rows)) - np.repeat(np.cumsum(many) - many, many)
        entries = self._first[at[rows]] + ordinal
        return rows, self._bits[entries], self._ids[entries]

    def __len__(self) -> int:
        return len(self._ids)
