"""Clients of three protocols that command without end, and note what they asked and were told."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import struct
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeAlias

from asyncua import Client, ua
from pymodbus import ModbusException
from pymodbus.client import AsyncModbusTcpClient

from gateway.engine.local import conversation

PATIENCE = 5.0
"""Seconds that a client waits for an answer; longer than any command takes."""
BAD_TIMEOUT = 0x800A_0000
TARGET_FAILED = 0x0B


class Told(StrEnum):
    """What a client knows of its request afterwards."""

    DONE = "done"
    REFUSED = "refused"
    """By whoever: nothing has happened."""
    TIMEOUT = "timeout"
    """By the gateway: it may have."""
    UNKNOWN = "unknown"
    """No answer: it may have."""


@dataclass(slots=True)
class Wish:
    """One setpoint that somebody asked for; no two have the same value.

    address: of the client, where the gateway sees it.
    """

    sink: str
    address: str
    point: str
    value: int
    told: Told = Told.UNKNOWN


Ask: TypeAlias = "Operator.Conversation"


class Operator(ABC):
    """A client that asks, one request after the other, and connects again when it must."""

    sink: str
    points: tuple[str, ...]

    class Conversation(ABC):
        """One connection; `address` is the client's end of it, empty where nobody can know."""

        address = ""

        @abstractmethod
        async def ask(self, point: str, value: int) -> Told:
            """Return what was told; raises what its library raises where nothing was."""

    def __init__(self, values: Iterator[int], chance: random.Random, pause: float) -> None:
        self.wishes: list[Wish] = []
        self.connections = 0
        self._values = values
        self._chance = chance
        self._pause = pause

    @abstractmethod
    def connected(self) -> AbstractAsyncContextManager[Ask]:
        """Connect; raises OSError or TimeoutError where that does not work."""

    async def run(self, stop: asyncio.Event) -> None:
        """Command until told to stop, and let the last request come to its end."""
        while not stop.is_set():
            with contextlib.suppress(OSError, TimeoutError, ModbusException, ua.UaError):
                async with self.connected() as conversation:
                    self.connections += 1
                    while not stop.is_set():
                        await self._ask(conversation)
                        await asyncio.sleep(self._chance.random() * self._pause)
            await asyncio.sleep(0.05)

    async def _ask(self, conversation: Ask) -> None:
        point = self._chance.choice(self.points)
        wish = Wish(self.sink, conversation.address, point, next(self._values))
        self.wishes.append(wish)
        wish.told = await conversation.ask(wish.point, wish.value)

    def told(self, what: Told) -> int:
        return sum(wish.told is what for wish in self.wishes)


class Master(Operator):
    """A Modbus master at `modbus.server`, without any retries of its own."""

    sink = "scada"

    def __init__(self, port: int, registers: dict[str, int], direct: bool, *more: Any) -> None:
        """`direct`: the gateway sees the client's own address."""
        super().__init__(*more)
        self.points = tuple(registers)
        self.port = port
        self._registers = registers
        self._direct = direct

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Ask]:
        lost = asyncio.Event()
        client = AsyncModbusTcpClient(
            "127.0.0.1",
            port=self.port,
            timeout=PATIENCE,
            retries=0,
            reconnect_delay=0,
            trace_connect=lambda connected: None if connected else lost.set(),
        )
        try:
            if not await client.connect():
                raise ConnectionError(f"no connection to {self.port}")
            yield _MasterConversation(client, lost, self._registers, self._direct)
        finally:
            client.close()


