"""What stands before the objects: figures 9 to 16 of 101 clause 7.2."""

from __future__ import annotations

from itertools import product

import pytest
from gateway_iec60870.asdu import IEC104, Asdu, AsduError, Cause, Sizes, TypeId, parse

HEADS = [
    # sizes, octets, what they say: single command 1 at object 5 of station 0x0102
    (Sizes(1, 1, 1), "2D 01 06 02 05 01", {"address": 0x02}),
    (Sizes(1, 1, 2), "2D 01 06 02 05 00 01", {"address": 0x02}),
    (Sizes(1, 2, 1), "2D 01 06 02 01 05 01", {"address": 0x0102}),
    (Sizes(2, 1, 3), "2D 01 06 07 02 05 00 00 01", {"address": 0x02, "originator": 7}),
    (Sizes(2, 2, 3), "2D 01 06 07 02 01 05 00 00 01", {"address": 0x0102, "originator": 7}),
    (IEC104, "2D 01 46 FF FF FF 05 00 00 01",
     {"address": 65535, "negative": True, "originator": 255}),
    (IEC104, "2D 01 86 00 00 00 05 00 00 01", {"address": 0, "test": True}),
    (IEC104, "2D 81 C6 00 01 00 05 00 00 01",
     {"address": 1, "test": True, "negative": True, "sequence": True}),
]  # fmt: skip


@pytest.mark.parametrize(("sizes", "text", "fields"), HEADS)
def test_a_head(sizes: Sizes, text: str, fields: dict[str, int]) -> None:
    """Type, structure, cause with P/N and T, originator and address, there and back."""
    octets = bytes.fromhex(text)
    found = parse(octets, sizes)
    body = octets[sizes.head :]
    assert found == Asdu(TypeId.C_SC_NA_1, Cause.ACTIVATION, body=body, **fields)  # type: ignore[arg-type]
    assert found.encode(sizes) == octets
    assert hash(found) == hash(parse(octets, sizes))


def test_an_asdu_that_was_read_is_as_frozen_as_another() -> None:
    """It is an Asdu in every respect, and no field of it can be set."""
    found = parse(bytes.fromhex("2D 01 06 00 01 00 05 00 00 01"), IEC104)
    assert type(found) is Asdu
    with pytest.raises(AttributeError):
        found.cause = 7  # type: ignore[misc]


@pytest.mark.parametrize("sizes", [Sizes(*one) for one in product((1, 2), (1, 2), (1, 2, 3))])
def test_the_numbers_of_sizes(sizes: Sizes) -> None:
    """What is derived from the octets of the fields."""
    assert sizes.head == 2 + sizes.cause + sizes.address
    assert sizes.broadcast == {1: 0xFF, 2: 0xFFFF}[sizes.address]
    assert sizes.last == {1: 0xFF, 2: 0xFFFF, 3: 0xFFFFFF}[sizes.object]
    assert sizes == Sizes(sizes.cause, sizes.address, sizes.object)


@pytest.mark.parametrize(
    "fields",
    [{"cause": 0}, {"cause": 3}, {"address": 0}, {"address": 3}, {"object": 0}, {"object": 4},
     {"longest": 31}, {"longest": 255}],
)  # fmt: skip
def test_sizes_that_cannot_be(fields: dict[str, int]) -> None:
    """Every field has its bounds, and the error names them."""
    with pytest.raises(ValueError, match=r"octets, allowed: \d+ to \d+"):
        Sizes(**fields)


def test_an_unknown_type_is_read_with_any_body() -> None:
    """So that it can be answered with the cause 44."""
    for body in ("", "05 00 00", "05 00 00 01 02 03"):
        octets = bytes.fromhex(f"C8 05 06 00 01 00 {body}")
        found = parse(octets, IEC104)
        assert (found.type, found.count, found.body.hex(" ")) == (200, 5, body.lower())
        answer = found.answer(Cause.UNKNOWN_TYPE, negative=True)
        assert answer.encode(IEC104).hex(" ") == f"c8 05 6c 00 01 00 {body}".lower().strip()
    assert parse(bytes.fromhex("C8 85 06 00 01 00 07"), IEC104).sequence


def test_an_answer_mirrors_everything_else() -> None:
    """Test bit, originator and objects stay; cause and P/N are those of the answer."""
    request = parse(bytes.fromhex("2E 01 86 05 01 00 05 00 00 82"), IEC104)
    answer = request.answer(Cause.ACTIVATION_CON).encode(IEC104)
    assert answer == bytes.fromhex("2E 01 87 05 01 00 05 00 00 82")
    answer = request.answer(Cause.ACTIVATION_CON, negative=True).encode(IEC104)
    assert answer == bytes.fromhex("2E 01 C7 05 01 00 05 00 00 82")


