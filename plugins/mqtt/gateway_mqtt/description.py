"""Control packets in words, for who looks at a trace."""

from __future__ import annotations

from paho.mqtt.packettypes import PacketTypes

from gateway_mqtt import packet
from gateway_mqtt.packet import CONNACK, CONNECT, Packet, Parser, ProtocolError

NAMES = {
    CONNECT: "CONNECT",
    CONNACK: "CONNACK",
    packet.PUBLISH: "PUBLISH",
    packet.PUBACK: "PUBACK",
    0x50: "PUBREC",
    0x60: "PUBREL",
    0x70: "PUBCOMP",
    packet.SUBSCRIBE & 0xF0: "SUBSCRIBE",
    packet.SUBACK: "SUBACK",
    packet.UNSUBSCRIBE & 0xF0: "UNSUBSCRIBE",
    packet.UNSUBACK: "UNSUBACK",
    0xC0: "PINGREQ",
    packet.PINGRESP: "PINGRESP",
    packet.DISCONNECT: "DISCONNECT",
    0xF0: "AUTH",
}
LEVELS = {4: "3.1.1", 5: "5.0"}
"""Protocol levels (clause 3.1.2.2)."""
SHOWN = 80
"""Characters of a payload that are shown, and octets of one that is no text."""
FILTERS = 4
_SPARKPLUG = "spBv1.0/"


def describe(data: bytes, *, five: bool) -> str:
    """Return what a control packet says, as far as it is there; empty for none."""
    try:
        (one,) = Parser(len(data)).feed(data)
    except (ProtocolError, ValueError):
        # Of a long PUBLISH only the beginning is kept.
        return _beginning(data, five=five)
    name = NAMES.get(one.first & 0xF0)
    if name is None:
        return ""
    try:
        said = _said(one, five=five)
    except (ProtocolError, IndexError, UnicodeDecodeError) as error:
        said = f"that cannot be read: {error}"
    return f"{name} {said}".rstrip()


def _said(one: Packet, *, five: bool) -> str:
    kind, body = one.first & 0xF0, one.body
    if kind == packet.PUBLISH:
        return _published(packet.received(one.first, body, five=five))
    if kind == packet.PUBACK:
        mid, code = packet.puback(body)
        return f"{mid}{_reason(PacketTypes.PUBACK, code) if code else ''}"
    if kind == CONNECT:
        return _connect(body)
    if kind == CONNACK:
        accepted = "accepted" if not body[1] else _reason(PacketTypes.CONNACK, body[1]).strip(": ")
        return accepted + (", the session goes on" if body[0] & 1 else "")
    if kind in (packet.SUBSCRIBE & 0xF0, packet.UNSUBSCRIBE & 0xF0):
        options = kind == packet.SUBSCRIBE & 0xF0
        filters = _filters(body, five=five, options=options)
        more = ", …" if len(filters) > FILTERS else ""
        return f"{int.from_bytes(body[:2], 'big')} {', '.join(filters[:FILTERS])}{more}"
    if kind == packet.SUBACK:
        mid, codes = packet.suback(body, five=five)
        bad = [code for code in codes if code >= packet.FAILURE]
        why = _reason(PacketTypes.SUBACK, bad[0]) if bad else ""
        return f"{mid}, {len(codes) - len(bad)} of {len(codes)} granted{why}"
    if kind == packet.UNSUBACK:
        return f"{int.from_bytes(body[:2], 'big')}"
    if kind == packet.DISCONNECT and body:
        return _reason(PacketTypes.DISCONNECT, body[0]).strip(": ")
    return ""


def _published(message: packet.Publish) -> str:
    flags = "".join(
        f" {word}" for word, on in (("retain", message.retain), ("dup", message.dup)) if on
    )
    number = f" {message.mid}" if message.qos else ""
    size = len(message.payload) + message.cut
    return (
        f"{message.topic} QoS {message.qos}{number}{flags}, {size} octets"
        f"{_payload(message.topic, message.payload)}"
    )


def _payload(topic: str, payload: bytes) -> str:
    if not payload:
        return ""
    if topic.startswith(_SPARKPLUG) and "/STATE" not in topic:
        from google.protobuf.message import DecodeError

        from gateway_mqtt.sparkplug.wire import Payload

        try:
            said = Payload.FromString(payload)
        except DecodeError:
            return ": no payload of Sparkplug B"
        names = [metric.name or f"alias {metric.alias}" for metric in said.metrics[:FILTERS]]
        more = ", …" if len(said.metrics) > FILTERS else ""
        seq = f" seq {said.seq}," if said.HasField("seq") else ""
        return f":{seq} {len(said.metrics)} metrics: {', '.join(names)}{more}"
    text = payload[:SHOWN].decode(errors="replace")
    return f": {text}{' …' if len(payload) > SHOWN else ''}"


def _beginning(data: bytes, *, five: bool) -> str:
    name = NAMES.get(data[0] & 0xF0, "") if data else ""
    at = 1
    while at < min(len(data), 4) and data[at] & 0x80:
        at += 1
    if name != "PUBLISH" or len(data) < at + 3:
        return f"{name} that is cut short" if name else ""
    length = int.from_bytes(data[at + 1 : at + 3], "big")
    topic = data[at + 3 : at + 3 + length].decode(errors="replace")
    return f"PUBLISH {topic}, cut short after {len(data)} octets"


def _connect(body: bytes) -> str:
    at = 2 + int.from_bytes(body[:2], "big")
    level, flags = body[at], body[at + 1]
    keepalive = int.from_bytes(body[at + 2 : at + 4], "big")
    at += 4
    if level == 5:
        # One octet is enough for ours.
        at += 1 + body[at]
    length = int.from_bytes(body[at : at + 2], "big")
    client = body[at + 2 : at + 2 + length].decode()
    clean = ", begins anew" if flags & 0x02 else ""
    version = LEVELS.get(level, f"level {level}")
    return f"{client}, MQTT {version}, keep alive {keepalive} s{clean}"


def _filters(body: bytes, *, five: bool, options: bool) -> list[str]:
    at = 2
    if five:
        at += 1 + body[at]
    found: list[str] = []
    while at + 2 <= len(body):
        length = int.from_bytes(body[at : at + 2], "big")
        found.append(body[at + 2 : at + 2 + length].decode())
        at += 2 + length + options
    return found


def _reason(kind: int, code: int) -> str:
    from gateway_mqtt.connection import reason_text

    return f": {reason_text(kind, code)}"