class _MasterConversation(Operator.Conversation):
    def __init__(
        self,
        client: AsyncModbusTcpClient,
        lost: asyncio.Event,
        registers: dict[str, int],
        direct: bool,
    ) -> None:
        self._client = client
        self._lost = lost
        self._registers = registers
        transport = client.ctx.transport
        if direct and transport is not None:
            self.address = "{}:{}".format(*transport.get_extra_info("sockname"))

    async def ask(self, point: str, value: int) -> Told:
        # The library would wait for an answer on a connection that is gone.
        lost = asyncio.create_task(self._lost.wait())
        asked = asyncio.create_task(self._write(point, value))
        try:
            await asyncio.wait({lost, asked}, return_when=asyncio.FIRST_COMPLETED)
            if not asked.done():
                raise ConnectionError("the gateway hung up")
            return asked.result()
        finally:
            lost.cancel()
            asked.cancel()

    async def _write(self, point: str, value: int) -> Told:
        if not self._client.connected:
            raise ConnectionError("the gateway hung up")
        words = list(struct.unpack(">HH", struct.pack(">I", value)))
        answer = await self._client.write_registers(self._registers[point], words)
        if not answer.isError():
            return Told.DONE
        return Told.TIMEOUT if answer.exception_code == TARGET_FAILED else Told.REFUSED


class UaClient(Operator):
    """An OPC UA client that writes, or selects and executes, at `opcua.server`."""

    sink = "ua"

    def __init__(self, port: int, points: tuple[str, ...], *more: Any) -> None:
        super().__init__(*more)
        self.points = points
        self.port = port

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Ask]:
        client = Client(f"opc.tcp://127.0.0.1:{self.port}/", timeout=PATIENCE)
        async with asyncio.timeout(PATIENCE):
            await client.connect()
        try:
            yield _UaConversation(client)
        finally:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(1):
                    await client.disconnect()


class _UaConversation(Operator.Conversation):
    def __init__(self, client: Client) -> None:
        self._client = client

    async def ask(self, point: str, value: int) -> Told:
        number = ua.Variant(float(value), ua.VariantType.Double)
        if value % 2:
            return _ua_told(await self._write(point, number))
        selected = _ua_told(await self._call(point, "Select", number))
        if selected is not Told.DONE:
            # A select that is held by the gateway: whatever became of it, nothing moved.
            return Told.REFUSED
        return _ua_told(await self._call(point, "Execute", number))

    async def _write(self, point: str, number: ua.Variant) -> ua.StatusCode:
        wanted = ua.WriteValue(
            NodeId=ua.NodeId(point, 2),
            AttributeId=ua.AttributeIds.Value,
            Value=ua.DataValue(number, StatusCode=None),
        )
        (code,) = await self._client.uaclient.write(ua.WriteParameters(NodesToWrite=[wanted]))
        return code

    async def _call(self, point: str, method: str, number: ua.Variant) -> ua.StatusCode:
        request = ua.CallMethodRequest(
            ObjectId=ua.NodeId(f"{point}/Commands", 2),
            MethodId=ua.NodeId(f"{point}/Commands/{method}", 2),
            InputArguments=[number],
        )
        (result,) = await self._client.uaclient.call([request])
        return result.StatusCode


def _ua_told(code: ua.StatusCode) -> Told:
    if code.is_good():
        return Told.DONE
    return Told.TIMEOUT if code.value == BAD_TIMEOUT else Told.REFUSED


class Local(Operator):
    """Somebody at the machine itself, at the gateway's own socket."""

    sink = "local"

    def __init__(self, data: Path, points: tuple[str, ...], *more: Any) -> None:
        super().__init__(*more)
        self.points = points
        self._data = data

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Ask]:
        async with conversation(self._data) as local:
            yield _LocalConversation(local)


class _LocalConversation(Operator.Conversation):
    def __init__(self, local: Any) -> None:
        self._local = local

    async def ask(self, point: str, value: int) -> Told:
        operations = ("direct",) if value % 2 else ("select", "execute")
        for operation in operations:
            said = await self._local.ask(
                "command", PATIENCE, point=point, operation=operation, value=value
            )
            if said["status"] != "success":
                break
        if said["status"] == "success":
            return Told.DONE
        return Told.TIMEOUT if said["status"] == "timeout" else Told.REFUSED


def setpoints() -> Iterator[int]:
    """Every setpoint once: no two requests of a test want the same."""
    return itertools.count(1)
