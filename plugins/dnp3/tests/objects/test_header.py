"""Object headers and the walk over them."""

from __future__ import annotations

import pytest
from gateway_dnp3.objects import ObjectError, ObjectHeader, Qualifier, Reason, header, split


def walk(text: str, *, naming: bool = False) -> list[ObjectHeader]:
    return list(split(bytes.fromhex(text), naming=naming))


# (qualifier, octets after it, start, count, octets of three g2v1 or g1v2 objects), by hand
READ = [
    ("01 02 00 03 05 81 01 81", 3, 3, 3),
    ("01 02 01 03 00 05 00 81 01 81", 3, 3, 3),
    ("01 02 02 03 00 00 00 05 00 00 00 81 01 81", 3, 3, 3),
    ("01 02 07 03 81 01 81", None, 3, 3),
    ("01 02 08 03 00 81 01 81", None, 3, 3),
    ("01 02 09 03 00 00 00 81 01 81", None, 3, 3),
    ("02 01 17 02 09 81 0A 01", None, 2, 4),
    ("02 01 18 02 00 09 81 0A 01", None, 2, 4),
    ("02 01 19 02 00 00 00 09 81 0A 01", None, 2, 4),
    ("02 01 27 02 09 00 81 0A 00 01", None, 2, 6),
    ("02 01 28 02 00 09 00 81 0A 00 01", None, 2, 6),
    ("02 01 29 02 00 00 00 09 00 81 0A 00 01", None, 2, 6),
    ("02 01 39 02 00 00 00 09 00 00 00 81 0A 00 00 00 01", None, 2, 10),
    ("46 05 5B 01 09 00 01 00 00 00 00 00 00 00 FF", None, 1, 11),
    ("3C 01 06", None, 0, 0),
]


@pytest.mark.parametrize(("text", "start", "count", "size"), READ)
def test_each_qualifier_is_read_and_written(
    text: str, start: int | None, count: int, size: int
) -> None:
    """Range, count and prefix of a header, and the octets that it was."""
    (one,) = walk(text)
    assert (one.start, one.count, len(one.data)) == (start, count, size)
    octets = header(
        one.group, one.variation, one.qualifier, start=start or 0, count=count, data=bytes(one.data)
    )
    assert octets == bytes.fromhex(text)


@pytest.mark.parametrize("text", [row[0] for row in READ])
def test_a_header_with_another_after_it_is_the_same(text: str) -> None:
    """What follows changes nothing, and is read as the next header."""
    first, second = walk(text + " 3C 02 06")
    assert bytes(first.data) == bytes(walk(text)[0].data)
    assert (second.group, second.offset) == (60, len(bytes.fromhex(text)))


def test_the_indexes_of_a_header() -> None:
    """From the range, or from the prefixes of each size."""
    texts = {
        "01 02 00 03 05 81 01 81": [3, 4, 5],
        "02 01 17 02 09 81 0A 01": [9, 10],
        "02 01 28 02 00 09 01 81 0A 00 01": [265, 10],
        "02 01 39 01 00 00 00 09 00 01 00 81": [65545],
        "02 01 17 00": [],
    }
    for text, indexes in texts.items():
        assert walk(text)[0].indexes().tolist() == indexes
    assert walk("1E 00 01 05 00 06 00", naming=True)[0].indexes().tolist() == [5, 6]
    assert walk("1E 00 28 02 00 05 00 09 00", naming=True)[0].indexes().tolist() == [5, 9]
    assert walk("1E 00 00 05 06", naming=True)[0].stop == 6
    assert walk("3C 01 06", naming=True)[0].stop is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("34 02 07 01 00 00", "qualifier 0x07"),
        ("46 08 5B 01 01 00 41", "qualifier 0x5B"),
        ("3C 01 02 00 00 00 00 00 00 01 00", "a range of 65537 points"),
        ("00 FC 17 02 00 01 01 41 00 01 02 41 42", "different sizes"),
    ],
)
def test_a_header_without_indexes_says_so(text: str, words: str) -> None:
    """Objects that are counted have none, and no request makes an array without bounds."""
    with pytest.raises(ObjectError, match=words):
        walk(text)[0].indexes()


