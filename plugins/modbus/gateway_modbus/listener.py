"""The slave's side of a connection: requests in, answers out, in order and within bounds."""

from __future__ import annotations

import asyncio
import socket
import ssl
from enum import StrEnum
from typing import Protocol, cast

from gateway import Endpoint, LinkError, SinkContext, SourceContext, reason
from gateway_modbus import frame


class Framing(StrEnum):
    """How requests are framed."""

    MBAP = "mbap"
    RTU = "rtu"


class Device(Protocol):
    """What answers the requests."""

    def answer(self, unit: int, pdu: bytes) -> bytes | None:
        """Return the answer's PDU for a request's, which has at least a function code;
        None for silence."""


class Listener:
    """Accepts clients for a device.

    max_clients: above it a new client is turned away and counted.
    idle:        seconds without a request after which a client is dropped, None for never.
    delay:       seconds that an answer takes.
    """

    def __init__(
        self,
        ctx: SourceContext | SinkContext,
        device: Device,
        *,
        framing: Framing = Framing.MBAP,
        max_clients: int = 32,
        idle: float | None = None,
        delay: float = 0.0,
    ) -> None:
        self.ctx = ctx
        self.device = device
        self.framing = framing
        self.max_clients = max_clients
        self.idle = idle
        self.delay = delay
        self.clients: set[Client] = set()
        self._server: asyncio.Server | None = None

    async def start(self, at: Endpoint, tls: ssl.SSLContext | None = None) -> Endpoint:
        """Listen; returns where, which tells the port that 0 became. Raises LinkError."""
        loop = asyncio.get_running_loop()
        try:
            # Bound before anything is waited for: who connects in the same moment finds it.
            family = socket.AF_INET6 if ":" in at.host else socket.AF_INET
            bound = socket.create_server((at.host, at.port), family=family)
            self._server = await loop.create_server(lambda: Client(self), sock=bound, ssl=tls)
        except OSError as error:
            raise LinkError(f"cannot listen at {at}: {reason(error)}") from None
        return Endpoint(at.host, self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening and drop every client."""
        if self._server is not None:
            self._server.close()
        for client in list(self.clients):
            client.abort()
        if self._server is not None:
            await self._server.wait_closed()
            self._server = None


class Client(asyncio.Protocol):
    """One client's connection."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._ctx = listener.ctx
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._heard = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        listener = self._listener
        # Not every event loop derives its transports from asyncio's.
        self._transport = cast(asyncio.Transport, transport)
        if len(listener.clients) >= listener.max_clients:
            self._ctx.count("clients_refused")
            self._transport.abort()
            return
        listener.clients.add(self)
        self._heard = self._loop.time()
        if listener.idle is not None:
            self._timer = self._loop.call_later(listener.idle, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._listener.clients.discard(self)
        if self._timer is not None:
            self._timer.cancel()

    def abort(self) -> None:
        """Drop the client without a word."""
        if self._transport is not None:
            self._transport.abort()

    def pause_writing(self) -> None:
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        if self._transport is not None:
            self._transport.resume_reading()

    def _look(self) -> None:
        idle = self._listener.idle or 0.0
        quiet = self._loop.time() - self._heard
        if quiet >= idle:
            self._ctx.count("clients_idle")
            self.abort()
        else:
            self._timer = self._loop.call_later(idle - quiet, self._look)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._heard = self._loop.time()
        rtu = self._listener.framing is Framing.RTU
        try:
            answers = self._rtu() if rtu else self._mbap()
        except frame.FrameError as error:
            self._ctx.count("bad_frames")
            self._ctx.log.debug("client dropped: %s", error)
            self.abort()
            return
        if answers and self._listener.delay:
            self._loop.call_later(self._listener.delay, self._write, answers)
        elif answers:
            self._write(answers)

    def _write(self, answers: bytes) -> None:
        if self._transport is not None:
            self._transport.write(answers)

    def _mbap(self) -> bytes:
        answers = b""
        buffer, at = self._buffer, 0
        while (length := frame.frame_length(buffer[at : at + 6], frame.REQUEST)) and (
            len(buffer) - at >= length
        ):
            one = buffer[at : at + length]
            at += length
            pdu = self._answer(one, one[6], one[7:])
            if pdu is not None:
                answer = frame.mbap(one[0] << 8 | one[1], one[6], pdu)
                answers += answer
                if self._ctx.tracing:
                    self._ctx.trace("tx", answer)
        self._buffer = buffer[at:]
        return answers

    def _rtu(self) -> bytes:
        answers = b""
        while (length := frame.rtu_request_length(self._buffer)) and len(self._buffer) >= length:
            one, self._buffer = self._buffer[:length], self._buffer[length:]
            if frame.crc(one[:-2]) != one[-2:]:
                # A serial slave says nothing to what it cannot read; the line falls silent.
                self._ctx.count("bad_frames")
                self._buffer = b""
                break
            pdu = self._answer(one, one[0], one[1:-2])
            if pdu is not None and one[0]:
                answers += frame.rtu(one[0], pdu)
        return answers

    def _answer(self, one: bytes, unit: int, pdu: bytes) -> bytes | None:
        if self._ctx.tracing:
            self._ctx.trace("rx", one)
        self._ctx.count("requests")
        return self._listener.device.answer(unit, pdu)
