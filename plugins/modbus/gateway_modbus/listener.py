"""The slave's side of a connection: requests in, answers out, within bounds.

Reads are answered in order. A write that is a command takes its time, and what comes behind it is
answered meanwhile: a Modbus TCP client knows its answers by their transaction (messaging on TCP/IP
V1.0b section 4.2.2). Serial frames have none: there an answer that has been overtaken by a request
is not given any more.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from enum import StrEnum
from typing import Protocol, cast

from gateway import Client as Originator
from gateway import Endpoint, LinkError, SinkContext, SourceContext, reason
from gateway_modbus import frame
from gateway_modbus.outcome import BUSY, DEVICE_FAILURE
from gateway_modbus.write import WRITES

HANDSHAKE_TIMEOUT = 10.0
"""Seconds that a client has to prove who it is; before, it counts for nothing."""


class Framing(StrEnum):
    """How requests are framed."""

    MBAP = "mbap"
    RTU = "rtu"


class Device(Protocol):
    """What answers the requests."""

    def answer(self, unit: int, pdu: bytes) -> bytes | None:
        """Return the answer's PDU for a request's, which has at least a function code;
        None for silence."""


class Commander(Protocol):
    """What carries out writes that are commands."""

    def client(self, address: str, certificate: bytes | None) -> Originator:
        """Return who speaks from there; the certificate is DER, and verified."""

    def left(self, client: Originator) -> None:
        """Take note that it has left."""

    async def answer(self, client: Originator, unit: int, pdu: bytes) -> bytes | None:
        """Carry out a write, and return the answer's PDU; None for silence."""

    def busy(self, client: Originator, unit: int, pdu: bytes) -> None:
        """Take note that writes of this client are refused from here on, until one has ended."""


class Listener:
    """Accepts clients for a device.

    max_clients: above it a new client is turned away and counted.
    idle:        seconds without a request after which a client is dropped, None for never.
    delay:       seconds that an answer takes.
    commander:   carries out writes; without one they are the device's like all requests.
    max_pending: commands of one client under way at once; what is above is answered *busy*.
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
        commander: Commander | None = None,
        max_pending: int = 8,
    ) -> None:
        self.ctx = ctx
        self.device = device
        self.framing = framing
        self.max_clients = max_clients
        self.idle = idle
        self.delay = delay
        self.commander = commander
        self.max_pending = max_pending
        self.clients: set[Client] = set()
        self.pending: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self, at: Endpoint, tls: ssl.SSLContext | None = None) -> Endpoint:
        """Listen; returns where, which tells the port that 0 became. Raises LinkError."""
        loop = asyncio.get_running_loop()
        try:
            # Bound before anything is waited for: who connects in the same moment finds it.
            family = socket.AF_INET6 if ":" in at.host else socket.AF_INET
            bound = socket.create_server((at.host, at.port), family=family)
            self._server = await loop.create_server(
                lambda: Client(self),
                sock=bound,
                ssl=tls,
                ssl_handshake_timeout=None if tls is None else HANDSHAKE_TIMEOUT,
            )
        except OSError as error:
            raise LinkError(f"cannot listen at {at}: {reason(error)}") from None
        return Endpoint(at.host, self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening and drop every client."""
        if self._server is not None:
            self._server.close()
        for client in list(self.clients):
            client.abort()
        for task in self.pending:
            task.cancel()
        await asyncio.gather(*self.pending, return_exceptions=True)
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
        self._peer = ""
        self._heard = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._originator: Originator | None = None
        self._pending: set[asyncio.Task[None]] = set()
        self._requests = 0
        self._busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        listener = self._listener
        # Not every event loop derives its transports from asyncio's.
        self._transport = cast(asyncio.Transport, transport)
        host, port, *_ = transport.get_extra_info("peername") or ("?", 0)
        self._peer = str(Endpoint(host, port))
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
        # What a command has begun goes on to its end; what it has not yet begun is left.
        for task in self._pending:
            task.cancel()
        commander = self._listener.commander
        if commander is not None and self._originator is not None:
            commander.left(self._originator)

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
        if self._transport is not None and answers:
            self._transport.write(answers)

    def _mbap(self) -> bytes:
        answers = b""
        buffer, at = self._buffer, 0
        while (length := frame.frame_length(buffer[at : at + 6], frame.REQUEST)) and (
            len(buffer) - at >= length
        ):
            one = buffer[at : at + length]
            at += length
            answers += self._answer(one, one[6], one[7:], one[0] << 8 | one[1])
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
            answers += self._answer(one, one[0], one[1:-2])
        return answers

    def _answer(self, one: bytes, unit: int, pdu: bytes, transaction: int | None = None) -> bytes:
        """Return the answer's frame, or nothing: for silence, and for what takes its time."""
        if self._ctx.tracing:
            self._ctx.trace("rx", one, "", self._peer)
        self._ctx.count("requests")
        self._requests += 1
        listener = self._listener
        if listener.commander is None or pdu[0] not in WRITES:
            return self._framed(unit, transaction, listener.device.answer(unit, pdu))
        if len(self._pending) >= listener.max_pending:
            self._ctx.count("commands_busy")
            # One record for all that are refused until another one fits: a flood is not to push
            # everything else out of the audit log.
            if not self._busy:
                self._busy = True
                listener.commander.busy(self._who(listener.commander), unit, pdu)
            return self._framed(unit, transaction, frame.exception(pdu[0], BUSY))
        self._busy = False
        task = self._loop.create_task(
            self._command(listener.commander, unit, pdu, transaction, self._requests)
        )
        for pending in (self._pending, listener.pending):
            pending.add(task)
            task.add_done_callback(pending.discard)
        return b""

    def _framed(self, unit: int, transaction: int | None, pdu: bytes | None) -> bytes:
        # Nobody answers a broadcast.
        if pdu is None or (transaction is None and not unit):
            return b""
        answer = frame.rtu(unit, pdu) if transaction is None else frame.mbap(transaction, unit, pdu)
        if self._ctx.tracing:
            self._ctx.trace("tx", answer, "", self._peer)
        return answer

    async def _command(
        self, commander: Commander, unit: int, pdu: bytes, transaction: int | None, number: int
    ) -> None:
        try:
            answer = await commander.answer(self._who(commander), unit, pdu)
        except Exception:
            self._ctx.log.exception("unit %d: %s was not carried out", unit, pdu.hex(" "))
            answer = frame.exception(pdu[0], DEVICE_FAILURE)
        if transaction is None and number != self._requests:
            self._ctx.count("late_answers")
            return
        self._write(self._framed(unit, transaction, answer))

    def _who(self, commander: Commander) -> Originator:
        if self._originator is None:
            assert self._transport is not None  # noqa: S101 - it has just asked
            tls = self._transport.get_extra_info("ssl_object")
            certificate = None if tls is None else tls.getpeercert(binary_form=True)
            self._originator = commander.client(self._peer, certificate)
        return self._originator
