"""Frames as a file for Wireshark: pcapng (draft-ietf-opsawg-pcapng), written and never read.

A link whose frames are whole Ethernet frames is an interface of link type Ethernet.
Of all others the plain payload is written, whatever carried it, TLS or a serial line, as an
exported PDU (link type WIRESHARK_UPPER_PDU, Wireshark's epan/exported_pdu.h): tags that name the
dissector and the ends, and then the payload.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from struct import Struct
from typing import BinaryIO, NamedTuple

from gateway.model.dissector import Dissector

ETHERNET = 1
UPPER_PDU = 252
USER0 = 147
"""Link type of frames that Wireshark is not told how to read: it shows their octets."""

SECTION, INTERFACE, PACKET = 0x0A0D0D0A, 1, 6
ORDER = 0x1A2B3C4D

# Options: of any block, of a section (4.1), of an interface (4.2), of a packet (4.3).
END, COMMENT = 0, 1
APPLICATION = 4
NAME, DESCRIPTION, RESOLUTION = 2, 3, 9
FLAGS, DROPPED = 2, 4

INBOUND, OUTBOUND = 1, 2
NANOSECONDS = b"\x09"

# Tags of an exported PDU; they are big-endian.
DISSECTOR, TABLE, TABLE_VALUE = 12, 14, 32
IPV4_SOURCE, IPV4_DESTINATION, IPV6_SOURCE, IPV6_DESTINATION = 20, 21, 22, 23
PORT_TYPE, SOURCE_PORT, DESTINATION_PORT = 24, 25, 26
TCP = 2

DYNAMIC = 49152
"""Port of a side that is not the serving one and not known: the first dynamic one (RFC 6335)."""

_BLOCK = Struct("<II")
_LENGTH = Struct("<I")
_OPTION = Struct("<HH")
_TAG = Struct(">HH")
_SECTION = Struct("<IHHq")
_INTERFACE = Struct("<HHI")
_PACKET = Struct("<IIIII")


class Packet(NamedTuple):
    """A frame, and what is said of it.

    time:      ns since the Unix epoch.
    direction: `tx` or `rx`.
    octets:    what is there of the frame, and `length` its own.
    peer:      `host:port` of the other side, or anything else, which is not used.
    comment:   for who looks at it.
    dropped:   frames before this one that are missing.
    """

    time: int
    direction: str
    octets: bytes
    length: int
    peer: str = ""
    comment: str = ""
    dropped: int = 0


class Writer:
    """Writes one section; `file` is open for bytes, and remains the caller's."""

    def __init__(self, file: BinaryIO, application: str) -> None:
        self._file = file
        self._readers: list[Dissector | None] = []
        body = _SECTION.pack(ORDER, 1, 0, -1) + _options({APPLICATION: application.encode()})
        self._write(SECTION, body)

    def interface(self, name: str, description: str, dissector: Dissector | None) -> int:
        """Begin an interface, and return its number."""
        kind = USER0
        if dissector is not None:
            kind = ETHERNET if dissector.ethernet else UPPER_PDU
        options = {
            NAME: name.encode(),
            DESCRIPTION: description.encode(),
            RESOLUTION: NANOSECONDS,
        }
        self._write(INTERFACE, _INTERFACE.pack(kind, 0, 0) + _options(options))
        self._readers.append(dissector)
        return len(self._readers) - 1

    def packet(self, interface: int, packet: Packet) -> None:
        """Write a frame of an interface."""
        dissector = self._readers[interface]
        out = packet.direction == "tx"
        head = b""
        if dissector is not None and not dissector.ethernet:
            head = _tags(dissector, packet.peer, out=out)
        data = head + packet.octets
        options = {FLAGS: _LENGTH.pack(OUTBOUND if out else INBOUND)}
        if packet.dropped:
            options[DROPPED] = packet.dropped.to_bytes(8, "little")
        if packet.comment:
            options[COMMENT] = packet.comment.encode()
        fixed = _PACKET.pack(
            interface,
            packet.time >> 32,
            packet.time & 0xFFFFFFFF,
            len(data),
            len(head) + packet.length,
        )
        self._write(PACKET, fixed + _padded(data) + _options(options))

    def _write(self, kind: int, body: bytes) -> None:
        size = len(body) + 12
        self._file.write(_BLOCK.pack(kind, size) + body + _LENGTH.pack(size))


def _options(options: Mapping[int, bytes]) -> bytes:
    octets = b"".join(
        _OPTION.pack(code, len(value[:0xFFFF])) + _padded(value[:0xFFFF])
        for code, value in options.items()
    )
    return octets + _OPTION.pack(END, 0)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _tags(dissector: Dissector, peer: str, *, out: bool) -> bytes:
    """Return who speaks to whom: the gateway is 0.0.0.0 or ::, this host (RFC 1122, 3.2.1.3)."""
    tags = [(DISSECTOR, _text(dissector.name))]
    if dissector.table:
        # The value must follow its table.
        tags = [(TABLE, _text(dissector.table)), (TABLE_VALUE, dissector.port.to_bytes(4, "big"))]
    address, port = _address(peer)
    if address is not None:
        here = type(address)(0).packed
        ends = (here, address.packed) if out else (address.packed, here)
        four = address.version == 4
        tags.append((IPV4_SOURCE if four else IPV6_SOURCE, ends[0]))
        tags.append((IPV4_DESTINATION if four else IPV6_DESTINATION, ends[1]))
    if dissector.port:
        ours, theirs = DYNAMIC, dissector.port
        if dissector.serves:
            ours, theirs = dissector.port, port or DYNAMIC
        source, destination = (ours, theirs) if out else (theirs, ours)
        tags.append((PORT_TYPE, TCP.to_bytes(4, "big")))
        tags.append((SOURCE_PORT, source.to_bytes(4, "big")))
        tags.append((DESTINATION_PORT, destination.to_bytes(4, "big")))
    return b"".join(_TAG.pack(tag, len(value)) + value for tag, value in tags) + bytes(4)


def _text(text: str) -> bytes:
    """Return a text with its final zero, filled up to four octets, which count."""
    return _padded(text.encode() + b"\0")


def _address(peer: str) -> tuple[ipaddress.IPv4Address | ipaddress.IPv6Address | None, int]:
    host, _, port = peer.rpartition(":")
    try:
        return ipaddress.ip_address(host.strip("[]")), min(int(port), 0xFFFF)
    except ValueError:
        return None, 0
