"""Packets against the octets of the standard, whole, byte by byte, and with bytes after them."""

from __future__ import annotations

import io

import pytest
from gateway_mqtt.packet import (
    AS_PUBLISHED,
    AT_LEAST_ONCE,
    HEAD,
    NONE_RETAINED,
    Packet,
    Parser,
    ProtocolError,
    Publish,
    puback,
    puback_packet,
    publish_head,
    received,
    suback,
    subscribe,
    unsubscribe,
)
from gateway_mqtt.properties import pack, response
from hypothesis import given, settings
from hypothesis import strategies as st

# MQTT 5.0 clauses 3.4 (PUBACK), 3.13 (PINGRESP), 3.14 (DISCONNECT); 1.5.5 for the lengths.
PACKETS = [
    (b"\x40\x02\x12\x34", Packet(0x40, b"\x12\x34")),
    (b"\x40\x04\x12\x34\x87\x00", Packet(0x40, b"\x12\x34\x87\x00")),
    (b"\xd0\x00", Packet(0xD0, b"")),
    (b"\xe0\x01\x93", Packet(0xE0, b"\x93")),
    (b"\x40\x80\x01" + b"r" * 128, Packet(0x40, b"r" * 128)),
    (b"\x40\x80\x80\x01" + b"r" * 16384, Packet(0x40, b"r" * 16384)),
]


@pytest.mark.parametrize(("octets", "expected"), PACKETS)
def test_a_packet_is_the_same_however_it_arrives(octets: bytes, expected: Packet) -> None:
    """Whole, byte by byte, and with the next packet behind it."""
    assert list(Parser().feed(octets)) == [expected]
    assert list(Parser().feed(octets + b"\xd0\x00\x40")) == [expected, Packet(0xD0, b"")]
    parser = Parser()
    assert [p for i in range(len(octets)) for p in parser.feed(octets[i : i + 1])] == [expected]


@settings(deadline=None)
@given(st.lists(st.sampled_from(PACKETS), max_size=6), st.lists(st.integers(1, 200), max_size=50))
def test_the_cuts_of_the_stream_do_not_matter(
    packets: list[tuple[bytes, Packet]], cuts: list[int]
) -> None:
    """Any division of a stream of packets gives the same packets."""
    stream = io.BytesIO(b"".join(octets for octets, _ in packets))
    parser = Parser()
    found = [p for cut in cuts for p in parser.feed(stream.read(cut))]
    assert found + list(parser.feed(stream.read())) == [packet for _, packet in packets]


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_no_input_does_more_than_break_the_protocol(octets: bytes) -> None:
    """Whatever arrives, it is packets or a ProtocolError, and a PUBACK is two numbers or one."""
    try:
        for packet in Parser().feed(octets):
            if packet.first >> 4 == 3:
                for five in (True, False):
                    assert received(*packet, five=five).qos in (0, 1)
            if packet.first == 0x90:
                assert 0 <= suback(packet.body, five=True)[0] <= 0xFFFF
            if packet.first == 0x40:
                mid, code = puback(packet.body)
                assert 0 <= mid <= 0xFFFF
                assert 0 <= code <= 0xFF
    except ProtocolError:
        pass


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"\x40\xff\xff\xff\xff\x01", "more than four bytes"),
        (b"\x40\xff\xff\xff\x7f", "268435455 bytes"),
    ],
)
def test_a_length_that_cannot_be_is_refused(octets: bytes, words: str) -> None:
    """Nothing is collected for a packet longer than any that a client is sent."""
    with pytest.raises(ProtocolError, match=words):
        list(Parser().feed(octets))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"\x00\x01", (1, 0)),
        (b"\xff\xff\x10", (65535, 0x10)),
        (b"\x12\x34\x87\x00", (0x1234, 0x87)),
    ],
)
def test_a_puback_without_reason_means_success(body: bytes, expected: tuple[int, int]) -> None:
    """Clause 3.4.2.1: a remaining length of 2 stands for reason code 0."""
    assert puback(body) == expected