def test_an_asdu_without_objects() -> None:
    """The number may be 0 (101 clause 7.2.2), and then nothing follows."""
    for structure in ("00", "80"):
        octets = bytes.fromhex(f"01 {structure} 03 00 01 00")
        assert parse(octets, IEC104).encode(IEC104) == octets
        with pytest.raises(AsduError, match="allowed: 0 for 0 of M_SP_NA_1"):
            parse(octets + b"\0", IEC104)


def test_as_many_objects_as_seven_bits_say() -> None:
    """127 objects after one address, and a sequence that ends with the last address."""
    octets = bytes.fromhex("01 FF 14 00 01 00 81 FF FF") + bytes(127)
    assert parse(octets, IEC104).count == 127
    beyond = bytes.fromhex("01 FF 14 00 01 00 82 FF FF") + bytes(127)
    with pytest.raises(AsduError, match=r"octet 6 .* object 16777216, allowed: up to 16777215"):
        parse(beyond, IEC104)
    beyond = bytes.fromhex("01 82 14 01 FF 00 00")
    with pytest.raises(AsduError, match="object 256, allowed: up to 255"):
        parse(beyond, Sizes(1, 1, 1))


def test_a_segment_says_its_own_length() -> None:
    """F_SG_NA_1 (101 clause 7.3.6.6): octets of the segment after LOS."""
    octets = bytes.fromhex("7D 01 0D 00 01 00 05 00 00 01 00 02 03 AA BB CC")
    assert parse(octets, IEC104).encode(IEC104) == octets
    for length in range(len(octets)):
        with pytest.raises(AsduError) as caught:
            parse(octets[:length], IEC104)
        assert caught.value.offset == length
    with pytest.raises(AsduError, match=r"octet 16 .* 11 octets of objects, allowed: 10"):
        parse(octets + b"\0", IEC104)
    for structure in (0, 2):
        with pytest.raises(AsduError, match=rf"octet 1 .* {structure} segments, allowed: 1"):
            parse(bytes([0x7D, structure]) + octets[2:], IEC104)


def test_an_error_says_where_and_what() -> None:
    """Offset from the type, what was found, what is allowed."""
    with pytest.raises(AsduError) as caught:
        parse(bytes.fromhex("01 02 03 00 01 00 05 00 00 01 06 00"), IEC104)
    error = caught.value
    assert (error.offset, error.found) == (12, "6 octets of objects")
    assert error.allowed == "8 for 2 of M_SP_NA_1"
    with pytest.raises(AsduError, match=r"octet 3 of the ASDU: found 3 octets, allowed: 6 before"):
        parse(b"\1\1\3", IEC104)
    with pytest.raises(AsduError, match="5 for 2 of M_SP_NA_1 in sequence"):
        parse(bytes.fromhex("01 82 03 00 01 00 05 00 00 01"), IEC104)


@pytest.mark.parametrize(
    ("fields", "offset", "text"),
    [
        ({"type": 256}, 0, "type 256, allowed: 0 to 255"),
        ({"type": -1}, 0, "type -1, allowed: 0 to 255"),
        ({"count": 128}, 1, "number of objects 128, allowed: 0 to 127"),
        ({"cause": 64}, 2, "cause 64, allowed: 0 to 63"),
        ({"originator": 256}, 3, "originator 256, allowed: 0 to 255"),
        ({"address": 65536}, 4, "common address 65536, allowed: 0 to 65535"),
        ({"body": bytes(244)}, 249, "250 octets, allowed: up to 249"),
    ],
)
def test_an_asdu_that_does_not_fit(fields: dict[str, int], offset: int, text: str) -> None:
    """Every field and the whole have their octets."""
    asdu = Asdu(**{"type": 1, "cause": 3, "address": 1, "body": b"", **fields})  # type: ignore[arg-type]
    with pytest.raises(AsduError, match=text) as caught:
        asdu.encode(IEC104)
    assert caught.value.offset == offset


def test_no_originator_where_the_cause_has_one_octet() -> None:
    """It is left out, never written into the address."""
    octets = Asdu(100, 6, 1, bytes([0, 20]), originator=9).encode(Sizes(1, 1, 1))
    assert octets == bytes.fromhex("64 01 06 01 00 14")
    with pytest.raises(AsduError, match=r"octet 3 .* common address 256, allowed: 0 to 255"):
        Asdu(100, 6, 256, bytes([0, 20])).encode(Sizes(1, 1, 1))


def test_the_longest_asdu() -> None:
    """What the link layer leaves is a bound of its own."""
    assert len(Asdu(200, 3, 1, bytes(243)).encode(IEC104)) == 249
    with pytest.raises(AsduError, match="101 octets, allowed: up to 100"):
        Asdu(200, 3, 1, bytes(95)).encode(Sizes(longest=100))
