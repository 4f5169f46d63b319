"""The table and the walk against those of dnp3py (MIT), which nobody here wrote."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest
from gateway_dnp3.app import Fragment, Iin
from gateway_dnp3.objects import LAYOUTS, Columns, Layout, Use, encode, split

theirs: Any = import_module("dnp3.objects.layout")
parser: Any = import_module("dnp3.application.parser")

NUMBERS = {"<i2": "INT", "<i4": "INT", "u1": "UINT", "<u2": "UINT", "<u4": "UINT"} | {
    "<f4": "FLOAT32",
    "<f8": "FLOAT64",
}
SHARED = {key: one for key, one in LAYOUTS.items() if key in theirs.LAYOUTS}


@pytest.mark.parametrize("key", SHARED)
def test_an_object_is_laid_out_alike(key: tuple[int, int]) -> None:
    """Octets, bits, and for measurements flags, time and format of the number."""
    ours, other = SHARED[key], theirs.LAYOUTS[key]
    assert (ours.size, ours.bits) == (other.width, other.bits_per_point)
    if ours.use is Use.MEASUREMENT and not ours.bits and other.codec.name != "RECORD":
        assert ours.time.value == other.time.octets
        assert ours.flags == flagged(ours, other)
        if ours.number:
            assert NUMBERS[ours.number] == other.codec.name


def flagged(ours: Layout, other: Any) -> bool:
    """Whether dnp3py has a flag octet; it counts the one that holds a state as the value."""
    return other.has_flags or (bool(ours.state) and other.codec.name == "FLAG_STATE")


def test_most_objects_are_shared() -> None:
    """The comparison is worth its name."""
    assert len(SHARED) > 100


@pytest.mark.parametrize("key", [key for key, one in SHARED.items() if one.use is Use.MEASUREMENT])
def test_what_we_write_is_walked_alike(key: tuple[int, int]) -> None:
    """Both find the same headers with the same octets in a response of several."""
    rows = np.array([3, 4, 5, 9, 300])
    octets, _ = encode(Columns.of(*key, rows, rows % 2, 1, 1000 + rows), 1000)
    blocks, truncated = parser.frame_response_object_blocks(octets)
    assert truncated is None
    ours = list(split(octets))
    assert len(blocks) == len(ours)
    for block, one in zip(blocks, ours, strict=True):
        # Its blocks hold the range as well.
        assert (block.header.group, block.header.variation) == (one.group, one.variation)
        assert block.data.endswith(one.data)
    assert sum(3 + len(block.data) for block in blocks) == len(octets)
    response = parser.parse_response(Fragment.response(Iin.NONE, octets).encode())
    assert len(response.objects) == len(blocks)
