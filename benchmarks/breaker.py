"""A Modbus device with one coil, as bare as it can be: what a command is measured against.

python -m benchmarks.breaker PORT

Coil 0 is written with function 5 and shown again as coil 0 and discrete input 0; says "ready" when
it listens, and answers each line on standard input with the number of writes so far.
"""

from __future__ import annotations

import asyncio
import sys
from typing import cast

import uvloop

REQUEST = 12
"""Bytes of a read of bits and of a write of one coil."""
READS, WRITE = (1, 2), 5


class State:
    """The coil, which all connections share."""

    on = False
    writes = 0


class Breaker(asyncio.Protocol):
    """One connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.held = b""

    def data_received(self, data: bytes) -> None:
        self.held += data
        while len(self.held) >= REQUEST:
            request, self.held = self.held[:REQUEST], self.held[REQUEST:]
            self.transport.write(self.answer(request))

    def answer(self, request: bytes) -> bytes:
        if request[7] == WRITE:
            State.on = request[10] == 0xFF
            State.writes += 1
            return request
        head = request[:4]
        if request[7] in READS:
            return head + b"\0\x04" + request[6:8] + bytes((1, State.on))
        return head + b"\0\x03" + bytes((request[6], request[7] | 0x80, 1))


async def main(port: int) -> None:
    loop = asyncio.get_running_loop()
    await loop.create_server(Breaker, "127.0.0.1", port)
    print("ready", flush=True)
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(State.writes, flush=True)


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
