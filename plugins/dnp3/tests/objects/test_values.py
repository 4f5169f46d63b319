"""Strings, times, schedules and attributes."""

from __future__ import annotations

from typing import Any

import pytest
from gateway_dnp3.objects import (
    ATTRIBUTE_NAMES,
    Attribute,
    Kind,
    ObjectError,
    Qualifier,
    Schedule,
    Strings,
    attributes,
    encode_attributes,
    encode_schedules,
    encode_strings,
    schedules,
    split,
    strings,
    time_object,
    times,
)


def test_strings_of_one_length_share_a_header() -> None:
    """Static strings are ranges of neighbours, events lists."""
    given = Strings(110, [1, 2, 4, 300], [b"ab", b"cd", b"ef", b"ghi"])
    octets, rows = encode_strings(given, 200)
    assert rows == 4
    assert octets.hex() == (
        "6e02000102" "61626364" "6e02000404" "6566" "6e03012c012c01" "676869"
    )  # fmt: skip
    found = [strings(one) for one in split(octets)]
    assert [(list(one.index), list(one.text)) for one in found] == [
        ([1, 2], [b"ab", b"cd"]),
        ([4], [b"ef"]),
        ([300], [b"ghi"]),
    ]
    events, rows = encode_strings(Strings(111, [5, 3, 3], [b"x", b"y", b"zz"]), 200)
    assert (rows, events.hex()) == (3, "6f012802000500780300796f0228010003007a7a")


@pytest.mark.parametrize("budget", range(40))
def test_strings_fit(budget: int) -> None:
    """Never more octets than the budget."""
    for group in (110, 111):
        octets, rows = encode_strings(Strings(group, [1, 2, 3], [b"abcd", b"efgh", b"ij"]), budget)
        assert len(octets) <= budget
        assert sum(len(strings(one)) for one in split(octets)) == rows


@pytest.mark.parametrize("text", [b"", b"x" * 256])
def test_a_string_has_1_to_255_octets(text: bytes) -> None:
    """An empty one is no object, and 255 is the largest variation."""
    with pytest.raises(ObjectError, match="1 to 255"):
        encode_strings(Strings(110, [1], [text]), 1000)


def test_a_string_has_an_index_of_the_qualifier() -> None:
    """Also where a list is narrow, whose count ends a header."""
    with pytest.raises(ObjectError, match="0 to 65535"):
        encode_strings(Strings(110, [65536], [b"x"]), 100)
    with pytest.raises(ObjectError, match="0 to 255"):
        encode_strings(Strings(111, [256], [b"x"]), 100, Qualifier.INDEX_8)
    octets, rows = encode_strings(Strings(111, [1] * 300, [b"x"] * 300), 1000, Qualifier.INDEX_8)
    assert rows == 300
    assert [one.count for one in split(octets)] == [255, 45]


def test_times_and_delays() -> None:
    """48 bits of ms, a coarse delay in seconds, a fine one in ms."""
    for group, variation in [(50, 1), (50, 3), (51, 1), (51, 2)]:
        octets = time_object(group, variation, 1234)
        assert octets == bytes((group, variation, 7, 1, 0xD2, 4, 0, 0, 0, 0))
        assert [times(one) for one in split(octets)] == [[1234]]
    assert time_object(52, 1, 4001).hex() == "340107010500"
    assert time_object(52, 2, 4001).hex() == "34020701a10f"
    (coarse,) = split(bytes.fromhex("34 01 07 01 05 00"))
    assert times(coarse) == [5000]


@pytest.mark.parametrize(
    ("group", "variation", "ms"),
    [(50, 1, -1), (50, 1, 1 << 48), (52, 2, 65536), (52, 1, 65_536_000), (50, 2, 0), (1, 1, 0)],
)
def test_a_time_that_cannot_be_said_is_refused(group: int, variation: int, ms: int) -> None:
    """Beyond its octets, or no time at all."""
    with pytest.raises(ObjectError, match="allowed"):
        time_object(group, variation, ms)


def test_schedules() -> None:
    """g50v4 has an index and a unit, g50v2 neither."""
    given = [Schedule(7, 9, 3, 5), Schedule(8, 10, 4, 6)]
    (one,) = split(encode_schedules(given))
    assert schedules(one) == given
    octets = encode_schedules([Schedule(0, 9, 3)], 2)
    assert octets.hex() == "32020701" + "090000000000" + "03000000"
    (one,) = split(octets)
    assert schedules(one) == [Schedule(0, 9, 3)]
    assert encode_schedules([]).hex() == "3204280000"


@pytest.mark.parametrize(
    "one", [Schedule(-1, 0, 0), Schedule(0, 1 << 48, 0), Schedule(0, 0, -1), Schedule(0, 0, 0, 256)]
)
def test_a_schedule_that_cannot_be_said_is_refused(one: Schedule) -> None:
    """Index, start, interval and unit have their octets."""
    with pytest.raises(ObjectError, match="allowed"):
        encode_schedules([one])