def test_a_puback_without_identifier_is_refused() -> None:
    """Clause 3.4.2: the identifier is always there."""
    with pytest.raises(ProtocolError, match="no packet identifier"):
        puback(b"\x01")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        # Clause 3.3, figure 3-9: topic a/b, packet identifier 10, no properties.
        (("a/b", 10, 0, False, True), b"\x32\x08\x00\x03a/b\x00\x0a\x00"),
        (("a/b", 10, 0, True, False), b"\x33\x07\x00\x03a/b\x00\x0a"),
        (("ü", 0x1234, 120, False, True), b"\x32\x7f\x00\x02\xc3\xbc\x12\x34\x00"),
        (("ü", 0x1234, 121, False, True), b"\x32\x80\x01\x00\x02\xc3\xbc\x12\x34\x00"),
        (("t", 1, 16378, False, False), b"\x32\xff\x7f\x00\x01t\x00\x01"),
        (("t", 1, 16379, False, False), b"\x32\x80\x80\x01\x00\x01t\x00\x01"),
        (("a/b", None, 1, False, True), b"\x30\x07\x00\x03a/b\x00"),
        (("a/b", None, 1, False, False), b"\x30\x06\x00\x03a/b"),
        (("t", 1, 268435450, False, False), b"\x32\xff\xff\xff\x7f\x00\x01t\x00\x01"),
    ],
)
def test_the_octets_of_a_publish(
    arguments: tuple[str, int | None, int, bool, bool], expected: bytes
) -> None:
    """Type, flags, remaining length at its limits (clause 1.5.5), topic; no identifier is QoS 0."""
    topic, mid, payload, retain, five = arguments
    assert publish_head(topic, mid, payload, retain=retain, five=five) == expected


def test_a_publish_longer_than_mqtt_allows_is_refused() -> None:
    """The remaining length ends at 268,435,455."""
    with pytest.raises(ValueError, match="longer than MQTT allows"):
        publish_head("t", 1, 268435451, retain=False, five=False)


def test_the_octets_of_a_subscribe() -> None:
    """Clause 3.8, figure 3-20: identifier 10, filters a/b and c/d; here both at QoS 1."""
    filters = ["a/b", "c/d"]
    expected = b"\x82\x0f\x00\x0a\x00\x00\x03a/b\x01\x00\x03c/d\x01"
    assert subscribe(10, filters, five=True) == expected
    assert subscribe(10, filters, five=False) == b"\x82\x0e" + expected[2:4] + expected[5:]


def test_a_suback_has_a_code_for_each_filter() -> None:
    """Clause 3.9: identifier, in 5.0 properties (here a reason string), codes."""
    assert suback(b"\x00\x0a\x00\x01\x87", five=True) == (10, b"\x01\x87")
    assert suback(b"\x00\x0a\x04\x1f\x00\x01x\x01", five=True) == (10, b"\x01")
    assert suback(b"\x00\x0a\x01\x80", five=False) == (10, b"\x01\x80")


# Clause 3.3: topic a/b; packet identifier 10 at QoS 1; properties: message expiry interval 1 s.
EXPIRY = b"\x02\x00\x00\x00\x01"
RECEIVED = [
    (0x30, b"\x00\x03a/bxy", False, Publish("a/b", b"xy", 0, False, False, 0, b"")),
    (0x31, b"\x00\x03a/b\x00", True, Publish("a/b", b"", 0, True, False, 0, b"\0")),
    (0x3A, b"\x00\x03a/b\x00\x0axy", False, Publish("a/b", b"xy", 1, False, True, 10, b"")),
    (
        0x32,
        b"\x00\x03a/b\x00\x0a\x05" + EXPIRY + b"xy",
        True,
        Publish("a/b", b"xy", 1, False, False, 10, b"\x05" + EXPIRY),
    ),
]


@pytest.mark.parametrize(("first", "body", "five", "expected"), RECEIVED)
def test_a_message_is_read(first: int, body: bytes, five: bool, expected: Publish) -> None:
    """Topic, payload, flags, identifier, and the properties as they came."""
    assert received(first, body, five=five) == expected


@pytest.mark.parametrize(
    ("first", "body", "words"),
    [
        (0x34, b"\x00\x03a/b\x00\x0a\x00", "QoS 2"),
        (0x30, b"\x00\x09a/b", "ends before its payload"),
        (0x30, b"\x00\x01\xff\x00", "not UTF-8"),
        (0x32, b"\x00\x03a/b\x00\x0a", "length of its properties"),
        (0x32, b"\x00\x03a/b\x00\x0a\x05\x02", "longer than itself"),
    ],
)
def test_a_message_that_cannot_be_is_refused(first: int, body: bytes, words: str) -> None:
    """What is shorter than it says, or was not asked for, breaks the protocol."""
    with pytest.raises(ProtocolError, match=words):
        received(first, body, five=True)