@pytest.mark.parametrize(
    ("text", "words", "reason"),
    [
        ("AB CD", "2 octets left", Reason.MALFORMED),
        ("02 02 AB", "qualifier 0xAB", Reason.MALFORMED),
        ("02 02 03 00 00", "qualifier 0x03", Reason.MALFORMED),
        ("01 02 00 01", "would end at byte 5", Reason.MALFORMED),
        ("01 02 00 01 04 FF FF FF", "would end at byte 9", Reason.MALFORMED),
        ("01 02 00 05 03", "from 5 to 3", Reason.MALFORMED),
        ("01 02 01 00 00 FF FF", "would end at byte 65543", Reason.MALFORMED),
        ("01 02 06", "need a range or a count", Reason.MALFORMED),
        ("01 01 17 01 09 01", "need a range or a count", Reason.MALFORMED),
        ("63 01 07 01 00", "g99v1, which is not known", Reason.UNKNOWN),
        ("01 03 07 01 00", "g1v3, which is not known", Reason.UNKNOWN),
        ("6E 00 00 00 FF", "g110v0, which is not known", Reason.UNKNOWN),
        ("00 00 00 00 00 01 00", "g0v0, which is not known", Reason.UNKNOWN),
        ("46 05 07 01 00", "need 0x5B", Reason.MALFORMED),
        ("46 05 5B 01 09", "would end at byte 6", Reason.MALFORMED),
        ("46 05 5B 01 09 00 01", "would end at byte 15", Reason.MALFORMED),
        ("46 05 5B 02 00 00", "would end at byte 8", Reason.MALFORMED),
        ("00 FC 00 00 00 01", "would end at byte 7", Reason.MALFORMED),
        ("00 FC 00 00 00 01 05 41", "would end at byte 12", Reason.MALFORMED),
        ("00 FF 00 00 00 FF 00 41", "would end at byte 263", Reason.MALFORMED),
        ("02 01 29 FF FF FF FF 00", "would end at byte", Reason.MALFORMED),
    ],
)
def test_what_is_no_header_is_refused(text: str, words: str, reason: Reason) -> None:
    """The error says where, what was found, what is allowed, and what to answer."""
    with pytest.raises(ObjectError, match=words):
        walk(text)
    with pytest.raises(ObjectError) as caught:
        walk("3C 02 06" + text)
    assert caught.value.offset == 3
    assert caught.value.reason is reason
    assert caught.value.allowed


@pytest.mark.parametrize("text", ["01 02 00 05 03", "02 02 AB", "1E 00 28 02 00 05 00"])
def test_a_name_that_is_none_is_refused(text: str) -> None:
    """Requests are checked as well, though they carry no objects."""
    with pytest.raises(ObjectError):
        walk(text, naming=True)


def test_an_unknown_object_may_be_named() -> None:
    """Its size is not needed: the outstation answers for it."""
    (one,) = walk("63 09 01 00 00 FF FF", naming=True)
    assert (one.group, one.variation, one.count) == (99, 9, 65536)


@pytest.mark.parametrize(
    ("qualifier", "start", "count"),
    [
        (Qualifier.RANGE_8, 0, 0),
        (Qualifier.RANGE_8, 255, 2),
        (Qualifier.RANGE_16, 65535, 2),
        (Qualifier.RANGE_8, -1, 1),
        (Qualifier.COUNT_8, 0, 256),
        (Qualifier.COUNT_16, 0, -1),
    ],
)
def test_a_header_that_cannot_be_said_is_refused(
    qualifier: Qualifier, start: int, count: int
) -> None:
    """Ranges and counts beyond the qualifier's octets are errors, not wrapped."""
    with pytest.raises(ObjectError, match="it holds"):
        header(30, 1, qualifier, start=start, count=count)
