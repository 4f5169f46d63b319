"""The script that a utility would write: pymodbus in, aiomqtt out, one JSON per device.

python -m benchmarks.script DEVICE_PORT BROKER_PORT DEVICES POLL_SECONDS [asyncio|uvloop]

No quality, no custody, no reconnect: the least that does the job, as the benchmark's reference.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import time

import aiomqtt
import orjson
import uvloop
from pymodbus.client import AsyncModbusTcpClient

from benchmarks.job import NAMED, VALUES, point_names

READS = ((0, 124), (124, 76))
"""First register and count: as few requests as Modbus allows for 200 registers."""


async def device(number: int, port: int, share: float, poll: float, broker: aiomqtt.Client) -> None:
    """Poll one device on its own beat and publish what it says."""
    client = AsyncModbusTcpClient("127.0.0.1", port=port, timeout=5)
    await client.connect()
    names = point_names()
    due = time.time() // poll * poll + poll * (1 + share)
    while True:
        await asyncio.sleep(max(0.0, due - time.time()))
        values: list[object] = []
        for first, count in READS:
            answer = await client.read_holding_registers(first, count=count, device_id=1)
            floats = client.convert_from_registers(answer.registers, client.DATATYPE.FLOAT32, "big")
            assert isinstance(floats, list)
            values += floats
        payload = orjson.dumps(
            {
                "device": f"d{number}",
                "time": time.time(),
                **dict(zip(names, values, strict=True)),
            }
        )
        await broker.publish(f"reference/d{number}", payload, qos=1)
        due += poll
        while due < time.time() - poll:
            due += poll


async def main(device_port: int, broker_port: int, devices: int, poll: float) -> None:
    async with (
        aiomqtt.Client(
            "127.0.0.1",
            broker_port,
            max_inflight_messages=1000,
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        ) as broker,
        asyncio.TaskGroup() as tasks,
    ):
        broker.pending_calls_threshold = 100_000
        for number in range(devices):
            share = number / devices
            tasks.create_task(device(number, device_port, share, poll, broker))


if __name__ == "__main__":
    assert len(point_names()) == VALUES
    assert NAMED[:2] == ("counter", "changed")
    arguments = main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
    if sys.argv[5:] == ["asyncio"]:
        asyncio.run(arguments)
    else:
        uvloop.run(arguments)
