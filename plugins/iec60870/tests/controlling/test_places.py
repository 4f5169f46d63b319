"""Which point stands where."""

from __future__ import annotations

import random

import numpy as np
from gateway_iec60870.controlling.places import NOBODY, BitPlaces, Places, place, places_of


def test_places() -> None:
    """Each place has its point, and every other one has nobody."""
    chance = random.Random(1)
    known = {
        place(chance.randint(1, 65534), chance.randint(1, 2**24 - 1)): number
        for number in range(2000)
    }
    places = Places(known)
    assert len(places) == len(known)
    asked = [*known, *(one + 1 for one in known), 0, place(65534, 2**24 - 1)]
    found = places.find(np.array(asked))
    assert found.tolist() == [known.get(one, NOBODY) for one in asked]
    assert Places({}).find(np.array([1, 2])).tolist() == [NOBODY, NOBODY]


def test_no_two_places_are_one() -> None:
    """Common address and object address stay apart at their ends."""
    addresses = np.array([1, 0xFFFE, 2, 1], np.int64)
    objects = np.array([0xFFFFFF, 1, 0, 0], np.int32)
    assert len(set(places_of(addresses, objects).tolist())) == 4
    assert places_of(addresses, objects).tolist() == [
        place(1, 0xFFFFFF), place(0xFFFE, 1), place(2, 0), place(1, 0),
    ]  # fmt: skip


def test_bits() -> None:
    """Rows with several points are repeated for each, in the order of the bits."""
    bits = BitPlaces({7: [(31, 5), (0, 6)], 9: [(3, 8)]})
    assert len(bits) == 3
    rows, bit, ids = bits.find(np.array([9, 8, 7, 7, 1000]))
    assert rows.tolist() == [0, 2, 2, 3, 3]
    assert bit.tolist() == [3, 0, 31, 0, 31]
    assert ids.tolist() == [8, 6, 5, 6, 5]
    assert len(BitPlaces({}).find(np.array([1]))[0]) == 0
