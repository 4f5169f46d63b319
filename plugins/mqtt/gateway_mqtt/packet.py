"""The packets of a publisher at work: PUBLISH and PINGREQ out; PUBACK, PINGRESP, DISCONNECT in.

What opens a connection (CONNECT, CONNACK, TLS) is the library's.
Clauses are those of MQTT 5.0; version 3.1.1 differs only where said.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

PUBLISH_QOS1 = 0x32
RETAIN = 0x01
PUBACK = 0x40
PINGRESP = 0xD0
DISCONNECT = 0xE0

PINGREQ_PACKET = b"\xc0\x00"
DISCONNECT_PACKET = b"\xe0\x00"

LARGEST = 268_435_455
"""Clause 1.5.5: what the four bytes of a remaining length can say."""
MOST_RECEIVED = 1_000_000
"""No answer to a publisher comes near it, all its properties included."""


class ProtocolError(ValueError):
    """The broker sent what MQTT does not allow, or what a publisher is never sent."""


class Packet(NamedTuple):
    """A control packet: its first byte, and what follows the remaining length."""

    first: int
    body: bytes


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


def publish_head(topic: str, mid: int, payload: int, *, retain: bool, five: bool) -> bytes:
    """Return a QoS 1 PUBLISH (clause 3.3) up to its payload, which has `payload` bytes.

    Raises ValueError where the packet would be longer than MQTT allows.
    """
    name = topic.encode()
    rest = 2 + len(name) + 2 + five + payload
    if rest > LARGEST:
        raise ValueError(f"a message of {payload} bytes is longer than MQTT allows, {LARGEST}")
    return b"".join(
        (
            bytes((PUBLISH_QOS1 | retain,)),
            _varint(rest),
            len(name).to_bytes(2, "big"),
            name,
            mid.to_bytes(2, "big"),
            # No properties; 3.1.1 has none, not even their length.
            b"\0" if five else b"",
        )
    )


def puback(body: bytes) -> tuple[int, int]:
    """Return packet identifier and reason code of a PUBACK (clause 3.4); short form means 0."""
    if len(body) < 2:
        raise ProtocolError(f"a PUBACK of {len(body)} bytes has no packet identifier")
    return body[0] << 8 | body[1], body[2] if len(body) > 2 else 0


class Parser:
    """Cuts what is received into packets, however it is divided."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Packet]:
        """Yield the packets that are complete now; take all before feeding again.

        Raises ProtocolError for a length that no packet can have.
        """
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
                if length > MOST_RECEIVED:
                    raise ProtocolError(
                        f"a packet of {length} bytes, where a publisher gets short answers"
                    )
            if body + length > end:
                break
            yield Packet(data[at], data[body : body + length])
            at = body + length
        self._rest = data[at:]
