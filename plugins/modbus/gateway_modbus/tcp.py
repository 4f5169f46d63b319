"""Modbus TCP as a lean asyncio protocol, which hands out the raw register bytes.

Per request it does as little as Python can: the request is encoded once, a good answer is known by
its first nine bytes, several requests wake the caller once, and one timer serves the connection.
Whatever does not look like the good answer takes the slow way, which checks each byte.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Sequence

from gateway import Endpoint, LinkError, SourceContext, reason
from gateway_modbus import frame
from gateway_modbus.outcome import TIMEOUT
from gateway_modbus.query import Query

# Where the event loop itself was held up, answers may lie unread in the socket when their time is
# over: they are looked at before a device is called silent. In seconds.
GRACE = 0.05
REMEMBERED = 64  # transactions that were given up, whose answers may still come


class TcpConnection(asyncio.Protocol):
    """One TCP connection to a device or a gateway with units behind it.

    timeout:  of each answer, in seconds.
    pause:    least time between an answer and the next request, in seconds.
    pipeline: most requests that wait for an answer at once.

    An answer that comes after its time-out is dropped and counted as `late_answers`.
    """

    __slots__ = ("_buffer", "_closed", "_ctx", "_done", "_error", "_grace", "_late", "_loop",
                 "_lost", "_next", "_now", "_open", "_pause", "_peer", "_pipeline", "_queries",
                 "_ready", "_stop", "_timeout", "_timer", "_transaction", "_transport")  # fmt: skip

    def __init__(
        self, ctx: SourceContext, *, timeout: float, pause: float = 0.0, pipeline: int = 1
    ) -> None:
        self._ctx = ctx
        self._now = ctx.now
        self._loop = asyncio.get_running_loop()
        self._timeout = timeout
        self._pause = pause
        self._pipeline = pipeline
        self._ready = 0.0
        self._transport: asyncio.Transport | None = None
        self._transaction = 0
        self._open: dict[bytes, Query] = {}
        self._late: deque[bytes] = deque(maxlen=REMEMBERED)
        self._queries: Sequence[Query] = ()
        self._next = 0
        self._stop = False
        self._grace = False
        self._done: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._buffer = b""
        self._error: LinkError | None = None
        self._peer = ""
        self._lost: asyncio.Future[None] | None = None
        self._closed: asyncio.Future[None] | None = None

    @classmethod
    async def open(
        cls,
        ctx: SourceContext,
        host: str,
        port: int,
        *,
        timeout: float,
        pause: float = 0.0,
        pipeline: int = 1,
        tls: ssl.SSLContext | None = None,
    ) -> TcpConnection:
        """Connect; raises LinkError where that does not work within the time-out."""
        connection = cls(ctx, timeout=timeout, pause=pause, pipeline=pipeline)
        connecting = asyncio.ensure_future(
            connection._loop.create_connection(lambda: connection, host, port, ssl=tls)
        )
        try:
            if not (await asyncio.wait({connecting}, timeout=timeout))[0]:
                await asyncio.wait({connecting}, timeout=GRACE)
            if not connecting.done():
                raise LinkError(f"{host}:{port} takes no connection within {timeout:g} s")
            connecting.result()
        except OSError as error:
            raise LinkError(f"{host}:{port} cannot be reached: {reason(error)}") from None
        except asyncio.CancelledError:
            if connection._transport is not None:
                connection._transport.abort()
            raise
        finally:
            connecting.cancel()
        return connection

    async def exchange(self, queries: Sequence[Query]) -> None:
        """See `Connection.exchange`."""
        if self._error is not None:
            raise self._error
        if self._pause and (wait := self._ready - self._loop.time()) > 0:
            await asyncio.sleep(wait)
        self._queries = queries
        self._next = 0
        self._stop = False
        self._done = done = self._loop.create_future()
        self._send()
        try:
            await done
        finally:
            self._done = None
            if self._pause:
                self._ready = self._loop.time() + self._pause

    async def lost(self) -> None:
        """See `Connection.lost`."""
        if self._error is None:
            if self._lost is None:
                self._lost = self._loop.create_future()
            await asyncio.shield(self._lost)
        assert self._error is not None  # noqa: S101 - set before the future is
        raise self._error

    async def close(self) -> None:
        """See `Connection.close`."""
        transport = self._transport
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._error is None:
            self._error = LinkError("closed")
        if transport is not None:
            self._closed = self._loop.create_future()
            transport.abort()
            await self._closed

    # --- sending -------------------------------------------------------------------------------

    def _send(self) -> None:
        queries, waiting = self._queries, self._open
        frames = b""
        deadline = self._loop.time() + self._timeout
        while self._next < len(queries) and len(waiting) < self._pipeline:
            query = queries[self._next]
            self._next += 1
            self._transaction = transaction = self._transaction + 1 & 0xFFFF
            head = transaction.to_bytes(2, "big")
            query.answer = None
            query.deadline = deadline
            waiting[head] = query
            one = head + query.request
            frames += one
            if self._ctx.tracing:
                self._ctx.trace("tx", one, "", self._peer)
        if frames and self._transport is not None:
            self._transport.write(frames)
            if self._timer is None:
                self._timer = self._loop.call_at(deadline, self._expire)

    def _proceed(self) -> None:
        """Send what is left after an answer, or wake the caller when nothing is."""
        if self._next < len(self._queries) and not self._stop:
            if not self._pause:
                self._send()
            elif not self._open:
                self._loop.call_later(self._pause, self._send_on)
        elif not self._open:
            done = self._done
            if done is not None and not done.done():
                done.set_result(None)

    def _send_on(self) -> None:
        if self._error is None and self._done is not None:
            self._send()

    def _expire(self) -> None:
        """Give up what is overdue; the timer is set again only while something waits."""
        self._timer = None
        now = self._loop.time()
        if not self._grace and any(now - query.deadline > GRACE for query in self._open.values()):
            self._grace = True
            self._timer = self._loop.call_later(GRACE, self._expire)
            return
        self._grace = False
        for head, query in list(self._open.items()):
            if query.deadline > now:
                self._timer = self._loop.call_at(query.deadline, self._expire)
                return
            del self._open[head]
            self._late.append(head)
            query.answer = TIMEOUT
            self._stop = True
            self._ctx.count("timeouts")
        if self._stop:
            for query in self._queries[self._next :]:
                query.answer = None
            self._proceed()

    # --- receiving -----------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        host, port, *_ = transport.get_extra_info("peername") or ("", 0)
        self._peer = str(Endpoint(host, port)) if host else ""

    def data_received(self, data: bytes) -> None:
        if not self._buffer:
            query = self._open.get(data[:2])
            if query is not None and data[2:9] == query.head and len(data) == 9 + query.size:
                del self._open[data[:2]]
                query.answer = data[9:]
                query.time = self._now()
                if self._ctx.tracing:
                    self._ctx.trace("rx", data, "", self._peer)
                self._proceed()
                return
        if self._error is not None:
            return
        self._buffer += data
        try:
            self._take()
        except frame.FrameError as error:
            self._ctx.count("bad_frames")
            self._fail(str(error))

    def _take(self) -> None:
        """Take whole frames off the buffer; raises FrameError for what is none of ours."""
        answered = False
        while (length := frame.frame_length(self._buffer)) and len(self._buffer) >= length:
            one, self._buffer = self._buffer[:length], self._buffer[length:]
            query = self._open.pop(one[:2], None)
            if self._ctx.tracing:
                self._ctx.trace("rx", one, "", self._peer)
            if query is not None:
                query.answer = query.judge(one)
                query.time = self._now()
                answered = True
            elif one[:2] in self._late:
                self._late.remove(one[:2])
                self._ctx.count("late_answers")
            else:
                raise frame.FrameError(
                    f"transaction {int.from_bytes(one[:2], 'big')} was not asked", one, 0
                )
        if answered:
            self._proceed()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(f"the device closed the connection: {exc}" if exc else
                   "the device closed the connection")  # fmt: skip
        self._transport = None
        if self._closed is not None and not self._closed.done():
            self._closed.set_result(None)

    def _fail(self, reason: str) -> None:
        if self._error is None:
            self._error = LinkError(reason)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for query in self._open.values():
            query.answer = None
        self._open.clear()
        self._buffer = b""
        if self._done is not None and not self._done.done():
            self._done.set_exception(self._error)
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(None)
        if self._transport is not None:
            self._transport.abort()
