"""The packets of a client at work: PUBLISH, SUBSCRIBE and PINGREQ, and what answers them.

What opens a connection (CONNECT, CONNACK, TLS) is the library's.
Clauses are those of MQTT 5.0; version 3.1.1 differs only where said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

CONNECT, CONNACK = 0x10, 0x20
PUBLISH = 0x30
DUP, QOS, QOS1, RETAIN = 0x08, 0x06, 0x02, 0x01
PUBACK = 0x40
SUBSCRIBE = 0x82
SUBACK = 0x90
UNSUBSCRIBE = 0xA2
UNSUBACK = 0xB0
PINGRESP = 0xD0
DISCONNECT = 0xE0

FAILURE = 0x80
"""Reason codes from here on mean failure (clause 2.4)."""
NO_MATCHING_SUBSCRIBERS = 0x10

AT_LEAST_ONCE = 0x01
AS_PUBLISHED = 0x08
NONE_RETAINED = 0x20
"""Options of a subscription (clause 3.8.3.1): QoS 1; the retain flag as the publisher set it;
no messages that the broker kept. Version 3.1.1 knows only the first."""

NO_PROPERTIES = b"\0"

PINGREQ_PACKET = b"\xc0\x00"
DISCONNECT_PACKET = b"\xe0\x00"

LARGEST = 268_435_455
"""Clause 1.5.5: what the four bytes of a remaining length can say."""
MOST_RECEIVED = 1_000_000
"""No answer and no command comes near it, all its properties included."""
HEAD = 70_000
"""Octets that are kept of a longer PUBLISH: its topic is there, and its packet identifier."""


class ProtocolError(ValueError):
    """The broker sent what MQTT does not allow, or what this client is never sent."""


class Packet(NamedTuple):
    """A control packet: its first byte, and what follows the remaining length."""

    first: int
    body: bytes
    cut: int = 0
    """Octets that were thrown away behind the body, because there are too many."""


class Publish(NamedTuple):
    """A message that was received; `properties` are those of MQTT 5.0, unread.

    cut: octets of the payload that were thrown away, because it is too long.
    """

    topic: str
    payload: bytes
    qos: int
    retain: bool
    dup: bool
    mid: int
    properties: bytes
    cut: int = 0


def _varint(number: int) -> bytes:
    if number < 0x80:
        return bytes((number,))
    if number < 0x4000:
        return bytes((number & 0x7F | 0x80, number >> 7))
    digits = bytearray()
    while number > 0x7F:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    digits.append(number)
    return bytes(digits)


def publish_head(
    topic: str,
    mid: int | None,
    payload: int,
    *,
    retain: bool,
    five: bool,
    properties: bytes = NO_PROPERTIES,
) -> bytes:
    """Return a PUBLISH (clause 3.3) up to its payload, which has `payload` bytes.

    Its QoS is 1, or 0 where `mid` is None.
    properties: with their length before them; 3.1.1 has none, and leaves them out.
    Raises ValueError where the packet would be longer than MQTT allows.
    """
    name = topic.encode()
    identifier = b"" if mid is None else mid.to_bytes(2, "big")
    if not five:
        properties = b""
    rest = 2 + len(name) + len(identifier) + len(properties) + payload
    if rest > LARGEST:
        raise ValueError(f"a message of {payload} bytes is longer than MQTT allows, {LARGEST}")
    return b"".join(
        (
            bytes((PUBLISH | (QOS1 if identifier else 0) | retain,)),
            _varint(rest),
            len(name).to_bytes(2, "big"),
            name,
            identifier,
            properties,
        )
    )


def puback(body: bytes) -> tuple[int, int]:
    """Return packet identifier and reason code of a PUBACK (clause 3.4); short form means 0."""
    if len(body) < 2:
        raise ProtocolError(f"a PUBACK of {len(body)} bytes has no packet identifier")
    return body[0] << 8 | body[1], body[2] if len(body) > 2 else 0


def whole(first: int, body: bytes) -> bytes:
    """Return the packet of a first byte and what follows its remaining length."""
    if len(body) < 0x80:
        return bytes((first, len(body))) + body
    return bytes((first,)) + _varint(len(body)) + body


def connect_shown(identifier: str, *, five: bool, keepalive: int, clean: bool) -> bytes:
    """Return a CONNECT (clause 3.1) for who looks at a trace, never for the wire.

    Without what nobody is to see: user, password, will and properties.
    """
    name = identifier.encode()
    body = b"\0\x04MQTT" + bytes((5 if five else 4, clean << 1)) + keepalive.to_bytes(2, "big")
    body += (NO_PROPERTIES if five else b"") + len(name).to_bytes(2, "big") + name
    return whole(CONNECT, body)


def puback_packet(mid: int) -> bytes:
    """Return a PUBACK that says success."""
    return bytes((PUBACK, 2, mid >> 8, mid & 0xFF))


def subscribe(
    mid: int, filters: Sequence[str], *, five: bool, options: int = AT_LEAST_ONCE
) -> bytes:
    """Return a SUBSCRIBE (clause 3.8) for messages up to QoS 1, unless `options` say otherwise."""
    octet = bytes((options if five else options & 0x03,))
    return _filters(SUBSCRIBE, mid, filters, octet, five=five)


def unsubscribe(mid: int, filters: Sequence[str], *, five: bool) -> bytes:
    """Return an UNSUBSCRIBE (clause 3.10)."""
    return _filters(UNSUBSCRIBE, mid, filters, b"", five=five)


def _filters(first: int, mid: int, filters: Sequence[str], behind: bytes, *, five: bool) -> bytes:
    body = bytearray(mid.to_bytes(2, "big"))
    if five:
        body += NO_PROPERTIES
    for each in filters:
        name = each.encode()
        body += len(name).to_bytes(2, "big") + name + behind
    return bytes((first,)) + _varint(len(body)) + bytes(body)


def suback(body: bytes, *, five: bool) -> tuple[int, bytes]:
    """Return packet identifier and a reason code per filter of a SUBACK (clause 3.9)."""
    if len(body) < 3:
        raise ProtocolError(f"a SUBACK of {len(body)} bytes says nothing")
    at = _behind_properties(body, 2, "SUBACK") if five else 2
    return body[0] << 8 | body[1], body[at:]


def received(first: int, body: bytes, *, five: bool, cut: int = 0) -> Publish:
    """Read a PUBLISH (clause 3.3) of QoS 0 or 1; nothing else was subscribed to."""
    qos = (first & QOS) >> 1
    if qos > 1:
        raise ProtocolError(f"a message of QoS {qos}, where QoS 1 is the most that was asked for")
    length = int.from_bytes(body[:2], "big")
    at = 2 + length + (2 if qos else 0)
    if len(body) < max(at, 2):
        raise ProtocolError(f"a PUBLISH of {len(body)} bytes ends before its payload")
    try:
        topic = body[2 : 2 + length].decode()
    except UnicodeDecodeError:
        raise ProtocolError("a topic that is not UTF-8") from None
    mid = int.from_bytes(body[2 + length : at], "big")
    try:
        end = _behind_properties(body, at, "PUBLISH") if five else at
    except ProtocolError:
        if not cut:
            raise
        end = len(body)
    return Publish(
        topic, body[end:], qos, bool(first & RETAIN), bool(first & DUP), mid, body[at:end], cut
    )


def _behind_properties(body: bytes, at: int, what: str) -> int:
    length = shift = 0
    while True:
        if at >= len(body) or shift > 21:
            raise ProtocolError(f"a {what} without a length of its properties")
        length |= (body[at] & 0x7F) << shift
        at += 1
        if body[at - 1] < 0x80:
            break
        shift += 7
    if at + length > len(body):
        raise ProtocolError(f"a {what} whose properties are longer than itself")
    return at + length


class Parser:
    """Cuts what is received into packets, however it is divided.

    most: the longest body; of a longer PUBLISH the first `HEAD` octets are kept and the rest is
    thrown away as it comes, so that nobody's message breaks the connection.
    """

    def __init__(self, most: int = MOST_RECEIVED) -> None:
        self._most = most
        self._rest = b""
        self._long: tuple[int, bytes, int] | None = None
        self._skip = 0

    def feed(self, data: bytes) -> Iterator[Packet]:
        """Yield the packets that are complete now; take all before feeding again.

        Raises ProtocolError for a length that no packet can have.
        """
        if self._long is not None:
            yield from self._past_long(data)
            return
        data = self._rest + data if self._rest else data
        self._rest = b""
        at, end = 0, len(data)
        while end - at >= 2:
            length = data[at + 1]
            body = at + 2
            if length > 0x7F:
                length &= 0x7F
                shift = 7
                while True:
                    if shift > 21:
                        raise ProtocolError("a remaining length has more than four bytes")
                    if body == end:
                        self._rest = data[at:]
                        return
                    length |= (data[body] & 0x7F) << shift
                    body += 1
                    if data[body - 1] < 0x80:
                        break
                    shift += 7
                if length > self._most:
                    if data[at] & 0xF0 != PUBLISH:
                        raise ProtocolError(
                            f"a packet of {length} bytes, longer than any command or answer"
                        )
                    self._long, self._skip = (data[at], b"", length), length
                    yield from self._past_long(data[body:])
                    return
            if body + length > end:
                break
            yield Packet(data[at], data[body : body + length])
            at = body + length
        self._rest = data[at:]

    def _past_long(self, data: bytes) -> Iterator[Packet]:
        """Keep the beginning of a packet that is too long, and pass over the rest."""
        assert self._long is not None  # noqa: S101 - what calls it has looked
        first, head, length = self._long
        mine = data[: self._skip]
        head += mine[: max(HEAD - len(head), 0)]
        self._skip -= len(mine)
        if self._skip:
            self._long = first, head, length
            return
        self._long = None
        yield Packet(first, head, length - len(head))
        yield from self.feed(data[len(mine) :])
