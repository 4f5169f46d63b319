"""Whatever octets come, the codec gives values or its own error, in bounded memory.

What it gives can be written, and what was written reads the same.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from gateway_dnp3.app import FragmentError, FunctionCode, contents, gather, headers, parse
from gateway_dnp3.objects import LAYOUTS, Columns, ObjectError, Qualifier, Use, encode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

APP = Path(__file__).parents[1] / "app"
sys.path.insert(0, str(APP))
from again import again  # noqa: E402

PUBLISHED = [
    bytes.fromhex(line)
    for line in (APP / "published.txt").read_text().splitlines()
    if line and not line.startswith("#")
]
KEYS = sorted({*LAYOUTS, (0, 252), (110, 5), (111, 3), (99, 1)})
BOUNDED = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def survive(octets: bytes) -> None:
    """Read octets in every way; only the layers' own errors may come."""
    try:
        fragment = parse(octets)
    except FragmentError:
        return
    size = 0
    found = None
    try:
        for header, item in contents(fragment):
            size += len(item) if header.data else 0
    except ObjectError as error:
        found = error
    assert found is None or 0 <= found.offset <= len(octets)
    assert size <= 8 * len(octets)
    try:
        columns, order = gather(headers(fragment))
    except ObjectError:
        return
    assert sum(len(one) for one in columns) == len(order) <= 8 * len(octets)
    assert sorted(order.tolist()) == list(range(len(order)))


@BOUNDED
@given(st.binary(max_size=300))
def test_any_octets(octets: bytes) -> None:
    """Octets without any sense."""
    survive(octets)


@st.composite
def likely(draw: st.DrawFn) -> bytes:
    """Headers that are nearly right, with octets of any kind after them."""
    octets = bytes((0xC0, draw(st.sampled_from([1, 2, 5, 129, 130]))))
    octets += b"\0\0" if octets[1] >= 129 else b""
    for _ in range(draw(st.integers(1, 4))):
        group, variation = draw(st.sampled_from(KEYS))
        octets += bytes((group, variation, draw(st.sampled_from(list(Qualifier)))))
        octets += bytes(draw(st.lists(st.integers(0, 3), max_size=8)))
        octets += draw(st.binary(max_size=40))
    return octets


@BOUNDED
@given(likely())
def test_likely_octets(octets: bytes) -> None:
    """Known objects and qualifiers in combinations that no device sends."""
    survive(octets)


@BOUNDED
@given(st.sampled_from(PUBLISHED), st.data())
def test_flipped_and_cut_fragments(octets: bytes, data: st.DataObject) -> None:
    """Published fragments with octets changed, taken out and put in."""
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
    survive(bytes(changed))


@BOUNDED
@given(likely())
def test_what_is_read_can_be_written(octets: bytes) -> None:
    """Decoded and encoded again, a fragment says the same the second time."""
    try:
        fragment = parse(octets)
        once = again(fragment)
    except (FragmentError, ObjectError):
        return
    other = parse(bytes((0xC0, fragment.function)) + b"\0\0" * (fragment.function >= 129) + once)
    assert again(other) == once


MEASURED = [key for key, one in LAYOUTS.items() if one.use is Use.MEASUREMENT]


@BOUNDED
@given(st.sampled_from(MEASURED), st.integers(0, 400), st.data())
def test_any_rows_are_written_or_refused(
    key: tuple[int, int], budget: int, data: st.DataObject
) -> None:
    """Any value, flag, time and index: octets that fit and read as many rows, or the error."""
    rows = data.draw(st.integers(0, 30))
    numbers = st.floats(allow_nan=True, allow_infinity=True)
    columns = Columns.of(
        *key,
        np.cumsum(data.draw(st.lists(st.integers(-1, 300), min_size=rows, max_size=rows))),
        data.draw(st.lists(numbers, min_size=rows, max_size=rows)),
        data.draw(st.lists(st.integers(0, 255), min_size=rows, max_size=rows)),
        data.draw(st.lists(st.integers(-2, 1 << 40), min_size=rows, max_size=rows)),
    )
    try:
        octets, count = encode(columns, budget)
    except ObjectError:
        return
    assert len(octets) <= budget
    read = [item for _, item in contents(parse(bytes((0xC0, 129, 0, 0)) + octets))]
    found = [one for one in read if isinstance(one, Columns)]
    assert sum(len(one) for one in found) == count
    if count:
        index = np.concatenate([one.index for one in found])
        assert index.tolist() == columns.index[:count].tolist()
        if LAYOUTS[key].time.value:
            time = np.concatenate([one.time for one in found])
            assert time.tolist() == columns.time[:count].tolist()


def test_a_request_names_without_bounds_and_costs_nothing() -> None:
    """Four billion points named in nine octets make no array until somebody asks."""
    octets = bytes((0xC0, FunctionCode.READ)) + bytes.fromhex("1E 01 02 00 00 00 00 FF FF FF FF")
    (header,) = headers(parse(octets))
    assert header.count == 1 << 32