# (attribute, octets after the header), by hand
ATTRIBUTES = [
    (Attribute(0, 252, "Acme"), "0104" + "41636d65"),
    (Attribute(0, 252, ""), "0100"),
    (Attribute(0, 241, 7, Kind.UINT), "0201" + "07"),
    (Attribute(0, 241, 2048, Kind.UINT), "0202" + "0008"),
    (Attribute(0, 241, 65536, Kind.UINT), "0204" + "00000100"),
    (Attribute(0, 241, 1 << 32, Kind.UINT), "0208" + "0000000001000000"),
    (Attribute(0, 231, -1, Kind.INT), "0301" + "ff"),
    (Attribute(0, 231, -129, Kind.INT), "0302" + "7fff"),
    (Attribute(0, 203, 0.5, Kind.FLT), "0404" + "0000003f"),
    (Attribute(0, 203, 0.1, Kind.FLT), "0408" + "9a9999999999b93f"),
    (Attribute(0, 203, 1e39, Kind.FLT), None),
    (Attribute(0, 200, b"\x01\x02", Kind.OSTR), "0502" + "0102"),
    (Attribute(0, 200, b"\x81", Kind.BSTR), "0601" + "81"),
    (Attribute(0, 199, 1234, Kind.TIME), "0706" + "d20400000000"),
    (Attribute(0, 255, ((252, False), (247, True)), Kind.LIST), "fe04" + "fc00f701"),
    (Attribute(0, 255, ((7, True),) * 200, Kind.LONG_LIST), "ff90" + "0701" * 200),
    (Attribute(0, 5, b"\x09", 8), "0801" + "09"),
]


@pytest.mark.parametrize(("one", "octets"), ATTRIBUTES)
def test_attributes_of_every_type(one: Attribute, octets: str | None) -> None:
    """Type, length and value, and back."""
    written = encode_attributes([one])
    if octets is not None:
        assert written.hex() == bytes((0, one.variation, 0, 0, 0)).hex() + octets
    (header,) = split(written)
    assert attributes(header) == [one]


def test_attributes_with_an_index_before_them() -> None:
    """A list says which set each belongs to, a range begins with one."""
    one = Attribute(3, 252, "x")
    (header,) = split(encode_attributes([one], Qualifier.INDEX_8))
    assert attributes(header) == [one]
    (header,) = split(bytes.fromhex("00 FC 00 01 02 01 01 41 01 01 42"))
    assert attributes(header) == [Attribute(1, 252, "A"), Attribute(2, 252, "B")]


def test_not_a_number_is_a_float() -> None:
    """NaN takes four octets."""
    octets = encode_attributes([Attribute(0, 203, float("nan"), Kind.FLT)])
    assert len(octets) == 5 + 2 + 4


@pytest.mark.parametrize(
    "one",
    [
        Attribute(0, 1, "x" * 256),
        Attribute(0, 1, "☃"),
        Attribute(0, 1, -1, Kind.UINT),
        Attribute(0, 1, 1 << 64, Kind.UINT),
        Attribute(0, 1, -1, Kind.TIME),
        Attribute(0, 1, "x", 300),
        Attribute(0, 1, ((1, True),) * 256, Kind.LIST),
    ],
)
def test_an_attribute_that_cannot_be_said_is_refused(one: Attribute) -> None:
    """A value of another type, or a long one."""
    with pytest.raises(ObjectError, match="allowed"):
        encode_attributes([one])


@pytest.mark.parametrize(
    ("text", "function"),
    [
        ("00 CB 00 00 00 04 03 00 00 00", attributes),
        ("00 FF 00 00 00 FE 03 00 00 00", attributes),
        ("01 02 00 00 00 81", attributes),
        ("01 02 00 00 00 81", strings),
        ("01 02 00 00 00 81", times),
        ("01 02 00 00 00 81", schedules),
    ],
)
def test_what_is_of_another_use_is_refused(text: str, function: Any) -> None:
    """A float of three octets, a list of three, and other objects."""
    (header,) = split(bytes.fromhex(text))
    with pytest.raises(ObjectError):
        function(header)


def test_an_attribute_that_is_only_named_is_refused() -> None:
    """A READ names attributes and carries none."""
    (header,) = split(bytes.fromhex("00 FE 00 00 00"), naming=True)
    with pytest.raises(ObjectError, match="1 attributes"):
        attributes(header)


def test_names_of_attributes() -> None:
    """As the dissector of Wireshark names them."""
    assert ATTRIBUTE_NAMES[252] == "manufacturer"
    assert ATTRIBUTE_NAMES[242] == "software version"
    assert set(ATTRIBUTE_NAMES) == {*range(196, 251), 252}
