"""A client that commands a breaker again and again, and says how long each command took.

python -m benchmarks.dispatcher opcua|modbus PORT SECONDS
python -m benchmarks.dispatcher disk FILE SECONDS     the same, of a line that is synced to a file

Prints one line of JSON: how long each command took in ms, until its answer, and how many failed.
"""

# mypy: disable-error-code="attr-defined,no-untyped-call"

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import random
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeAlias

import uvloop
from asyncua import Client, ua
from pymodbus.client import AsyncModbusTcpClient

NODE = "ns=2;s=breaker"
WARM_UP = 20
"""Commands that do not count."""
PAUSE = 0.02
"""s, the longest rest between two commands; a random one, which keeps no beat with the polls."""

Tell: TypeAlias = Callable[[bool], Awaitable[bool]]
"""Commands open or closed; returns whether that succeeded."""


@contextlib.asynccontextmanager
async def modbus(port: int) -> AsyncIterator[Tell]:
    client = AsyncModbusTcpClient("127.0.0.1", port=port, timeout=5)

    async def tell(closed: bool) -> bool:
        return not (await client.write_coil(0, closed)).isError()

    async with client:
        yield tell


@contextlib.asynccontextmanager
async def opcua(port: int) -> AsyncIterator[Tell]:
    async with Client(f"opc.tcp://127.0.0.1:{port}", timeout=10) as client:
        node = client.get_node(NODE)

        async def tell(closed: bool) -> bool:
            # A command has a value, and neither a status nor a time.
            value = ua.DataValue(ua.Variant(closed, ua.VariantType.Boolean), StatusCode=None)
            try:
                await node.write_attribute(ua.AttributeIds.Value, value)
            except ua.UaStatusCodeError:
                return False
            return True

        yield tell


@contextlib.asynccontextmanager
async def disk(path: str) -> AsyncIterator[Tell]:
    loop = asyncio.get_running_loop()
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def put(closed: bool) -> bool:
        os.write(file, b"%-400b\n" % (b"closed" if closed else b"open"))
        os.fdatasync(file)
        return True

    async def tell(closed: bool) -> bool:
        return await loop.run_in_executor(None, put, closed)

    try:
        yield tell
    finally:
        os.close(file)


def ways(kind: str, where: str) -> contextlib.AbstractAsyncContextManager[Tell]:
    if kind == "disk":
        return disk(where)
    return (opcua if kind == "opcua" else modbus)(int(where))


async def main(kind: str, where: str, seconds: float) -> None:
    took: list[float] = []
    failed = 0
    async with ways(kind, where) as tell:
        closed, end = False, float("inf")
        number = 0
        while time.monotonic() < end:
            closed = not closed
            began = time.perf_counter()
            succeeded = await tell(closed)
            lasted = (time.perf_counter() - began) * 1e3
            number += 1
            if number == WARM_UP:
                end = time.monotonic() + seconds
            elif number > WARM_UP:
                took.append(lasted)
                failed += not succeeded
            await asyncio.sleep(random.uniform(0.0, PAUSE))
    print(json.dumps({"took": took, "failed": failed}))


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    uvloop.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
