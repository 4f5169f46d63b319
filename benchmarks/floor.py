"""The least that Python can do for the common job: what any gateway in it stands on.

python -m benchmarks.floor DEVICE_PORT BROKER_PORT DEVICES POLL_SECONDS

A bare asyncio protocol per device and one to the broker, at QoS 0; no limits, no quality, no
reconnect, no acknowledgement, one JSON per device.  Not a reference of what users have, but of what
the machine allows: the distance to it is what the gateway's promises cost.
"""

from __future__ import annotations

import asyncio
import struct
import sys
import time
from typing import cast

import orjson
import uvloop

from benchmarks.job import VALUES, point_names
from benchmarks.script import READS

HEADER = 9
"""Bytes before the registers: MBAP header, function code, byte count."""
VALUE = struct.Struct(f">{VALUES}f")


class Broker(asyncio.Protocol):
    """MQTT 3.1.1 with QoS 0."""

    def __init__(self) -> None:
        self.ready = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(b"\x10\x11\x00\x04MQTT\x04\x02\x00\x00\x00\x05floor")

    def data_received(self, data: bytes) -> None:
        if not self.ready.done():
            self.ready.set_result(None)

    def publish(self, topic: bytes, payload: bytes) -> None:
        length = 2 + len(topic) + len(payload)
        size = bytearray()
        while length > 127:
            size.append(length & 127 | 128)
            length >>= 7
        size.append(length)
        self.transport.write(
            b"".join((b"\x30", size, len(topic).to_bytes(2, "big"), topic, payload))
        )


class Device(asyncio.Protocol):
    """One device: asks its two reads, one after the other, on its beat."""

    def __init__(self, number: int, share: float, poll: float, broker: Broker) -> None:
        self.loop = asyncio.get_running_loop()
        self.poll, self.broker = poll, broker
        self.topic = f"floor/d{number}".encode()
        self.head = orjson.dumps({"device": f"d{number}"})[:-1]
        self.body = b"".join(b',"%b":%%b' % name.encode() for name in point_names())
        self.requests = [
            struct.pack(">HHHBBHH", 0, 0, 6, 1, 3, first, count) for first, count in READS
        ]
        self.due = self.loop.time() + poll * (1 + share)
        self.parts: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.loop.call_at(self.due, self.ask)

    def ask(self) -> None:
        self.transport.write(self.requests[0])
        self.due += self.poll
        self.loop.call_at(self.due, self.ask)

    def data_received(self, data: bytes) -> None:
        self.parts.append(data[HEADER:])
        if len(self.parts) < len(self.requests):
            self.transport.write(self.requests[len(self.parts)])
            return
        values = VALUE.unpack(b"".join(self.parts))
        self.parts = []
        numbers = tuple(orjson.dumps(values)[1:-1].split(b","))
        payload = b'%b,"time":%f%b}' % (self.head, time.time(), self.body % numbers)
        self.broker.publish(self.topic, payload)


async def main(device_port: int, broker_port: int, devices: int, poll: float) -> None:
    loop = asyncio.get_running_loop()
    _, broker = await loop.create_connection(Broker, "127.0.0.1", broker_port)
    await broker.ready
    for number in range(devices):
        share = number / devices
        device = Device(number, share, poll, broker)
        await loop.create_connection(lambda made=device: made, "127.0.0.1", device_port)  # type: ignore[misc]
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
