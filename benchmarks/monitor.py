"""An OPC UA client that monitors every point of the common job, and counts what it is told.

python -m benchmarks.monitor PORT DEVICES

Says "ready" when every node is monitored and has been reported once; from then on answers each
line on standard input with the number of changes and of bad values so far.
"""

# mypy: disable-error-code="attr-defined,arg-type,no-untyped-call"

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from typing import Any

from asyncua import Client, Node, ua

from benchmarks.job import VALUES, point_names

NAMESPACE = 2
"""Of the gateway's points: 0 is the standard's, 1 the server's own."""
INTERVAL = 500.0
"""ms between two notifications"""
CHUNK = 1000
PATIENCE = 120.0


class Count:
    """What the client was told."""

    def __init__(self) -> None:
        self.changes = 0
        self.bad = 0
        self.event = asyncio.Event()

    def datachange_notification(self, node: Node, value: Any, data: Any) -> None:
        self.changes += 1
        if not data.monitored_item.Value.StatusCode.is_good():
            self.bad += 1
        self.event.set()

    async def reach(self, changes: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while self.changes < changes:
                self.event.clear()
                await self.event.wait()


async def main(port: int, devices: int) -> None:
    count = Count()
    async with Client(f"opc.tcp://127.0.0.1:{port}", timeout=30) as client:
        subscription = await client.create_subscription(INTERVAL, count)
        nodes = [
            client.get_node(ua.NodeId(f"d{device}.{name}", NAMESPACE))
            for device in range(devices)
            for name in point_names()
        ]
        for start in range(0, len(nodes), CHUNK):
            await subscription.subscribe_data_change(nodes[start : start + CHUNK], queuesize=10)
        await count.reach(devices * VALUES)
        print("ready", flush=True)
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        threading.Thread(target=answer, args=(count, loop, stop), daemon=True).start()
        await stop.wait()


def answer(count: Count, loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Answer every line, until standard input ends."""
    for _ in sys.stdin:
        print(count.changes, count.bad, flush=True)
    loop.call_soon_threadsafe(stop.set)


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
