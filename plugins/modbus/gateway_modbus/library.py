"""The pymodbus client as a transport: TLS, serial lines, RTU over TCP."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable, Sequence
from typing import Any

from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient, AsyncModbusTlsClient
from pymodbus.client.base import ModbusBaseClient
from pymodbus.exceptions import ModbusException, ModbusIOException
from pymodbus.framer import FramerRTU, FramerSocket, FramerType
from pymodbus.pdu import DecodePDU, ModbusPDU

from gateway import LinkError, SourceContext, reason
from gateway_modbus.outcome import TIMEOUT
from gateway_modbus.query import Query
from gateway_modbus.write import COIL, COILS, MASK, REGISTER, REGISTERS

# The library writes each lost answer and the last frames at ERROR; the host says what matters.
logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)

NEVER = 1 << 30  # dead requests until the library closes the connection: that is ours to decide


class Raw(ModbusPDU):
    """A request whose bytes are there already, and its answer as the bytes they are."""

    def __init__(self, query: Query | None = None) -> None:
        super().__init__(dev_id=0 if query is None else query.unit)
        self.query = query
        self.data = b""

    def encode(self) -> bytes:
        assert self.query is not None  # noqa: S101 - requests are made with one
        return self.query.request[6:]

    def decode(self, data: bytes) -> None:
        self.data = data


class RawRead(Raw):
    """A read: its answer counts its data bytes."""

    rtu_byte_count_pos = 2

    def decode(self, data: bytes) -> None:
        if not data or len(data) != data[0] + 1:
            raise ModbusIOException("byte count does not fit the frame")
        self.data = data[1:]


class RawWrite(Raw):
    """A write: its answer is an echo."""

    rtu_frame_size = 8


class RawMask(Raw):
    """A mask write: its answer is a longer echo."""

    rtu_frame_size = 10


PDUS: dict[int, type[Raw]] = {
    code: type(f"{base.__name__}{code}", (base,), {"function_code": code})
    for base, codes in (
        (RawRead, (1, 2, 3, 4)),
        (RawWrite, (COIL, REGISTER, COILS, REGISTERS)),
        (RawMask, (MASK,)),
    )
    for code in codes
}


class _Framing:
    """Garbage is no answer, instead of an exception inside the event loop.

    show: is given each frame as it leaves, and as it came, whole.
    """

    def __init__(self, decoder: DecodePDU, show: Callable[[str, bytes], None]) -> None:
        super().__init__(decoder)  # type: ignore[call-arg]
        self._show = show

    def buildFrame(self, message: ModbusPDU) -> bytes:  # noqa: N802 - the library's name
        frame: bytes = super().buildFrame(message)  # type: ignore[misc]
        self._show("tx", frame)
        return frame

    def handleFrame(  # noqa: N802 - the library's name
        self, data: bytes, exp_devid: int, exp_tid: int
    ) -> tuple[int, ModbusPDU | None]:
        try:
            found: tuple[int, ModbusPDU | None] = super().handleFrame(  # type: ignore[misc]
                data, exp_devid, exp_tid
            )
        except (ModbusException, ValueError, IndexError):
            self._show("rx", data)
            return len(data), None
        if found[0]:
            self._show("rx", data[: found[0]])
        return found


class RtuFraming(_Framing, FramerRTU):
    """Serial frames with a check."""


class SocketFraming(_Framing, FramerSocket):
    """MBAP frames; the library's own framing for TLS breaks where a record is split."""