def test_the_octets_of_a_puback() -> None:
    """Clause 3.4: the short form says success."""
    assert puback_packet(0x1234) == b"\x40\x02\x12\x34"


# MQTT 5.0 clause 3.3: QoS 1, topic `a/b`, identifier 10, no properties; and a payload that is long.
LONG = b"\x00\x03a/b\x00\x0a\x00" + b"x" * 200_000


@pytest.mark.parametrize("cut", [1, 3, 65536, 300_000])
def test_a_message_that_is_too_long_is_passed_over(cut: int) -> None:
    """Its topic and identifier are there to acknowledge it, what is behind it is read as ever."""
    octets = b"\x32" + _length(len(LONG)) + LONG + b"\xd0\x00"
    parser = Parser(100_000)
    found = [p for at in range(0, len(octets), cut) for p in parser.feed(octets[at : at + cut])]
    assert [(p.first, len(p.body) + p.cut) for p in found] == [(0x32, len(LONG)), (0xD0, 0)]
    message = received(0x32, found[0].body, five=True, cut=found[0].cut)
    assert (message.topic, message.mid, message.cut) == ("a/b", 10, len(LONG) - HEAD)


def test_only_a_message_may_be_too_long() -> None:
    """Any other packet of such a length is no packet of this protocol."""
    with pytest.raises(ProtocolError, match="longer than any command or answer"):
        list(Parser(100_000).feed(b"\x90" + _length(200_000)))


def _length(number: int) -> bytes:
    """Clause 1.5.5: seven bits an octet, the lowest first, the highest bit where more follow."""
    digits = []
    while True:
        number, digit = divmod(number, 128)
        digits.append(digit | (0x80 if number else 0))
        if not number:
            return bytes(digits)


def test_subscriptions_end_as_they_began() -> None:
    """Clauses 3.8.3.1 (options of a subscription) and 3.10 (UNSUBSCRIBE)."""
    options = AT_LEAST_ONCE | AS_PUBLISHED | NONE_RETAINED
    assert subscribe(10, ["a/b"], five=True, options=options) == (
        b"\x82\x09\x00\x0a\x00\x00\x03a/b\x29"
    )
    assert subscribe(10, ["a/b"], five=False, options=options) == (
        b"\x82\x08\x00\x0a\x00\x03a/b\x01"
    )
    assert unsubscribe(10, ["a/b", "c"], five=True) == (b"\xa2\x0b\x00\x0a\x00\x00\x03a/b\x00\x01c")
    assert unsubscribe(10, ["a/b"], five=False) == b"\xa2\x07\x00\x0a\x00\x03a/b"


def test_properties_of_commands_are_those_of_the_standard() -> None:
    """Clause 3.3.2.3: message expiry 0x02, Response Topic 0x08, correlation data 0x09."""
    octets = pack(topic="r", correlation=b"\x00\xff", expiry=7.9)
    assert octets[0] == len(octets) - 1
    parts = {b"\x02\x00\x00\x00\x07", b"\x08\x00\x01r", b"\x09\x00\x02\x00\xff"}
    assert all(part in octets for part in parts)
    assert len(octets) == 1 + sum(map(len, parts))
    head = publish_head("t", 1, 0, retain=False, five=True, properties=octets)
    message = received(0x32, head[2:], five=True)
    assert response(message) == ("r", b"\x00\xff")
    assert publish_head("t", 1, 0, retain=False, five=False, properties=octets) == (
        b"\x32\x05\x00\x01t\x00\x01"
    )


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_properties_are_read_or_refused(octets: bytes) -> None:
    """Whatever stands there, it is a topic and octets, or a ValueError."""
    message = Publish("t", b"", 1, False, False, 1, bytes((len(octets),)) + octets)
    try:
        topic, correlation = response(message)
    except ValueError:
        return
    assert isinstance(topic, str)
    assert isinstance(correlation, bytes)
