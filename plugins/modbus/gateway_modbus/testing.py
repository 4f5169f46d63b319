"""A device that does what a test tells it, the wrong things too."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import TypeAlias

from gateway_modbus import frame
from gateway_modbus.write import WRITES, Write


class Act:
    """What a device does with a request.

    parts: sent one after the other, each in a packet of its own.
    reset: cut the connection afterwards.
    delay: seconds before the first part.
    """

    def __init__(self, *parts: bytes, reset: bool = False, delay: float = 0.0) -> None:
        self.parts = parts
        self.reset = reset
        self.delay = delay


Behaviour: TypeAlias = Callable[[bytes], Act]


def good(request: bytes, data: bytes | None = None) -> bytes:
    """Return a good answer to a read: each register holds its own address, each bit is set;
    or to a write: its echo."""
    if request[7] in WRITES and (write := Write.of(request[7:])) is not None:
        return frame.mbap(request[0] << 8 | request[1], request[6], write.echo)
    function, start, count = frame.READ.unpack(request[7:12])
    if data is None and function <= 2:
        data = b"\xff" * ((count + 7) // 8)
    elif data is None:
        data = b"".join((start + n).to_bytes(2, "big") for n in range(count))
    return request[:2] + frame.answer_head(request[6], function, len(data or b"")) + (data or b"")


def refused(request: bytes, code: int) -> bytes:
    """Return an answer with an exception code."""
    return frame.mbap(request[0] << 8 | request[1], request[6], frame.exception(request[7], code))


class ScriptedDevice:
    """A Modbus TCP device with a behaviour, which a test may change at any time."""

    def __init__(self, behaviour: Behaviour | None = None) -> None:
        self.behaviour = behaviour or (lambda request: Act(good(request)))
        self.requests: list[bytes] = []
        self.times: list[float] = []
        self.connections = 0
        self.most_waiting = 0
        self.port = 0
        self._waiting = 0

    @property
    def writes(self) -> list[str]:
        """The PDUs of the writes so far, in hex."""
        return [one[7:].hex() for one in self.requests if one[7] in WRITES]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[ScriptedDevice]:
        """Listen at a free port of the loopback."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        tasks: set[asyncio.Task[None]] = set()
        self._tasks = tasks
        try:
            yield self
        finally:
            server.close()
            for task in list(tasks):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a handler is a task
        self._tasks.add(task)
        self.connections += 1
        waiting: asyncio.Queue[bytes] = asyncio.Queue()
        acting = asyncio.create_task(self._act(waiting, writer))
        self._tasks.add(acting)
        try:
            while True:
                request = await reader.readexactly(frame.HEADER)
                request += await reader.readexactly(int.from_bytes(request[4:6], "big"))
                self.requests.append(request)
                self.times.append(asyncio.get_running_loop().time())
                self._waiting += 1
                self.most_waiting = max(self.most_waiting, self._waiting)
                waiting.put_nowait(request)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._waiting = 0
            acting.cancel()
            writer.close()
            self._tasks -= {task, acting}

    async def _act(self, waiting: asyncio.Queue[bytes], writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            while True:
                request = await waiting.get()
                act = self.behaviour(request)
                await asyncio.sleep(act.delay)
                for number, part in enumerate(act.parts):
                    if number:
                        await asyncio.sleep(0.001)
                    writer.write(part)
                    await writer.drain()
                self._waiting = max(0, self._waiting - 1)
                if act.reset:
                    writer.transport.abort()
                    return
