"""TCP and TLS connections."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Sequence

from gateway.channel.channel import CHUNK, SEND_TIMEOUT, Channel, ChannelClosed
from gateway.model.errors import reason

CONNECT_TIMEOUT = 10.0
"""Seconds until a connection stands, the TLS handshake included, unless it is said otherwise."""

CLOSE_TIMEOUT = 1.0
"""Seconds for a farewell."""

BUFFERED = 64 * 1024
"""Octets that wait in memory, in each direction, before reading or writing pauses."""

KEEPALIVE = tuple(
    (getattr(socket, name), number)
    for name, number in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 6))
    if hasattr(socket, name)  # not every system can say how often
)
"""After a minute of silence, and six questions without an answer, the other side is gone: a
protocol that only listens would wait for it, and keep its place, for ever."""


class StreamChannel(Channel):
    """One connection; what is not read holds up the other side, and nothing is dropped."""

    connection = True

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        send_timeout: float = SEND_TIMEOUT,
        send_buffer: int | None = None,
        on_close: Callable[[StreamChannel], None] | None = None,
    ) -> None:
        super().__init__(address_text(writer.get_extra_info("peername")))
        self._reader = reader
        self._writer = writer
        self._send_timeout = send_timeout
        self._on_close = on_close
        self._closed: ChannelClosed | None = None
        # 0 would do, but TLS pauses for an empty buffer then.
        writer.transport.set_write_buffer_limits(high=BUFFERED if send_buffer is None else 1)
        connection = writer.get_extra_info("socket")
        if connection is not None:
            # asyncio does so only for sockets that name their protocol, and a listener's do not.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            if send_buffer is not None:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
            for option, number in KEEPALIVE:
                connection.setsockopt(socket.IPPROTO_TCP, option, number)

    @classmethod
    async def connect(
        cls,
        host: str,
        port: int,
        *,
        tls: ssl.SSLContext | None = None,
        timeout: float = CONNECT_TIMEOUT,
        send_timeout: float = SEND_TIMEOUT,
    ) -> StreamChannel:
        """Connect; raises ChannelClosed where that does not work within the time-out."""
        where = address_text((host, port))
        try:
            async with asyncio.timeout(timeout):
                reader, writer = await asyncio.open_connection(host, port, limit=BUFFERED, ssl=tls)
        except TimeoutError:
            raise ChannelClosed(f"{where} does not answer within {timeout:g} s") from None
        except OSError as error:
            raise ChannelClosed(f"cannot connect to {where}: {reason(error)}") from None
        return cls(reader, writer, send_timeout=send_timeout)

    @property
    def certificate(self) -> bytes | None:
        """See `Channel.certificate`."""
        tls = self._writer.get_extra_info("ssl_object")
        return None if tls is None else tls.getpeercert(binary_form=True)

    async def read(self) -> bytes:
        """See `Channel.read`."""
        if self._closed is not None:
            raise self._closed
        try:
            data = await self._reader.read(CHUNK)
        except OSError as error:
            raise self._end(f"{self.name}: {reason(error)}") from None
        if not data:
            raise self._end(f"{self.name} closed the connection")
        self.counts["received"] += len(data)
        return data

    async def write(self, frames: Sequence[bytes]) -> None:
        """See `Channel.write`."""
        if self._closed is not None:
            raise self._closed
        data = b"".join(frames)
        try:
            self._writer.write(data)
            async with asyncio.timeout(self._send_timeout):
                await self._writer.drain()
        except TimeoutError:
            why = f"{self.name} has taken nothing for {self._send_timeout:g} s"
            raise self._end(why, abort=True) from None
        except OSError as error:
            raise self._end(f"{self.name}: {reason(error)}", abort=True) from None
        self.counts["sent"] += len(data)

    async def close(self, why: str = "closed") -> None:
        """See `Channel.close`."""
        self._end(f"{self.name}: {why}")
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await self._writer.wait_closed()
        self._writer.transport.abort()

    def _end(self, why: str, *, abort: bool = False) -> ChannelClosed:
        if self._closed is None:
            self._closed = ChannelClosed(why)
            # Whoever is reading is woken: what has come is of no use any more.
            self._reader.feed_eof()
            if abort:
                self._writer.transport.abort()
            else:
                self._writer.close()
            if self._on_close is not None:
                self._on_close(self)
        return self._closed


def address_text(address: object) -> str:
    """Return a socket's address as it is written: `10.0.0.11:20000`, `[::1]:20000`."""
    if not isinstance(address, tuple) or len(address) < 2:
        return "?"
    host, port, *_ = address
    return f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"
