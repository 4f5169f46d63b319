"""A wire to the broker that writes down what passes, packet by packet."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field

CONNECT, PUBLISH, SUBSCRIBE, PINGREQ, DISCONNECT = 1, 3, 8, 12, 14


@dataclass
class Will:
    topic: str
    octets: bytes
    qos: int
    retain: bool


@dataclass
class Packet:
    """A packet of the node, or a message to it (`came`): its type, and what of it matters here."""

    type: int
    came: bool = False
    topic: str = ""
    octets: bytes = b""
    qos: int = 0
    retain: bool = False
    filters: list[tuple[str, int]] = field(default_factory=list)


@dataclass
class Connection:
    """One connection, in the order of its packets; clauses are those of MQTT 5.0."""

    level: int = 0
    clean: bool = False
    expiry: int = 0
    will: Will | None = None
    packets: list[Packet] = field(default_factory=list)
    cut: bool = False

    @property
    def published(self) -> list[Packet]:
        return [each for each in self.packets if each.type == PUBLISH and not each.came]

    def took(self, first: int, body: bytes, came: bool) -> None:
        kind = first >> 4
        if came and kind != PUBLISH:
            return
        if kind == CONNECT:
            self._connect(body)
            self.packets.append(Packet(CONNECT))
        elif kind == PUBLISH:
            qos = first >> 1 & 3
            topic, at = _text(body, 0)
            at += 2 if qos else 0
            if self.level == 5:
                at = _skip_properties(body, at)
            self.packets.append(Packet(kind, came, topic, body[at:], qos, bool(first & 1)))
        elif kind == SUBSCRIBE:
            at = _skip_properties(body, 2) if self.level == 5 else 2
            filters = []
            while at < len(body):
                name, at = _text(body, at)
                filters.append((name, body[at] & 3))
                at += 1
            self.packets.append(Packet(SUBSCRIBE, filters=filters))
        else:
            self.packets.append(Packet(kind))

    def _connect(self, body: bytes) -> None:
        # Clause 3.1: protocol name, level, flags, keep alive, properties, client, will.
        _, at = _text(body, 0)
        self.level, flags = body[at], body[at + 1]
        self.clean = bool(flags & 0x02)
        at += 4
        if self.level == 5:
            begin = at + 1
            at = _skip_properties(body, at)
            # 0x11 is the session expiry interval; its absence means 0 (clause 3.1.2.11.2).
            properties = body[begin:at]
            if 0x11 in properties[:1]:
                self.expiry = int.from_bytes(properties[1:5], "big")
        _, at = _text(body, at)
        if flags & 0x04:
            if self.level == 5:
                at = _skip_properties(body, at)
            topic, at = _text(body, at)
            length = int.from_bytes(body[at : at + 2], "big")
            octets = body[at + 2 : at + 2 + length]
            self.will = Will(topic, octets, flags >> 3 & 3, bool(flags & 0x20))


def _text(body: bytes, at: int) -> tuple[str, int]:
    end = at + 2 + int.from_bytes(body[at : at + 2], "big")
    return body[at + 2 : end].decode(), end


def _skip_properties(body: bytes, at: int) -> int:
    length, at = _varint(body, at)
    return at + length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        number |= (data[at] & 0x7F) << shift
        at += 1
        if data[at - 1] < 0x80:
            return number, at
        shift += 7


class Recorder:
    """Forwards TCP to a broker, and keeps what went there."""

    def __init__(self, target: int) -> None:
        self.connections: list[Connection] = []
        self.port = 0
        self.open = True
        self.mute = False
        """What comes from the broker is lost; both ends believe that the other is there."""
        self._target = target
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Break what is connected, in the middle of whatever it was."""
        self.connections[-1].cut = True
        self._abort()

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        self._abort()

    def _abort(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.open:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        connection = Connection()
        self.connections.append(connection)
        self._writers |= {writer, far_writer}
        await asyncio.gather(
            self._forward(reader, far_writer, connection, came=False),
            self._forward(far_reader, writer, connection, came=True),
        )
        self._writers -= {writer, far_writer}

    async def _forward(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        connection: Connection,
        *,
        came: bool,
    ) -> None:
        rest = b""
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                rest = _packets(rest + data, connection, came)
                if not (came and self.mute):
                    writer.write(data)
                    await writer.drain()
        writer.transport.abort()


def _packets(data: bytes, connection: Connection, came: bool) -> bytes:
    at = 0
    with contextlib.suppress(IndexError):
        while at < len(data):
            length, body = _varint(data, at + 1)
            if body + length > len(data):
                break
            connection.took(data[at], data[body : body + length], came)
            at = body + length
    return data[at:]
