"""What a fragment holds."""

from __future__ import annotations

import numpy as np
import pytest
from gateway_dnp3.app import (
    Fragment,
    FragmentError,
    FunctionCode,
    Iin,
    contents,
    gather,
    headers,
    indication,
    parse,
)
from gateway_dnp3.objects import (
    NO_TIME,
    Attribute,
    Columns,
    FileBlock,
    ObjectError,
    Schedule,
    Strings,
    encode,
    encode_attributes,
    encode_events,
    encode_file,
    encode_schedules,
    encode_strings,
)


def response(text: str) -> Fragment:
    return Fragment.response(Iin.NONE, bytes.fromhex(text))


def test_a_relative_time_without_a_common_one_is_none() -> None:
    """g2v3 with no g51 before it has no time, one by one and together."""
    fragment = response("02 03 17 01 07 81 02 00")
    ((_, item),) = contents(fragment)
    assert isinstance(item, Columns)
    assert item.time.tolist() == [NO_TIME]
    ((one,), order) = gather(headers(fragment))
    assert one.time.tolist() == [NO_TIME]
    assert order.tolist() == [0]


def test_a_common_time_lasts_to_the_next_and_says_whether_the_clock_was_right() -> None:
    """g51v2 makes the rows after it unsynchronised, g51v1 synchronised again."""
    fragment = response(
        "33 01 07 01 0A 00 00 00 00 00  02 03 17 01 01 81 01 00"
        "33 02 07 01 14 00 00 00 00 00  02 03 17 01 02 81 02 00  04 03 17 01 03 81 03 00"
        "33 01 07 01 1E 00 00 00 00 00  02 03 17 02 04 81 04 00 05 01 05 00"
    )
    rows = []
    for _, item in contents(fragment):
        if isinstance(item, Columns):
            rows += [
                (index, time, item.synchronised)
                for index, time in zip(item.index.tolist(), item.time.tolist(), strict=True)
            ]
    expected = [(1, 11, True), (2, 22, False), (3, 23, False), (4, 34, True), (5, 35, True)]
    assert rows == expected

    columns, order = gather(headers(fragment))
    gathered = [
        (index, time, one.synchronised)
        for one in columns
        for index, time in zip(one.index.tolist(), one.time.tolist(), strict=True)
    ]
    assert [gathered[row] for row in np.argsort(order)] == expected
    assert not any(one.relative for one in columns)


def test_alternating_events_are_gathered_in_their_order() -> None:
    """Events of four kinds, written in an order, are read in it."""
    order = np.array([0, 1, 1, 2, 0, 3, 3, 2, 0, 1] * 5)
    counts = [int((order == k).sum()) for k in range(4)]
    kinds = [(32, 3), (2, 2), (2, 3), (22, 5)]
    parts = [
        Columns.of(group, variation, np.arange(n), np.arange(n) % 2, 1, 10**12 + np.arange(n))
        for (group, variation), n in zip(kinds, counts, strict=True)
    ]
    octets, rows = encode_events(parts, order, 2048)
    assert rows == len(order)
    columns, place = gather(headers(Fragment.response(Iin.NONE, octets)))
    found = [((one.group, one.variation), index) for one in columns for index in one.index.tolist()]
    counters = [iter(range(n)) for n in counts]
    expected = [(kinds[k], next(counters[k])) for k in order.tolist()]
    assert [found[row] for row in np.argsort(place)] == expected


def test_gathering_nothing() -> None:
    """No measurement gives no columns and an empty order."""
    columns, order = gather(headers(response("34 02 07 01 00 00")))
    assert columns == []
    assert order.tolist() == []


def test_a_count_of_no_common_time() -> None:
    """A g51 without objects leaves no common time."""
    fragment = response("33 01 07 00 02 03 17 01 07 81 02 00")
    items = [item for _, item in contents(fragment)]
    assert isinstance(items[1], Columns)
    assert items[1].time.tolist() == [NO_TIME]


def test_each_kind_of_object_is_decoded() -> None:
    """Strings, attributes, files, schedules and times are values; the rest is left alone."""
    objects = (
        encode_strings(Strings(110, [1], [b"x"]), 100)[0]
        + encode_attributes([Attribute(0, 252, "Acme")])
        + encode_file(FileBlock(1, 2, False, b"z"))
        + encode_schedules([Schedule(1, 2, 3, 4)])
        + bytes.fromhex("34 02 07 01 05 00")
        + bytes.fromhex("78 01 5B 01 02 00 AA BB")
    )
    items = [item for _, item in contents(Fragment.response(Iin.NONE, objects))]
    assert items == [
        Strings(110, [1], [b"x"]),
        [Attribute(0, 252, "Acme")],
        [FileBlock(1, 2, False, b"z")],
        [Schedule(1, 2, 3, 4)],
        [5],
        [],
    ]


def test_what_stands_before_an_error_is_given() -> None:
    """An unknown object ends the walk, after what stands before it."""
    walk = contents(response("01 02 00 03 03 81  63 01 00 00 00 00"))
    header, item = next(walk)
    assert (header.group, isinstance(item, Columns)) == (1, True)
    with pytest.raises(ObjectError, match="g99v1") as caught:
        next(walk)
    assert caught.value.offset == 6
    assert indication(caught.value) is Iin.OBJECT_UNKNOWN


def test_a_request_only_names_its_objects() -> None:
    """READ names points, FREEZE_AT_TIME names counters but carries its schedule."""
    read = Fragment.request(FunctionCode.READ, bytes.fromhex("1E 02 00 05 06 63 09 17 02 01 02"))
    assert [one.indexes().tolist() for one in headers(read)] == [[5, 6], [1, 2]]
    octets = encode_schedules([Schedule(0, 5, 6)], 2) + bytes.fromhex("14 00 06")
    freeze = Fragment.request(FunctionCode.FREEZE_AT_TIME, octets)
    first, second = headers(freeze)
    assert (len(first.data), len(second.data)) == (10, 0)
    assert [item for _, item in contents(freeze)] == [[Schedule(0, 5, 6)], []]
    clock = Fragment.request(FunctionCode.READ, bytes.fromhex("32 01 07 01 32 04 06 0C 01 06"))
    assert [item for _, item in contents(clock)] == [[], [], []]


def test_errors_become_indications() -> None:
    """A bad number is IIN2.2, an unknown function IIN2.0."""
    with pytest.raises(ObjectError) as cut:
        list(headers(response("01 02 00 03")))
    assert indication(cut.value) is Iin.PARAMETER_ERROR
    with pytest.raises(FragmentError) as unknown:
        parse(b"\xc0\x7f")
    assert indication(unknown.value) is Iin.NO_FUNC_CODE_SUPPORT


def test_encode_takes_what_gather_gives() -> None:
    """Columns that were read can be written at once, in an own variation."""
    ((one,), _) = gather(headers(response("33 01 07 01 0A 00 00 00 00 00 02 03 17 01 01 81 01 00")))
    assert encode(one, 100)[0].hex() == "33010701" + "0b0000000000" + "02031701" + "01810000"