class LibraryConnection:
    """One connection of the pymodbus client, one request at a time."""

    def __init__(self, ctx: SourceContext, where: str, timeout: float, pause: float) -> None:
        self._ctx = ctx
        self._where = where
        self._timeout = timeout
        self._pause = pause
        self._ready = 0.0
        self._gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._client: Any = None
        self._asking = False
        self._unanswered: Query | None = None

    @classmethod
    async def open_serial(
        cls,
        ctx: SourceContext,
        port: str,
        *,
        baud: int,
        parity: str,
        stop_bits: int,
        timeout: float,
        pause: float,
    ) -> LibraryConnection:
        """Open a serial port; raises LinkError where it cannot be."""
        self = cls(ctx, port, timeout, pause)
        client = AsyncModbusSerialClient(
            port,
            framer=FramerType.RTU,
            baudrate=baud,
            parity=parity,
            stopbits=stop_bits,
            **self._common(),
        )
        return await self._open(client, RtuFraming)

    @classmethod
    async def open_rtu_over_tcp(
        cls, ctx: SourceContext, host: str, port: int, *, timeout: float, pause: float
    ) -> LibraryConnection:
        """Connect to a serial server that carries RTU frames; raises LinkError."""
        self = cls(ctx, f"{host}:{port}", timeout, pause)
        client = AsyncModbusTcpClient(host, port=port, framer=FramerType.RTU, **self._common())
        return await self._open(client, RtuFraming)

    @classmethod
    async def open_tls(
        cls,
        ctx: SourceContext,
        host: str,
        port: int,
        *,
        tls: ssl.SSLContext,
        timeout: float,
        pause: float,
    ) -> LibraryConnection:
        """Connect by Modbus/TCP Security; raises LinkError."""
        self = cls(ctx, f"{host}:{port}", timeout, pause)
        client = AsyncModbusTlsClient(host, port=port, sslctx=tls, **self._common())
        return await self._open(client, SocketFraming)

    def _common(self) -> dict[str, Any]:
        return {
            "timeout": self._timeout,
            "retries": 0,
            "reconnect_delay": 0,
            "trace_connect": self._connected,
        }

    async def _open(
        self, client: ModbusBaseClient, framing: type[RtuFraming] | type[SocketFraming]
    ) -> LibraryConnection:
        self._client = client
        client.ctx.framer = framing(DecodePDU(False), self._show)
        for pdu in PDUS.values():
            client.register(pdu)
        client.set_max_no_responses(NEVER)
        client.ctx.count_until_disconnect = NEVER
        create = client.ctx.call_create
        said: list[str] = []

        async def connect() -> Any:
            try:
                return await create()
            except (OSError, ValueError) as error:
                said.append(reason(error) if isinstance(error, ssl.SSLError) else str(error))
                raise OSError(*error.args) from None

        client.ctx.call_create = connect
        if not await client.connect():
            client.close()
            _heed_cancellation()
            raise LinkError(
                f"{self._where} cannot be reached: "
                + (said[0] if said else f"nothing within {self._timeout:g} s")
            )
        return self

    async def exchange(self, queries: Sequence[Query]) -> None:
        """See `Connection.exchange`."""
        for query in queries:
            query.answer = None
        for query in queries:
            if not self._client.connected:
                raise LinkError(f"{self._where} closed the connection")
            await self._rest(query)
            self._asking = True
            query.deadline = self._now() + self._timeout
            try:
                answer: Any = await self._client.execute(False, PDUS[query.function](query))
            except ModbusIOException:
                # The library says so for a lost connection too.
                if not self._client.connected:
                    raise LinkError(f"{self._where} closed the connection") from None
                self._ctx.count("timeouts")
                query.answer = TIMEOUT
                self._unanswered = query
                return
            except ModbusException as error:
                raise LinkError(f"{self._where}: {error}") from None
            finally:
                self._asking = False
                self._ready = self._now() + self._pause
                _heed_cancellation()
            query.time = self._ctx.now()
            query.answer = self._judge(query, answer)
            if query.answer == TIMEOUT:
                return

    def _judge(self, query: Query, answer: Any) -> bytes | int:
        if answer.isError():
            return int(answer.exception_code)
        # Without a transaction id a late answer to another request can only be told by its size.
        same = answer.function_code == query.function
        found = query.judge_data(answer.data) if same else None
        if found is None:
            self._ctx.count("bad_frames")
            return TIMEOUT
        return found

    async def _rest(self, query: Query) -> None:
        wait = self._ready - self._now()
        before, self._unanswered = self._unanswered, None
        if before is not None and before is not query and before.head == query.head:
            # Its late answer would pass for the answer to this one.
            wait += self._timeout
        if wait > 0:
            await asyncio.sleep(wait)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _show(self, direction: str, data: bytes) -> None:
        if self._ctx.tracing:
            self._ctx.trace(direction, data, "", self._where)

    def _connected(self, connected: bool) -> None:
        if connected:
            return
        waiting = self._client.ctx.response_future
        if self._asking and not waiting.done():
            waiting.set_exception(ModbusIOException("connection lost"))
        if not self._gone.done():
            self._gone.set_result(None)

    async def lost(self) -> None:
        """See `Connection.lost`."""
        await asyncio.shield(self._gone)
        raise LinkError(f"{self._where} closed the connection")

    async def close(self) -> None:
        """See `Connection.close`."""
        self._client.close()


def _heed_cancellation() -> None:
    """Raise CancelledError where the task was cancelled and the library did not pass it on.

    It waits with `asyncio.wait_for`, which before Python 3.12 drops a cancellation that comes
    together with the result.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
