"""Events of several types in their common order."""

from __future__ import annotations

import struct
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gateway_iec60870.asdu import (
    IEC104,
    LAYOUTS,
    AsduError,
    Columns,
    Sizes,
    Use,
    decode,
    encode_events,
    parse,
)
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent))
from asdu_published import CP56, TIME

MEASURED = [kind for kind, one in LAYOUTS.items() if one.use is Use.MEASUREMENT]


def test_two_types_in_turn() -> None:
    """Octets by hand: on, 10.0, 10.0, off, each run of a type one ASDU."""
    singles = Columns.of(30, [5, 7], [1, 0], 0, TIME)
    floats = Columns.of(36, [6, 6], [10, 10], 0x80, TIME)
    parts = [(singles, np.array([0, 3])), (floats, np.array([1, 2]))]
    flt = f"06 00 00 00 00 20 41 80 {CP56}"
    assert encode_events(parts, IEC104, cause=3, address=10) == [
        bytes.fromhex(f"1E 01 03 00 0A 00 05 00 00 01 {CP56}"),
        bytes.fromhex(f"24 02 03 00 0A 00 {flt} {flt}"),
        bytes.fromhex(f"1E 01 03 00 0A 00 07 00 00 00 {CP56}"),
    ]


def head(kind: int, run: list[bytes]) -> bytes:
    """An ASDU of 104 with an address each: cause 3, common address 10."""
    return struct.pack("<BBBBH", kind, len(run), 3, 0, 10) + b"".join(run)


def in_order(
    kinds: Sequence[int], sizes: Sizes, most: dict[int, int]
) -> tuple[list[tuple[Columns, NDArray[Any]]], list[bytes]]:
    """Parts whose event number i is single point or float at address i, and the ASDUs by struct."""
    tag = bytes.fromhex(CP56)
    found: list[bytes] = []
    run: list[bytes] = []
    for number, kind in enumerate(kinds):
        if run and (kind != kinds[number - 1] or len(run) == most[kinds[number - 1]]):
            found.append(head(kinds[number - 1], run))
            run = []
        element = struct.pack("<B", number & 1) if kind == 30 else struct.pack("<fB", number, 0)
        run.append(number.to_bytes(sizes.object, "little") + element + tag)
    found.append(head(kinds[-1], run))
    given = np.array(kinds)
    parts = []
    for kind in dict.fromkeys(kinds):
        at = np.flatnonzero(given == kind)
        parts.append((Columns.of(kind, at, at & 1 if kind == 30 else at, 0, TIME), at))
    return parts, found


@pytest.mark.parametrize("length", [1, 2, 3, 22, 23, 44, 45, 1000])
@pytest.mark.parametrize("sizes", [IEC104, Sizes(2, 2, 2, 100)])
def test_runs_share_asdus(length: int, sizes: Sizes) -> None:
    """As many of a run as the octets hold, then the next ASDU."""
    # Single points with CP56 have 8 octets and floats 12, besides the address; the head has 6.
    room = sizes.longest - 6
    most = {30: room // (8 + sizes.object), 36: room // (12 + sizes.object)}
    if sizes == IEC104:
        assert most == {30: 22, 36: 16}
    kinds = ([30] * length + [36] * length) * 2
    parts, expected = in_order(kinds, sizes, most)
    assert encode_events(parts, sizes, cause=3, address=10) == expected
    assert encode_events(parts[::-1], sizes, cause=3, address=10) == expected


def test_positions_may_have_gaps_and_rows_any_order() -> None:
    """Positions order the rows, whatever numbers they are and wherever the rows stand."""
    kinds = np.random.default_rng(5).choice([30, 36], 500).tolist()
    parts, expected = in_order(kinds, IEC104, {30: 22, 36: 16})
    shuffled = []
    for columns, at in parts:
        order = np.random.default_rng(6).permutation(len(at))
        shuffled.append((columns[order], 1000 + 3 * at[order]))
    assert encode_events(shuffled, IEC104, cause=3, address=10) == expected


def test_parts_of_one_type_share_asdus() -> None:
    """A run is of a type, not of a part."""
    first, second = Columns.of(1, [5, 7], 1), Columns.of(1, [6], 0)
    (found,) = encode_events(
        [(first, np.array([0, 2])), (second, np.array([1]))], IEC104, cause=3, address=1
    )
    columns = decode(parse(found, IEC104), IEC104)
    assert columns.object.tolist() == [5, 6, 7]
    assert columns.value.tolist() == [1, 0, 1]


def test_no_more_than_127_objects() -> None:
    """Where the octets would hold more: single points with an address of one octet."""
    columns = Columns.of(1, np.arange(250), 1)
    found = encode_events([(columns, np.arange(250))], Sizes(1, 1, 1, 254), cause=3, address=1)
    assert [one[1] for one in found] == [125, 125]
    assert max(len(one) for one in found) == 254


def test_every_type_at_once() -> None:
    """All types in turn, twice: each in an ASDU of its own, as it was given."""
    count = len(MEASURED)
    parts = [
        (Columns.of(kind, [n, n + 500], 1, 0x80, TIME), np.array([n, n + count]))
        for n, kind in enumerate(MEASURED)
    ]
    found = [parse(one, IEC104) for one in encode_events(parts, IEC104, cause=3, address=10)]
    assert [one.type for one in found] == MEASURED * 2
    columns = [decode(one, IEC104) for one in found]
    assert [one.object.tolist() for one in columns] == [
        *([n] for n in range(count)), *([n + 500] for n in range(count))
    ]  # fmt: skip


def test_what_does_not_fit() -> None:
    """Cause and address are checked once for all; positions are as many as rows."""
    parts = [(Columns.of(1, [5], 1), np.array([0]))]
    with pytest.raises(AsduError, match="cause 64, allowed: 0 to 63"):
        encode_events(parts, IEC104, cause=64, address=1)
    with pytest.raises(AsduError, match="common address 256, allowed: 0 to 255"):
        encode_events(parts, Sizes(1, 1, 1), cause=3, address=256)
    with pytest.raises(ValueError, match="1 rows of type 1 with 2 positions"):
        encode_events([(parts[0][0], np.arange(2))], IEC104, cause=3, address=1)
    with pytest.raises(AsduError, match="type 45, no measurement"):
        encode_events([(Columns.of(45, [5], 1), np.array([0]))], IEC104, cause=3, address=1)
