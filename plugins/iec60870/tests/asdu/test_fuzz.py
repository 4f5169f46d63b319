"""Whatever octets come, the codec gives values or its own error.

What was read is written to the same octets, and what it says is said the same the second time.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from gateway_iec60870.asdu import (
    IEC104,
    LAYOUTS,
    Asdu,
    AsduError,
    Columns,
    Sizes,
    Use,
    command,
    decode,
    decode_all,
    encode,
    encode_command,
    encode_events,
    encode_file,
    encode_parameter,
    encode_system,
    file,
    parameter,
    parse,
    system,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from asdu_examples import MEASURED, everything

Read = TypeVar("Read")

BOUNDED = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
EXAMPLES = [one.encode(IEC104) for one in everything()]

kinds_of = st.lists(st.sampled_from(MEASURED), min_size=1, max_size=4, unique=True)
sizes_of = st.builds(
    Sizes, st.integers(1, 2), st.integers(1, 2), st.integers(1, 3), st.sampled_from([32, 60, 249])
)


def bodies(asdu: Asdu, sizes: Sizes) -> list[bytes]:
    """Read the objects by their use and write them again."""
    match LAYOUTS[asdu.type].use:
        case Use.MEASUREMENT:
            columns = decode(asdu, sizes)
            again = encode(columns, sizes, cause=3, address=1, packed=asdu.sequence)
            repeated = decode_all(again, sizes)[0] if again else columns
            same(columns, repeated)
            return [one.body for one in again]
        case Use.COMMAND:
            return [encode_command(command(asdu, sizes), sizes)]
        case Use.SYSTEM:
            return [encode_system(system(asdu, sizes), sizes)]
        case Use.PARAMETER:
            return [encode_parameter(parameter(asdu, sizes), sizes)]
        case _:
            return [encode_file(file(asdu, sizes), sizes)]


def same(one: Columns, other: Columns) -> None:
    assert one.type == other.type
    for name in ("object", "value", "flags", "time", "clock", "extra"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def attempt(read: Callable[[], Read], octets: bytes) -> Read | None:
    """What was read, or None where the codec refuses the octets, within their bounds."""
    try:
        return read()
    except AsduError as error:
        refusal = error
    assert 0 <= refusal.offset <= len(octets)
    return None


def survive(octets: bytes, sizes: Sizes) -> None:
    """Only AsduError may come, its offset within the octets; all that is read can be written."""
    asdu = attempt(lambda: parse(octets, sizes), octets)
    if asdu is None:
        return
    if len(octets) <= sizes.longest:
        assert asdu.encode(sizes) == octets
    if asdu.type not in LAYOUTS:
        return
    once = attempt(lambda: bodies(asdu, sizes), octets)
    if once is not None and len(once) == 1:
        layout = LAYOUTS[asdu.type]
        sequence = asdu.sequence and layout.sequence
        if layout.use is Use.MEASUREMENT:
            sequence = sequence and asdu.count > 1
        assert bodies(Asdu(asdu.type, 3, 1, once[0], asdu.count, sequence), sizes) == once


@BOUNDED
@given(st.binary(max_size=260), sizes_of)
def test_any_octets(octets: bytes, sizes: Sizes) -> None:
    """Octets without any sense."""
    survive(octets, sizes)


@BOUNDED
@given(st.sampled_from(list(LAYOUTS)), st.integers(0, 255), sizes_of, st.data())
def test_likely_octets(kind: int, structure: int, sizes: Sizes, data: st.DataObject) -> None:
    """A known type and a body that is as long as it should be, of any octets."""
    size = LAYOUTS[kind].size
    count = structure & 0x7F
    if size is None:
        segment = data.draw(st.binary(max_size=100))
        prefix = data.draw(st.binary(min_size=sizes.object + 3, max_size=sizes.object + 3))
        body, structure = prefix + bytes([len(segment)]) + segment, 1
    else:
        addresses = min(count, 1) if structure & 0x80 else count
        length = addresses * sizes.object + count * size
        seed = data.draw(st.integers(0, 1 << 32))
        body = np.random.default_rng(seed).bytes(length)
    head = bytes([kind, structure]) + data.draw(
        st.binary(min_size=sizes.head - 2, max_size=sizes.head - 2)
    )
    survive(head + body, sizes)


@BOUNDED
@given(st.sampled_from(EXAMPLES), st.data())
def test_changed_octets(octets: bytes, data: st.DataObject) -> None:
    """ASDUs of each type with octets changed, taken out and put in."""
    changed = bytearray(octets)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(changed)))
        match data.draw(st.integers(0, 2)):
            case 0 if at < len(changed):
                changed[at] ^= 1 << data.draw(st.integers(0, 7))
            case 1:
                del changed[at : at + data.draw(st.integers(1, 4))]
            case _:
                changed[at:at] = data.draw(st.binary(min_size=1, max_size=4))
    survive(bytes(changed), IEC104)


@BOUNDED
@given(st.sampled_from(EXAMPLES), st.data())
def test_what_follows_is_no_part(octets: bytes, data: st.DataObject) -> None:
    """Any octets after an ASDU, and any cut, are refused: none is read as another."""
    after = data.draw(st.binary(min_size=1, max_size=20))
    cut = data.draw(st.integers(0, len(octets) - 1))
    for wrong in (octets + after, octets[:cut]):
        with pytest.raises(AsduError) as caught:
            parse(wrong, IEC104)
        assert caught.value.offset == min(len(octets), len(wrong))


@st.composite
def rows(draw: st.DrawFn, kind: int, last: int) -> Columns:
    """Any value, flag and time, and addresses of which some are neighbours."""
    value = draw(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=20))
    random = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    count = len(value)
    return Columns.of(
        kind,
        np.cumsum(random.integers(-1, 4, count)).clip(0, last),
        value,
        random.integers(0, 256, count),
        random.integers(-2, random.choice([1 << 42, 1 << 20]), count),
        random.integers(0, 256, count),
        random.integers(0, 1 << 32, count),
    )


@BOUNDED
@given(st.sampled_from(MEASURED), sizes_of, st.booleans(), st.data())
def test_any_rows_are_written(kind: int, sizes: Sizes, packed: bool, data: st.DataObject) -> None:
    """In ASDUs that fit and read as many rows; what they say is written to the same octets."""
    columns = data.draw(rows(kind, sizes.last))
    asdus = encode(columns, sizes, cause=3, address=1, packed=packed)
    octets = [one.encode(sizes) for one in asdus]
    parsed = [parse(one, sizes) for one in octets]
    assert parsed == asdus
    if not parsed:
        assert len(columns) == 0
        return
    found, owner = decode_all(parsed, sizes)
    assert found.object.tolist() == columns.object.tolist()
    assert np.bincount(owner, minlength=len(asdus)).tolist() == [one.count for one in asdus]
    again = encode(found, sizes, cause=3, address=1, packed=packed)
    assert [one.encode(sizes) for one in again] == octets


@BOUNDED
@given(
    st.lists(st.sampled_from(MEASURED), min_size=1, max_size=4, unique=True), sizes_of, st.data()
)
def test_events_are_the_rows_in_order(kinds: list[int], sizes: Sizes, data: st.DataObject) -> None:
    """Each row once, in the common order, and what it says is what `encode` says of it."""
    parts = [data.draw(rows(kind, sizes.last)) for kind in kinds]
    total = sum(len(one) for one in parts)
    order = np.random.default_rng(data.draw(st.integers(0, 1 << 32))).permutation(total)
    stops = np.cumsum([len(one) for one in parts])
    given_parts = [
        (one, order[stop - len(one) : stop]) for one, stop in zip(parts, stops, strict=True)
    ]
    octets = encode_events(given_parts, sizes, cause=3, address=1)
    assert all(len(one) <= sizes.longest for one in octets)
    found = []
    for asdu in (parse(one, sizes) for one in octets):
        size = len(asdu.body) // asdu.count
        found += [(asdu.type, asdu.body[at : at + size]) for at in range(0, len(asdu.body), size)]
    expected = {}
    for columns, position in given_parts:
        for row, at in enumerate(position.tolist()):
            (single,) = encode(columns[row : row + 1], sizes, cause=3, address=1)
            expected[at] = (columns.type, single.body)
    assert found == [expected[at] for at in range(total)]
